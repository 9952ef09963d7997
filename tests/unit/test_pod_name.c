/* Names of pods: what is one, and who has it. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "stage0/pod/name.h"

static void what_is_a_name(void **state _unused_)
{
	static const char *const fine[] = {
		"web", "w", "g", "a-b", "db-1", "ace-db", "1234567-8", "123456789", "12345678-1234-1234-1234-1234567890abc",
		"0123456789abcdef0", "012345678901234567890123456789012345678901234567890123456789012",
	};
	static const struct {
		const char *name, *why;
	} bad[] = {
		{"db", "a UUID may begin like this"},
		{"a", "a UUID may begin like this"},
		{"12345678", "a UUID may begin like this"},
		{"12345678-0", "a UUID may begin like this"},
		{"12345678-1234-1234-1234-1234567890ab", "a UUID may begin like this"},
		{"0123456789012345678901234567890123456789012345678901234567890123", "longer than 63 characters"},
	};

	for (size_t i = 0; i < ELEMENTSOF(fine); i++)
		if (pod_name_check(fine[i]))
			fail_msg("%s: %s", fine[i], pod_name_check(fine[i]));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_string_equal(pod_name_check(bad[i].name), bad[i].why);
	assert_non_null(pod_name_check(""));
	assert_non_null(pod_name_check("Web"));
	assert_non_null(pod_name_check("../x"));
}

static void claim_and_release(void **state _unused_)
{
	int pods = scratch_open();
	_cleanup_pod_ struct pod a = POD_INIT, b = POD_INIT, found = POD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *name = NULL, *none = NULL, *text = NULL;
	char uuid[UUID_LEN + 1];

	assert_int_equal(pod_create(pods, &a, NULL), 0);
	assert_int_equal(pod_create(pods, &b, NULL), 0);
	assert_int_equal(pod_name_look_up(pods, "web", uuid), -ENOENT);
	assert_int_equal(pod_name_is_free(pods, "web", NULL), 0);
	assert_int_equal(pod_name_claim(&a, "web", &e), 0);
	assert_int_equal(pod_name_look_up(pods, "web", uuid), 0);
	assert_string_equal(uuid, a.uuid);
	name = pod_name_of(&a);
	none = pod_name_of(&b);
	assert_string_equal(name, "web");
	assert_null(none);
	text = xasprintf("--pod-name \"web\": pod %s has that name", a.uuid);
	assert_int_equal(pod_name_claim(&b, "web", &e), -EEXIST);
	assert_err(&e, text);
	assert_int_equal(pod_name_is_free(pods, "web", &e), -EEXIST);
	assert_err(&e, text);
	assert_int_equal(pod_find(pods, "web", &found, NULL), 0);
	assert_string_equal(found.uuid, a.uuid);
	/* nobody holds its lock any more: a preparation that broke off keeps no name */
	pod_close(&a);
	pod_close(&found);
	assert_int_equal(pod_name_claim(&b, "web", NULL), 0);
	assert_int_equal(pod_open(pods, uuid, &a, NULL), 0);
	pod_name_release(&a);
	assert_int_equal(pod_name_look_up(pods, "web", uuid), 0);
	assert_string_equal(uuid, b.uuid);
	pod_name_release(&b);
	assert_int_equal(pod_name_look_up(pods, "web", uuid), -ENOENT);
	scratch_close(pods);
}

static void damaged(void **state _unused_)
{
	static const char *const texts[] = {"", "../../etc", "not-a-uuid", "12345678-0000-4000-8000-00000000000",
					    "12345678-0000-4000-8000-0000000000000", "12345678-0000-4000-8000-00000000000X"};
	int pods = scratch_open();
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(mkdirat(pods, "names", 0700), 0);
	for (size_t i = 1; i < ELEMENTSOF(texts); i++) {
		assert_int_equal(symlinkat(texts[i], pods, "names/web"), 0);
		assert_int_equal(pod_find(pods, "web", &p, &e), -ENOENT);
		assert_err(&e, "no matches found for \"web\"");
		assert_int_equal(unlinkat(pods, "names/web", 0), 0);
	}
	assert_int_equal(symlinkat("12345678-0000-4000-8000-000000000000", pods, "names/web"), 0);
	assert_int_equal(pod_find(pods, "web", &p, &e), -ENOENT);
	assert_err(&e, "no matches found for \"web\"");
	pod_names_sweep(pods);
	assert_int_equal(faccessat(pods, "names/web", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	scratch_close(pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_name),
		cmocka_unit_test(claim_and_release),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
