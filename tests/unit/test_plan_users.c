/* --private-users: what the plan says of it, and which ids a pod cannot have. */
#include "tests/unit/unit.h"

#include "contract/id_map.h"
#include "tests/unit/pod_dir.h"

static const char *const one_app[] = {"a", NULL};

static void texts(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
		uint32_t shift, count;
	} rows[] = {
		{"524288:65536", 0, 524288, 65536},
		{"1:1", 0, 1, 1},
		{"4294967294:1", 0, 4294967294, 1},
		{"1:4294967294", 0, 1, 4294967294},
		{"1:4294967295", -ERANGE, 0, 0},
		{"4294967295:1", -ERANGE, 0, 0},
		{"0:65536", -ERANGE, 0, 0},
		{"5:0", -ERANGE, 0, 0},
		{"", -EINVAL, 0, 0},
		{"5", -EINVAL, 0, 0},
		{":5", -EINVAL, 0, 0},
		{"5:", -EINVAL, 0, 0},
		{"5:6:7", -EINVAL, 0, 0},
		{"5:6\n", -EINVAL, 0, 0},
		{" 5:6", -EINVAL, 0, 0},
		{"-5:6", -EINVAL, 0, 0},
		{"0x5:6", -EINVAL, 0, 0},
		{"00000000000000000000000005:6", -EINVAL, 0, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct id_map m = {7, 8};
		char text[ID_MAP_TEXT_MAX];

		assert_int_equal(id_map_parse(rows[i].text, &m), rows[i].r);
		assert_int_equal(m.shift, rows[i].r ? 7 : rows[i].shift);
		assert_int_equal(m.count, rows[i].r ? 8 : rows[i].count);
		if (!rows[i].r)
			assert_string_equal(id_map_text(&m, text), rows[i].text);
	}
}

static char *printed(const struct plan *plan)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	plan_print(plan, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void is_said(void **state _unused_)
{
	struct entry_args args = {.private_users = {524288, 65536}};
	_cleanup_free_ char *manifest = pod_dir_manifest("", "", ""), *with = NULL, *without = NULL;
	struct pod_dir d;

	pod_dir_open(&d, manifest, "", one_app);
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_int_equal(d.plan->ids.shift, 524288);
	with = printed(d.plan);
	assert_non_null(strstr(with, ", users\n"));
	assert_non_null(strstr(with, "user ids 0 to 65535: 524288 and up of the host\n"));
	args.private_users.count = 0;
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	without = printed(d.plan);
	assert_null(strstr(without, "users"));
	pod_dir_close(&d);
}

/* The numbers that are known beforehand; names are looked up in the app's root, by stage2. */
static void refusals(void **state _unused_)
{
	static const struct {
		const char *app, *tail;
		uint32_t count;
		const char *says; /* NULL: it is a pod */
	} rows[] = {
		{"{\"exec\":[\"/x\"],\"user\":\"65535\",\"group\":\"65535\"}", "", 65536, NULL},
		{"{\"exec\":[\"/x\"],\"user\":\"bob\",\"group\":\"/etc\"}", "", 65536, NULL},
		{"{\"exec\":[\"/x\"],\"user\":\"65536\",\"group\":\"0\"}", "", 65536,
		 "app a: --private-users: user 65536 is not among the pod's ids, which end with 65535"},
		{"{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"70000\"}", "", 65536, "group 70000 is not among"},
		{"{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\",\"supplementaryGIDs\":[1,65536]}", "", 65536,
		 "app a: --private-users: supplementary group 65536"},
		{"{\"exec\":[\"/x\"],\"user\":\"70000\",\"group\":\"0\"}", "", 131072, NULL},
		{"{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}", "", 65535,
		 "--private-users: a pod needs 65536 ids, not 65535"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		const struct entry_args args = {.private_users = {524288, rows[i].count}};
		_cleanup_free_ char *image = xasprintf(",\"app\":%s", rows[i].app);
		struct pod_dir d;

		pod_dir_open(&d, "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"a\","
				 "\"image\":{\"id\":\"" POD_DIR_ID "\"}}]}", image, one_app);
		assert_int_equal(pod_dir_plan(&d, &args), rows[i].says ? -ERANGE : 0);
		if (rows[i].says)
			assert_non_null(strstr(err_text(&d.e), rows[i].says));
		pod_dir_close(&d);
	}
}

static void owners_of_volumes(void **state _unused_)
{
	const struct entry_args args = {.private_users = {524288, 65536}};
	_cleanup_free_ char *manifest = pod_dir_manifest(
		"", ",\"mounts\":[{\"volume\":\"v\",\"path\":\"/v\"}]",
		",\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\",\"uid\":65536,\"gid\":3}]");
	struct pod_dir d;

	pod_dir_open(&d, manifest, "", one_app);
	assert_int_equal(pod_dir_plan(&d, &args), -ERANGE);
	assert_non_null(strstr(err_text(&d.e), "sharedVolumes/v: --private-users: owner 65536"));
	pod_dir_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(is_said),
		cmocka_unit_test(refusals),
		cmocka_unit_test(owners_of_volumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
