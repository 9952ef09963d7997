#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static _noreturn_ void out_of_memory(void)
{
	static const char msg[] = "gantry: out of memory\n";

	(void) !write(STDERR_FILENO, msg, sizeof msg - 1);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xgrow(void *p, size_t n, size_t size)
{
	size_t bytes;

	/* Full exactly at powers of two (and at 0): then double. */
	if (n & (n - 1))
		return p;
	if (__builtin_mul_overflow(n ? 2 * n : 1, size, &bytes))
		out_of_memory();
	return xrealloc(p, bytes);
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *xmemdup(const void *p, size_t n)
{
	void *q = xmalloc(n);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	/* Most are short, and vasprintf(3) looks at the format twice, or makes a stream. */
	char text[256], *s;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(text, sizeof text, fmt, ap);
	if (n < 0)
		abort();
	s = xmemdup(text, n < (int) sizeof text ? (size_t) n + 1 : sizeof text);
	if (n >= (int) sizeof text) {
		s = xrealloc(s, (size_t) n + 1);
		(void) vsnprintf(s, (size_t) n + 1, fmt, again);
	}
	va_end(again);
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void cleanup_free(void *p)
{
	int saved = errno;
	void **pp = p;

	free(*pp);
	*pp = NULL;
	errno = saved;
}

void cleanup_file(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	*f = NULL;
	errno = saved;
}

void cleanup_dir(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	*d = NULL;
	errno = saved;
}
