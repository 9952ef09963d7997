#include "tests/unit/store_dir.h"

#include <sys/xattr.h>

#include "contract/layout.h"
#include "stage0/oci/layer_tree.h"
#include "stage0/store/internal.h"
#include "stage0/store/layer.h"

/* "sha256:" and this digit 64 times. */
static char *digest(char c)
{
	char *s = xasprintf("sha256:%064d", 0);

	memset(s + 7, c, 64);
	return s;
}

static void add(struct store_layers *l, char blob, char diff)
{
	_cleanup_free_ char *d = digest(blob), *i = digest(diff);

	assert_int_equal(store_layers_add(l, d, 100, i, "application/x", NULL), 0);
}

/* --- the list --- */

static void test_text(void **state _unused_)
{
	_cleanup_store_layers_ struct store_layers l = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *twice = NULL;

	add(&l, '1', 'a');
	add(&l, '2', 'b');
	add(&l, '1', 'a');
	text = store_layers_print(&l);
	assert_int_equal(store_layers_parse(text, &again, NULL), 0);
	assert_int_equal(again.n, 3);
	assert_string_equal(again.v[1].media_type, "application/x");
	assert_true(str_starts(again.v[1].tree_id, "layer-sha256-bbbb"));
	twice = store_layers_print(&again);
	assert_string_equal(text, twice);
	/* The same blob counts once. */
	assert_int_equal(store_layers_size(&l), 200);
}

