#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/worker/http_header.h"

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110 */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

/* One answer from its lines. */
static struct http_headers read_lines(const char *const *lines)
{
	struct http_headers h;

	http_headers_init(&h);
	for (; *lines; lines++)
		http_headers_line(&h, *lines, strlen(*lines), NOW);
	return h;
}
#define READ(...) read_lines((const char *const[]){__VA_ARGS__, NULL})

static void test_plain(void **state _unused_)
{
	struct http_headers h =
		READ("HTTP/1.1 200 OK\r\n", "ETag: \"a b\"\r\n", "LAST-MODIFIED:" DATE "\r\n",
		     "Content-Length:\t42 \r\n", "Location: /x\r\n", "Retry-After: 7\r\n");

	assert_int_equal(h.status, 200);
	assert_string_equal(h.etag, "\"a b\"");
	assert_string_equal(h.last_modified, DATE);
	assert_int_equal(h.length, 42);
	assert_string_equal(h.location, "/x");
	assert_int_equal(h.retry_after, 7);
	assert_int_equal(h.first, -1);
	/* the next answer knows nothing of it */
	http_headers_line(&h, "HTTP/2 404", 10, NOW);
	assert_int_equal(h.status, 404);
	assert_null(h.etag);
	assert_null(h.location);
	assert_int_equal(h.length, -1);
	http_headers_done(&h);
}

static void test_malformed(void **state _unused_)
{
	static const char *const lines[] = {
		"HTTP/1.1",
		"HTTP/1.1 2",
		"HTTP/1.1 abc",
		"ETag \"x\"",
		"ETag:",
		"ETag: a\x01z",
		"ETag: \xff\xfe",
		": x",
		"Content-Length: -1",
		"Content-Length: 99999999999999999999",
		"Content-Length: 1,1",
		"Content-Range: 1-2/3",
		"Content-Range: bytes 5-4/9",
		"Content-Range: bytes 0-9/9",
		"Content-Range: bytes */9",
		"Content-Range: bytes 1-",
		"Content-Range: bytes -1-2/9",
		"Retry-After: -1",
		"Retry-After: soon",
		"",
		"\r\n",
	};
	struct http_headers h;

	http_headers_init(&h);
	for (size_t i = 0; i < ELEMENTSOF(lines); i++)
		http_headers_line(&h, lines[i], strlen(lines[i]), NOW);
	http_headers_line(&h, "ETag: x\0y", 9, NOW);
	assert_int_equal(h.status, 0);
	assert_null(h.etag);
	assert_int_equal(h.length, -1);
	assert_int_equal(h.first, -1);
	assert_int_equal(h.retry_after, -1);
	http_headers_done(&h);
}

/* What is kept and sent back has a bound. */
static void test_bounds(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct http_headers h;

	http_headers_init(&h);
	strbuf_adds(&sb, "ETag: ");
	for (int i = 0; i < HTTP_VALUE_MAX; i++)
		strbuf_addc(&sb, 'x');
	http_headers_line(&h, sb.buf, sb.len, NOW);
	assert_non_null(h.etag);
	strbuf_addc(&sb, 'x');
	http_headers_line(&h, sb.buf, sb.len, NOW);
	assert_null(h.etag);
	http_headers_done(&h);
}

static void test_range(void **state _unused_)
{
	struct http_headers h = READ("HTTP/1.1 206 Part", "Content-Range: bytes 5-9/10");

	assert_int_equal(h.first, 5);
	assert_int_equal(h.last, 9);
	assert_int_equal(h.total, 10);
	http_headers_line(&h, "content-range: Bytes 7-8/*", 26, NOW);
	assert_int_equal(h.first, 7);
	assert_int_equal(h.total, -1);
	http_headers_done(&h);
}

