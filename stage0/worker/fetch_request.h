/*
 * What gantry asks fetch and discover for: a flat record, sealed, on the descriptor `request`.
 *
 *	url max-bytes allow-http any-certificate etag last-modified offset validator retry
 *	accept-later stop-elsewhere redirects auth (none, basic, bearer, aws) auth-user
 *	auth-password auth-region auth-site auth-dir
 *
 * Flags are "1" or not there.  The answer's head is a record as well:
 *
 *	status url https redirects fresh length etag last-modified validator
 */
#pragma once

#include "base/record.h"
#include "stage0/worker/http.h"

#define FETCH_REQUEST_VERSION 1
#define FETCH_HEAD_VERSION 1
#define FETCH_HEAD_MAX (64u << 10)

struct fetch_request {
	struct record record; /* what http's strings point into */
	struct http_request http;
};
#define FETCH_REQUEST_INIT {.record = RECORD_INIT}

/* Unknown keys are refused: what is not understood would not be done. */
int fetch_request_read(int fd, struct fetch_request *ret, struct err *e);
void fetch_request_done(struct fetch_request *rq);
#define _cleanup_fetch_request_ __attribute__((cleanup(fetch_request_done)))
