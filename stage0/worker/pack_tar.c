#include "stage0/worker/pack_tar.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

/* Octal digits of a field of so many bytes, less the NUL (ustar). */
#define OCTAL_MAX(bytes) ((1ull << (3 * ((bytes) -1))) - 1)

/* The block as it lies in the archive. */
struct ustar {
	char name[100];
	char mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], uname[32], gname[32];
	char major[8], minor[8];
	char prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a tar header is one block");

static const char zeros[TAR_BLOCK];

static uint64_t padding_of(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

static int put(struct tar_writer *w, const void *data, size_t len, struct err *e)
{
	return len ? w->sink(w->arg, data, len, e) : 0;
}

static int pad(struct tar_writer *w, uint64_t n, struct err *e)
{
	return put(w, zeros, (size_t) n, e);
}

/* --- the block --- */

static void octal(char *field, size_t len, uint64_t value)
{
	char text[24];

	/* What does not fit is said in the pax header; readers of that do not look here. */
	if (value > OCTAL_MAX(len))
		value = 0;
	(void) snprintf(text, sizeof text, "%0*llo", (int) len - 1, (unsigned long long) value);
	memcpy(field, text, len);
}

/* The path in name, or in prefix and name, split at a slash; false: it does not fit. */
static bool split_path(const char *path, struct ustar *h)
{
	size_t len = strlen(path);

	if (len <= sizeof h->name) {
		memcpy(h->name, path, len);
		return true;
	}
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		size_t before = (size_t) (p - path), after = len - before - 1;

		if (before > sizeof h->prefix)
			break;
		/* At the first place that will do: the same for everybody. */
		if (before && after && after <= sizeof h->name) {
			memcpy(h->prefix, path, before);
			memcpy(h->name, p + 1, after);
			return true;
		}
	}
	memcpy(h->name, path, sizeof h->name);
	return false;
}

static void finish_block(struct ustar *h)
{
	const unsigned char *p = (const unsigned char *) h;
	unsigned sum = 0;
	char text[8];

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->sum, ' ', sizeof h->sum);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += p[i];
	(void) snprintf(text, sizeof text, "%06o", sum);
	memcpy(h->sum, text, 7);
}

/* --- the pax header --- */

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void record(struct strbuf *sb, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char digits[24];
	int n;

	do {
		n = snprintf(digits, sizeof digits, "%zu", total);
		total = rest + (size_t) n;
	} while (snprintf(NULL, 0, "%zu", total) != n);
	strbuf_addf(sb, "%zu %s=", total, key);
	strbuf_add(sb, value, len);
	strbuf_addc(sb, '\n');
}

static void record_text(struct strbuf *sb, const char *key, const char *value)
{
	record(sb, key, value, strlen(value));
}

static void record_number(struct strbuf *sb, const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%llu", (unsigned long long) value);

	record(sb, key, text, (size_t) n);
}

static void record_time(struct strbuf *sb, struct timespec t)
{
	char text[48];
	int n;

	/* The fraction counts upwards, the text of a negative number downwards. */
	if (t.tv_sec < 0 && t.tv_nsec) {
		t.tv_sec++;
		t.tv_nsec = 1000000000 - t.tv_nsec;
		n = snprintf(text, sizeof text, "-%lld.%09ld", -(long long) t.tv_sec, t.tv_nsec);
	} else if (t.tv_nsec) {
		n = snprintf(text, sizeof text, "%lld.%09ld", (long long) t.tv_sec, t.tv_nsec);
	} else {
		n = snprintf(text, sizeof text, "%lld", (long long) t.tv_sec);
	}
	record(sb, "mtime", text, (size_t) n);
}

/* '=' ends a key, and '%' begins what stands for it. */
static void record_xattr(struct strbuf *sb, const struct tar_xattr *x)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

	strbuf_adds(&key, "SCHILY.xattr.");
	for (const char *p = x->name; *p; p++)
		if (*p == '=' || *p == '%')
			strbuf_addf(&key, "%%%02X", (unsigned char) *p);
		else
			strbuf_addc(&key, *p);
	record(sb, key.buf, x->value, x->len);
}

