/*
 * What gantry asks fetch and discover for: a flat record, sealed, on the descriptor `request`.
 *
 *	url max-bytes allow-http any-certificate etag last-modified offset validator retry
 *	accept-later stop-elsewhere redirects auth (none, basic, bearer, aws) auth-user
 *	auth-password auth-region auth-site auth-dir
 *	method accept content-type content-range body-offset body-length any-status immutable more-ca client-cert client-key
 *
 * Flags are "1" or not there.  The answer's head is a record as well:
 *
 *	status url https redirects fresh length etag last-modified validator
 *	challenge content-type digest location next retry-after
 *
 * A worker that is given the socket `requests` (SOCK_SEQPACKET) instead serves one request after the
 * other until that is closed: a message of one byte for each, with its descriptors (SCM_RIGHTS) in the
 * order of enum fetch_fd, and what was the end of the program is a record on its own `result`.  It keeps
 * its connections meanwhile.  All of them must be for one origin, whose secrets it knows.
 */
#pragma once

#include <errno.h>

#include "base/record.h"
#include "stage0/worker/http.h"

#define FETCH_REQUEST_VERSION 1
#define FETCH_HEAD_VERSION 1
#define FETCH_HEAD_MAX (64u << 10)

enum fetch_fd { FETCH_REQUEST, FETCH_HEAD, FETCH_OUT, FETCH_RESULT, FETCH_BODY, FETCH_FDS };

struct fetch_request {
	struct record record; /* what http's strings point into */
	struct http_request http;
};
#define FETCH_REQUEST_INIT {.record = RECORD_INIT, .http = {.body = -EBADF}}

/* Unknown keys are refused: what is not understood would not be done. */
int fetch_request_read(int fd, struct fetch_request *ret, struct err *e);
void fetch_request_done(struct fetch_request *rq);
#define _cleanup_fetch_request_ __attribute__((cleanup(fetch_request_done)))
