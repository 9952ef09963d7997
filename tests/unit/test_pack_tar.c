#include "tests/unit/unit.h"

#include "stage0/worker/pack_tar.h"

struct stream {
	struct strbuf out;
	size_t at;
};

static int append(void *arg, const void *data, size_t len, struct err *e _unused_)
{
	struct stream *s = arg;

	strbuf_add(&s->out, data, len);
	return 0;
}

static int next_piece(void *arg, const uint8_t **data, size_t *len, struct err *e _unused_)
{
	struct stream *s = arg;

	*data = (const uint8_t *) s->out.buf + s->at;
	*len = s->out.len - s->at < 700 ? s->out.len - s->at : 700;
	s->at += *len;
	return *len > 0;
}

static void same_entry(const struct tar_entry *a, const struct tar_entry *b)
{
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->path, b->path);
	assert_true(str_eq(a->link, b->link));
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->major, b->major);
	assert_int_equal(a->minor, b->minor);
	assert_int_equal(a->mtime.tv_sec, b->mtime.tv_sec);
	assert_int_equal(a->mtime.tv_nsec, b->mtime.tv_nsec);
	assert_int_equal(a->n_xattrs, b->n_xattrs);
	for (size_t i = 0; i < a->n_xattrs; i++) {
		assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
		assert_int_equal(a->xattrs[i].len, b->xattrs[i].len);
		assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].len);
	}
	assert_int_equal(a->is_sparse, b->is_sparse);
}

/* Written and read again it is what it was. */
static void round_trip(const struct tar_entry *entry, const char *data, size_t len)
{
	struct stream s = {0};
	struct tar_writer w = {.sink = append, .arg = &s};
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	const struct tar_entry *read;
	const uint8_t *piece;
	uint64_t offset;
	struct tar *t;
	size_t n;

	assert_int_equal(tar_write_entry(&w, entry, &e), 0);
	if (len)
		assert_int_equal(tar_write_data(&w, data, len, &e), 0);
	assert_int_equal(tar_write_end(&w, &e), 0);
	assert_int_equal(s.out.len % TAR_BLOCK, 0);
	t = tar_new(next_piece, &s);
	if (tar_next(t, &read, &e) != 1)
		fail_msg("%s: %s", entry->path, err_text(&e));
	if (entry->type == TAR_DIR) {
		/* With a slash at the end. */
		assert_int_equal(strlen(read->path), strlen(entry->path) + 1);
		((char *) read->path)[strlen(entry->path)] = '\0';
	}
	same_entry(entry, read);
	while (tar_data(t, &piece, &n, &offset, &e) > 0)
		strbuf_add(&got, piece, n);
	assert_int_equal(got.len, len);
	if (len)
		assert_memory_equal(got.buf, data, len);
	assert_int_equal(tar_next(t, &read, &e), 0);
	tar_free(t);
	strbuf_done(&s.out);
}

static void test_plain(void **state _unused_)
{
	struct tar_entry file = {.type = TAR_FILE,
				 .path = (char[]) {"rootfs/a"},
				 .mode = 04755,
				 .uid = 1,
				 .gid = 2,
				 .size = 5,
				 .mtime = {.tv_sec = 12345}};
	struct tar_entry dir = {.type = TAR_DIR, .path = (char[]) {"rootfs"}, .mode = 01777};
	struct tar_entry link = {
		.type = TAR_SYMLINK, .path = (char[]) {"rootfs/l"}, .link = (char[]) {"../x y"}};
	struct tar_entry hard = {
		.type = TAR_HARDLINK, .path = (char[]) {"rootfs/h"}, .link = (char[]) {"rootfs/a"}};
	struct tar_entry node = {
		.type = TAR_BLK, .path = (char[]) {"rootfs/b"}, .major = 8, .minor = 300};
	struct tar_entry pipe = {.type = TAR_FIFO, .path = (char[]) {"rootfs/p"}};

	round_trip(&file, "hello", 5);
	round_trip(&dir, NULL, 0);
	round_trip(&link, NULL, 0);
	round_trip(&hard, NULL, 0);
	round_trip(&node, NULL, 0);
	round_trip(&pipe, NULL, 0);
}

