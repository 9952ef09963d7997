#include "tests/unit/store_dir.h"

#include "stage0/render/internal.h"

/* An image without a tree; `rest` follows the labels in its manifest. */
static void put(struct store_dir *s, const char *begins, const char *name, const char *rest)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	struct store_info info = {.import_time_ns = 1600000000000000000};
	_cleanup_free_ char *manifest = xasprintf(
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\"%s}", name, rest);
	_cleanup_err_ struct err e = ERR_INIT;

	make_id(info.id, begins);
	info.name = (char *) name;
	assert_int_equal(store_tmp_new(s->store, &tmp, &e), 0);
	assert_int_equal(mkdirat(tmp.dir, "image", 0700), 0);
	write_file(tmp.dir, "image/manifest", manifest);
	if (store_publish(s->store, &tmp, &info, &e) < 0)
		fail_msg("%s", err_text(&e));
	store_tmp_done(s->store, &tmp);
}

#define NEEDS1(a) ",\"dependencies\":[{\"imageName\":\"" a "\"}]"
#define NEEDS2(a, b) ",\"dependencies\":[{\"imageName\":\"" a "\"},{\"imageName\":\"" b "\"}]"

/* The first two digits of each layer's id, and its lists: "01 02(a,b|a) 03". */
static char *order(struct store_dir *s, const char *begins)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct strbuf sb = STRBUF_INIT;
	struct render_layer *l;
	char id[IMAGE_ID_LEN + 1];
	size_t n;

	make_id(id, begins);
	if (render_order(s->store, id, &l, &n, &e) < 0) {
		strbuf_adds(&sb, err_text(&e));
		return strbuf_take(&sb);
	}
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *files = strv_join(l[i].files, ","), *dirs = strv_join(l[i].dirs, ",");

		strbuf_addf(&sb, "%s%.2s", i ? " " : "", l[i].id + 7);
		if (l[i].some_files || l[i].some_dirs)
			strbuf_addf(&sb, "(%s|%s)", l[i].some_files ? files : "*", l[i].some_dirs ? dirs : "*");
	}
	render_layers_free(l, n);
	return strbuf_take(&sb);
}

static void assert_order(struct store_dir *s, const char *begins, const char *want)
{
	_cleanup_free_ char *got = order(s, begins);

	assert_string_equal(got, want);
}

static void assert_fails(struct store_dir *s, const char *begins, const char *part)
{
	_cleanup_free_ char *got = order(s, begins);

	if (!strstr(got, part))
		fail_msg("%s: %s", got, part);
}

static void test_order(void **state _unused_)
{
	struct store_dir s;

	store_dir_open(&s);
	put(&s, "0d", "a.com/d", "");
	put(&s, "0b", "a.com/b", "");
	put(&s, "0c", "a.com/c", NEEDS1("a.com/d"));
	put(&s, "0a", "a.com/a", NEEDS2("a.com/b", "a.com/c"));
	put(&s, "01", "a.com/twice", NEEDS2("a.com/c", "a.com/d"));
	assert_order(&s, "0d", "0d");
	assert_order(&s, "0a", "0b 0d 0c 0a");
	assert_order(&s, "01", "0d 0c 0d 01");
	store_dir_close(&s);
}

static void test_lists(void **state _unused_)
{
	struct store_dir s;

	store_dir_open(&s);
	put(&s, "01", "a.com/base", "");
	put(&s, "02", "a.com/own", ",\"pathWhitelist\":[\"/x\",\"//d//y/\",\"/\",\"/x\"]");
	put(&s, "03", "a.com/over", NEEDS1("a.com/own") ",\"pathWhitelist\":[\"/d/y\",\"/z\"]");
	put(&s, "04", "a.com/top", NEEDS2("a.com/over", "a.com/base") ",\"pathWhitelist\":[\"/d/y\"]");
	put(&s, "05", "a.com/empty", ",\"pathWhitelist\":[]");
	assert_order(&s, "02", "02(d/y,x|*)");
	assert_order(&s, "03", "02(d/y|d,d/y,z) 03(d/y,z|*)");
	assert_order(&s, "04", "02(d/y|d,d/y) 03(d/y|d,d/y) 01(d,d/y|d,d/y) 04(d/y|*)");
	assert_order(&s, "05", "05");
	store_dir_close(&s);
}

