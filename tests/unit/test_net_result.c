/* Results of hostile or merely old plugins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage1/net/result.h"

static int addresses(const char *text, char ***ret, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), 1 << 20, NULL);

	assert_non_null(j);
	return cni_result_addresses(j, ret, e);
}

static void all_versions(void **state)
{
	_cleanup_strv_ char **v = NULL;

	(void) state;
	assert_int_equal(addresses("{\"ip4\":{\"ip\":\"10.0.0.2/24\"},\"ip6\":{\"ip\":\"fd00::2/64\"}}", &v, NULL), 0);
	assert_int_equal(addresses("{\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.3/24\"}]}", &v, NULL), 0);
	assert_int_equal(addresses("{\"cniVersion\":\"1.0.0\"}", &v, NULL), 0);
	assert_int_equal(strv_len(v), 3);
	assert_string_equal(v[1], "fd00::2/64");
}

static void refusals(void **state)
{
	static const char *const rows[] = {
		"{\"ips\":[{\"address\":\"10.0.0.2\"}]}", "{\"ips\":[{\"address\":\"10.0.0.2/33\"}]}",
		"{\"ips\":[{}]}", "{\"ips\":{}}", "{\"ips\":[{\"address\":\"x\\n/1\"}]}",
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strv_ char **v = NULL;

		assert_int_equal(addresses(rows[i], &v, NULL), -EINVAL);
	}
}

static void dns_of_the_first_that_has_some(void **state)
{
	static const char a[] = "{\"dns\":{\"domain\":\"x y\"}}";
	static const char b[] = "{\"dns\":{\"nameservers\":[\"10.0.0.1\",\"bad word\",7],\"search\":[\"s\"]}}";
	_cleanup_json_ cJSON *ja = json_parse(a, strlen(a), 1 << 20, NULL), *jb = json_parse(b, strlen(b), 1 << 20, NULL);
	struct net_result r = {0};

	(void) state;
	cni_result_dns(ja, "a", &r);
	cni_result_dns(jb, "b", &r);
	cni_result_dns(jb, "c", &r);
	assert_string_equal(r.dns_network, "b");
	assert_int_equal(strv_len(r.nameservers), 1); /* nothing that would start a second word or line */
	assert_string_equal(r.search[0], "s");
	assert_null(r.domain);
	strv_free(r.nameservers);
	strv_free(r.search);
	strv_free(r.options);
	free(r.dns_network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_versions),
		cmocka_unit_test(refusals),
		cmocka_unit_test(dns_of_the_first_that_has_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
