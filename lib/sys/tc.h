/*
 * Traffic control over netlink: token bucket filters and the redirection to an ifb, which is how the
 * other direction of a link is limited (tc-tbf(8), tc-mirred(8)).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/netlink.h"

struct tbf {
	uint64_t rate;	/* bytes a second */
	uint32_t burst; /* bytes */
	uint32_t limit; /* bytes that may wait */
};

/* The root queue of the link; flags: NLM_F_EXCL, NLM_F_REPLACE. */
void tc_put_tbf(struct nl_batch *b, int link, const struct tbf *t, uint16_t flags);
/* *found: the root queue is a token bucket, *ret what it is set to. */
int tc_get_tbf(struct nl *nl, int link, struct tbf *ret, bool *found, struct err *e);
/* What comes in by the link goes out by another one. */
void tc_put_ingress(struct nl_batch *b, int link, uint16_t flags);
void tc_put_redirect(struct nl_batch *b, int link, int to);
/* Whether the link has an ingress queue with a filter. */
int tc_have_redirect(struct nl *nl, int link, bool *ret, struct err *e);
