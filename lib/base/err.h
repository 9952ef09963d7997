/*
 * Errors: one value, one line, one chain.
 *
 * A fallible function returns int: >= 0 on success, a negative errno class on failure, and takes a
 * `struct err *` last.  The int is for the program (branch on -ENOENT), the text is for the human.
 * `e` may be NULL where nobody reads the text.  The struct lives on the caller's stack:
 *
 *	_cleanup_err_ struct err e = ERR_INIT;
 *
 * Whoever knows a name that the callee did not know (path, image, app, pod, plugin, key) adds it
 * with err_ctx(), once.  A function that knows no new name returns the callee's value bare.
 *
 * Text: lower case, no full stop, object then reason, foreign words through q(), never a secret.
 * Only main() prints it and picks the exit status.
 */
#pragma once

#include "base/mem.h"

struct err {
	int code;  /* positive errno class, 0 while unset */
	char *msg; /* owned */
};

#define ERR_INIT {0}

/* Set the error; returns -code. A message that is already there is replaced. */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);
/* The same with errno as the class and ": strerror" appended; call it right after the failure. */
int err_sys(struct err *e, const char *fmt, ...) _printf_(2, 3);
/* The same for a call that returned a negative errno itself. */
int err_sysr(struct err *e, int r, const char *fmt, ...) _printf_(3, 4);
/* Put "fmt: " before the message; returns r. */
int err_ctx(struct err *e, int r, const char *fmt, ...) _printf_(3, 4);
/* The message, never NULL. */
const char *err_text(const struct err *e);
/* Move src's error into dst (which may be NULL) and leave src empty; returns -code. */
int err_move(struct err *dst, struct err *src);
/* Free the message; keeps errno. */
void err_done(struct err *e);

#define _cleanup_err_ __attribute__((cleanup(err_done)))