static int put_pax(struct tar_writer *w, const struct strbuf *records, const char *path,
		   struct err *e)
{
	const char *last = strrchr(path, '/');
	struct ustar h = {.type = 'x'};
	int r;

	if (records->len > TAR_EXTENSION_MAX)
		return err_set(e, E2BIG, "names and attributes of %zu bytes", records->len);
	(void) snprintf(h.name, sizeof h.name, "PaxHeaders/%.80s", last ? last + 1 : path);
	octal(h.mode, sizeof h.mode, 0644);
	octal(h.uid, sizeof h.uid, 0);
	octal(h.gid, sizeof h.gid, 0);
	octal(h.size, sizeof h.size, records->len);
	octal(h.mtime, sizeof h.mtime, 0);
	octal(h.major, sizeof h.major, 0);
	octal(h.minor, sizeof h.minor, 0);
	finish_block(&h);
	r = put(w, &h, sizeof h, e);
	if (r == 0)
		r = put(w, records->buf, records->len, e);
	return r < 0 ? r : pad(w, padding_of(records->len), e);
}

/* --- sparse files: GNU's form 1.0, the map at the head of the data --- */

static void sparse_map(const struct tar_entry *entry, struct strbuf *map, uint64_t *ret_stored)
{
	const struct tar_piece *last = entry->n_pieces ? &entry->pieces[entry->n_pieces - 1] : NULL;
	/* A hole at the end is a piece of no bytes behind it: GNU tar sets the size by the map. */
	bool ends_in_hole = (last ? last->offset + last->len : 0) < entry->size;
	uint64_t stored = 0;

	strbuf_addf(map, "%zu\n", entry->n_pieces + ends_in_hole);
	for (size_t i = 0; i < entry->n_pieces; i++) {
		strbuf_addf(map, "%llu\n%llu\n", (unsigned long long) entry->pieces[i].offset,
			    (unsigned long long) entry->pieces[i].len);
		stored += entry->pieces[i].len;
	}
	if (ends_in_hole)
		strbuf_addf(map, "%llu\n0\n", (unsigned long long) entry->size);
	strbuf_add(map, zeros, (size_t) padding_of(map->len));
	*ret_stored = stored;
}

static void sparse_records(const struct tar_entry *entry, struct strbuf *records)
{
	record_text(records, "GNU.sparse.name", entry->path);
	record_text(records, "GNU.sparse.major", "1");
	record_text(records, "GNU.sparse.minor", "0");
	record_number(records, "GNU.sparse.realsize", entry->size);
}

/* --- entries --- */

static char type_of(enum tar_type type)
{
	static const char types[] = {
		[TAR_FILE] = '0', [TAR_HARDLINK] = '1', [TAR_SYMLINK] = '2', [TAR_CHR] = '3',
		[TAR_BLK] = '4',  [TAR_DIR] = '5',	[TAR_FIFO] = '6',
	};

	return types[type];
}

static void numbers(const struct tar_entry *entry, uint64_t size, struct ustar *h,
		    struct strbuf *records)
{
	octal(h->mode, sizeof h->mode, entry->mode & 07777);
	octal(h->uid, sizeof h->uid, entry->uid);
	octal(h->gid, sizeof h->gid, entry->gid);
	octal(h->size, sizeof h->size, size);
	octal(h->mtime, sizeof h->mtime,
	      entry->mtime.tv_sec < 0 ? UINT64_MAX : (uint64_t) entry->mtime.tv_sec);
	octal(h->major, sizeof h->major, entry->major);
	octal(h->minor, sizeof h->minor, entry->minor);
	if (entry->uid > OCTAL_MAX(sizeof h->uid))
		record_number(records, "uid", entry->uid);
	if (entry->gid > OCTAL_MAX(sizeof h->gid))
		record_number(records, "gid", entry->gid);
	if (size > OCTAL_MAX(sizeof h->size))
		record_number(records, "size", size);
	if (entry->mtime.tv_sec < 0 ||
	    (uint64_t) entry->mtime.tv_sec > OCTAL_MAX(sizeof h->mtime) || entry->mtime.tv_nsec)
		record_time(records, entry->mtime);
	if (entry->major > OCTAL_MAX(sizeof h->major))
		record_number(records, "SCHILY.devmajor", entry->major);
	if (entry->minor > OCTAL_MAX(sizeof h->minor))
		record_number(records, "SCHILY.devminor", entry->minor);
}

