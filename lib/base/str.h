/*
 * Strings: a growable buffer, a NULL-terminated vector, and quoting for messages.
 *
 * strbuf: `buf` is always NUL-terminated once anything was added; STRBUF_INIT owns nothing.
 * strv: char ** ended by NULL; NULL itself is the empty vector.
 */
#pragma once

#include <stdbool.h>

#include "base/mem.h"

struct strbuf {
	char *buf;
	size_t len, alloc;
};
#define STRBUF_INIT {0}

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) _printf_(2, 3);
/* The string (owned by the caller, never NULL); the buffer becomes empty. */
char *strbuf_take(struct strbuf *sb);
void strbuf_done(struct strbuf *sb);
#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_done)))

size_t strv_len(char *const *v);
/* Append a copy of s. */
void strv_add(char ***v, const char *s);
/* Append s itself, which the vector then owns. */
void strv_push(char ***v, char *s);
/* The same for long vectors, whose length the caller keeps in *n: each step takes constant time. */
void strv_push_n(char ***v, size_t *n, char *s);
char **strv_copy(char *const *v);
bool strv_has(char *const *v, const char *s);
/* Split at each `sep`; empty parts are kept; "" gives one empty part. */
char **strv_split(const char *s, char sep);
char *strv_join(char *const *v, const char *sep);
void strv_free(char **v);
void strv_sort(char **v);
static inline void cleanup_strv(char ***v)
{
	strv_free(*v);
	*v = NULL;
}
#define _cleanup_strv_ __attribute__((cleanup(cleanup_strv)))

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !__builtin_strcmp(a, b));
}

/*
 * The text in double quotes, control characters, quotes and bytes that are not UTF-8 escaped
 * (\n, \x1b), cut at 256 bytes: safe on a terminal and in a log.  NULL gives "(none)".  The result
 * lives in one of eight static slots: use it at once, in one message.
 */
const char *q(const char *s);
/* The same without the quotes, for text that is already a sentence. Owned by the caller. */
char *str_escape(const char *s, size_t len);
/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(const char *s, size_t len);