/* What does not fit in a ustar header. */
static void test_beyond(void **state _unused_)
{
	char name[300], target[1000];
	struct tar_entry entry = {
		.type = TAR_FILE, .path = name, .mode = 0644, .uid = 3000000, .gid = 0xfffffffe};
	static const struct timespec times[] = {
		{.tv_sec = -5},
		{.tv_sec = -5, .tv_nsec = 250000000},
		{.tv_sec = 1, .tv_nsec = 1},
		{.tv_sec = 8589934592},
		{.tv_sec = -1, .tv_nsec = 999999999},
	};

	/* At every length around the limits of 100 and 255, with and without a place to split. */
	for (size_t len = 90; len < 280; len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		round_trip(&entry, NULL, 0);
		name[len / 2] = '/';
		round_trip(&entry, NULL, 0);
		name[3] = (char) 0xff;
		round_trip(&entry, NULL, 0);
	}
	for (size_t i = 0; i < ELEMENTSOF(times); i++) {
		entry.mtime = times[i];
		round_trip(&entry, NULL, 0);
	}
	entry.type = TAR_SYMLINK;
	entry.link = target;
	for (size_t len = 95; len < 1000; len += 100) {
		memset(target, 't', len);
		target[len] = '\0';
		round_trip(&entry, NULL, 0);
	}
	target[7] = (char) 0x80;
	round_trip(&entry, NULL, 0);
	entry = (struct tar_entry) {
		.type = TAR_CHR, .path = name, .major = 4194303, .minor = 2097153};
	round_trip(&entry, NULL, 0);
}

static void test_attributes(void **state _unused_)
{
	struct tar_xattr v[3] = {
		{.name = (char[]) {"user.a=b%c"}, .value = (uint8_t[]) {"x\0y\nz="}, .len = 6},
		{.name = (char[]) {"user.empty"}, .value = (uint8_t[]) {""}, .len = 0},
		{.name = (char[]) {"user.long"}, .len = 60000},
	};
	struct tar_entry entry = {
		.type = TAR_FILE, .path = (char[]) {"rootfs/x"}, .xattrs = v, .n_xattrs = 3};

	v[2].value = xcalloc(1, v[2].len);
	round_trip(&entry, NULL, 0);
	/* The length of a record counts its own digits: around each power of ten. */
	for (v[2].len = 0; v[2].len < 1100; v[2].len++)
		round_trip(&entry, NULL, 0);
	free(v[2].value);
}

static void test_sparse(void **state _unused_)
{
	struct tar_piece pieces[] = {{4096, 3}, {100000, 2}};
	struct tar_entry entry = {.type = TAR_FILE,
				  .path = (char[]) {"rootfs/s"},
				  .size = 1 << 20,
				  .is_sparse = true,
				  .pieces = pieces,
				  .n_pieces = 2};
	struct tar_piece last = {99, 1};

	round_trip(&entry, "abcde", 5);
	entry.n_pieces = 0;
	round_trip(&entry, NULL, 0);
	entry.size = 100;
	entry.pieces = &last;
	entry.n_pieces = 1;
	round_trip(&entry, "z", 1);
}

static void test_refused(void **state _unused_)
{
	struct stream s = {0};
	struct tar_writer w = {.sink = append, .arg = &s};
	struct tar_entry entry = {.type = TAR_FILE, .path = (char[]) {"rootfs/x"}, .size = 3};
	struct tar_xattr huge = {.name = (char[]) {"user.x"}, .len = TAR_EXTENSION_MAX};
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(tar_write_entry(&w, &entry, &e), 0);
	assert_int_equal(tar_write_data(&w, "abcd", 4, &e), -EFBIG);
	assert_err(&e, "grew while it was read");
	w = (struct tar_writer) {.sink = append, .arg = &s};
	huge.value = xcalloc(1, huge.len);
	entry.xattrs = &huge;
	entry.n_xattrs = 1;
	assert_int_equal(tar_write_entry(&w, &entry, &e), -E2BIG);
	free(huge.value);
	strbuf_done(&s.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	   cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_attributes), cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
