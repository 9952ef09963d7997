/*
 * Extended headers: records "LENGTH KEY=VALUE\n" (POSIX.1-2017 pax, "pax Extended Header").
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/worker/tar_internal.h"

struct value {
	const char *p;
	size_t len;
};

void tar_pax_done(struct tar_pax *pax)
{
	free(pax->path);
	free(pax->link);
	free(pax->sparse_name);
	free(pax->pieces);
	tar_xattrs_done(&pax->xattrs, &pax->n_xattrs);
	*pax = (struct tar_pax) {.lenient = pax->lenient};
}

/* --- values --- */

static int text(struct value v, char **ret, const char *key, struct err *e)
{
	if (*ret)
		return err_set(e, EINVAL, "extended header says %s twice", key);
	if (!v.len || memchr(v.p, '\0', v.len))
		return err_set(e, EINVAL, "extended header with a malformed %s", key);
	*ret = xstrndup(v.p, v.len);
	return 0;
}

static int number(struct value v, uint64_t max, uint64_t *ret, const char *key, struct err *e)
{
	_cleanup_free_ char *s = xstrndup(v.p, v.len);

	if (strlen(s) != v.len || parse_u64(s, max, ret) < 0)
		return err_set(e, EINVAL, "extended header with a malformed %s", key);
	return 0;
}

static int number_once(struct value v, uint64_t max, uint64_t *ret, bool *has, const char *key, struct err *e)
{
	if (*has)
		return err_set(e, EINVAL, "extended header says %s twice", key);
	*has = true;
	return number(v, max, ret, key, e);
}

static int number32(struct value v, uint64_t max, uint32_t *ret, bool *has, const char *key, struct err *e)
{
	uint64_t n = 0;
	int r = number_once(v, max, &n, has, key, e);

	*ret = (uint32_t) n;
	return r;
}

/* Seconds with a fraction, which may be negative: -1.25 is {-2, 750000000}. */
static int timestamp(struct value v, struct timespec *ret, struct err *e)
{
	_cleanup_free_ char *s = xstrndup(v.p, v.len);
	char *dot = strchr(s, '.');
	bool minus = *s == '-';
	int64_t sec;
	long nsec = 0, scale = 100000000;

	if (dot)
		*dot++ = '\0';
	if (strlen(s) + (dot ? 1 + strlen(dot) : 0) != v.len || parse_i64(s, INT64_MIN / 2, INT64_MAX / 2, &sec) < 0)
		return err_set(e, EINVAL, "extended header with a malformed time");
	for (; dot && *dot; dot++, scale /= 10) {
		if (*dot < '0' || *dot > '9')
			return err_set(e, EINVAL, "extended header with a malformed time");
		nsec += (*dot - '0') * scale;
	}
	if (minus && nsec) {
		sec--;
		nsec = 1000000000 - nsec;
	}
	*ret = (struct timespec) {.tv_sec = sec, .tv_nsec = nsec};
	return 0;
}

