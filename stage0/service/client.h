/*
 * As much of an HTTP client as registering a pod takes: one connection to a unix socket, one
 * request after the other, small answers, one deadline over all of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct service_client {
	int fd;
	int64_t deadline; /* CLOCK_MONOTONIC, ms */
	const char *path; /* of the socket, borrowed; for messages */
};

/* -ENOENT, -ECONNREFUSED, -ENOTDIR, -EACCES: nobody is there. */
int service_connect(const char *path, int timeout_ms, struct service_client *ret, struct err *e);
void service_close(struct service_client *c);
#define _cleanup_service_client_ __attribute__((cleanup(service_close)))

/*
 * One request; ret_body (may be NULL) is NUL-terminated, owned by the caller. Returns the status of
 * the answer (200, 404, ...), or a negative errno.
 */
int service_request(struct service_client *c, const char *method, const char *target,
		    const char *body, size_t len, char **ret_body, struct err *e);
/*
 * The status of an answer's first line, and where its body begins and how long it is; for
 * service_request.
 */
int service_parse_head(const char *text, size_t len, size_t *ret_body, size_t *ret_len);
