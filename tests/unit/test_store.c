#include "tests/unit/store_dir.h"

static void check_find(struct store_dir *s, const char *ref, const char *begins)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *id = NULL;
	char want[IMAGE_ID_LEN + 1];

	make_id(want, begins);
	if (store_find(s->store, ref, &id, &e) < 0)
		fail_msg("%s: %s", ref, err_text(&e));
	assert_string_equal(id, want);
}

static void check_none(struct store_dir *s, const char *ref, int r, const char *text)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *id = NULL;

	assert_int_equal(store_find(s->store, ref, &id, &e), r);
	assert_null(id);
	if (!strstr(err_text(&e), text))
		fail_msg("%s: expected \"%s\", got \"%s\"", ref, text, err_text(&e));
}

static void test_find_id(void **state _unused_)
{
	struct store_dir s;

	store_dir_open(&s);
	check_none(&s, "sha512-ab", -ENOENT, "no image IDs found");
	put_image(&s, "abc1", "a.com/a", "1", NULL, "x");
	put_image(&s, "abc2", "a.com/b", "1", NULL, "x");
	put_image(&s, "ff", "a.com/c", "1", NULL, "x");
	check_find(&s, "sha512-ff", "ff");
	check_find(&s, "sha512-abc1", "abc1");
	check_none(&s, "sha512-abc", -ENOTUNIQ, "ambiguous image ID");
	check_none(&s, "sha512-a", -EINVAL, "image ID too short");
	check_none(&s, "sha512-", -EINVAL, "image ID too short");
	check_none(&s, "sha512-abc3", -ENOENT, "no image IDs found");
	check_none(&s, "sha512-../../x", -EINVAL, "hex digits");
	check_none(&s, "", -EINVAL, "cannot be empty");
	store_dir_close(&s);
}

static void test_find_name(void **state _unused_)
{
	struct store_dir s;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", ",{\"name\":\"os\",\"value\":\"linux\"}", "x");
	put_image(&s, "02", "a.com/a", "2", ",{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}", "x");
	put_image(&s, "03", "a.com/ab", NULL, NULL, "x");
	put_image(&s, "04", "a.com/l", "latest", NULL, "x");
	put_image(&s, "05", "a.com/l", "7", NULL, "x");
	check_find(&s, "a.com/a", "02");
	check_find(&s, "a.com/a:1", "01");
	check_find(&s, "a.com/a,version=1", "01");
	check_find(&s, "a.com/a,os=linux", "02");
	check_find(&s, "a.com/a:2,arch=amd64", "02");
	check_none(&s, "a.com/a:1,arch=amd64", -ENOENT, "no image \"a.com/a:1,arch=amd64\" in the store");
	check_none(&s, "a.com/a:3", -ENOENT, "a.com/a:3");
	check_none(&s, "a.com", -ENOENT, "a.com");
	check_none(&s, "a.com/", -EINVAL, "a.com/");
	check_find(&s, "a.com/ab", "03");
	check_none(&s, "a.com/ab:1", -ENOENT, "a.com/ab:1");
	check_find(&s, "a.com/l", "04");
	check_find(&s, "a.com/l:7", "05");
	store_dir_close(&s);
}

