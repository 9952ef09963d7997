#include "tests/unit/unit.h"

#include "base/record.h"

static int parse(struct record *rec, const char *data, size_t len, struct err *e)
{
	return record_parse(rec, xmemdup(data, len), len, 3, e);
}

#define PARSE(rec, text, e) parse(rec, text, sizeof(text) - 1, e)

static void test_round_trip(void **state _unused_)
{
	static const char *const expected[][2] = {{"app", "web"}, {"env", "A=B=\n"}, {"env", ""}, {"n-1", "-7"}};
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	const char *key, *value;
	size_t len, i = 0;

	record_begin(&sb, 2);
	record_add(&sb, "app", "web");
	record_add(&sb, "env", "A=B=\n");
	record_add(&sb, "env", "");
	record_addf(&sb, "n-1", "%d", -7);
	len = sb.len;
	assert_int_equal(record_parse(&rec, strbuf_take(&sb), len, 3, &e), 0);
	assert_int_equal(rec.version, 2);
	for (int round = 0; round < 2; round++) {
		for (i = 0; record_next(&rec, &key, &value); i++) {
			assert_string_equal(key, expected[i][0]);
			assert_string_equal(value, expected[i][1]);
		}
		assert_int_equal(i, ELEMENTSOF(expected));
		assert_false(record_next(&rec, &key, &value));
		record_rewind(&rec);
	}
	assert_string_equal(record_get(&rec, "env"), "A=B=\n");
	assert_string_equal(record_get(&rec, "n-1"), "-7");
	assert_null(record_get(&rec, "en"));
}

static void test_malformed(void **state _unused_)
{
#define ROW(text, error) {text, sizeof(text) - 1, error}
	static const struct {
		const char *text;
		size_t len;
		const char *error;
	} rows[] = {
		ROW("version=1\0", NULL),
		ROW("version=3\0a=\0", NULL),
		ROW("", "record: not terminated"),
		ROW("version=1", "record: not terminated"),
		ROW("version=1\0a=b", "record: not terminated"),
		ROW("\0", "record: malformed entry \"\""),
		ROW("version=1\0\0", "record: malformed entry \"\""),
		ROW("version=1\0a\0", "record: malformed entry \"a\""),
		ROW("version=1\0=b\0", "record: malformed entry \"=b\""),
		ROW("version=1\0A=b\0", "record: malformed entry \"A=b\""),
		ROW("version=1\0a b=c\0", "record: malformed entry \"a b=c\""),
		ROW("a=b\0version=1\0", "record: no version"),
		ROW("version=\0", "record: no version"),
		ROW("version=0\0", "record: no version"),
		ROW("version=x\0", "record: no version"),
		ROW("version=-1\0", "record: no version"),
		ROW("version=4294967296\0", "record: no version"),
		ROW("version=4\0", "record: version 4 is newer than this program's 3"),
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_record_ struct record rec = RECORD_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		int r = parse(&rec, rows[i].text, rows[i].len, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", rows[i].error ? rows[i].error : "fine");
	}
}

static void test_read(void **state _unused_)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	unsigned fds = count_fds();
	int fd = fd_sealed("r", "version=1\0k=v\0", 14, &e);

	assert_true(fd >= 0);
	assert_int_equal(record_read(&rec, fd, 1, &e), 0);
	assert_string_equal(record_get(&rec, "k"), "v");
	record_done(&rec);
	assert_int_equal(record_read(&rec, -1, 1, &e), -EBADF);
	assert_err(&e, "read record: Bad file descriptor");
	fd_close(fd);

	_cleanup_free_ char *big = xcalloc(1, RECORD_MAX + 1);
	fd = fd_sealed("r", big, RECORD_MAX + 1, &e);
	assert_int_equal(record_read(&rec, fd, 1, &e), -EFBIG);
	assert_err(&e, "read record: File too large");
	fd_close(fd);
	assert_int_equal(count_fds(), fds);
}

/* A second version is an entry like any other: the reader knows no such key, and refuses it. */
static void test_second_version(void **state _unused_)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	const char *key, *value;

	assert_int_equal(PARSE(&rec, "version=1\0version=2\0", &e), 0);
	assert_int_equal(rec.version, 1);
	assert_true(record_next(&rec, &key, &value));
	assert_string_equal(key, "version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_second_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
