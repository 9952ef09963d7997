#include "tests/unit/unit.h"

#include "stage1/init/lines.h"

static char room[LINES_ROOM];

static void put(struct lines *l, const char *data, size_t len)
{
	size_t space;
	char *to = lines_space(l, &space);

	assert_true(len <= space);
	memcpy(to, data, len);
	lines_added(l, len);
}

static void expect(struct lines *l, const char *prefix, size_t out_size, const char *text)
{
	char out[8192];
	size_t n = lines_batch(l, prefix, strlen(prefix), out, out_size), again;

	if (n != strlen(text) || memcmp(out, text, n))
		fail_msg("got \"%.*s\", expected \"%s\"", (int) n, out, text);
	/* Not taken until it is said so. */
	again = lines_batch(l, prefix, strlen(prefix), out, out_size);
	assert_int_equal(n, again);
	lines_commit(l);
}

static void test_whole_lines(void **state _unused_)
{
	struct lines l = {.buf = room};

	expect(&l, "a: ", 4096, "");
	put(&l, "one\ntw", 6);
	expect(&l, "a: ", 4096, "a: one\n");
	expect(&l, "a: ", 4096, "");
	put(&l, "o\n\nthree", 8);
	expect(&l, "a: ", 4096, "a: two\na: \n");
	l.closed = true;
	expect(&l, "a: ", 4096, "a: three\n");
	expect(&l, "a: ", 4096, "");
	assert_int_equal(lines_left(&l), 0);
}

static void test_batches(void **state _unused_)
{
	struct lines l = {.buf = room};

	/* 12 bytes hold two lines of "x: a\n" and not three. */
	put(&l, "a\nb\nc\n", 6);
	expect(&l, "x: ", 12, "x: a\nx: b\n");
	expect(&l, "x: ", 12, "x: c\n");
}

static void test_long_lines(void **state _unused_)
{
	struct lines l = {.buf = room};

	/* A piece is at most 5 bytes here. */
	put(&l, "12345", 5);
	expect(&l, "x: ", 9, "");
	put(&l, "6789012\n3\n", 10);
	expect(&l, "x: ", 9, "x: 12345\n");
	expect(&l, "x: ", 9, "x: 67890\n");
	expect(&l, "x: ", 9, "x: 12\n");
	expect(&l, "x: ", 9, "x: 3\n");
	assert_int_equal(lines_left(&l), 0);
	/* Exactly a piece is a line of its own, not a piece and an empty line. */
	put(&l, "abcde\n", 6);
	expect(&l, "x: ", 9, "x: abcde\n");
	assert_int_equal(lines_left(&l), 0);
}

/* A full buffer without a line feed is not waited for. */
static void test_full_buffer(void **state _unused_)
{
	struct lines l = {.buf = room};
	char big[LINES_ROOM], out[LINES_ROOM + 100];
	size_t space;

	memset(big, 'y', sizeof big);
	put(&l, big, sizeof big);
	(void) lines_space(&l, &space);
	assert_int_equal(space, 0);
	assert_int_equal(lines_batch(&l, "p: ", 3, out, sizeof out), LINES_ROOM + 4);
	lines_commit(&l);
	assert_int_equal(lines_left(&l), 0);
}

/* All bytes come out in their order, for every way to cut the input and every size of a batch. */
static void test_every_cut(void **state _unused_)
{
	static const char text[] = "a\n\nbcdefghij\nkl";
	static const char want[] = "abcdefghijkl";

	for (size_t cut = 1; cut < sizeof text; cut++) {
		for (size_t size = 5; size < 24; size++) {
			struct lines l = {.buf = room};
			char got[64];
			size_t n = 0;

			for (size_t pos = 0; pos < sizeof text - 1 || !l.closed;) {
				char out[64];
				size_t len = sizeof text - 1 - pos < cut ? sizeof text - 1 - pos
									 : cut,
				       k;

				put(&l, text + pos, len);
				pos += len;
				l.closed = pos == sizeof text - 1;
				while ((k = lines_batch(&l, "", 0, out, size))) {
					assert_int_equal(out[k - 1], '\n');
					lines_commit(&l);
					for (size_t i = 0; i < k; i++)
						if (out[i] != '\n')
							got[n++] = out[i];
				}
			}
			got[n] = '\0';
			assert_string_equal(got, want);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_lines), cmocka_unit_test(test_batches),
		cmocka_unit_test(test_long_lines),  cmocka_unit_test(test_full_buffer),
		cmocka_unit_test(test_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
