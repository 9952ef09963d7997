#include "tests/unit/store_dir.h"

#include <fcntl.h>

#include "stage0/store/partial.h"

#define URL "https://a.com/app.aci"

static void put(struct partial *p, const char *text)
{
	assert_int_equal(write_all(p->blob, text, strlen(text)), 0);
}

static unsigned count(const struct store_dir *s)
{
	int fd = openat(s->store, "cas/partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned n = 0;
	struct dirent *de;

	while (d && (de = readdir(d)))
		n += de->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* A part of six bytes as a download leaves it. */
static void leave(const struct store_dir *s, const char *validator, int64_t length, unsigned waived)
{
	struct partial p = PARTIAL_INIT;

	assert_int_equal(partial_open(s->store, URL, waived, false, &p, NULL), 0);
	assert_int_equal(partial_begin(&p, URL, waived, validator, length, NULL), 0);
	put(&p, "abcdef");
	partial_close(&p);
}

static void test_resumed(void **state _unused_)
{
	struct partial p = PARTIAL_INIT, other = PARTIAL_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct store_dir s;
	char buf[16];

	store_dir_open(&s);
	leave(&s, "\"v\"", 10, 0);
	if (partial_open(s.store, URL, 0, false, &p, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(p.size, 6);
	assert_string_equal(p.validator, "\"v\"");
	put(&p, "ghij");
	assert_int_equal(pread(p.blob, buf, sizeof buf, 0), 10);
	assert_memory_equal(buf, "abcdefghij", 10);
	/* it is held; another URL's is not */
	assert_int_equal(partial_open(s.store, URL, 0, false, &other, NULL), -EWOULDBLOCK);
	assert_int_equal(partial_open(s.store, URL "x", 0, false, &other, NULL), 0);
	partial_close(&other);
	assert_int_equal(count(&s), 1);
	assert_int_equal(mkdirat(s.store, "to", 0700), 0);
	{
		_cleanup_fd_ int to = openat(s.store, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_int_equal(partial_take(&p, to, NULL), 0);
		assert_int_equal(faccessat(to, "blob", F_OK, 0), 0);
	}
	partial_close(&p);
	assert_int_equal(count(&s), 0);
	store_dir_close(&s);
}

static void test_not_resumed(void **state _unused_)
{
	struct partial p = PARTIAL_INIT;
	struct store_dir s;

	store_dir_open(&s);
	/* nothing to ask the server with */
	leave(&s, NULL, 10, 0);
	assert_int_equal(count(&s), 0);
	/* it came with fewer checks than are wanted now */
	leave(&s, "v", -1, 2);
	assert_int_equal(partial_open(s.store, URL, 4, false, &p, NULL), 0);
	assert_int_equal(p.size, 0);
	assert_null(p.validator);
	partial_close(&p);
	assert_int_equal(count(&s), 0);
	/* with more, it is as good */
	leave(&s, "v", -1, 2);
	assert_int_equal(partial_open(s.store, URL, 6, false, &p, NULL), 0);
	assert_int_equal(p.size, 6);
	/* a new beginning forgets it */
	assert_int_equal(partial_begin(&p, URL, 6, "w", 3, NULL), 0);
	assert_int_equal(p.size, 0);
	put(&p, "xyz");
	partial_close(&p);
	/* whole: all but the last byte */
	assert_int_equal(partial_open(s.store, URL, 6, false, &p, NULL), 0);
	assert_int_equal(p.size, 2);
	assert_string_equal(p.validator, "w");
	partial_drop(&p, true);
	assert_true(p.bad);
	partial_close(&p);
	assert_int_equal(count(&s), 0);
	/* longer than the whole */
	leave(&s, "v", 5, 0);
	assert_int_equal(partial_open(s.store, URL, 0, false, &p, NULL), 0);
	assert_int_equal(p.size, 0);
	partial_close(&p);
	store_dir_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_resumed),
					   cmocka_unit_test(test_not_resumed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
