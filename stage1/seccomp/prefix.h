/*
 * The instructions in front of libseccomp's program:
 *
 *  - calls newer than libseccomp, by number;
 *  - in the default filter, numbers beyond all that are known: ENOSYS, so that libraries fall back to
 *    older calls (EPERM would make them fail);
 *  - 32-bit arguments of which the kernel looks at the low half only, while libseccomp compares 64 bits
 *    and so could be passed by with a bit in the high half (CVE-2019-7303): ioctl's request, socket's family.
 */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct prefix {
	struct {
		int nr;
		uint32_t action;
	} newer[64];
	size_t n_newer;
	bool is_default; /* with the rules of the default filter */
};

/* This call, by number on the native architecture (and its 32-bit sister), gets this action. */
int prefix_call(struct prefix *p, int nr, uint32_t action, struct err *e);
/* Append the instructions to sb. */
void prefix_add(const struct prefix *p, struct strbuf *sb);
