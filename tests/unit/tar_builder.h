/*
 * Archives for the tests of the tar reader and of the extraction, header by header, wrong ones too.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct tar_spec {
	char type;
	const char *name, *link, *data;
	size_t len; /* of data; 0 with data: strlen(data) */
	unsigned mode;
	int bad_sum;
	unsigned major, minor;
	const char *size; /* the field as it stands, instead of the length */
};

static inline _unused_ void tar_pad(struct strbuf *sb)
{
	static const char zeros[512];

	strbuf_add(sb, zeros, (512 - sb->len % 512) % 512);
}

/* name 0, mode 100, uid 108, gid 116, size 124, mtime 136, sum 148, type 156, link 157, magic 257 */
static inline _unused_ void tar_header(struct strbuf *sb, const struct tar_spec *s)
{
	size_t len = s->data ? (s->len ? s->len : strlen(s->data)) : 0;
	char h[512] = "";
	unsigned sum = 0;

	memcpy(h, s->name, strnlen(s->name, 100));
	(void) snprintf(h + 100, 8, "%07o", (s->mode ? s->mode : 0644) & 0777777);
	(void) snprintf(h + 108, 8, "%07o", 0);
	(void) snprintf(h + 116, 8, "%07o", 0);
	(void) snprintf(h + 124, 12, "%011zo", len);
	if (s->size)
		memcpy(h + 124, s->size, 12);
	(void) snprintf(h + 136, 12, "%011o", 1000000000);
	h[156] = s->type;
	if (s->link)
		memcpy(h + 157, s->link, strnlen(s->link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	(void) snprintf(h + 329, 8, "%07o", s->major & 0777777);
	(void) snprintf(h + 337, 8, "%07o", s->minor & 0777777);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char) h[i];
	(void) snprintf(h + 148, 8, "%06o", (sum + (unsigned) s->bad_sum) & 0777777);
	strbuf_add(sb, h, 512);
}

static inline _unused_ void tar_entry_add(struct strbuf *sb, struct tar_spec s)
{
	tar_header(sb, &s);
	if (s.data)
		strbuf_add(sb, s.data, s.len ? s.len : strlen(s.data));
	tar_pad(sb);
}

/* "LEN KEY=VALUE\n", which counts itself */
static inline _unused_ void tar_pax_record(struct strbuf *sb, const char *key, const void *value, size_t len)
{
	size_t body = strlen(key) + len + 3, total = body + 1;
	char digits[16];

	while (body + (size_t) snprintf(digits, sizeof digits, "%zu", total) != total)
		total = body + strlen(digits);
	strbuf_addf(sb, "%zu %s=", total, key);
	strbuf_add(sb, value, len);
	strbuf_addc(sb, '\n');
}

static inline _unused_ void tar_pax_add(struct strbuf *sb, char type, const char *records, size_t len)
{
	tar_entry_add(sb, (struct tar_spec) {.type = type, .name = "pax", .data = records, .len = len});
}

/* One header with one record. */
static inline _unused_ void tar_pax_one(struct strbuf *sb, const char *key, const char *value)
{
	_cleanup_strbuf_ struct strbuf r = STRBUF_INIT;

	tar_pax_record(&r, key, value, strlen(value));
	tar_pax_add(sb, 'x', r.buf, r.len);
}

static inline _unused_ void tar_end(struct strbuf *sb)
{
	static const char zeros[1024];

	strbuf_add(sb, zeros, sizeof zeros);
}

#define FILE_(n, d) ((struct tar_spec) {.type = '0', .name = (n), .data = (d)})
#define DIR_(n) ((struct tar_spec) {.type = '5', .name = (n), .mode = 0755})
#define SYM_(n, l) ((struct tar_spec) {.type = '2', .name = (n), .link = (l)})
#define HARD_(n, l) ((struct tar_spec) {.type = '1', .name = (n), .link = (l)})

/* A source that gives the archive in pieces of `piece` bytes. */
struct tar_pieces {
	const char *data;
	size_t len, pos, piece;
};

static inline _unused_ int tar_pieces_next(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct tar_pieces *p = arg;
	size_t n = p->len - p->pos < p->piece ? p->len - p->pos : p->piece;
	/* An exact copy for the sanitizer; freed by the next call. */
	static char *copy;

	(void) e;
	free(copy);
	copy = NULL;
	if (!n)
		return 0;
	copy = xmemdup(p->data + p->pos, n);
	p->pos += n;
	*data = (const uint8_t *) copy;
	*len = n;
	return 1;
}
