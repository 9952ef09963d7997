#include "tests/unit/unit.h"

#include "stage0/worker/inflate.h"

/* The same line in each form; and in xz with a dictionary of 512 MiB. */
static const char plain[] = "hello, hello, hello\n";
static const uint8_t gz[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
	0x51, 0xc8, 0x40, 0xa2, 0xb8, 0x00, 0xe7, 0x42, 0x6e, 0x52, 0x14, 0x00, 0x00, 0x00,
};
static const uint8_t bz[] = {
	0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xcb, 0x52, 0xe5, 0x67, 0x00, 0x00,
	0x05, 0x51, 0x00, 0x00, 0x10, 0x40, 0x04, 0x02, 0x44, 0xa0, 0x00, 0x21, 0x24, 0x31, 0x08, 0x60,
	0x2f, 0x18, 0x44, 0xc7, 0x15, 0x17, 0x8b, 0xb9, 0x22, 0x9c, 0x28, 0x48, 0x65, 0xa9, 0x72, 0xb3,
	0x80,
};
static const uint8_t xz[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
	0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x13, 0x00, 0x0e, 0x5d, 0x00, 0x34,
	0x19, 0x49, 0xee, 0x8d, 0xef, 0x8c, 0x87, 0x31, 0xf5, 0x2f, 0x64, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xb0, 0x48, 0x85, 0x59, 0xd7, 0xa9, 0xae, 0x4b, 0x00, 0x01, 0x2a, 0x14, 0x7e, 0xad, 0x37, 0x55,
	0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const uint8_t xz_large[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
	0x22, 0x00, 0x00, 0x00, 0x82, 0x40, 0xac, 0xdc, 0xe0, 0x00, 0x13, 0x00, 0x0e, 0x5d, 0x00, 0x34,
	0x19, 0x49, 0xdb, 0x85, 0x5c, 0xd1, 0xd6, 0x48, 0x41, 0xff, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xb0, 0x48, 0x85, 0x59, 0xd7, 0xa9, 0xae, 0x4b, 0x00, 0x01, 0x2a, 0x14, 0x7e, 0xad, 0x37, 0x55,
	0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};

static const uint8_t zst[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x75, 0x00, 0x00, 0x40, 0x68, 0x65, 0x6c, 0x6c,
	0x6f, 0x2c, 0x20, 0x0a, 0x01, 0x00, 0xe2, 0x8a, 0x11, 0x21, 0x69, 0x9d, 0x87,
};
static const uint8_t skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'};

static enum inflate_forms admitted = INFLATE_ANY;

struct input {
	const struct strbuf *data;
	size_t pos, piece;
	char *copy;
};

/* An exact copy for the sanitizer; freed by the next call. */
static int give(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct input *in = arg;
	size_t left = in->data->len - in->pos;
	size_t n = left < in->piece ? left : in->piece;

	(void) e;
	free(take_ptr(in->copy));
	if (!n)
		return 0;
	in->copy = xmemdup(in->data->buf + in->pos, n);
	in->pos += n;
	*data = (const uint8_t *) in->copy;
	*len = n;
	return 1;
}

/* Everything, read in pieces of `out`; NULL with the error. */
static char *inflate_all(const struct strbuf *data, size_t piece, size_t out, struct err *e)
{
	struct input in = {data, 0, piece, NULL};
	struct inflate *f = inflate_new(admitted, give, &in, e);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	uint8_t buf[256];
	ssize_t n = (ssize_t) out;

	strbuf_adds(&sb, "");
	while (f && n == (ssize_t) out) {
		n = inflate_read(f, buf, out, e);
		if (n > 0)
			strbuf_add(&sb, buf, (size_t) n);
	}
	if (f && n >= 0)
		assert_int_equal(inflate_input(f), data->len);
	inflate_free(f);
	free(in.copy);
	return f && n >= 0 ? strbuf_take(&sb) : NULL;
}

static void check(const struct strbuf *data, const char *expected)
{
	static const size_t pieces[] = {100000, 1, 3, 17};

	for (size_t i = 0; i < ELEMENTSOF(pieces); i++)
		for (size_t out = 1; out < 256; out = out * 7 + 1) {
			_cleanup_err_ struct err e = ERR_INIT;
			_cleanup_free_ char *got = inflate_all(data, pieces[i], out, &e);

			if (!got)
				fail_msg("pieces of %zu to %zu: %s", pieces[i], out, err_text(&e));
			assert_string_equal(got, expected);
		}
}

static void check_error(const struct strbuf *data, const char *expected)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *got = inflate_all(data, 100000, 100, &e);

	if (got)
		fail_msg("expected \"%s\", but got %s", expected, got);
	if (!strstr(err_text(&e), expected))
		fail_msg("expected \"%s\", got \"%s\"", expected, err_text(&e));
}

