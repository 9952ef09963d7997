/*
 * From a filter in words to a BPF program: libseccomp for the list of calls, a short prefix by hand
 * for what libseccomp 2.5 cannot say.
 */
#pragma once

#include "stage1/seccomp/text.h"

/* *ret: struct sock_filter[], owned by the caller; *ret_len in bytes. */
int seccomp_compile(const struct seccomp_text *t, char **ret, size_t *ret_len, struct err *e);
