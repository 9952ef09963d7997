/*
 * A filter in words, what the compiler reads and the cache compares; one word and value a line:
 *
 *	gantry-seccomp 1
 *	arch x86_64
 *	libseccomp 2.5.4
 *	mode default|retain|remove
 *	errno EPERM            (retain, remove; absent: SIGSYS)
 *	cap CAP_SYS_ADMIN      (default: those that open more calls; sorted)
 *	call NAME|@SET         (retain, remove; sorted, unique)
 */
#pragma once

#include <stdint.h>

#include "spec/isolator.h"

enum seccomp_mode { SECCOMP_DEFAULT, SECCOMP_RETAIN, SECCOMP_REMOVE };

struct seccomp_text {
	enum seccomp_mode mode;
	char *err_no; /* or NULL */
	char **caps, **calls;
};
void seccomp_text_done(struct seccomp_text *t);

/* *ret NULL: no filter (a retain set of @appc.io/all). */
int seccomp_text_make(const struct isolator_list *isolators, uint64_t bounding, char **ret, struct err *e);
int seccomp_text_parse(const char *text, struct seccomp_text *ret, struct err *e);
