/*
 * Fetch workers that serve one request after the other: a pull asks a registry for many small things,
 * and what a new process and a new connection with TLS cost is more than most of them.
 *
 * Each is for one host and port only: what it knows of secrets is of that one, and so are the bytes that
 * it has seen.  A process that was forked has none of its parent's.
 */
#pragma once

#include "stage0/worker/fetch_request.h"
#include "stage0/worker/worker.h"

struct gantry;

struct fetcher {
	struct worker worker;
	int requests; /* a socket */
	char *site; /* "host:port" */
	bool busy;
	struct fetcher *next;
};

struct fetchers {
	struct fetcher *first;
	pid_t owner;
};

/* One that is idle, or another. Borrowed until it is given back or dropped. */
int fetchers_take(struct fetchers *p, const struct gantry *g, const char *url, struct fetcher **ret, struct err *e);
/* Hand over one request with its descriptors, which stay the caller's (fds[FETCH_BODY] may be -EBADF). */
int fetcher_ask(struct fetcher *f, const int fds[FETCH_FDS], struct err *e);
void fetchers_give_back(struct fetcher *f);
/* End it: nobody wants its answer, or it gives none. */
void fetchers_drop(struct fetchers *p, struct fetcher *f);
void fetchers_done(struct fetchers *p);
