/*
 * cas/remote/HASH: for a URL the image that it gave, and what the server said about asking again. A
 * cache: nothing is lost with it, and what it says is checked against the store.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/image/internal.h"

#define REMOTE_VERSION 1

/* The name is only a place: the URL stands in the file and is compared. */
static char *path_of(const char *url)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (const char *p = url; *p; p++)
		h = (h ^ (unsigned char) *p) * 0x100000001b3u;
	return xasprintf("cas/remote/%016llx", (unsigned long long) h);
}

void remote_done(struct remote *r)
{
	free(r->id);
	free(r->etag);
	free(r->last_modified);
	*r = (struct remote) {0};
}

int remote_get(int store, const char *url, struct remote *ret)
{
	_cleanup_free_ char *path = path_of(url);
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *id, *age, *when, *waived;
	uint64_t bits;
	struct remote found = {0};
	char *data;
	size_t len;

	if (file_read_at(store, path, 65536, &data, &len, NULL) < 0)
		return -ENOENT;
	if (record_parse(&rec, data, len, REMOTE_VERSION, NULL) < 0 ||
	    !str_eq(record_get(&rec, "url"), url))
		return -ENOENT;
	id = record_get(&rec, "id");
	age = record_get(&rec, "max-age");
	when = record_get(&rec, "time");
	waived = record_get(&rec, "waived");
	if (!id || !age || !when || !waived || image_id_check(id) ||
	    parse_i64(age, 0, INT32_MAX, &found.fresh) < 0 ||
	    parse_i64(when, 0, INT64_MAX / 2, &found.time) < 0 ||
	    parse_u64(waived, UINT32_MAX, &bits) < 0 || store_has(store, id) != 1)
		return -ENOENT;
	found.waived = (unsigned) bits;
	found.id = xstrdup(id);
	found.etag = xstrdup_null(record_get(&rec, "etag"));
	found.last_modified = xstrdup_null(record_get(&rec, "last-modified"));
	*ret = found;
	return 0;
}

bool remote_is_fresh(const struct remote *r)
{
	time_t now = time(NULL);

	return now >= r->time && now - r->time < r->fresh;
}

void remote_put(int store, const char *url, const char *id, const struct download_head *h,
		unsigned waived, const struct remote *old)
{
	const char *etag = h->etag || !old ? h->etag : old->etag;
	const char *modified = h->last_modified || !old ? h->last_modified : old->last_modified;
	_cleanup_free_ char *path = path_of(url);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, REMOTE_VERSION);
	record_add(&sb, "url", url);
	record_add(&sb, "id", id);
	if (etag)
		record_add(&sb, "etag", etag);
	if (modified)
		record_add(&sb, "last-modified", modified);
	record_addf(&sb, "max-age", "%lld", (long long) h->fresh);
	record_addf(&sb, "time", "%lld", (long long) time(NULL));
	record_addf(&sb, "waived", "%u", old ? waived | old->waived : waived);
	(void) file_write_at(store, path, sb.buf, sb.len, 0640, FILE_FAST, NULL);
}
