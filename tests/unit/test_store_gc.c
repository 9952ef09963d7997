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

/* A rendered tree with these layers, as stage0/render leaves it. */
static void put_rendered(struct store_dir *s, const char *begins, const char *layer1, const char *layer2)
{
	char id[IMAGE_ID_LEN + 1], a[IMAGE_ID_LEN + 1], b[IMAGE_ID_LEN + 1];
	_cleanup_free_ char *dir = NULL, *recipe = NULL, *path = NULL;

	make_id(id, begins);
	make_id(a, layer1);
	make_id(b, layer2);
	dir = xasprintf("%s/cas/tree/deps-%s/rootfs", s->g.data_dir, id);
	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	path = xasprintf("%s/cas/tree/deps-%s/recipe", s->g.data_dir, id);
	recipe = xasprintf("version=1%clayer=%s%clayer=%s%c", 0, a, 0, b, 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, recipe, 10 + 2 * (6 + IMAGE_ID_LEN + 1), 0600, FILE_FAST, NULL),
			 0);
}

static bool has_rendered(struct store_dir *s, const char *begins)
{
	_cleanup_free_ char *tree = NULL;
	char id[IMAGE_ID_LEN + 1];

	make_id(id, begins);
	tree = xasprintf("deps-%s", id);
	return has_tree(s, tree);
}

static void test_rendered(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *used = NULL;
	char a[IMAGE_ID_LEN + 1], b[IMAGE_ID_LEN + 1], x[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	put_image(&s, "0a", "a.com/a", "1", NULL, "x");
	put_image(&s, "0b", "a.com/b", "1", NULL, "y");
	make_id(a, "0a");
	make_id(b, "0b");
	make_id(x, "01");
	put_rendered(&s, "01", "0a", "0b");
	put_rendered(&s, "02", "0b", "0b");
	put_rendered(&s, "03", "0a", "0c"); /* of an image that is gone */
	assert_int_equal(store_gc(s.store, 0, &e), 0);
	assert_true(has_rendered(&s, "01"));
	assert_true(has_rendered(&s, "02"));
	assert_false(has_rendered(&s, "03"));
	/* a pod uses one of them */
	used = xasprintf("deps-%s", x);
	put_pod(&s, "run", used);
	assert_int_equal(store_remove(s.store, b, &e), 0);
	assert_true(has_rendered(&s, "01"));
	assert_false(has_rendered(&s, "02"));
	assert_true(has_tree(&s, a));
	assert_int_equal(path_remove_tree(s.store, "pods", &e), 0);
	assert_int_equal(store_gc(s.store, 0, &e), 0);
	assert_false(has_rendered(&s, "01"));
	assert_true(has_tree(&s, a));
	store_dir_close(&s);
}

static unsigned gone_trees, gone_images;

static void count_gone(const char *what, const char *id _unused_)
{
	if (!strcmp(what, "tree"))
		gone_trees++;
	else
		gone_images++;
}

/* Of a stage1 that is an image, the pod names the tree in a file of its own. */
static void test_unused(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *file = NULL;
	char ids[3][IMAGE_ID_LEN + 1];
	struct store_info info;
	struct store_dir s;

	store_dir_open(&s);
	for (int i = 0; i < 3; i++) {
		const char *begins[] = {"01", "02", "03"};

		put_image(&s, begins[i], "a.com/a", begins[i], NULL, begins[i]);
		make_id(ids[i], begins[i]);
	}
	put_pod(&s, "exited-garbage", ids[0]);
	file = xasprintf("%s/pods/exited-garbage/00000000-1111-4222-8333-444444444444/stage1TreeStoreID", s.g.data_dir);
	write_file(AT_FDCWD, file, ids[1]);
	assert_int_equal(store_gc_unused(s.store, 3600 * 1000000000ll, count_gone, &e), 0);
	assert_true(has_tree(&s, ids[0]));
	assert_true(has_tree(&s, ids[1]));
	assert_false(has_tree(&s, ids[2]));
	assert_int_equal(store_has(s.store, ids[2]), 1);
	assert_int_equal(store_info(s.store, ids[2], &info, &e), 0);
	assert_int_equal(info.tree_size, 0);
	store_info_done(&info);
	assert_int_equal(gone_trees, 1);
	assert_int_equal(gone_images, 0);
	/* a pod that has ended keeps trees, not images */
	assert_int_equal(store_gc_unused(s.store, 0, count_gone, &e), 0);
	assert_int_equal(gone_images, 3);
	assert_true(has_tree(&s, ids[0]));
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
		cmocka_unit_test(test_tmp),    cmocka_unit_test(test_rendered), cmocka_unit_test(test_unused),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
