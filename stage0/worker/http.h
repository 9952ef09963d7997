/*
 * HTTP by libcurl: one GET, its body to a descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct http_request {
	const char *url, *etag; /* etag NULL: unconditional */
	bool allow_http, any_certificate;
	uint64_t max_bytes;
	int out;
};

struct http_answer {
	long status; /* 200 or 304 */
	char *etag;  /* or NULL */
	int64_t max_age;
};

int http_get(const struct http_request *rq, struct http_answer *ret, struct err *e);