static void test_order_fails(void **state _unused_)
{
	_cleanup_free_ char *pinned = NULL;
	char begins[8], name[32], lost[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	put(&s, "01", "a.com/self", NEEDS1("a.com/self"));
	put(&s, "02", "a.com/x", NEEDS1("a.com/y"));
	put(&s, "03", "a.com/y", NEEDS1("a.com/z"));
	put(&s, "04", "a.com/z", NEEDS1("a.com/x"));
	put(&s, "05", "a.com/lost", NEEDS1("a.com/nowhere"));
	make_id(lost, "05");
	pinned = xasprintf(",\"dependencies\":[{\"imageName\":\"a.com/other\",\"imageID\":\"%s\"}]", lost);
	put(&s, "06", "a.com/wrong", pinned);
	assert_fails(&s, "01", "dependency cycle: a.com/self -> a.com/self");
	assert_fails(&s, "02", "dependency cycle: a.com/x -> a.com/y -> a.com/z -> a.com/x");
	assert_fails(&s, "05", "dependency a.com/nowhere is not in the store");
	assert_fails(&s, "06", "is a.com/lost, which does not fit");
	assert_fails(&s, "07", "is not in the store");
	/* diamonds upon diamonds: 2^20 ways */
	put(&s, "10", "a.com/n0", "");
	for (int i = 1; i <= 20; i++) {
		_cleanup_free_ char *rest = xasprintf(NEEDS2("a.com/n%d", "a.com/n%d"), i - 1, i - 1);

		(void) snprintf(begins, sizeof begins, "%d", 10 + i);
		(void) snprintf(name, sizeof name, "a.com/n%d", i);
		put(&s, begins, name, rest);
	}
	assert_fails(&s, "30", "come to more than 1024 layers");
	/* a chain */
	put(&s, "a000", "a.com/c0", "");
	for (int i = 1; i <= 70; i++) {
		_cleanup_free_ char *rest = xasprintf(NEEDS1("a.com/c%d"), i - 1);

		(void) snprintf(begins, sizeof begins, "a%03d", i);
		(void) snprintf(name, sizeof name, "a.com/c%d", i);
		put(&s, begins, name, rest);
	}
	assert_fails(&s, "a070", "nested more than 64 deep");
	store_dir_close(&s);
}

/* The recipe tells any two orders and any two lists apart. */
static void test_recipe(void **state _unused_)
{
	char *x[] = {"x", NULL}, *xy[] = {"x", "y", NULL}, *none[] = {NULL};
	struct render_layer a = {.files = none, .dirs = none}, b = a, rows[7][2];
	char *text[7];
	size_t len[7];

	make_id(a.id, "01");
	make_id(b.id, "02");
	for (int i = 0; i < 7; i++)
		rows[i][0] = a, rows[i][1] = b;
	rows[1][0] = b, rows[1][1] = a;
	rows[2][0].some_files = true;
	rows[3][0].some_files = true, rows[3][0].files = x;
	rows[4][0].some_files = true, rows[4][0].files = xy;
	rows[5][0].some_dirs = true, rows[5][0].dirs = x;
	rows[6][1].some_files = true, rows[6][1].files = x;
	for (int i = 0; i < 7; i++)
		text[i] = recipe_write(rows[i], 2, &len[i]);
	for (int i = 0; i < 7; i++)
		for (int j = 0; j < i; j++)
			assert_false(len[i] == len[j] && !memcmp(text[i], text[j], len[i]));
	for (int i = 0; i < 7; i++)
		free(text[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_lists), cmocka_unit_test(test_order_fails),
		cmocka_unit_test(test_recipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