static void names(const struct tar_entry *entry, struct ustar *h, struct strbuf *records)
{
	_cleanup_free_ char *dir = entry->type == TAR_DIR ? xasprintf("%s/", entry->path) : NULL;
	_cleanup_free_ char *stand_in = NULL;
	const char *path = dir ? dir : entry->path;

	if (entry->is_sparse) {
		const char *last = strrchr(path, '/');

		/*
		 * Readers that do not know the form make a file of this name, with the map in it.
		 */
		stand_in = xasprintf("GNUSparseFile.0/%.80s", last ? last + 1 : path);
		path = stand_in;
	}
	if (!split_path(path, h))
		record_text(records, "path", path);
	if (!entry->link)
		return;
	if (strlen(entry->link) <= sizeof h->link)
		memcpy(h->link, entry->link, strlen(entry->link));
	else
		record_text(records, "linkpath", entry->link);
}

static bool is_utf8(const char *s)
{
	return !s || str_is_utf8(s, strlen(s));
}

/* Names in a pax header are UTF-8 by definition, but after this they are what they are. */
static void declare_charset(const struct tar_entry *entry, struct strbuf *records)
{
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;

	if (!records->len || (is_utf8(entry->path) && is_utf8(entry->link)))
		return;
	record_text(&all, "hdrcharset", "BINARY");
	strbuf_add(&all, records->buf, records->len);
	strbuf_done(records);
	*records = all;
	all = (struct strbuf) STRBUF_INIT;
}

int tar_write_entry(struct tar_writer *w, const struct tar_entry *entry, struct err *e)
{
	_cleanup_strbuf_ struct strbuf records = STRBUF_INIT, map = STRBUF_INIT;
	struct ustar h = {.type = type_of(entry->type)};
	uint64_t stored = entry->type == TAR_FILE ? entry->size : 0;
	int r = 0;

	assert(!w->left && !w->padding);
	if (entry->is_sparse) {
		sparse_map(entry, &map, &stored);
		sparse_records(entry, &records);
	}
	names(entry, &h, &records);
	numbers(entry, stored + map.len, &h, &records);
	for (size_t i = 0; i < entry->n_xattrs; i++)
		record_xattr(&records, &entry->xattrs[i]);
	declare_charset(entry, &records);
	finish_block(&h);
	if (records.len)
		r = put_pax(w, &records, entry->path, e);
	if (r == 0)
		r = put(w, &h, sizeof h, e);
	if (r == 0)
		r = put(w, map.buf, map.len, e);
	w->left = stored;
	w->padding = padding_of(stored);
	return r;
}

int tar_write_data(struct tar_writer *w, const void *data, size_t len, struct err *e)
{
	int r;

	if (len > w->left)
		return err_set(e, EFBIG, "grew while it was read");
	r = put(w, data, len, e);
	w->left -= len;
	if (r == 0 && !w->left) {
		r = pad(w, w->padding, e);
		w->padding = 0;
	}
	return r;
}

int tar_write_end(struct tar_writer *w, struct err *e)
{
	int r = pad(w, TAR_BLOCK, e);

	return r < 0 ? r : pad(w, TAR_BLOCK, e);
}
