#include "base/err.h"

#include <errno.h>
#include <string.h>

static void err_put(struct err *e, int code, char *msg)
{
	free(e->msg);
	e->msg = msg;
	e->code = code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		err_put(e, code, xvasprintf(fmt, ap));
		va_end(ap);
	}
	return -code;
}

static int err_vsys(struct err *e, int code, const char *fmt, va_list ap)
{
	if (e) {
		_cleanup_free_ char *what = xvasprintf(fmt, ap);

		err_put(e, code, xasprintf("%s: %s", what, strerror(code)));
	}
	return -code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = err_vsys(e, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_sysr(struct err *e, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r = err_vsys(e, -r, fmt, ap);
	va_end(ap);
	return r;
}

int err_ctx(struct err *e, int r, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		_cleanup_free_ char *what = NULL;

		va_start(ap, fmt);
		what = xvasprintf(fmt, ap);
		va_end(ap);
		/* The callee may have given the number only. */
		err_put(e, -r, xasprintf("%s: %s", what, e->msg ? e->msg : strerror(-r)));
	}
	return r;
}

const char *err_text(const struct err *e)
{
	if (e->msg)
		return e->msg;
	return e->code ? strerror(e->code) : "no error";
}

int err_move(struct err *dst, struct err *src)
{
	int code = src->code ? src->code : EIO;

	if (dst) {
		err_put(dst, code, take_ptr(src->msg));
		src->code = 0;
	} else {
		err_done(src);
	}
	return -code;
}

void err_done(struct err *e)
{
	int saved = errno;

	free(e->msg);
	*e = (struct err) ERR_INIT;
	errno = saved;
}
