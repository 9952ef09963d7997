#include "tests/unit/unit.h"

#include "base/fd.h"
#include "stage0/worker/fetch_request.h"

/* A request of these entries, "key=value" each. */
static int read_request(const char *const *entries, struct fetch_request *ret, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_fd_ int fd = -EBADF;

	record_begin(&sb, FETCH_REQUEST_VERSION);
	for (; *entries; entries++) {
		_cleanup_free_ char *copy = xstrdup(*entries);
		char *value = strchr(copy, '=');

		*value++ = '\0';
		record_add(&sb, copy, value);
	}
	fd = fd_sealed("request", sb.buf, sb.len, NULL);
	return fetch_request_read(fd, ret, e);
}

static void test_whole(void **state _unused_)
{
	static const char *const entries[] = {
		"url=https://a.com/x",
		"max-bytes=9000000000",
		"allow-http=1",
		"retry=1",
		"offset=5",
		"validator=\"v\"",
		"redirects=3",
		"auth=aws",
		"auth-user=u",
		"auth-password=p",
		"auth-region=r",
		"auth-site=a.com",
		"method=PUT",
		"accept=a, b",
		"content-type=c",
		"content-range=0-4",
		"body-offset=7",
		"body-length=5",
		"any-status=1",
		"immutable=1",
		"more-ca=line\nline",
		"client-cert=x",
		"client-key=y",
		NULL,
	};
	_cleanup_fetch_request_ struct fetch_request rq = FETCH_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (read_request(entries, &rq, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_string_equal(rq.http.url, "https://a.com/x");
	assert_int_equal(rq.http.max_bytes, 9000000000);
	assert_true(rq.http.allow_http && rq.http.retry);
	assert_false(rq.http.any_certificate || rq.http.accept_later || rq.http.stop_elsewhere);
	assert_int_equal(rq.http.offset, 5);
	assert_int_equal(rq.http.redirects, 3);
	assert_int_equal(rq.http.auth, HTTP_AUTH_AWS);
	assert_string_equal(rq.http.password, "p");
	assert_string_equal(rq.http.method, "PUT");
	assert_string_equal(rq.http.accept, "a, b");
	assert_string_equal(rq.http.content_range, "0-4");
	assert_int_equal(rq.http.body_offset, 7);
	assert_int_equal(rq.http.body_length, 5);
	assert_true(rq.http.any_status && rq.http.immutable);
	assert_string_equal(rq.http.more_ca, "line\nline");
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *entries[6], *why;
	} rows[] = {
		{{"max-bytes=1"}, "request: no URL, or no limit"},
		{{"url=x"}, "request: no URL, or no limit"},
		{{"url=x", "max-bytes=-1"}, "request: unknown entry \"max-bytes\""},
		{{"url=x", "max-bytes=1", "allow-https=1"},
		 "request: unknown entry \"allow-https\""},
		{{"url=x", "max-bytes=1", "allow-http=2"}, "request: unknown entry \"allow-http\""},
		{{"url=x", "max-bytes=1", "auth=digest"}, "request: unknown entry \"auth\""},
		{{"url=x", "max-bytes=1", "auth=basic"}, "request: credentials are incomplete"},
		{{"url=x", "max-bytes=1", "auth=bearer", "auth-password=p"},
		 "request: credentials are incomplete"},
		{{"url=x", "max-bytes=1", "auth=aws", "auth-password=p", "auth-site=a.com"},
		 "request: credentials are incomplete"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_fetch_request_ struct fetch_request rq = FETCH_REQUEST_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		assert_int_equal(read_request(rows[i].entries, &rq, &e), -EINVAL);
		assert_string_equal(err_text(&e), rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole),
					   cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
