#include "stage0/worker/fetch_request.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

void fetch_request_done(struct fetch_request *rq)
{
	/* It was the credentials' last place in this process, but for libcurl's. */
	if (rq->record.data)
		explicit_bzero(rq->record.data, rq->record.len);
	record_done(&rq->record);
}

static const struct {
	const char *key;
	size_t offset;
} strings[] = {
	{"url", offsetof(struct fetch_request, http.url)},
	{"etag", offsetof(struct fetch_request, http.etag)},
	{"last-modified", offsetof(struct fetch_request, http.last_modified)},
	{"validator", offsetof(struct fetch_request, http.validator)},
	{"auth-user", offsetof(struct fetch_request, http.user)},
	{"auth-password", offsetof(struct fetch_request, http.password)},
	{"auth-region", offsetof(struct fetch_request, http.region)},
	{"auth-site", offsetof(struct fetch_request, http.site)},
	{"auth-dir", offsetof(struct fetch_request, http.auth_dir)},
	{"method", offsetof(struct fetch_request, http.method)},
	{"accept", offsetof(struct fetch_request, http.accept)},
	{"content-type", offsetof(struct fetch_request, http.content_type)},
	{"content-range", offsetof(struct fetch_request, http.content_range)},
	{"more-ca", offsetof(struct fetch_request, http.more_ca)},
	{"client-cert", offsetof(struct fetch_request, http.client_cert)},
	{"client-key", offsetof(struct fetch_request, http.client_key)},
}, flags[] = {
	{"allow-http", offsetof(struct fetch_request, http.allow_http)},
	{"any-certificate", offsetof(struct fetch_request, http.any_certificate)},
	{"retry", offsetof(struct fetch_request, http.retry)},
	{"accept-later", offsetof(struct fetch_request, http.accept_later)},
	{"stop-elsewhere", offsetof(struct fetch_request, http.stop_elsewhere)},
	{"any-status", offsetof(struct fetch_request, http.any_status)},
	{"immutable", offsetof(struct fetch_request, http.immutable)},
};

static bool take_string(struct fetch_request *rq, const char *key, const char *value)
{
	for (size_t i = 0; i < ELEMENTSOF(strings); i++)
		if (!strcmp(strings[i].key, key)) {
			*(const char **) ((char *) rq + strings[i].offset) = value;
			return true;
		}
	for (size_t i = 0; i < ELEMENTSOF(flags); i++)
		if (!strcmp(flags[i].key, key) && !strcmp(value, "1")) {
			*(bool *) ((char *) rq + flags[i].offset) = true;
			return true;
		}
	return false;
}

static bool take_number(struct fetch_request *rq, const char *key, const char *value)
{
	uint64_t n;

	if (!strcmp(key, "max-bytes"))
		return parse_u64(value, INT64_MAX, &rq->http.max_bytes) == 0;
	if (!strcmp(key, "body-offset"))
		return parse_u64(value, INT64_MAX, &rq->http.body_offset) == 0;
	if (!strcmp(key, "body-length"))
		return parse_u64(value, INT64_MAX, &rq->http.body_length) == 0;
	if (!strcmp(key, "offset"))
		return parse_u64(value, INT64_MAX, &rq->http.offset) == 0;
	if (!strcmp(key, "redirects") && parse_u64(value, 1000, &n) == 0) {
		rq->http.redirects = (unsigned) n;
		return true;
	}
	return false;
}

static bool take_auth(struct fetch_request *rq, const char *key, const char *value)
{
	static const char *const kinds[] = {
		[HTTP_AUTH_NONE] = "none",
		[HTTP_AUTH_BASIC] = "basic",
		[HTTP_AUTH_BEARER] = "bearer",
		[HTTP_AUTH_AWS] = "aws",
	};

	if (strcmp(key, "auth"))
		return false;
	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		if (!strcmp(kinds[i], value)) {
			rq->http.auth = (enum http_auth) i;
			return true;
		}
	return false;
}

int fetch_request_read(int fd, struct fetch_request *ret, struct err *e)
{
	const struct http_request *http = &ret->http;
	const char *key, *value;
	int r;

	*ret = (struct fetch_request) FETCH_REQUEST_INIT;
	r = record_read(&ret->record, fd, FETCH_REQUEST_VERSION, e);
	if (r < 0)
		return err_ctx(e, r, "request");
	while (record_next(&ret->record, &key, &value))
		if (!take_string(ret, key, value) && !take_number(ret, key, value) &&
		    !take_auth(ret, key, value))
			return err_set(e, EINVAL, "request: unknown entry %s", q(key));
	if (!http->url || !http->max_bytes)
		return err_set(e, EINVAL, "request: no URL, or no limit");
	if ((http->auth == HTTP_AUTH_BASIC && !http->user) ||
	    (http->auth == HTTP_AUTH_AWS && !http->region) ||
	    (http->auth != HTTP_AUTH_NONE && (!http->password || !http->site)))
		return err_set(e, EINVAL, "request: credentials are incomplete");
	return 0;
}
