/*
 * Netlink: several requests in one message to the kernel, dumps that survive concurrent changes.
 *
 * A socket belongs to the network namespace in which nl_open() was called and stays with it,
 * however the process moves later (setns(2)).  Requests are built one after the other into a
 * batch; each gets an acknowledgement of its own, and names itself for the error text.
 *
 * The kernel handles a request inside sendmsg(2), so all answers lie in the queue when it returns.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/nl_attr.h"

struct nl {
	int fd;
	int bus;
	uint32_t seq;
	char *buf; /* for answers, while they are read */
};
#define NL_INIT {.fd = -EBADF}

/* bus: NETLINK_ROUTE, NETLINK_NETFILTER. */
int nl_open(struct nl *nl, int bus, struct err *e);
void nl_close(struct nl *nl);
#define _cleanup_nl_ __attribute__((cleanup(nl_close)))

/* Room that every single request has; builders need no checks below it. */
#define NL_REQUEST_MAX 4096

struct nl_request {
	size_t offset;
	int ignore[2];	/* positive errno values that count as success */
	char what[104]; /* "add address 10.1.2.3/24" */
};

struct nl_batch {
	char *buf;
	size_t len, alloc;
	struct nl_request *requests;
	size_t n;
	struct nlmsghdr *cur; /* the request that is being built; valid until the next nl_add() */
	bool one_piece;	      /* never split (nfnetlink transactions) */
};
#define NL_BATCH_INIT {0}

/*
 * Begin a request; `flags` gets NLM_F_REQUEST and NLM_F_ACK.  `what` says what it does, for
 * errors.  The payload header (size bytes, zeroed) is returned; attributes are then put with
 * nl_attr_put_*() on b->cur.
 */
void *nl_add(struct nl_batch *b, uint16_t type, uint16_t flags, size_t header, const char *what,
	     ...) _printf_(5, 6);
/* The last request's error counts as success. */
void nl_ignore(struct nl_batch *b, int code);
void nl_batch_done(struct nl_batch *b);
#define _cleanup_nl_batch_ __attribute__((cleanup(nl_batch_done)))

/* An answer that is not an acknowledgement: `index` counts the batch's requests. */
typedef void (*nl_answer_fn)(const struct nlmsghdr *h, size_t index, void *arg);
/*
 * Send everything and take all answers.  All requests are tried (netfilter: all or none); the
 * error is that of the first one which failed, with its name and the kernel's own words where it
 * has some.  Empties the batch.
 */
int nl_run(struct nl *nl, struct nl_batch *b, nl_answer_fn fn, void *arg, struct err *e);

struct nl_dump {
	/* One object; a negative return ends the dump, and the socket, with that error. */
	int (*each)(const struct nlmsghdr *h, void *arg);
	/*
	 * What was collected is void: the kernel's list changed while it was read
	 * (NLM_F_DUMP_INTR).
	 */
	void (*restart)(void *arg);
	void *arg;
	/*
	 * Take only so much at a time, for who means to stop early: the kernel has the next piece, as large
	 * as the one that is taken, ready before anybody says that it is not wanted.  0: a lot.
	 */
	size_t piece;
};
#define NL_PIECE_MIN 8192 /* what the kernel begins with (NLMSG_GOODSIZE) fits */
/* The batch holds one request; NLM_F_DUMP is added. */
int nl_dump(struct nl *nl, struct nl_batch *b, const struct nl_dump *d, struct err *e);
