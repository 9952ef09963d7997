#include "tests/unit/unit.h"

#include "stage0/oci/archive_index.h"

static int parse(const char *text, struct archive_index *ret, struct err *e)
{
	_cleanup_free_ char *copy = xstrdup(text);

	return archive_index_parse(copy, ret, e);
}

static void test_find(void **state _unused_)
{
	struct archive_index x = {0};
	const struct archive_entry *entry;

	assert_int_equal(parse("file 512 3 ./manifest.json\n"
			       "file 1536 10 aa/layer.tar\n"
			       "link ../aa/layer.tar bb/layer.tar\n"
			       "link aa/layer.tar cc/layer.tar\n"
			       "link bb/layer.tar dd\n"
			       "link loop2 loop1\n"
			       "link loop1 loop2\n"
			       "link /etc/passwd out\n"
			       "link ../../../../aa/layer.tar up\n"
			       "file 4096 0 with\\040space\n",
			       &x, NULL),
			 0);
	entry = archive_index_find(&x, "manifest.json");
	assert_non_null(entry);
	assert_int_equal(entry->offset, 512);
	assert_int_equal(entry->size, 3);
	assert_ptr_equal(archive_index_find(&x, "/manifest.json"), entry);
	entry = archive_index_find(&x, "aa/layer.tar");
	assert_int_equal(entry->offset, 1536);
	assert_ptr_equal(archive_index_find(&x, "bb/layer.tar"), entry);
	assert_ptr_equal(archive_index_find(&x, "cc/layer.tar"), entry);
	assert_ptr_equal(archive_index_find(&x, "dd"), entry);
	assert_ptr_equal(archive_index_find(&x, "up"), entry);
	assert_non_null(archive_index_find(&x, "with space"));
	assert_null(archive_index_find(&x, "loop1"));
	assert_null(archive_index_find(&x, "out"));
	assert_null(archive_index_find(&x, "none"));
	archive_index_done(&x);
	assert_int_equal(parse("", &x, NULL), 0);
	assert_null(archive_index_find(&x, "a"));
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"file 1 2 a\nfile 3 4 ./a\n", "\"a\" is in the archive twice"},
		{"file 1 2 a\nlink b a\n", "\"a\" is in the archive twice"},
		{"file 1 2\n", "image unpack gave a malformed answer"},
		{"file -1 2 a\n", "image unpack gave a malformed answer"},
		{"file 1 x a\n", "image unpack gave a malformed answer"},
		{"link a\n", "image unpack gave a malformed answer"},
		{"dir 1 2 a\n", "image unpack gave a malformed answer"},
		{"file 1 2 a\\9\n", "image unpack gave a malformed answer"},
		{"\n", "image unpack gave a malformed answer"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct archive_index x = {0};
		struct err e = ERR_INIT;

		assert_true(parse(rows[i].text, &x, &e) < 0);
		assert_err(&e, rows[i].error);
		assert_null(x.v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
