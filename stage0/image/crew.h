/*
 * Jobs that wait for a network or for workers: some at a time, each in a process of its own, so that
 * one's waiting is another's work, and so that stopping one is a signal.
 *
 * What a stopped job had under way is a directory in cas/tmp that nobody holds any more; it is swept
 * away, once the workers are dead that could still write to it.
 */
#pragma once

#include "base/record.h"

struct crew {
	void *arg;
	size_t jobs, at_once;
	int store;
	/* In a process of the job's own: do it, and add to the answer what the caller is to know. */
	int (*work)(void *arg, size_t i, struct strbuf *answer, struct err *e);
	/* Here, when it is done; may be NULL. */
	int (*done)(void *arg, size_t i, const struct record *answer, struct err *e);
	/* A few times a second in the meantime; may be NULL. */
	void (*tick)(void *arg);
};

/* The first that fails ends the others; its error is the answer. */
int crew_run(const struct crew *c, struct err *e);
