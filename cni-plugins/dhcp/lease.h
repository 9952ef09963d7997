/*
 * One attachment's address from a DHCP server: RFC 2131's client as a state machine that never
 * waits.  Whoever owns it calls lease_input() when `fd` can be read and lease_timer() when
 * `deadline` has come, and does what they answer.
 *
 *	SELECTING -> REQUESTING -> BOUND -> RENEWING -> REBINDING -> LOST
 *	                            ^ ^        |            |
 *	                   REBOOTING  +--------+------------+
 *
 * The server's NAK to a renewal does not end the lease at once: a server that has lost its notes
 * may still grant the same address, so that it is asked for it, for as long as an ADD would take.
 * Where it offers nothing but another one, that is taken, and the link changed (change.h).
 *
 * Times are milliseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps.
 */
#pragma once

#include "cni-plugins/dhcp/call.h"
#include "cni-plugins/dhcp/frame.h"
#include "cni-plugins/dhcp/place.h"
#include "cni-plugins/dhcp/terms.h"

#define LEASE_NEVER INT64_MAX

enum lease_state {
	LEASE_SELECTING,
	LEASE_REQUESTING,
	LEASE_REBOOTING, /* RFC 2131's INIT-REBOOT: does the server still know of the lease? */
	LEASE_BOUND,
	LEASE_RENEWING,
	LEASE_REBINDING,
	LEASE_LOST,
};

enum lease_event {
	LEASE_NOTHING,
	LEASE_GRANTED, /* for the first time */
	LEASE_RENEWED,
	LEASE_FAILED, /* nothing was granted; e says why */
	LEASE_ENDED,  /* expired or refused: the link is down */
	LEASE_GONE,   /* the container is: drop it */
};

struct lease_options {
	bool broadcast; /* ask servers to answer so */
	int64_t timeout_ms, resend_max_ms;
};

struct lease {
	const struct lease_options *opts;
	struct call call;
	struct place place;
	enum lease_state state;
	int fd;		  /* while an answer is awaited */
	int64_t deadline; /* when lease_timer() is due */

	/* The exchange under way. */
	uint32_t xid;
	unsigned tries;
	int64_t begun, sent, give_up;
	struct terms offer;

	/* What is granted. */
	bool granted;
	struct terms terms;
	int64_t t1, t2, expire;
	uint8_t hop[DHCP_MAC_LEN]; /* the way to the server: whose frame brought the ACK */
	uint8_t ack[DHCP_MESSAGE_MAX];
	size_t ack_len;
};

int64_t lease_now(void);
/* Takes the call over. */
struct lease *lease_new(const struct lease_options *opts, struct call *call);
void lease_free(struct lease *l);

/* Begin. */
int lease_start(struct lease *l, struct err *e);
/* Tell the server that the address is free, if it was granted; failing to is of no consequence. */
void lease_release(struct lease *l);
enum lease_event lease_input(struct lease *l, struct err *e);
enum lease_event lease_timer(struct lease *l, struct err *e);
/*
 * Go on with what was granted before, as lease_file.h read it: the server is asked for that very address.
 * A server that does not answer does not matter before the lease's own times have come.
 */
void lease_resume(struct lease *l);
/* What the configuration says of results. */
struct terms_wish lease_wish(const struct lease *l);
/* -ETIME once it is lost. */
int lease_result(const struct lease *l, struct cni_result *ret, struct err *e);
