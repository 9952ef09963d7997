#include "tests/unit/unit.h"

#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stage0/worker/unpack.h"
#include "tests/unit/tar_builder.h"

static int on_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	(void) data;
	(void) e;
	*(size_t *) arg = len;
	return 0;
}

/* The archive as a file that is whole from the start. */
static struct arriving whole_file(const struct strbuf *a, int *file)
{
	*file = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(write_all(*file, a->buf, a->len), 0);
	return (struct arriving) {.file = *file, .progress = -EBADF, .there = a->len, .whole = true};
}

static void good_archive(struct strbuf *a)
{
	tar_entry_add(a, FILE_("manifest", "{}"));
	tar_entry_add(a, DIR_("rootfs"));
	tar_entry_add(a, FILE_("rootfs/a", "hello"));
	tar_end(a);
}

static void expected_id(const struct strbuf *a, char *id)
{
	unsigned char digest[64];
	int n = snprintf(id, 8, "sha512-");

	assert_true(EVP_Digest(a->buf, a->len, digest, NULL, EVP_sha512(), NULL));
	for (int i = 0; i < 64; i++)
		n += snprintf(id + n, 3, "%02x", digest[i]);
}

static void test_whole(void **state _unused_)
{
	const struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct unpack_result res;
	struct arriving in;
	char id[IMAGE_ID_LEN + 1];
	size_t manifest = 0;
	int dir, file;

	if (geteuid() != 0)
		return;
	dir = scratch_open();
	good_archive(&a);
	/* the end of the archive is not the end of what is hashed */
	strbuf_add(&a, (char[700000]) {0}, 700000);
	in = whole_file(&a, &file);
	if (unpack(&in, dir, &limits, on_manifest, &manifest, &res, &e) < 0)
		fail_msg("%s", err_text(&e));
	expected_id(&a, id);
	assert_string_equal(res.id, id);
	assert_int_equal(manifest, 2);
	assert_int_equal(res.tar.entries, 3);
	assert_int_equal(res.tar.bytes, 7);
	(void) fd_close(file);
	scratch_close(dir);
}

static void check_error(const struct strbuf *a, const struct unpack_limits *limits, const char *expected)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct unpack_result res;
	struct arriving in;
	size_t manifest;
	int dir = scratch_open(), file;

	in = whole_file(a, &file);
	assert_true(unpack(&in, dir, limits, on_manifest, &manifest, &res, &e) < 0);
	if (!strstr(err_text(&e), expected))
		fail_msg("expected \"%s\", got \"%s\"", expected, err_text(&e));
	(void) fd_close(file);
	scratch_close(dir);
}

static void test_errors(void **state _unused_)
{
	struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	if (geteuid() != 0)
		return;
	check_error(&a, &limits, "the file is empty");
	strbuf_adds(&a, "this is no archive");
	check_error(&a, &limits, "cut short");
	a.len = 0;
	good_archive(&a);
	strbuf_adds(&a, "junk");
	check_error(&a, &limits, "something behind the end");
	a.len = 0;
	good_archive(&a);
	a.buf[0] = '\x1f';
	a.buf[1] = '\x8b';
	check_error(&a, &limits, "gzip: damaged data");
}

/* Zeros compress to a thousandth: stopped as soon as it shows, long before the size limit. */
static void test_ratio(void **state _unused_)
{
	struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, zipped = STRBUF_INIT;
	_cleanup_free_ char *out = xmalloc(1 << 20), *zeros = xcalloc(1, 8 << 20);
	struct isal_zstream z;

	if (geteuid() != 0)
		return;
	tar_entry_add(&a, FILE_("manifest", "{}"));
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "rootfs/zeros", .data = zeros, .len = 8 << 20});
	tar_end(&a);
	isal_deflate_init(&z);
	z.gzip_flag = IGZIP_GZIP;
	z.end_of_stream = 1;
	z.next_in = (uint8_t *) a.buf;
	z.avail_in = (uint32_t) a.len;
	z.next_out = (uint8_t *) out;
	z.avail_out = 1 << 20;
	assert_int_equal(isal_deflate(&z), COMP_OK);
	assert_int_equal(z.avail_in, 0);
	strbuf_add(&zipped, out, z.total_out);
	limits.ratio = 50;
	limits.ratio_after = 1 << 20;
	check_error(&zipped, &limits, "over the ratio limit");
	limits.tar.bytes = 1 << 20;
	limits.ratio_after = 1 << 30;
	check_error(&zipped, &limits, "larger than the limit of 1048576 bytes");
}

