/* dnsname: whose names there are, and what the configuration may say. */
#include "tests/unit/unit.h"

#include "base/file.h"
#include "base/str.h"
#include "cni-plugins/dnsname/conf.h"
#include "cni-plugins/dnsname/names.h"
#include "tests/unit/cni_request.h"

static char *content(int dir)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(file_read_at(dir, "hosts", 1 << 20, &text, &len, NULL), 0);
	return text;
}

static void put_drop_keep(void **state)
{
	_cleanup_free_ char *first = NULL, *second = NULL, *third = NULL;
	_cleanup_names_ struct names n = {0}, again = {0};
	struct cni_attachment valid[] = {{"b", "eth1"}};
	const struct cni_attachments attachments = {.list = valid, .n = 1, .known = true};
	int dir = scratch_open();

	(void) state;
	assert_int_equal(names_read(dir, &n, NULL), 0);
	assert_int_equal(n.n, 0);
	names_put(&n, "a eth0", "10.0.0.1 x y\nfd00::1 x y\n");
	names_put(&n, "b eth0", "");
	names_put(&n, "b eth1", "10.0.0.2 z\n");
	assert_int_equal(names_write(dir, &n, NULL), 0);
	first = content(dir);
	assert_string_equal(first, "# a eth0\n10.0.0.1 x y\nfd00::1 x y\n# b eth0\n# b eth1\n10.0.0.2 z\n");
	assert_int_equal(names_read(dir, &again, NULL), 0);
	assert_int_equal(again.n, 3);
	assert_string_equal(names_find(&again, "a eth0")->lines, "10.0.0.1 x y\nfd00::1 x y\n");
	assert_string_equal(names_find(&again, "b eth0")->lines, "");
	/* in place of what there was */
	names_put(&again, "a eth0", "10.0.0.9 x\n");
	assert_true(names_drop(&again, "b eth0"));
	assert_false(names_drop(&again, "b eth0"));
	assert_false(names_drop(&again, "b"));
	assert_int_equal(names_write(dir, &again, NULL), 0);
	second = content(dir);
	assert_string_equal(second, "# b eth1\n10.0.0.2 z\n# a eth0\n10.0.0.9 x\n");
	assert_true(names_keep(&again, &attachments));
	assert_false(names_keep(&again, &attachments));
	assert_int_equal(names_write(dir, &again, NULL), 0);
	third = content(dir);
	assert_string_equal(third, "# b eth1\n10.0.0.2 z\n");
	scratch_close(dir);
}

/* Somebody else's file is no reason to stop, and none to go on for ever. */
static void strange_files(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {{"", 0}, {"\n", 0}, {"10.0.0.1 x\n", 0}, {"# a eth0", 1}, {"# a eth0\n10.0.0.1 x", 1},
		    {"# \n# b eth0\n", 2}, {"# a eth0\n#b\n# c eth0\n", 1}};
	int dir = scratch_open();

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_names_ struct names n = {0};

		assert_int_equal(file_write_at(dir, "hosts", rows[i].text, strlen(rows[i].text), 0600, FILE_FAST, NULL), 0);
		assert_int_equal(names_read(dir, &n, NULL), 0);
		assert_int_equal(n.n, rows[i].n);
	}
	scratch_close(dir);
}

static void configuration(void **state)
{
	static const struct {
		const char *members, *args, *domain, *aliases; /* aliases NULL: refused, and domain says why */
	} rows[] = {
		{"\"x\":1", "", NULL, ""},
		{"\"domainName\":\"\"", "", NULL, ""},
		{"\"domainName\":\"pods.example\"", "", "pods.example", ""},
		{"\"runtimeConfig\":{\"aliases\":[\"a\",\"b-1\",\"a\"]}", "", NULL, "a b-1"},
		{"\"runtimeConfig\":{\"aliases\":{\"net\":[\"a\"],\"m\":[\"b\"]}}", "", NULL, "a"},
		{"\"runtimeConfig\":{\"aliases\":null}", "K8S_POD_NAME=", NULL, ""},
		{"\"runtimeConfig\":{\"aliases\":[\"a\"]}", "IP=1.2.3.4;K8S_POD_NAME=boss", NULL, "a boss"},
		{"\"runtimeConfig\":{\"aliases\":3}", "", "expected array", NULL},
		{"\"runtimeConfig\":{\"aliases\":[3]}", "", "expected strings", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"a b\"]}", "", "no host name", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"\"]}", "", "no host name", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"a..b\"]}", "", "no host name", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"-a\"]}", "", "no host name", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"a\\n10.0.0.1 b\"]}", "", "no host name", NULL},
		{"\"runtimeConfig\":{\"aliases\":[\"a#b\"]}", "", "no host name", NULL},
		{"\"domainName\":\"a/b\"", "", "domainName", NULL},
		{"\"multiDomain\":1", "", "multiDomain", NULL},
		{"\"multiDomain\":true", "", NULL, ""},
		{"\"x\":1", "K8S_POD_NAME=a/b", "no host name", NULL},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
		_cleanup_dnsname_conf_ struct dnsname_conf c = {0};
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *joined = NULL;
		int r;

		make_request(&rq, "ADD", rows[i].args, rows[i].members);
		r = dnsname_conf_decode(&rq, &c, &e);
		if (!rows[i].aliases) {
			assert_true(r < 0);
			assert_int_equal(cni_code_of(e.code), CNI_BAD_CONFIG);
			assert_non_null(strstr(err_text(&e), rows[i].domain));
			continue;
		}
		assert_int_equal(r, 0);
		joined = strv_join(c.aliases, " ");
		assert_string_equal(joined, rows[i].aliases);
		if (rows[i].domain)
			assert_string_equal(c.domain, rows[i].domain);
		else
			assert_null(c.domain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_drop_keep),
		cmocka_unit_test(strange_files),
		cmocka_unit_test(configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
