/*
 * Fault injection (as sqlite does it): the program runs again and again, each time with the next of its
 * wrapped system calls failing, until one run needs none of them to fail.
 *
 *	for (fault_start(EIO); fault_next();) {
 *		r = what_is_tested();
 *		... fault.hit tells whether this run met its fault
 *	}
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "base/mem.h"

static struct {
	unsigned calls, fail_at; /* 0: none fails */
	int error;
	bool hit;
} fault;

static inline _unused_ void fault_start(int error)
{
	fault.fail_at = 0;
	fault.error = error;
	fault.hit = true;
}

/* Prepare the next run; false when the last one met no fault any more. */
static inline _unused_ bool fault_next(void)
{
	if (!fault.hit) {
		fault.fail_at = 0;
		return false;
	}
	fault.calls = 0;
	fault.fail_at++;
	fault.hit = false;
	return true;
}

static inline _unused_ void fault_pause(void)
{
	fault.fail_at = 0;
}

/* In a wrapper: shall this call fail? errno is set. */
static inline _unused_ bool fault_now(void)
{
	if (!fault.fail_at || ++fault.calls != fault.fail_at)
		return false;
	fault.hit = true;
	errno = fault.error;
	return true;
}