/* --- extended attributes --- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The name of an attribute inside a key: "%3D" for '=', which a key cannot hold. */
static char *unescape(const char *key)
{
	char *name = xstrdup(key), *out = name;

	for (const char *p = key; *p; p++) {
		if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			*out++ = (char) (hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return name;
}

/* As libarchive writes it, without padding, which base/base64.h asks for. */
static int base64(struct value v, uint8_t **ret, size_t *ret_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *out = xmalloc(v.len + 1);
	uint32_t bits = 0;
	size_t n = 0, have = 0;

	while (v.len && v.p[v.len - 1] == '=')
		v.len--;
	for (size_t i = 0; i < v.len; i++) {
		const char *at = v.p[i] ? strchr(digits, v.p[i]) : NULL;

		if (!at) {
			free(out);
			return -EINVAL;
		}
		bits = bits << 6 | (uint32_t) (at - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t) (bits >> have);
		}
	}
	*ret = out;
	*ret_len = n;
	return 0;
}

int tar_xattr_add(struct tar_xattr **v, size_t *n, char *name, uint8_t *value, size_t len, bool weak, struct err *e)
{
	struct tar_xattr x = {.name = name, .value = value, .len = len};

	for (size_t i = 0; i < *n; i++) {
		if (strcmp((*v)[i].name, name))
			continue;
		/* One program writes each attribute in two forms. */
		if ((*v)[i].len == len && !memcmp((*v)[i].value, value, len))
			weak = true;
		free(name);
		free(value);
		return weak ? 0 : err_set(e, EINVAL, "extended attribute %s is there twice", q((*v)[i].name));
	}
	if (*n >= TAR_XATTRS_MAX || !*name) {
		free(name);
		free(value);
		return err_set(e, E2BIG, "too many extended attributes");
	}
	*v = xgrow(*v, *n, sizeof **v);
	(*v)[(*n)++] = x;
	return 0;
}

static int xattr(struct tar_pax *pax, const char *key, struct value v, bool encoded, struct err *e)
{
	uint8_t *value = NULL;
	size_t len = v.len;

	if (encoded && base64(v, &value, &len) < 0)
		return err_set(e, EINVAL, "extended header with a malformed attribute");
	if (!encoded)
		value = xmemdup(v.p, v.len);
	return tar_xattr_add(&pax->xattrs, &pax->n_xattrs, unescape(key), value, len, encoded, e);
}

/* --- GNU.sparse --- */

static int sparse(struct tar_pax *pax, const char *key, struct value v, struct err *e)
{
	uint64_t n;
	int r;

	pax->sparse = true;
	if (!strcmp(key, "name"))
		return text(v, &pax->sparse_name, "GNU.sparse.name", e);
	if (!strcmp(key, "map")) {
		_cleanup_free_ char *s = xstrndup(v.p, v.len);

		return tar_sparse_list(s, &pax->pieces, &pax->n_pieces, e);
	}
	if (!strcmp(key, "size") || !strcmp(key, "realsize"))
		return number_once(v, INT64_MAX, &pax->sparse_size, &pax->has_sparse_size, "GNU.sparse.size", e);
	if (strcmp(key, "major") && strcmp(key, "minor") && strcmp(key, "offset") && strcmp(key, "numbytes") &&
	    strcmp(key, "numblocks"))
		return err_set(e, ENOTSUP, "sparse file in a form that is not known (GNU.sparse.%s)", q(key));
	r = number(v, INT64_MAX, &n, "GNU.sparse number", e);
	if (r < 0)
		return r;
	if (!strcmp(key, "major")) {
		pax->sparse_major = n;
		pax->sparse_map_in_data = n == 1;
	} else if (!strcmp(key, "minor")) {
		pax->sparse_minor = n;
	} else if (!strcmp(key, "offset")) {
		pax->sparse_offset = n;
		pax->has_sparse_offset = true;
	} else if (!strcmp(key, "numbytes")) {
		if (!pax->has_sparse_offset)
			return err_set(e, EINVAL, "sparse file with a malformed map");
		pax->has_sparse_offset = false;
		return tar_piece_add(&pax->pieces, &pax->n_pieces, pax->sparse_offset, n, e);
	}
	return 0;
}

/* --- records --- */

static int record(struct tar_pax *pax, const char *key, struct value v, struct err *e)
{
	if (!strcmp(key, "path"))
		return text(v, &pax->path, key, e);
	if (!strcmp(key, "linkpath"))
		return text(v, &pax->link, key, e);
	if (!strcmp(key, "size"))
		return number_once(v, INT64_MAX, &pax->size, &pax->has_size, key, e);
	if (!strcmp(key, "uid"))
		return number32(v, UINT32_MAX - 1, &pax->uid, &pax->has_uid, key, e);
	if (!strcmp(key, "gid"))
		return number32(v, UINT32_MAX - 1, &pax->gid, &pax->has_gid, key, e);
	if (!strcmp(key, "SCHILY.devmajor"))
		return number32(v, UINT32_MAX, &pax->major, &pax->has_major, key, e);
	if (!strcmp(key, "SCHILY.devminor"))
		return number32(v, UINT32_MAX, &pax->minor, &pax->has_minor, key, e);
	if (!strcmp(key, "mtime")) {
		pax->has_mtime = true;
		return timestamp(v, &pax->mtime, e);
	}
	if (str_starts(key, "SCHILY.xattr."))
		return xattr(pax, key + strlen("SCHILY.xattr."), v, false, e);
	if (str_starts(key, "LIBARCHIVE.xattr."))
		return xattr(pax, key + strlen("LIBARCHIVE.xattr."), v, true, e);
	if (str_starts(key, "GNU.sparse."))
		return sparse(pax, key + strlen("GNU.sparse."), v, e);
	if (pax->lenient && str_starts(key, "SCHILY.acl."))
		return 0;
	/* Leaving these out would change what the file is, or who may read it. */
	if (str_starts(key, "SCHILY.acl.") || str_starts(key, "GNU.volume.") || !strcmp(key, "SCHILY.realsize"))
		return err_set(e, ENOTSUP, "extended header with %s, which is not supported", q(key));
	/* Comments, access times, names of users, vendors' own: no matter (POSIX: ignore what is not known). */
	return 0;
}

/* Keys that would change every entry behind a global header. */
static bool matters(const char *key)
{
	static const char *const keys[] = {
		"path", "linkpath", "size", "uid", "gid", "mtime", "SCHILY.", "GNU.", "LIBARCHIVE.xattr.",
	};

	for (size_t i = 0; i < ELEMENTSOF(keys); i++)
		if (str_ends(keys[i], ".") ? str_starts(key, keys[i]) : !strcmp(key, keys[i]))
			return true;
	return false;
}

/* "LENGTH KEY=VALUE\n" at the start of the text: the record's whole length, or -EINVAL. */
static int split(const char *p, size_t left, char **key, struct value *v, struct err *e)
{
	size_t len = 0, i = 0, end;
	const char *equals;

	for (; i < left && i < 8 && p[i] >= '0' && p[i] <= '9'; i++)
		len = len * 10 + (size_t) (p[i] - '0');
	end = len;
	if (i == 0 || i >= left || p[i] != ' ' || len <= i + 2 || len > left || p[len - 1] != '\n')
		return err_set(e, EINVAL, "malformed extended header");
	equals = memchr(p + i + 1, '=', len - i - 2);
	if (!equals || equals == p + i + 1 || memchr(p + i + 1, '\0', (size_t) (equals - p) - i - 1))
		return err_set(e, EINVAL, "malformed extended header");
	*key = xstrndup(p + i + 1, (size_t) (equals - p) - i - 1);
	*v = (struct value) {equals + 1, (size_t) (p + end - 1 - (equals + 1))};
	return (int) len;
}

int tar_pax_parse(const char *data, size_t len, bool global, struct tar_pax *pax, struct err *e)
{
	size_t pos = 0;

	if (!global && pax->any)
		return err_set(e, EINVAL, "two extended headers for one entry");
	pax->any = pax->any || !global;
	while (pos < len) {
		_cleanup_free_ char *key = NULL;
		struct value v = {0};
		int n = split(data + pos, len - pos, &key, &v, e), r = 0;

		if (n < 0)
			return n;
		if (global && matters(key))
			return err_set(e, ENOTSUP, "global extended header with %s, which is not supported", q(key));
		if (!global)
			r = record(pax, key, v, e);
		if (r < 0)
			return r;
		pos += (size_t) n;
	}
	return 0;
}

static int apply_sparse(struct tar_pax *pax, struct tar_entry *entry, struct err *e)
{
	if (entry->type != TAR_FILE || entry->is_sparse)
		return err_set(e, EINVAL, "sparse map of what is no file");
	if (pax->sparse_major > 1 || pax->sparse_minor > (pax->sparse_major ? 0 : 1) || pax->has_sparse_offset)
		return err_set(e, ENOTSUP, "sparse file in a form that is not known");
	if (!pax->has_sparse_size)
		return err_set(e, EINVAL, "sparse file without a size");
	entry->is_sparse = true;
	entry->size = pax->sparse_size;
	entry->pieces = take_ptr(pax->pieces);
	entry->n_pieces = pax->n_pieces;
	return 0;
}

int tar_pax_apply(struct tar_pax *pax, struct tar_entry *entry, struct err *e)
{
	char **path = pax->sparse_name ? &pax->sparse_name : &pax->path;

	if (*path) {
		free(entry->path);
		entry->path = take_ptr(*path);
	}
	if (pax->link) {
		if (!entry->link)
			return err_set(e, EINVAL, "target of what is no link");
		free(entry->link);
		entry->link = take_ptr(pax->link);
	}
	if (pax->has_size) {
		entry->stored = pax->size;
		if (!entry->is_sparse)
			entry->size = pax->size;
	}
	if (pax->has_uid)
		entry->uid = pax->uid;
	if (pax->has_gid)
		entry->gid = pax->gid;
	if (pax->has_mtime)
		entry->mtime = pax->mtime;
	if (pax->has_major)
		entry->major = pax->major;
	if (pax->has_minor)
		entry->minor = pax->minor;
	entry->xattrs = take_ptr(pax->xattrs);
	entry->n_xattrs = pax->n_xattrs;
	pax->n_xattrs = 0;
	return pax->sparse ? apply_sparse(pax, entry, e) : 0;
}
