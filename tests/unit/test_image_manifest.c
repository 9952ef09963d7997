#include "tests/unit/unit.h"

#include "spec/image_manifest.h"

#define HEX16 "0123456789abcdef"
#define HEX128 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16
#define ID "sha512-" HEX128

static struct image_manifest *parse(const char *text, struct err *e)
{
	return image_manifest_parse(text, strlen(text), e);
}

struct row {
	const char *text, *error; /* NULL: fine */
};

static void check(const char *text, const char *error)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct image_manifest *m = parse(text, &e);
	_cleanup_free_ char *whole = error ? xasprintf("image manifest: %s", error) : xstrdup("fine");

	assert_string_equal(m ? "fine" : err_text(&e), whole);
	image_manifest_free(m);
	/* The text is for humans: without it the answer is the same. */
	m = parse(text, NULL);
	assert_int_equal(!m, !!error);
	image_manifest_free(m);
}

static void test_frame(void **state _unused_)
{
#define KIND "\"acKind\":\"ImageManifest\""
#define VERSION "\"acVersion\":\"0.8.11\""
#define NAME "\"name\":\"example.com/app\""
	static const struct row rows[] = {
		{"{" KIND "," VERSION "," NAME "}", NULL},
		{" {" NAME "," VERSION "," KIND "}\n", NULL},
		{"", "JSON: line 1, column 1: value expected"},
		{"[]", "expected object"},
		{"{" VERSION "," NAME "}", "acKind: required member is missing"},
		{"{" KIND "," NAME "}", "acVersion: required member is missing"},
		{"{" KIND "," VERSION "}", "name: required member is missing"},
		{"{\"acKind\":\"PodManifest\"," VERSION "," NAME "}", "acKind: \"PodManifest\": not \"ImageManifest\""},
		{"{\"acKind\":1," VERSION "," NAME "}", "acKind: expected string"},
		{"{\"ackind\":\"ImageManifest\"," VERSION "," NAME "}", "ackind: unknown member"},
		{"{" KIND ",\"acVersion\":\"0.8\"," NAME "}", "acVersion: \"0.8\": not a SemVer 2.0 version"},
		{"{" KIND "," VERSION ",\"name\":\"Example.com/app\"}",
		 "name: \"Example.com/app\": upper case is not allowed"},
		{"{" KIND "," VERSION ",\"name\":\"../app\"}",
		 "name: \"../app\": must begin, and go on after each separator, with a letter or digit"},
		{"{" KIND "," VERSION "," NAME "," NAME "}", "duplicate member \"name\""},
		{"{" KIND "," VERSION "," NAME ",\"n\\u0061me\":\"b\"}", "duplicate member \"name\""},
		{"{" KIND "," VERSION "," NAME "} x", "JSON: line 1, column 74: text after the document"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		check(rows[i].text, rows[i].error);
}

/* Members beside the three required ones. */
static void test_members(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}]", NULL},
		{"\"labels\":[{\"name\":\"name\",\"value\":\"x\"}]",
		 "labels[0].name: \"name\": not allowed as a label"},
		{"\"labels\":[{\"name\":\"os\",\"value\":\"hurd\"}]", "labels[0].value: bad os \"hurd\""},
		{"\"labels\":[{\"name\":\"a\",\"value\":\"\"},{\"name\":\"a\",\"value\":\"\"}]",
		 "labels[1].name: \"a\" is there twice"},
		{"\"annotations\":[{\"name\":\"created\",\"value\":\"yesterday\"}]",
		 "annotations[0].value: \"yesterday\": not a date and time as of RFC 3339"},
		{"\"annotations\":[{\"name\":\"homepage\",\"value\":\"javascript:x\"}]",
		 "annotations[0].value: \"javascript:x\": not an http or https URL"},
		{"\"annotations\":[{\"name\":\"a\",\"value\":\"\"},{\"name\":\"a\",\"value\":\"\"}]",
		 "annotations[1].name: \"a\" is there twice"},
		{"\"app\":null", NULL},
		{"\"app\":[]", "app: expected object"},
		{"\"app\":{\"user\":\"0\",\"group\":\"0\",\"environment\":[{\"name\":\"FOO\",\"value\":\"1\"},"
		 "{\"name\":\"FOO\",\"value\":\"1\"}]}",
		 "app.environment[1].name: \"FOO\" is there twice"},
		{"\"app\":{\"user\":\"0\",\"group\":\"0\",\"isolators\":[{\"name\":\"resource/memory\","
		 "\"value\":{\"limit\":\"1m\"}}]}",
		 "app.isolators[0].value.limit: less than 4096 bytes (the suffix m means thousandths)"},
		{"\"dependencies\":[]", NULL},
		{"\"dependencies\":[{\"imageName\":\"a.b/c\",\"imageID\":\"" ID "\",\"size\":0,\"labels\":[]}]", NULL},
		{"\"dependencies\":{}", "dependencies: expected array"},
		{"\"dependencies\":[{\"imageID\":\"" ID "\"}]",
		 "dependencies[0].imageName: required member is missing"},
		{"\"dependencies\":[{\"imageName\":\"A\"}]",
		 "dependencies[0].imageName: \"A\": upper case is not allowed"},
		{"\"dependencies\":[{\"imageName\":\"a\",\"imageID\":\"sha512-" HEX16 "\"}]",
		 "dependencies[0].imageID: \"sha512-" HEX16 "\": an image id has 128 lower-case hex digits"},
		{"\"dependencies\":[{\"imageName\":\"a\",\"imageID\":\"md5-1\"}]",
		 "dependencies[0].imageID: \"md5-1\": an image id begins with sha512-"},
		{"\"dependencies\":[{\"imageName\":\"a\",\"size\":-1}]",
		 "dependencies[0].size: -1 is not within 0..9007199254740992"},
		{"\"dependencies\":[{\"imageName\":\"a\",\"size\":99999999999999999999}]",
		 "dependencies[0].size: number out of range"},
		{"\"dependencies\":[{\"imageName\":\"a\"},{\"imageName\":\"a\",\"labels\":[{\"name\":\"name\","
		 "\"value\":\"\"}]}]",
		 "dependencies[1].labels[0].name: \"name\": not allowed as a label"},
		{"\"dependencies\":[{\"imageName\":\"a\",\"version\":\"1\"}]",
		 "dependencies[0].version: unknown member"},
		{"\"pathWhitelist\":[]", NULL},
		{"\"pathWhitelist\":[\"/a\",\"/etc/b/\"]", NULL},
		{"\"pathWhitelist\":[\"/a\",\"b\"]", "pathWhitelist[1]: \"b\": not an absolute path"},
		{"\"pathWhitelist\":[1]", "pathWhitelist[0]: expected string"},
		{"\"x\\u001by\":1", "x\\x1by: unknown member"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf("{" KIND "," VERSION "," NAME ",%s}", rows[i].text);

		check(text, rows[i].error);
	}
}

