#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "stage0/worker/tar_index.h"
#include "tests/unit/tar_builder.h"

static int index_of(const struct strbuf *a, struct strbuf *ret, struct err *e)
{
	_cleanup_fd_ int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_int_equal(write_all(fd, a->buf, a->len), 0);
	return tar_index(fd, ret, e);
}

static void test_lines(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, got = STRBUF_INIT;
	_cleanup_free_ char *large = xcalloc(1, 100000);
	_cleanup_err_ struct err e = ERR_INIT;

	memset(large, 'x', 99999);
	tar_entry_add(&a, DIR_("d"));
	tar_entry_add(&a, FILE_("manifest.json", "[]"));
	tar_entry_add(&a, FILE_("large", large));
	tar_entry_add(&a, SYM_("d/layer.tar", "../large"));
	tar_entry_add(&a, HARD_("hard", "large"));
	tar_pax_one(&a, "path", "a name\nof two lines");
	tar_entry_add(&a, FILE_("x", ""));
	tar_entry_add(&a, (struct tar_spec) {.type = '6', .name = "pipe"});
	tar_end(&a);
	assert_int_equal(index_of(&a, &got, &e), 0);
	assert_string_equal(got.buf, "file 1024 2 manifest.json\n"
				     "file 2048 99999 large\n"
				     "link ../large d/layer.tar\n"
				     "link large hard\n"
				     "file 104960 0 a\\040name\\012of\\040two\\040lines\n");
	assert_memory_equal(a.buf + 1024, "[]", 2);
	assert_memory_equal(a.buf + 2048, large, 99999);
}

static void test_cut(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, got = STRBUF_INIT;
	_cleanup_free_ char *large = xcalloc(1, 100000);
	_cleanup_err_ struct err e = ERR_INIT;

	memset(large, 'x', 99999);
	tar_entry_add(&a, FILE_("large", large));
	a.len = 50000;
	assert_int_equal(index_of(&a, &got, &e), -EINVAL);
	assert_err(&e, "the archive is cut short");
	/* Where a file ends, but for its padding. */
	a.len = 512 + 99999;
	assert_int_equal(index_of(&a, &got, &e), -EINVAL);
	assert_err(&e, "the archive is cut short");
	a.len = 0;
	assert_int_equal(index_of(&a, &got, &e), -EINVAL);
	assert_err(&e, "the archive is cut short: it has no end mark");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
