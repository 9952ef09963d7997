#include "tests/unit/unit.h"

#include "spec/nameval.h"
#include "spec/well_known.h"
#include "stage0/discovery/discovery.h"

static void check(const struct nameval_list *labels, const char *template, const char *url)
{
	_cleanup_free_ char *got = discovery_expand(template, "a.com/b", labels, "aci");

	if (url)
		assert_string_equal(got, url);
	else
		assert_null(got);
}

static void test_expand(void **state _unused_)
{
	_cleanup_free_ char *arch = xasprintf("https://a.com/%s", well_known_host_arch());
	struct nameval_list none = {0}, some = {0};

	nameval_set(&some, "version", "1.0+x");
	nameval_set(&some, "arch", "noarch");
	nameval_set(&some, "note", "");
	check(&none, "https://a.com/x", "https://a.com/x");
	check(&none, "https://a.com/{name}-{version}.{ext}", "https://a.com/a.com/b-latest.aci");
	check(&none, "https://a.com/{os}", "https://a.com/linux");
	check(&none, "https://a.com/{arch}", arch);
	check(&some, "https://a.com/{version}/{arch}/{note}{ext}",
	      "https://a.com/1.0+x/noarch/aci");
	check(&none, "{ext}{ext}{name}",
	      "aciaci"
	      "a.com/b");
	check(&none, "https://a.com/{note}.{ext}", NULL);
	check(&none, "https://a.com/{}.{ext}", NULL);
	check(&none, "https://a.com/{name", NULL);
	check(&none, "https://a.com/{name{ext}}", NULL);
	check(&none, "https://a.com/{Name}", NULL);
	check(&none, "https://a.com/}", "https://a.com/}");
	nameval_done(&some);
}

/* A label has its own place in the URL, and no say over the rest. */
static void test_escape(void **state _unused_)
{
	struct nameval_list labels = {0};

	nameval_set(&labels, "version", "1/../../x?y#z@b.com\n%00 {name}\xc3\xa4");
	check(&labels, "https://{version}.a.com/",
	      "https://1%2F..%2F..%2Fx%3Fy%23z%40b.com%0A%2500%20%7Bname%7D%C3%A4.a.com/");
	nameval_done(&labels);
}

static void test_prefix(void **state _unused_)
{
	assert_true(discovery_is_prefix("a.com", "a.com"));
	assert_true(discovery_is_prefix("a.com", "a.com/b"));
	assert_true(discovery_is_prefix("a.com/", "a.com/b"));
	assert_true(discovery_is_prefix("a.com/b", "a.com/b/c"));
	assert_false(discovery_is_prefix("a.com/b", "a.com/bc"));
	assert_false(discovery_is_prefix("a.com/b", "a.com"));
	assert_false(discovery_is_prefix("a.co", "a.com"));
	assert_false(discovery_is_prefix("", "a.com"));
	assert_false(discovery_is_prefix("/", "a.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
