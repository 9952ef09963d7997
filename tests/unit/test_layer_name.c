#include "tests/unit/unit.h"

#include "stage0/worker/layer_internal.h"

static void test_names(void **state _unused_)
{
	static const struct {
		const char *text;
		int kind;	 /* or -errno */
		const char *path; /* or the error */
	} rows[] = {
		{"a/b", LAYER_PLAIN, "a/b"},
		{"./a//b/", LAYER_PLAIN, "a/b"},
		{"/a", LAYER_PLAIN, "a"},
		{"//./a", LAYER_PLAIN, "a"},
		{"./", LAYER_ROOT, ""},
		{"/", LAYER_ROOT, ""},
		{".", LAYER_ROOT, ""},
		{"a/.wh.b", LAYER_WHITEOUT, "a/b"},
		{".wh.b", LAYER_WHITEOUT, "b"},
		{".wh.b/", LAYER_WHITEOUT, "b"},
		{"a/.wh..b", LAYER_WHITEOUT, "a/.b"},
		{"a/.wh....", LAYER_WHITEOUT, "a/..."},
		{"a/.wh", LAYER_PLAIN, "a/.wh"},
		{"a/x.wh.b", LAYER_PLAIN, "a/x.wh.b"},
		{"a/.wh..wh..opq", LAYER_OPAQUE, "a"},
		{".wh..wh..opq", LAYER_OPAQUE, ""},
		{"/a/b/.wh..wh..opq", LAYER_OPAQUE, "a/b"},
		{".wh..wh.plnk", LAYER_IGNORED, NULL},
		{".wh..wh.plnk/123.456", LAYER_IGNORED, NULL},
		{"a/.wh..wh.aufs", LAYER_IGNORED, NULL},
		{"a/.wh..wh..opq/x", LAYER_IGNORED, NULL},
		{".wh.", -EINVAL, "a whiteout that names nothing"},
		{"a/.wh..", -EINVAL, "a whiteout that names nothing"},
		{"a/.wh...", -EINVAL, "a whiteout that names nothing"},
		{"a/.wh.b/c", -EINVAL, "something in a whiteout"},
		{"a/../b", -EINVAL, "name with \"..\""},
		{"/..", -EINVAL, "name with \"..\""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct layer_name n;
		int r = layer_name(rows[i].text, 100, &n, &e);

		if (rows[i].kind < 0) {
			assert_int_equal(r, rows[i].kind);
			assert_string_equal(err_text(&e), rows[i].path);
			continue;
		}
		assert_int_equal(r, 0);
		if ((int) n.kind != rows[i].kind || (rows[i].path && strcmp(n.path, rows[i].path)))
			fail_msg("%s: %d %s", rows[i].text, (int) n.kind, n.path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
