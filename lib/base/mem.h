/*
 * Memory: allocation that cannot fail, and clean-up at the end of the scope.
 *
 * Short-lived programs abort with one line when memory runs out (nothing sensible can be done).
 * The pod's init allocates everything before its loop starts, so that it never gets there.
 *
 * Every variable with a _cleanup_ attribute is initialised where it is declared.  Hand an owned
 * pointer over with take_ptr().
 */
#pragma once

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))
#define _malloc_ __attribute__((malloc))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

_malloc_ void *xmalloc(size_t n);
_malloc_ void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* Room for n + 1 elements of `size` bytes in a vector that grows by one; doubles at powers of two. */
void *xgrow(void *p, size_t n, size_t size);
_malloc_ char *xstrdup(const char *s);
/* NULL stays NULL. */
_malloc_ char *xstrdup_null(const char *s);
_malloc_ char *xstrndup(const char *s, size_t n);
_malloc_ void *xmemdup(const void *p, size_t n);
_malloc_ char *xasprintf(const char *fmt, ...) _printf_(1, 2);
_malloc_ char *xvasprintf(const char *fmt, va_list ap) _printf_(1, 0);

/* The pointer's value; the variable becomes NULL: ownership moves to the caller. */
#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *_pp = &(p);                                                         \
		__typeof__(p) _v = *_pp;                                                           \
		*_pp = NULL;                                                                       \
		_v;                                                                                \
	})

void cleanup_free(void *p);
void cleanup_file(FILE **f);
void cleanup_dir(DIR **d);

#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_file_ __attribute__((cleanup(cleanup_file)))
#define _cleanup_dir_ __attribute__((cleanup(cleanup_dir)))

/* A clean-up function for a pointer type: DEFINE_CLEANUP(struct foo *, foo_free) gives cleanup_foo_free. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline _unused_ void cleanup_##fn(type *p)                                          \
	{                                                                                          \
		if (*p)                                                                            \
			fn(*p);                                                                    \
	}