static void test_content(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *manifest = NULL, *text = NULL;
	struct store_info info = {0};
	struct store_list l = {0};
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;
	size_t len;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "content");
	put_image(&s, "02", "a.com/b", NULL, NULL, "content");
	make_id(id, "01");
	assert_int_equal(store_has(s.store, id), 1);
	assert_int_equal(store_manifest(s.store, id, &manifest, &len, &e), 0);
	assert_int_equal(strlen(manifest), len);
	assert_non_null(strstr(manifest, "\"a.com/a\""));
	{
		_cleanup_fd_ int tree = store_tree_open(s.store, id, &e);

		assert_true(tree >= 0);
		assert_int_equal(file_read_at(tree, "f", 100, &text, &len, &e), 0);
		assert_string_equal(text, "content");
	}
	assert_int_equal(store_info(s.store, id, &info, &e), 0);
	assert_string_equal(info.id, id);
	assert_string_equal(info.version, "1");
	assert_null(info.signer);
	assert_int_equal(info.tree_size, 7);
	store_info_done(&info);
	assert_int_equal(store_list(s.store, &l, &e), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].name, "a.com/a");
	assert_string_equal(l.v[1].name, "a.com/b");
	assert_null(l.v[1].version);
	store_list_done(&l);
	store_touch(s.store, id);
	assert_int_equal(store_info(s.store, id, &info, &e), 0);
	assert_true(info.last_used_ns > info.import_time_ns);
	store_info_done(&info);
	/* nothing of the work is left */
	assert_int_equal(count_entries(s.store, "cas/tmp"), 0);
	make_id(id, "03");
	assert_int_equal(store_has(s.store, id), 0);
	assert_int_equal(store_manifest(s.store, id, &manifest, &len, &e), -ENOENT);
	assert_int_equal(store_has(s.store, "../../etc"), -EINVAL);
	store_dir_close(&s);
}

/* Published again, by somebody who was slower: the first stays, what is known of it is the newest. */
static void test_twice(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;
	struct store_info info = {0};
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;
	size_t len;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "first");
	make_id(id, "01");
	info = (struct store_info) {.name = xstrdup("a.com/a"), .signer = xstrdup("0123"), .import_time_ns = 5};
	memcpy(info.id, id, sizeof id);
	assert_int_equal(store_refresh(s.store, &info, &e), 0);
	store_info_done(&info);
	put_image(&s, "01", "a.com/a", "1", NULL, "second");
	assert_int_equal(count_entries(s.store, "cas/image"), 1);
	assert_int_equal(count_entries(s.store, "cas/tree"), 1);
	_cleanup_fd_ int tree = store_tree_open(s.store, id, &e);
	assert_int_equal(file_read_at(tree, "f", 100, &text, &len, &e), 0);
	assert_string_equal(text, "first");
	/* a signature that was checked stays known when nobody asked the second time */
	assert_int_equal(store_info(s.store, id, &info, &e), 0);
	assert_string_equal(info.signer, "0123");
	assert_true(info.import_time_ns > 5);
	store_info_done(&info);
	store_dir_close(&s);
}

static void test_strays(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct store_list l = {0};
	struct store_dir s;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "x");
	assert_int_equal(mkdirat(s.store, "cas/image/junk", 0700), 0);
	assert_int_equal(mkdirat(s.store, "cas/image/sha512-zz", 0700), 0);
	write_file(s.store, "cas/image/file", "x");
	assert_int_equal(store_list(s.store, &l, &e), 0);
	assert_int_equal(l.n, 1);
	store_list_done(&l);
	store_dir_close(&s);
}

static void test_info_malformed(void **state _unused_)
{
	static const char *const rows[] = {
		"id=sha512-12", "id=../../x", "importtime=-1", "importtime=x", "blobsize=1e3", "treesize=99999999999999999999",
	};
	char id[IMAGE_ID_LEN + 1];

	make_id(id, "01");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		struct store_info info = {0};
		size_t len;

		strbuf_add(&sb, "version=1", 10);
		strbuf_addf(&sb, "id=%s%cname=a%c", id, 0, 0);
		strbuf_add(&sb, rows[i], strlen(rows[i]) + 1);
		len = sb.len;
		assert_int_equal(store_info_parse(strbuf_take(&sb), len, &info, &e), -EINVAL);
		assert_null(info.name);
	}
}

static void test_no_store(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct gantry g = {.data_fd = -EBADF};
	int dir = scratch_open();

	g.data_dir = xasprintf("%s/none", scratch_path);
	assert_int_equal(store_open_existing(&g, &e), -ENOENT);
	assert_int_equal(faccessat(dir, "none", F_OK, 0), -1);
	free(g.data_dir);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_id), cmocka_unit_test(test_find_name), cmocka_unit_test(test_content),
		cmocka_unit_test(test_twice),	cmocka_unit_test(test_strays),	  cmocka_unit_test(test_info_malformed),
		cmocka_unit_test(test_no_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
