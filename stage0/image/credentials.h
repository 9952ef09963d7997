/*
 * Which credentials go to which server.  A URL's own (https://user:password@host/) come first, then
 * what is configured for its host; and neither follows a redirect to another scheme, host or port.
 */
#pragma once

#include <stdbool.h>

#include "stage0/config/config.h"

struct gantry;

struct credentials {
	struct auth_list list;	    /* all that are configured */
	struct auth of_url;	    /* of the URL itself */
	const struct auth *auth;    /* those to be used now, or NULL */
	char *url, *site;	    /* the URL without them; its "host" or "host:port" */
	const struct auth *used[11]; /* in the order of the redirects, so that none is used twice */
	size_t n_used;
	bool followed; /* a redirect: it is another origin than at first */
};

int credentials_for(const struct gantry *g, const char *url, struct credentials *ret,
		    struct err *e);
/* The URL as it is, without a user in it, and these credentials, borrowed, or NULL, for its origin. */
int credentials_given(const char *url, const struct auth *auth, struct credentials *ret, struct err *e);
/* A redirect leads to another origin: what is configured for that one, if it is not less safe. */
int credentials_follow(struct credentials *c, const char *url, struct err *e);
void credentials_done(struct credentials *c);
#define _cleanup_credentials_ __attribute__((cleanup(credentials_done)))
