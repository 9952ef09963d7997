/*
 * Workers: the programs (README.md lists them) which alone touch foreign bytes.
 *
 * They are given descriptors by name and a few words, and answer with one flat record on the
 * descriptor `result`: either their own keys, or `code` (an errno) and `message`.  What they answer is
 * itself foreign: bounded and escaped before it is shown.  A worker dies with whoever started it.
 */
#pragma once

#include <stdbool.h>

#include "base/fd.h"
#include "base/record.h"

struct gantry;

#define WORKER_RECORD_VERSION 1
#define WORKER_RESULT_MAX (2u << 20)

struct worker {
	const char *name; /* borrowed */
	pid_t pid;	  /* 0: not running */
	int pidfd, result;
};
#define WORKER_INIT {.pidfd = -EBADF, .result = -EBADF}

/* Start libexec/gantry/NAME with these words behind argv[0] (NULL-ended, may be NULL). */
int worker_start(const struct gantry *g, const char *name, char *const *words, const struct fd_name *fds, size_t n,
		 struct worker *ret, struct err *e);
/* A worker whose work is a text: what it is started with, and where it writes. */
struct worker_text {
	const char *name;
	char *const *words;	   /* NULL-ended, may be NULL */
	const struct fd_name *fds; /* but for `out` */
	size_t n;		   /* WORKER_TEXT_FDS at most */
	const char *out;	   /* name of the descriptor that the text comes from */
	size_t limit;		   /* bytes: more is -EFBIG */
};
#define WORKER_TEXT_FDS 7
/*
 * Start it and read all that it writes; *ret_text is NUL-terminated and the caller's, ret_len may be NULL.
 * The text is whole only if worker_finish() then gives 0.
 */
int worker_start_text(const struct gantry *g, const struct worker_text *job, struct worker *ret, char **ret_text,
		      size_t *ret_len, struct err *e);
/*
 * Read the answer and wait for the end, timeout_ms at most; then the worker is gone in any case.
 * Returns 0 with the record, or the worker's own error.
 */
int worker_finish(struct worker *w, int timeout_ms, struct record *ret, struct err *e);
/*
 * The same of one that goes on: its answer to one question, on a descriptor of that question's own,
 * which stays the caller's.  -EPIPE or what describes its end: it is gone, and is to be killed.
 */
int worker_answer(struct worker *w, int fd, int timeout_ms, struct record *ret, bool *ret_gone, struct err *e);
/* Kill its process group, if it still runs, and forget it. */
void worker_kill(struct worker *w);
#define _cleanup_worker_ __attribute__((cleanup(worker_kill)))

/* --- in a worker --- */

/*
 * The whole of a worker's main(): take the descriptors, call run(), which adds to `result` what there
 * is to say, write the record, and end.
 */
int worker_main(const char *name, int argc, char **argv,
		int (*run)(int argc, char **argv, struct strbuf *result, struct err *e));
