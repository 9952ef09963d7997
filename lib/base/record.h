/*
 * Flat records: `key=value\0key=value\0...`, what stages hand to each other (no JSON inside a pod).
 *
 * The first entry is `version=N`.  Keys are [a-z0-9-]+, may repeat, and keep their order.  The reader
 * walks all entries and must know every key: an unknown one is refused by the caller, since an
 * isolator that is not understood would not be applied.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define RECORD_MAX (4u << 20)

/* --- writing: a strbuf --- */
void record_begin(struct strbuf *sb, unsigned version);
void record_add(struct strbuf *sb, const char *key, const char *value);
void record_addf(struct strbuf *sb, const char *key, const char *fmt, ...) _printf_(3, 4);

/* --- reading --- */
struct record {
	char *data; /* owned; entries are separated in place */
	size_t len, pos;
	unsigned version;
};
#define RECORD_INIT {0}

/* Take over `data` (len bytes, malloc'ed) and check its form: -EINVAL with a message. */
int record_parse(struct record *rec, char *data, size_t len, unsigned max_version, struct err *e);
/* Read the descriptor to its end and parse. */
int record_read(struct record *rec, int fd, unsigned max_version, struct err *e);
/* The next entry after `version`: true with *key and *value borrowed until record_done(). */
bool record_next(struct record *rec, const char **key, const char **value);
void record_rewind(struct record *rec);
/* First value of the key, or NULL; does not move the reading position. */
const char *record_get(const struct record *rec, const char *key);
void record_done(struct record *rec);
#define _cleanup_record_ __attribute__((cleanup(record_done)))
