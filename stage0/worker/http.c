#include "stage0/worker/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"

#define REDIRECTS_MAX 10
#define HEADERS_MAX (256u << 10)
#define CONNECT_SECONDS 30L
#define STALL_SECONDS 30L /* slower than one byte a second for so long: it has stalled */

struct transfer {
	const struct http_request *rq;
	struct http_answer *answer;
	CURL *curl;
	uint64_t body, headers;
	struct err why; /* of what our own functions refused */
};

/* The value of a header line of this name, cut out and owned by the caller, or NULL. */
static char *header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
		return NULL;
	for (n++; n < len && isspace((unsigned char) line[n]); n++)
		;
	while (len > n && isspace((unsigned char) line[len - 1]))
		len--;
	return memchr(line + n, '\0', len - n) ? NULL : xstrndup(line + n, len - n);
}

/* Cache-Control: max-age=N, unless it says that there is to be no caching. */
static int64_t read_max_age(const char *value)
{
	_cleanup_strv_ char **parts = strv_split(value, ',');
	int64_t age = 0;

	for (size_t i = 0; parts[i]; i++) {
		const char *word = parts[i] + strspn(parts[i], " \t");

		if (!strncasecmp(word, "no-cache", 8) || !strncasecmp(word, "no-store", 8))
			return 0;
		if (!strncasecmp(word, "max-age=", 8))
			(void) parse_i64(word + 8, 0, INT32_MAX, &age);
	}
	return age;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	char *value;

	(void) size;
	t->headers += n;
	if (t->headers > HEADERS_MAX) {
		err_set(&t->why, EFBIG, "the answer's headers do not end");
		return 0;
	}
	/* Of the last answer only, not of the redirects before it. */
	if (n > 5 && !strncasecmp(line, "HTTP/", 5)) {
		free(take_ptr(t->answer->etag));
		t->answer->max_age = 0;
	}
	value = header_value(line, n, "etag");
	if (value) {
		free(t->answer->etag);
		t->answer->etag = value;
	}
	value = header_value(line, n, "cache-control");
	if (value)
		t->answer->max_age = read_max_age(value);
	free(value);
	return n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	long status = 0;
	int r;

	(void) size;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) /* the page that explains an error */
		return n;
	t->body += n;
	if (t->body > t->rq->max_bytes) {
		err_set(&t->why, EFBIG, "larger than the limit of %llu bytes", (unsigned long long) t->rq->max_bytes);
		return 0;
	}
	r = write_all(t->rq->out, data, n);
	if (r < 0)
		err_sysr(&t->why, r, "hand over");
	return r < 0 ? 0 : n;
}

static int set_options(struct transfer *t, struct curl_slist *headers, char *error, struct err *e)
{
	const struct http_request *rq = t->rq;
	const char *protocols = rq->allow_http ? "http,https" : "https";
	CURL *c = t->curl;
	CURLcode r = CURLE_OK;

#define SET(option, value) r = r ? r : curl_easy_setopt(c, option, value)
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_URL, rq->url);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, protocols);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long) REDIRECTS_MAX);
	SET(CURLOPT_SSL_VERIFYPEER, rq->any_certificate ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, rq->any_certificate ? 0L : 2L);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "gantry/" GANTRY_VERSION);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_BUFFERSIZE, 256L << 10);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
#undef SET
	return r ? err_set(e, EINVAL, "curl: %s", curl_easy_strerror(r)) : 0;
}

static int check(struct transfer *t, CURLcode r, const char *error, struct err *e)
{
	if (t->why.code)
		return err_move(e, &t->why);
	if (r == CURLE_UNSUPPORTED_PROTOCOL)
		return err_set(e, EPERM, "a redirect to a scheme that is not allowed");
	if (r)
		return err_set(e, EIO, "%s", *error ? error : curl_easy_strerror(r));
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
	if (t->answer->status == 200 || (t->answer->status == 304 && t->rq->etag))
		return 0;
	return err_set(e, t->answer->status == 404 ? ENOENT : EIO, "bad HTTP status code: %ld", t->answer->status);
}

int http_get(const struct http_request *rq, struct http_answer *ret, struct err *e)
{
	_cleanup_free_ char *condition = rq->etag ? xasprintf("If-None-Match: %s", rq->etag) : NULL;
	char error[CURL_ERROR_SIZE] = "";
	struct transfer t = {.rq = rq, .answer = ret, .curl = curl_easy_init()};
	struct curl_slist *headers = condition ? curl_slist_append(NULL, condition) : NULL;
	int r;

	if (!t.curl)
		return err_set(e, ENOMEM, "curl");
	*ret = (struct http_answer) {0};
	r = set_options(&t, headers, error, e);
	if (r == 0)
		r = check(&t, curl_easy_perform(t.curl), error, e);
	curl_slist_free_all(headers);
	curl_easy_cleanup(t.curl);
	err_done(&t.why);
	return r;
}
