#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/worker/http_url.h"

static void test_parts(void **state _unused_)
{
	static const struct {
		const char *base, *text, *whole, *site, *port;
		bool https;
	} rows[] = {
		{NULL, "https://A.com/x.aci", "https://A.com/x.aci", "a.com", "443", true},
		{NULL, "HTTP://a.com:80/x#f", "http://a.com:80/x", "a.com:80", "80", false},
		{NULL, "https://a.com:8443", "https://a.com:8443/", "a.com:8443", "8443", true},
		{NULL, "http://[::1]:8080/x", "http://[::1]:8080/x", "[::1]:8080", "8080", false},
		{"https://a.com/d/x?q", "y", "https://a.com/d/y", "a.com", "443", true},
		{"https://a.com/d/x", "/y?z#f", "https://a.com/y?z", "a.com", "443", true},
		{"https://a.com/d/x", "//b.com/y", "https://b.com/y", "b.com", "443", true},
		{"https://a.com/d/x", "http://b.com/y", "http://b.com/y", "b.com", "80", false},
		{"https://a.com/x", "https://eve:pw@b.com/y", "https://b.com/y", "b.com", "443",
		 true},
		{"https://a.com/x", "/with space", "https://a.com/with%20space", "a.com", "443",
		 true},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_http_url_ struct http_url u = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (http_url_read(rows[i].base, rows[i].text, &u, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		assert_string_equal(u.text, rows[i].whole);
		assert_string_equal(u.site, rows[i].site);
		assert_string_equal(u.port, rows[i].port);
		assert_int_equal(u.https, rows[i].https);
	}
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *base, *text;
		int r;
		const char *why;
	} rows[] = {
		{NULL, "ftp://a.com/x", -EPERM, "a URL to a scheme that is not allowed"},
		{NULL, "nix://a.com/x", -EPERM, "a URL to a scheme that is not allowed"},
		{NULL, "a.com/x", -EINVAL, "malformed URL"},
		{NULL, "https://u:p@a.com/x", -EINVAL, "malformed URL"},
		{NULL, "https://a.com:99999/x", -EINVAL, "malformed URL"},
		{"https://a.com/", "file:///etc/passwd", -EPERM,
		 "a redirect to a scheme that is not allowed"},
		{"https://a.com/", "gopher://a.com/", -EPERM,
		 "a redirect to a scheme that is not allowed"},
		{"https://a.com/", "https://[x/", -EINVAL, "malformed URL in a redirect"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_http_url_ struct http_url u = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (http_url_read(rows[i].base, rows[i].text, &u, &e) != rows[i].r ||
		    !str_starts(err_text(&e), rows[i].why))
			fail_msg("%s: %s", rows[i].text, err_text(&e));
	}
}

static void test_origin(void **state _unused_)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"https://a.com/x", "https://A.com:443/y", true},
		{"https://a.com/", "http://a.com/", false},
		{"https://a.com/", "https://a.com:444/", false},
		{"https://a.com/", "https://b.a.com/", false},
		{"http://a.com:443/", "https://a.com/", false},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_http_url_ struct http_url a = {0}, b = {0};

		assert_int_equal(http_url_read(NULL, rows[i].a, &a, NULL), 0);
		assert_int_equal(http_url_read(NULL, rows[i].b, &b, NULL), 0);
		assert_int_equal(http_url_same_origin(&a, &b), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
