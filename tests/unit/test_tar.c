#include "tests/unit/unit.h"

#include "stage0/worker/tar.h"
#include "tests/unit/tar_builder.h"

/* The whole archive as one line for each entry: "TYPE PATH[ -> LINK] SIZE: offset+len,..."; or the error. */
static char *describe_in(const struct strbuf *archive, size_t piece, struct err *e)
{
	struct tar_pieces src = {archive->buf ? archive->buf : "", archive->len, 0, piece};
	struct tar *t = tar_new(tar_pieces_next, &src);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	const struct tar_entry *entry;
	int r;

	strbuf_adds(&out, "");
	while ((r = tar_next(t, &entry, e)) > 0) {
		const uint8_t *data;
		uint64_t offset, next = 0;
		size_t len;

		strbuf_addf(&out, "%c %s", "fdlhcbp"[entry->type], entry->path);
		if (entry->link)
			strbuf_addf(&out, " -> %s", entry->link);
		strbuf_addf(&out, " %llu:", (unsigned long long) entry->size);
		for (size_t i = 0; i < entry->n_xattrs; i++)
			strbuf_addf(&out, " %s=%.*s", entry->xattrs[i].name, (int) entry->xattrs[i].len,
				    (char *) entry->xattrs[i].value);
		while ((r = tar_data(t, &data, &len, &offset, e)) > 0) {
			if (offset != next)
				strbuf_addf(&out, " @%llu", (unsigned long long) offset);
			strbuf_add(&out, data, len);
			next = offset + len;
		}
		if (r < 0)
			break;
		strbuf_addc(&out, '\n');
	}
	tar_free(t);
	(void) tar_pieces_next(&(struct tar_pieces) {0}, NULL, NULL, NULL);
	return r < 0 ? NULL : strbuf_take(&out);
}

/* The same whatever the pieces. */
static void check(const struct strbuf *archive, const char *expected)
{
	static const size_t pieces[] = {1 << 20, 512, 1024, 513, 100, 7, 1};

	for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *got = describe_in(archive, pieces[i], &e);

		if (!got)
			fail_msg("pieces of %zu: %s", pieces[i], err_text(&e));
		assert_string_equal(got, expected);
	}
}

static void check_error(const struct strbuf *archive, const char *expected)
{
	static const size_t pieces[] = {1 << 20, 512, 100};

	for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *got = describe_in(archive, pieces[i], &e);

		if (got)
			fail_msg("expected \"%s\", got %s", expected, got);
		if (!strstr(err_text(&e), expected))
			fail_msg("expected \"%s\", got \"%s\"", expected, err_text(&e));
	}
}

static void test_plain(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	tar_entry_add(&a, FILE_("manifest", "{}"));
	tar_entry_add(&a, DIR_("rootfs/"));
	tar_entry_add(&a, FILE_("rootfs/a", "hello"));
	tar_entry_add(&a, FILE_("rootfs/empty", NULL));
	tar_entry_add(&a, SYM_("rootfs/s", "../x"));
	tar_entry_add(&a, HARD_("rootfs/h", "rootfs/a"));
	tar_entry_add(&a, (struct tar_spec) {.type = '3', .name = "rootfs/c", .major = 1, .minor = 3});
	tar_entry_add(&a, (struct tar_spec) {.type = '6', .name = "rootfs/p"});
	tar_entry_add(&a, (struct tar_spec) {.type = '\0', .name = "rootfs/old/"});
	tar_end(&a);
	check(&a, "f manifest 2:{}\nd rootfs/ 0:\nf rootfs/a 5:hello\nf rootfs/empty 0:\nl rootfs/s -> ../x 0:\n"
		  "h rootfs/h -> rootfs/a 0:\nc rootfs/c 0:\np rootfs/p 0:\nd rootfs/old/ 0:\n");
	/* padding to a larger block is part of many archives */
	for (int i = 0; i < 18; i++)
		strbuf_add(&a, (char[512]) {0}, 512);
	check(&a, "f manifest 2:{}\nd rootfs/ 0:\nf rootfs/a 5:hello\nf rootfs/empty 0:\nl rootfs/s -> ../x 0:\n"
		  "h rootfs/h -> rootfs/a 0:\nc rootfs/c 0:\np rootfs/p 0:\nd rootfs/old/ 0:\n");
}

static void test_end(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	check_error(&a, "cut short: it has no end mark");
	tar_entry_add(&a, FILE_("a", "x"));
	check_error(&a, "cut short: it has no end mark");
	strbuf_add(&a, (char[512]) {0}, 512);
	check_error(&a, "cut short");
	strbuf_add(&a, (char[511]) {0}, 511);
	check_error(&a, "cut short");
	strbuf_addc(&a, '\0');
	check(&a, "f a 1:x\n");
	strbuf_addc(&a, '\0');
	check(&a, "f a 1:x\n");
	strbuf_addc(&a, '\1');
	check_error(&a, "something behind the end");
	a.len = 1024;
	strbuf_add(&a, (char[512]) {0}, 512);
	tar_entry_add(&a, FILE_("b", "y"));
	check_error(&a, "end mark is damaged");
}

