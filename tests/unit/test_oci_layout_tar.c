#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "stage0/oci/layout_tar.h"

static char *content(int fd, size_t *ret_len)
{
	char *data;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(read_all(fd, 1u << 20, &data, ret_len), 0);
	return data;
}

static unsigned checksum(const char *header)
{
	unsigned sum = 0;

	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char) header[i];
	return sum;
}

static void test_file(void **state _unused_)
{
	_cleanup_fd_ int fd = memfd_create("tar", MFD_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(layout_tar_file(fd, "oci-layout", "hello", 5, NULL), 0);
	assert_int_equal(layout_tar_end(fd, NULL), 0);
	data = content(fd, &len);
	assert_int_equal(len, 512 + 512 + 1024);
	assert_string_equal(data, "oci-layout");
	assert_string_equal(data + 100, "0000644");
	assert_string_equal(data + 124, "00000000005");
	assert_string_equal(data + 136, "00000000000");
	assert_int_equal(strtoul(data + 148, NULL, 8), checksum(data));
	assert_int_equal(data[156], '0');
	assert_memory_equal(data + 257, "ustar\00000", 8);
	assert_memory_equal(data + 512, "hello\0", 6);
	for (size_t i = 517; i < len; i++)
		assert_int_equal(data[i], 0);
}

/* A digest of 128 digits, and 8 GiB: what the old header has no room for stands in a record before it. */
static void test_pax(void **state _unused_)
{
	_cleanup_fd_ int fd = memfd_create("tar", MFD_CLOEXEC);
	_cleanup_free_ char *name = xasprintf("blobs/sha512/%0128d", 7), *data = NULL;
	_cleanup_free_ char *records = xasprintf("151 path=%s\n19 size=8589934592\n", name);
	size_t len;

	assert_int_equal(layout_tar_header(fd, name, 8589934592ull, NULL), 0);
	data = content(fd, &len);
	assert_int_equal(len, 512 + 512 + 512);
	assert_int_equal(data[156], 'x');
	assert_int_equal(strtoul(data + 124, NULL, 8), strlen(records));
	assert_string_equal(data + 512, records);
	assert_int_equal(data[1024 + 156], '0');
	assert_int_equal(strtoul(data + 1024 + 124, NULL, 8), 0);
	assert_int_equal(strtoul(data + 1024 + 148, NULL, 8), checksum(data + 1024));
}

static void test_boundaries(void **state _unused_)
{
	for (size_t n = 99; n <= 101; n++) {
		_cleanup_fd_ int fd = memfd_create("tar", MFD_CLOEXEC);
		_cleanup_free_ char *name = xasprintf("%0*d", (int) n, 1), *data = NULL;
		size_t len;

		assert_int_equal(layout_tar_header(fd, name, 8589934591ull, NULL), 0);
		data = content(fd, &len);
		assert_int_equal(len, n > 100 ? 1536 : 512);
		assert_memory_equal(data + len - 512 + 124, "77777777777", 11);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pax),
		cmocka_unit_test(test_boundaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
