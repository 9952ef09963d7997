#include "tests/unit/store_dir.h"

/* A pod in this phase whose app uses the tree. */
static void put_pod(struct store_dir *s, const char *phase, const char *id)
{
	_cleanup_free_ char *dir = xasprintf("%s/pods/%s/00000000-1111-4222-8333-444444444444/appsinfo/app",
					     s->g.data_dir, phase);
	_cleanup_free_ char *file = xasprintf("%s/treeStoreID", dir);

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	write_file(AT_FDCWD, file, id);
}

static bool has_tree(struct store_dir *s, const char *id)
{
	_cleanup_fd_ int fd = store_tree_open(s->store, id, NULL);

	return fd >= 0;
}

static void test_remove(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "x");
	make_id(id, "01");
	assert_int_equal(store_remove(s.store, id, &e), 0);
	assert_int_equal(store_has(s.store, id), 0);
	assert_false(has_tree(&s, id));
	assert_int_equal(count_entries(s.store, "cas/tmp"), 0);
	assert_int_equal(store_remove(s.store, id, &e), -ENOENT);
	store_dir_close(&s);
}

/* The image goes, the tree stays until the pod is gone. */
static void test_in_use(void **state _unused_)
{
	static const char *const phases[] = {"prepare", "prepared", "run", "exited-garbage"};
	_cleanup_err_ struct err e = ERR_INIT;
	char id[IMAGE_ID_LEN + 1];

	make_id(id, "01");
	for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
		_cleanup_free_ char *phase = xasprintf("pods/%s", phases[i]);
		struct store_dir s;

		store_dir_open(&s);
		put_image(&s, "01", "a.com/a", "1", NULL, "x");
		put_pod(&s, phases[i], id);
		assert_int_equal(store_remove(s.store, id, &e), 0);
		assert_int_equal(store_has(s.store, id), 0);
		assert_true(has_tree(&s, id));
		assert_int_equal(store_gc(s.store, 0, &e), 0);
		assert_true(has_tree(&s, id));
		assert_int_equal(path_remove_tree(s.store, phase, &e), 0);
		assert_int_equal(store_gc(s.store, 0, &e), 0);
		assert_false(has_tree(&s, id));
		store_dir_close(&s);
	}
}

/* Somebody prepares a pod just now: rm does not wait, and leaves the tree to gc. */
static void test_locked(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;
	int use;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "x");
	make_id(id, "01");
	use = store_lock_use(s.store, LOCK_SHARED, true, &e);
	assert_true(use >= 0);
	assert_int_equal(store_remove(s.store, id, &e), 0);
	assert_true(has_tree(&s, id));
	(void) fd_close(use);
	assert_int_equal(store_gc(s.store, 3600 * 1000000000ll, &e), 0);
	assert_true(has_tree(&s, id)); /* not old enough */
	assert_int_equal(store_gc(s.store, 0, &e), 0);
	assert_false(has_tree(&s, id));
	store_dir_close(&s);
}

static void test_tmp(void **state _unused_)
{
	struct store_tmp live = STORE_TMP_INIT, dead = STORE_TMP_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct store_dir s;

	store_dir_open(&s);
	assert_int_equal(store_tmp_new(s.store, &live, &e), 0);
	assert_int_equal(store_tmp_new(s.store, &dead, &e), 0);
	write_file(dead.dir, "left", "over");
	(void) fd_close(dead.dir); /* as if its maker had been killed */
	assert_int_equal(count_entries(s.store, "cas/tmp"), 2);
	assert_int_equal(store_gc(s.store, 0, &e), 0);
	assert_int_equal(count_entries(s.store, "cas/tmp"), 1);
	write_file(live.dir, "still", "here");
	store_tmp_done(s.store, &live);
	assert_int_equal(count_entries(s.store, "cas/tmp"), 0);
	store_dir_close(&s);
}

static void test_empty(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();

	/* no store at all */
	assert_int_equal(store_gc(dir, 0, &e), 0);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove), cmocka_unit_test(test_in_use), cmocka_unit_test(test_locked),
		cmocka_unit_test(test_tmp),    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