static void test_truncated(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	size_t len;

	tar_pax_one(&a, "path", "rootfs/name");
	tar_entry_add(&a, FILE_("x", "hello"));
	tar_end(&a);
	for (len = a.len - 1; len < a.len; len--) {
		struct strbuf cut = {.buf = a.buf, .len = len};
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *got = describe_in(&cut, 512, &e);

		if (got)
			fail_msg("cut at %zu is taken: %s", len, got);
		assert_non_null(strstr(err_text(&e), "cut short"));
	}
}

/* Names are bytes: what is composed stays so, what is decomposed too, and what is not UTF-8 at all. */
static void test_names(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	char with_prefix[512];

	tar_pax_one(&a, "path", "e\xcc\x81");
	tar_entry_add(&a, FILE_("x", NULL));
	tar_pax_one(&a, "path", "\xc3\xa9");
	tar_entry_add(&a, FILE_("x", NULL));
	tar_pax_one(&a, "path", "\xff\xfe");
	tar_entry_add(&a, FILE_("x", NULL));
	tar_entry_add(&a, FILE_("\xe9t\xe9", NULL));
	tar_pax_one(&a, "linkpath", "t\xcc\x88");
	tar_entry_add(&a, SYM_("s", "x"));
	tar_entry_add(&a, (struct tar_spec) {.type = 'L', .name = "././@LongLink", .data = "long\0", .len = 5});
	tar_entry_add(&a, (struct tar_spec) {.type = 'K', .name = "././@LongLink", .data = "target\0", .len = 7});
	tar_entry_add(&a, SYM_("s", "x"));
	/* the prefix of POSIX */
	tar_entry_add(&a, FILE_("base", NULL));
	memcpy(with_prefix, a.buf + a.len - 512, 512);
	a.len -= 512;
	memcpy(with_prefix + 345, "some/dir", 8);
	(void) snprintf(with_prefix + 148, 8, "%06o", 0);
	memset(with_prefix + 148, ' ', 8);
	unsigned sum = 0;
	for (int i = 0; i < 512; i++)
		sum += (unsigned char) with_prefix[i];
	(void) snprintf(with_prefix + 148, 8, "%06o", sum);
	strbuf_add(&a, with_prefix, 512);
	tar_end(&a);
	check(&a, "f e\xcc\x81 0:\nf \xc3\xa9 0:\nf \xff\xfe 0:\nf \xe9t\xe9 0:\nl s -> t\xcc\x88 0:\n"
		  "l long -> target 0:\nf some/dir/base 0:\n");
}

static void test_pax(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT, g = STRBUF_INIT;

	tar_pax_record(&g, "comment", "abc", 3);
	tar_pax_add(&a, 'g', g.buf, g.len);
	tar_pax_record(&r, "SCHILY.xattr.user.a%3Db", "v1", 2);
	tar_pax_record(&r, "LIBARCHIVE.xattr.user.a%3Db", "djE", 3); /* the same once more */
	tar_pax_record(&r, "LIBARCHIVE.xattr.user.c", "aGk=", 4);
	tar_pax_record(&r, "mtime", "-1.25", 5);
	tar_pax_record(&r, "VENDOR.unknown", "\0\1", 2);
	tar_pax_add(&a, 'x', r.buf, r.len);
	tar_entry_add(&a, FILE_("f", "x"));
	tar_end(&a);
	check(&a, "f f 1: user.a=b=v1 user.c=hix\n");
}

static void pax_error(const char *key, const char *value, const char *expected)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	tar_pax_one(&a, key, value);
	tar_entry_add(&a, FILE_("f", "x"));
	tar_end(&a);
	check_error(&a, expected);
}

static void test_pax_errors(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT;
	static const char *const malformed[] = {
		"x a=b\n", "6 a=b", "99 a=b\n", "6 a=b\n6", "4 a=\n", "6 abc\n", "0 a=b\n", " 6 a=b\n",
	};

	pax_error("size", "-1", "malformed size");
	pax_error("size", "99999999999999999999", "malformed size");
	pax_error("size", "0x10", "malformed size");
	pax_error("uid", "4294967295", "malformed uid");
	pax_error("mtime", "soon", "malformed time");
	pax_error("mtime", "1.x", "malformed time");
	pax_error("path", "", "malformed path");
	pax_error("SCHILY.acl.access", "user::rwx", "not supported");
	pax_error("GNU.sparse.foo", "1", "not known");
	pax_error("GNU.sparse.numbytes", "1", "malformed map");
	pax_error("linkpath", "x", "no link");
	pax_error("LIBARCHIVE.xattr.user.a", "!", "malformed attribute");
	tar_pax_record(&r, "path", "a\0b", 3);
	tar_pax_add(&a, 'x', r.buf, r.len);
	check_error(&a, "malformed path");
	a.len = r.len = 0;
	tar_pax_record(&r, "path", "a", 1);
	tar_pax_record(&r, "path", "b", 1);
	tar_pax_add(&a, 'x', r.buf, r.len);
	check_error(&a, "says path twice");
	a.len = 0;
	tar_pax_one(&a, "path", "a");
	tar_pax_one(&a, "path", "b");
	check_error(&a, "two extended headers");
	a.len = r.len = 0;
	tar_pax_record(&r, "path", "a", 1);
	tar_pax_add(&a, 'g', r.buf, r.len);
	check_error(&a, "global extended header");
	a.len = 0;
	tar_pax_one(&a, "path", "a");
	tar_end(&a);
	check_error(&a, "that does not come");
	for (size_t i = 0; i < ELEMENTSOF(malformed); i++) {
		a.len = 0;
		tar_pax_add(&a, 'x', malformed[i], strlen(malformed[i]));
		tar_entry_add(&a, FILE_("f", "x"));
		tar_end(&a);
		check_error(&a, "malformed extended header");
	}
}