static const struct {
	const char *name;
	const uint8_t *data;
	size_t len;
} forms[] = {{"gzip", gz, sizeof gz}, {"bzip2", bz, sizeof bz}, {"xz", xz, sizeof xz}, {"zstd", zst, sizeof zst}};

static void test_plain(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	check_error(&sb, "the file is empty");
	for (size_t i = 0; i < sizeof plain - 1; i++) {
		strbuf_addc(&sb, plain[i]);
		_cleanup_free_ char *want = xstrndup(plain, i + 1);

		check(&sb, want);
	}
}

static void test_forms(void **state _unused_)
{
	for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		strbuf_add(&sb, forms[i].data, forms[i].len);
		check(&sb, plain);
		/* two members are one stream */
		strbuf_add(&sb, forms[i].data, forms[i].len);
		check(&sb, "hello, hello, hello\nhello, hello, hello\n");
		/* zeros are padding, to whatever block */
		strbuf_add(&sb, (char[300]) {0}, 300);
		check(&sb, "hello, hello, hello\nhello, hello, hello\n");
		strbuf_addc(&sb, 'x');
		check_error(&sb, "something behind the end");
	}
}

static void test_damaged(void **state _unused_)
{
	for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		strbuf_add(&sb, forms[i].data, forms[i].len);
		/* cut anywhere: an error, unless nothing is left by which to know the form */
		for (size_t len = forms[i].len - 1; len > 6; len--) {
			struct strbuf cut = {.buf = sb.buf, .len = len};

			check_error(&cut, forms[i].name);
		}
		/* the checksum at the end */
		sb.buf[sb.len - (i == 1 ? 2 : 6)] ^= 0x40;
		check_error(&sb, forms[i].name);
	}
}

static void test_memory(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add(&sb, xz_large, sizeof xz_large);
	check_error(&sb, "xz: the dictionary is larger than the limit");
	/* A frame of one empty block, with a window of 128 MiB, and of 256. */
	sb.len = 0;
	strbuf_add(&sb, "\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00", 9);
	check(&sb, "");
	sb.buf[5] = (char) 0x90;
	check_error(&sb, "zstd: the window is larger than the limit");
}

static void test_skippable(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_add(&sb, skippable, sizeof skippable);
	check(&sb, "");
	strbuf_add(&sb, zst, sizeof zst);
	check(&sb, plain);
	strbuf_add(&sb, skippable, sizeof skippable);
	strbuf_add(&sb, skippable, sizeof skippable);
	strbuf_add(&sb, zst, sizeof zst);
	strbuf_add(&sb, skippable, sizeof skippable);
	check(&sb, "hello, hello, hello\nhello, hello, hello\n");
	sb.len--;
	check_error(&sb, "zstd: the data is cut short");
}

/* Only what is in the table: the others stay as they are, and are no archive then. */
static void test_unknown(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	admitted = INFLATE_ACI;
	strbuf_adds(&sb, "\x28\xb5\x2f\xfd....");
	check(&sb, "\x28\xb5\x2f\xfd....");
	admitted = INFLATE_ANY;
	check_error(&sb, "zstd: damaged data");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),  cmocka_unit_test(test_forms),	cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_skippable), cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