static void test_fresh(void **state _unused_)
{
	static const struct {
		const char *lines[4];
		int64_t fresh;
	} rows[] = {
		{{"Cache-Control: max-age=60"}, 60},
		{{"Cache-Control: public , MAX-AGE=60 "}, 60},
		{{"Cache-Control: max-age=60", "Age: 20"}, 40},
		{{"Cache-Control: max-age=60", "Age: 61"}, 0},
		{{"Cache-Control: max-age=60, no-cache"}, 0},
		{{"Cache-Control: max-age=60", "Cache-Control: no-store"}, 0},
		{{"Cache-Control: no-cache=\"x\", max-age=60"}, 0},
		{{"Cache-Control: max-age=60, max-age=5"}, 5},
		{{"Cache-Control: max-age=x, max-age=60"}, 0},
		{{"Cache-Control: max-age=99999999999999999999"}, HTTP_AGE_MAX},
		{{"Cache-Control: max-age="}, 0},
		{{"Cache-Control: s-maxage=60"}, 0},
		{{"Expires: Sun, 06 Nov 1994 09:49:37 GMT", "Date: " DATE}, 3600},
		{{"Expires: Sun, 06 Nov 1994 09:49:37 GMT"}, 0},
		{{"Expires: Sun, 06 Nov 1994 09:49:37 GMT", "Date: " DATE,
		  "Cache-Control: max-age=5"},
		 5},
		{{"Expires: 0", "Date: " DATE}, 0},
		{{"Expires: " DATE, "Date: Sun, 06 Nov 1994 09:49:37 GMT"}, 0},
		{{"X: y"}, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct http_headers h = read_lines(rows[i].lines);

		if (http_headers_fresh(&h) != rows[i].fresh)
			fail_msg("row %zu: %lld", i, (long long) http_headers_fresh(&h));
		http_headers_done(&h);
	}
}

static void test_validator(void **state _unused_)
{
	static const struct {
		const char *lines[4], *validator;
	} rows[] = {
		{{"ETag: \"x\"", "Last-Modified: " DATE}, "\"x\""},
		{{"ETag: x"}, "x"},
		{{"ETag: x", "Last-Modified: " DATE}, DATE},
		{{"ETag: W/\"x\"", "Last-Modified: " DATE}, NULL},
		{{"Last-Modified: " DATE}, DATE},
		{{"Last-Modified: " DATE, "Date: Sun, 06 Nov 1994 08:49:38 GMT"}, DATE},
		{{"Last-Modified: " DATE, "Date: " DATE}, NULL},
		{{"Last-Modified: yesterday"}, NULL},
		{{"X: y"}, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct http_headers h = read_lines(rows[i].lines);

		if (!str_eq(http_headers_validator(&h), rows[i].validator))
			fail_msg("row %zu", i);
		http_headers_done(&h);
	}
}

static void test_dates(void **state _unused_)
{
	struct http_headers h = READ("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT");

	assert_int_equal(h.retry_after, 30);
	http_headers_line(&h, "Retry-After: Sat, 05 Nov 1994 08:50:07 GMT", 42, NOW);
	assert_int_equal(h.retry_after, 0);
	http_headers_done(&h);
	assert_int_equal(http_date(DATE), NOW);
	assert_int_equal(http_date(DATE " "), -1);
	assert_int_equal(http_date(""), -1);
	assert_int_equal(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), -1);
	assert_int_equal(http_date("Sun, 06 Nov 1900 08:49:37 GMT"), -1);
}

static void test_registry(void **state _unused_)
{
	static const char *const lines[] = {
		"HTTP/1.1 401 Unauthorized\r\n",
		"WWW-Authenticate: Basic realm=\"a\"\r\n",
		"www-authenticate: Bearer realm=\"b\"\r\n",
		"Content-Type: application/json; charset=utf-8\r\n",
		"Docker-Content-Digest: sha256:00\r\n",
	};
	_cleanup_free_ char *longest = xcalloc(1, HTTP_CHALLENGE_MAX + 100);
	struct http_headers h;

	http_headers_init(&h);
	for (size_t i = 0; i < ELEMENTSOF(lines); i++)
		http_headers_line(&h, lines[i], strlen(lines[i]), 0);
	assert_string_equal(h.challenge, "Basic realm=\"a\", Bearer realm=\"b\"");
	assert_string_equal(h.content_type, "application/json; charset=utf-8");
	assert_string_equal(h.digest, "sha256:00");
	/* more than there is room for is nothing, not a part */
	memset(longest, 'x', HTTP_CHALLENGE_MAX + 90);
	memcpy(longest, "WWW-Authenticate: ", 18);
	http_headers_line(&h, longest, strlen(longest), 0);
	assert_null(h.challenge);
	http_headers_line(&h, "HTTP/1.1 200 OK", 15, 0);
	assert_null(h.digest);
	http_headers_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_plain),  cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_range),
		cmocka_unit_test(test_fresh),  cmocka_unit_test(test_validator),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