/* What arrives piece by piece is the same; what stops arriving is an error. */
static void test_arriving(void **state _unused_)
{
	struct arriving a = {.file = memfd_create("image", MFD_CLOEXEC)};
	_cleanup_err_ struct err e = ERR_INIT;
	uint64_t message;
	char buf[16];
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	a.progress = fds[0];
	assert_int_equal(write_all(a.file, "hello world", 11), 0);
	message = 5;
	assert_int_equal(write_all(fds[1], &message, sizeof message), 0);
	assert_int_equal(arriving_read(&a, buf, sizeof buf, &e), 5);
	message = 11;
	assert_int_equal(write_all(fds[1], &message, sizeof message), 0);
	assert_int_equal(arriving_read(&a, buf, 3, &e), 3);
	assert_int_equal(arriving_read(&a, buf, sizeof buf, &e), 3);
	message |= ARRIVING_WHOLE;
	assert_int_equal(write_all(fds[1], &message, sizeof message), 0);
	assert_int_equal(arriving_read(&a, buf, sizeof buf, &e), 0);
	assert_int_equal(arriving_read(&a, buf, sizeof buf, &e), 0);
	a.whole = false;
	(void) fd_close(fds[1]);
	assert_int_equal(arriving_read(&a, buf, sizeof buf, &e), -ECANCELED);
	assert_err(&e, "the image did not arrive");
	(void) fd_close(fds[0]);
	(void) fd_close(a.file);
}

/* The text of a SHA-256, as unpack_layer() gives it. */
static void digest_text(const struct strbuf *a, char *text)
{
	unsigned char raw[32];
	int n = snprintf(text, 8, "sha256:");

	assert_true(EVP_Digest(a->buf, a->len, raw, NULL, EVP_sha256(), NULL));
	for (int i = 0; i < 32; i++)
		n += snprintf(text + n, 3, "%02x", raw[i]);
}

static void test_layer(void **state _unused_)
{
	const struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	const struct unpack_layer_how how = {.hash_only = false};
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct unpack_layer_result res;
	char digest[7 + 64 + 1];
	struct arriving in;
	int dir, file;

	if (geteuid() != 0)
		return;
	dir = scratch_open();
	good_archive(&a);
	/* of many buffers, and the last of them not full */
	strbuf_add(&a, (char[900001]) {0}, 900001);
	in = whole_file(&a, &file);
	if (unpack_layer(&in, dir, &how, &limits, &res, &e) < 0)
		fail_msg("%s", err_text(&e));
	digest_text(&a, digest);
	assert_string_equal(res.digest, digest);
	assert_string_equal(res.diff_id, digest);
	layer_lists_done(&res.lists);
	(void) fd_close(file);
	scratch_close(dir);
}

/* Some bytes came, and the source is still there, or it has failed. */
static void check_unfinished(const struct strbuf *a, bool ends, const char *expected)
{
	const struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	const struct unpack_layer_how how = {.hash_only = false};
	_cleanup_err_ struct err e = ERR_INIT;
	uint64_t message = a->len;
	struct unpack_layer_result res;
	int dir = scratch_open(), file, fds[2];
	struct arriving in = whole_file(a, &file);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write_all(fds[1], &message, sizeof message), 0);
	if (ends)
		fds[1] = fd_close(fds[1]);
	in.progress = fds[0];
	in.there = 0;
	in.whole = false;
	assert_true(unpack_layer(&in, dir, &how, &limits, &res, &e) < 0);
	if (!strstr(err_text(&e), expected))
		fail_msg("expected \"%s\", got \"%s\"", expected, err_text(&e));
	layer_lists_done(&res.lists);
	(void) fd_close(fds[0]);
	(void) fd_close(fds[1]);
	(void) fd_close(file);
	scratch_close(dir);
}

/* What is wrong is said when it is seen, whether or not more would come. */
static void test_unfinished(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	if (geteuid() != 0)
		return;
	good_archive(&a);
	check_unfinished(&a, true, "the image did not arrive");
	a.buf[0] = '\x1f';
	a.buf[1] = '\x8b';
	check_unfinished(&a, false, "gzip: damaged data");
	a.len = 0;
	strbuf_add(&a, (char[1000000]) {[0] = 'x'}, 1000000); /* more than one buffer */
	check_unfinished(&a, false, "header");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_errors), cmocka_unit_test(test_ratio),
		cmocka_unit_test(test_arriving), cmocka_unit_test(test_layer), cmocka_unit_test(test_unfinished),
	};
	_cleanup_err_ struct err e = ERR_INIT;

	(void) umask(0);
	if (unpack_init(&e) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