static void test_headers(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .bad_sum = 1});
	check_error(&a, "wrong checksum");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = 'Z', .name = "f"});
	check_error(&a, "type that no image has (0x5a)");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "d", .data = "x"});
	check_error(&a, "data behind what is no file");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '1', .name = "h", .link = "x", .data = "x"});
	check_error(&a, "data behind what is no file");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .size = "9999999999\0"});
	check_error(&a, "malformed size");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"});
	check_error(&a, "malformed size");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .size = "\x80\0\0\1\0\0\0\0\0\0\0\0"});
	check_error(&a, "malformed size");
	a.len = 0;
	/* four exbibytes are a size, and then the archive is cut short */
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .size = "\x80\0\0\0\x40\0\0\0\0\0\0\0"});
	check_error(&a, "cut short");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .size = "\x80\0\0\0\0\0\0\0\0\0\0\0"});
	tar_end(&a);
	check(&a, "f f 0:\n");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = 'L', .name = "L", .data = "a\0b\0", .len = 4});
	check_error(&a, "malformed long name");
	a.len = 0;
	tar_entry_add(&a, (struct tar_spec) {.type = 'L', .name = "L", .data = "a\0", .len = 2});
	tar_pax_one(&a, "path", "b");
	tar_entry_add(&a, FILE_("f", NULL));
	check_error(&a, "two names");
}

static void add_sparse_0(struct strbuf *a, const char *map, const char *size, const char *data)
{
	_cleanup_strbuf_ struct strbuf r = STRBUF_INIT;

	tar_pax_record(&r, "GNU.sparse.size", size, strlen(size));
	tar_pax_record(&r, "GNU.sparse.name", "sparse", 6);
	tar_pax_record(&r, "GNU.sparse.map", map, strlen(map));
	tar_pax_add(a, 'x', r.buf, r.len);
	tar_entry_add(a, FILE_("f", data));
}

static void test_sparse(void **state _unused_)
{
	static const char head[] = "2\n10\n3\n5000\n2\n";
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT, data = STRBUF_INIT;

	add_sparse_0(&a, "10,3,5000,2", "6000", "abcde");
	/* version 1.0: the map is at the head of the data, padded to a block */
	tar_pax_record(&r, "GNU.sparse.major", "1", 1);
	tar_pax_record(&r, "GNU.sparse.minor", "0", 1);
	tar_pax_record(&r, "GNU.sparse.realsize", "6000", 4);
	tar_pax_record(&r, "GNU.sparse.name", "sparse1", 7);
	tar_pax_add(&a, 'x', r.buf, r.len);
	strbuf_adds(&data, head);
	tar_pad(&data);
	strbuf_adds(&data, "abcde");
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "f", .data = data.buf, .len = data.len});
	add_sparse_0(&a, "0,0", "0", NULL);
	tar_end(&a);
	check(&a, "f sparse 6000: @10abc @5000de\nf sparse1 6000: @10abc @5000de\nf sparse 0:\n");
}

static void test_sparse_errors(void **state _unused_)
{
	static const struct {
		const char *map, *size;
	} rows[] = {
		{"10,3,12,2", "6000"}, {"10,3,5,2", "6000"}, {"10,3,5999,2", "6000"}, {"10,3,5000,3", "6000"},
		{"10,3", "6000"},      {"0,5", "4"},	     {"9223372036854775807,5", "6000"},
	};
	static const char *const malformed[] = {"1", "1,2,3", "a,b", "1,-2", "", ","};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

		add_sparse_0(&a, rows[i].map, rows[i].size, "abcde");
		check_error(&a, "sparse file");
	}
	for (size_t i = 0; i < ELEMENTSOF(malformed); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

		add_sparse_0(&a, malformed[i], "6000", "abcde");
		check_error(&a, "malformed map");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	    cmocka_unit_test(test_end),	    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_pax),	    cmocka_unit_test(test_pax_errors),
		cmocka_unit_test(test_headers),	    cmocka_unit_test(test_sparse),  cmocka_unit_test(test_sparse_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