static void test_malformed(void **state _unused_)
{
	_cleanup_free_ char *a = digest('a'), *b = digest('b');
	char *const rows[][2] = {
		{xasprintf("%s 1 %s layer-sha256-%s x", a, b, b + 7), "cut short"},
		{xasprintf("%s 1 %s layer-sha256-%s x\n", a, b, a + 7), "does not fit"},
		{xasprintf("%s -1 %s layer-sha256-%s x\n", a, b, b + 7), "malformed line"},
		{xasprintf("%s x %s layer-sha256-%s x\n", a, b, b + 7), "malformed line"},
		{xasprintf("%s 1 %s layer-sha256-%s\n", a, b, b + 7), "malformed line"},
		{xasprintf("../%s 1 %s layer-sha256-%s x\n", a, b, b + 7), "layer "},
		{xasprintf("%s 1 x%s layer-sha256-%s x\n", a, b, b + 7), "diff id"},
		{xasprintf("%s 1 sha512:%0128d layer-sha256-%s x\n", a, 0, b + 7), "only SHA-256"},
		{xasprintf("\n"), "malformed line"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct store_layers l = {0};

		assert_true(store_layers_parse(rows[i][0], &l, &e) < 0);
		if (!strstr(err_text(&e), rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err_text(&e));
		free(rows[i][0]);
	}
}

/* --- what is used --- */

static void write_text(int store, const char *path, const char *text)
{
	assert_int_equal(file_write_at(store, path, text, strlen(text), 0640, FILE_FAST, NULL), 0);
}

static void make_dir(int store, const char *path)
{
	assert_true(mkdirat(store, path, 0700) == 0 || errno == EEXIST);
}

/* The two parts of a layer, as if it had been fetched. */
static void make_layer(int store, const struct store_layer *l)
{
	_cleanup_free_ char *name = store_blob_name(l->digest);
	_cleanup_free_ char *blob = xasprintf("cas/blob/%s", name), *tree = xasprintf("cas/tree/%s", l->tree_id);
	_cleanup_free_ char *file = path_join(blob, "blob"), *diff = path_join(blob, "diffid");
	_cleanup_free_ char *rootfs = path_join(tree, "rootfs");

	make_dir(store, blob);
	write_text(store, file, "x");
	write_text(store, diff, l->diff_id);
	make_dir(store, tree);
	make_dir(store, rootfs);
}

/* An image, or who is fetching one, that has these layers. */
static void make_list(int store, const char *dir, const struct store_layers *l)
{
	_cleanup_free_ char *text = store_layers_print(l), *path = path_join(dir, "layers");

	write_text(store, path, text);
}

static void make_image(int store, const char *id, const struct store_layers *l)
{
	_cleanup_free_ char *dir = path_join("cas/image", id), *info = path_join(dir, "info");
	_cleanup_fd_ int fd = -EBADF;
	struct store_info i = {.name = (char *) "x", .source = (char *) "y"};

	make_dir(store, dir);
	make_list(store, dir, l);
	fd = openat(store, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memcpy(i.id, id, IMAGE_ID_LEN + 1);
	assert_int_equal(info_write(fd, &i, NULL), 0);
}

static unsigned states(int store, const struct store_layers *l)
{
	unsigned all = 0;

	for (size_t i = 0; i < l->n; i++)
		all = all * 4 + store_layer_state(store, &l->v[i]);
	return all;
}

#define ALL (LAYER_HAS_BLOB | LAYER_HAS_TREE)

static void test_removal(void **state _unused_)
{
	_cleanup_store_layers_ struct store_layers one = {0}, two = {0};
	char id1[IMAGE_ID_LEN + 1], id2[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	make_id(id1, "11");
	make_id(id2, "22");
	add(&one, '1', 'a');
	add(&one, '2', 'b');
	add(&two, '1', 'a');
	add(&two, '3', 'c');
	for (size_t i = 0; i < 2; i++) {
		make_layer(s.store, &one.v[i]);
		make_layer(s.store, &two.v[i]);
	}
	make_image(s.store, id1, &one);
	make_image(s.store, id2, &two);
	assert_int_equal(states(s.store, &one), ALL * 4 + ALL);
	/* gc takes nothing of it, whatever its age. */
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(states(s.store, &one), ALL * 4 + ALL);
	assert_int_equal(states(s.store, &two), ALL * 4 + ALL);
	assert_int_equal(store_remove(s.store, id1, NULL), 0);
	assert_int_equal(states(s.store, &one), ALL * 4);
	assert_int_equal(states(s.store, &two), ALL * 4 + ALL);
	/* A pod still names a tree of the other. */
	make_dir(s.store, "pods");
	make_dir(s.store, "pods/run");
	make_dir(s.store, "pods/run/1");
	make_dir(s.store, "pods/run/1/appsinfo");
	make_dir(s.store, "pods/run/1/appsinfo/a");
	_cleanup_free_ char *ids = xasprintf("%s\n%s", two.v[0].tree_id, two.v[1].tree_id);

	write_text(s.store, "pods/run/1/appsinfo/a/treeStoreID", ids);
	assert_int_equal(store_remove(s.store, id2, NULL), 0);
	assert_int_equal(states(s.store, &two), LAYER_HAS_TREE * 4 + LAYER_HAS_TREE);
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(states(s.store, &two), LAYER_HAS_TREE * 4 + LAYER_HAS_TREE);
	assert_int_equal(path_remove_tree(s.store, "pods", NULL), 0);
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(states(s.store, &two), 0);
	store_dir_close(&s);
}

static void ignore(const char *what _unused_, const char *id _unused_)
{
}

static void test_fetching(void **state _unused_)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	_cleanup_free_ char *dir = NULL;
	struct store_tmp tmp = STORE_TMP_INIT;
	struct store_dir s;

	store_dir_open(&s);
	add(&l, '1', 'a');
	make_layer(s.store, &l.v[0]);
	assert_int_equal(store_tmp_new(s.store, &tmp, NULL), 0);
	dir = xasprintf("cas/tmp/%s/image", tmp.name);
	make_dir(s.store, dir);
	make_list(s.store, dir, &l);
	/* Neither takes what is being fetched. */
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(store_gc_unused(s.store, 0, ignore, NULL), 0);
	assert_int_equal(states(s.store, &l), ALL);
	store_tmp_done(s.store, &tmp);
	/* Not before its time. */
	assert_int_equal(store_gc(s.store, 3600LL * 1000000000, NULL), 0);
	assert_int_equal(states(s.store, &l), ALL);
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(states(s.store, &l), 0);
	store_dir_close(&s);
}

/* A list that cannot be read could name anything. */
static void test_damaged_list(void **state _unused_)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *path = NULL;
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	make_id(id, "11");
	add(&l, '1', 'a');
	make_layer(s.store, &l.v[0]);
	make_image(s.store, id, &l);
	path = xasprintf("cas/image/%s/layers", id);
	write_text(s.store, path, "what?\n");
	assert_true(store_gc(s.store, 0, &e) < 0);
	assert_non_null(strstr(err_text(&e), "layers: malformed line"));
	assert_int_equal(states(s.store, &l), ALL);
	/* The image itself can go, and then the rest. */
	assert_int_equal(store_remove(s.store, id, NULL), 0);
	assert_int_equal(store_gc(s.store, 0, NULL), 0);
	assert_int_equal(states(s.store, &l), 0);
	store_dir_close(&s);
}

static void test_state(void **state _unused_)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	struct store_dir s;

	store_dir_open(&s);
	add(&l, '1', 'a');
	add(&l, '1', 'b');
	make_layer(s.store, &l.v[0]);
	/* Another diff id than the one that was verified. */
	assert_int_equal(states(s.store, &l), ALL * 4);
	assert_int_equal(store_layer_drop(s.store, l.v[0].digest, NULL), 0);
	assert_int_equal(states(s.store, &l), LAYER_HAS_TREE * 4);
	store_dir_close(&s);
}

/* --- what the worker lists --- */

static void test_lists(void **state _unused_)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"opaque ../rootfs", "mark \"../rootfs\" as opaque"},
		{"opaque link", "mark \"link\" as opaque"},
		{"opaque file", "mark \"file\" as opaque"},
		{"opaque none", "mark \"none\" as opaque"},
		{"opaque /d", "malformed path"},
		{"opaque ", "malformed path"},
		{"opaque a b", "malformed path"},
		{"opaque \\0", "malformed path"},
		{"opaque", "malformed list"},
		{"other d", "malformed list"},
		{"\n", "malformed list"},
	};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *implied = NULL;
	int tree = scratch_open();
	char value[8];
	size_t len;

	make_dir(tree, "rootfs");
	make_dir(tree, "rootfs/d");
	make_dir(tree, "rootfs/a b");
	write_text(tree, "rootfs/file", "x");
	assert_int_equal(symlinkat("d", tree, "rootfs/link"), 0);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		assert_true(layer_tree_finish(tree, rows[i].text, &e) < 0);
		if (!strstr(err_text(&e), rows[i].error))
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		err_done(&e);
	}
	if (geteuid() == 0) {
		_cleanup_free_ char *path = xasprintf("%s/rootfs/a b", scratch_path);

		assert_int_equal(layer_tree_finish(tree, "opaque a\\040b\nopaque .\nhiding d\nimplied .\nimplied a\\040b\n", &e), 0);
		assert_int_equal(getxattr(path, "trusted.overlay.opaque", value, sizeof value), 1);
		assert_int_equal(*value, 'y');
		free(take_ptr(path));
		path = xasprintf("%s/rootfs/d", scratch_path);
		assert_int_equal(getxattr(path, "trusted.overlay.origin", value, sizeof value), 0);
		assert_int_equal(file_read_at(tree, TREE_IMPLIED, 100, &implied, &len, NULL), 0);
		assert_string_equal(implied, ".\na\\040b\n");
	}
	scratch_close(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_malformed), cmocka_unit_test(test_removal),
		cmocka_unit_test(test_fetching), cmocka_unit_test(test_damaged_list), cmocka_unit_test(test_state),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