static void test_values(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_image_manifest_ struct image_manifest *m =
		parse("{" KIND "," VERSION "," NAME ",\"labels\":[{\"name\":\"version\",\"value\":\"1\"}],"
		      "\"dependencies\":[{\"imageName\":\"a\"},{\"imageName\":\"b\",\"size\":7,\"imageID\":\"" ID "\"}],"
		      "\"pathWhitelist\":[\"/a\",\"/b\"],"
		      "\"annotations\":[{\"name\":\"authors\",\"value\":\"us\"}]}",
		      &e);

	assert_non_null(m);
	assert_string_equal(m->ac_version, "0.8.11");
	assert_string_equal(m->name, "example.com/app");
	assert_string_equal(nameval_get(&m->labels, "version"), "1");
	assert_string_equal(nameval_get(&m->annotations, "authors"), "us");
	assert_null(m->app);
	assert_int_equal(m->n_dependencies, 2);
	assert_int_equal(m->dependencies[0].size, -1);
	assert_null(m->dependencies[0].image_id);
	assert_int_equal(m->dependencies[1].size, 7);
	assert_string_equal(m->dependencies[1].image_id, ID);
	assert_int_equal(strv_len(m->path_whitelist), 2);
}

static void test_too_large(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	size_t len = JSON_MANIFEST_MAX + 1;
	_cleanup_free_ char *text = xmalloc(len);

	memset(text, ' ', len);
	assert_null(image_manifest_parse(text, len, &e));
	assert_int_equal(e.code, EFBIG);
	assert_err(&e, "image manifest: JSON: larger than 1048576 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
