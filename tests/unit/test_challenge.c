#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/oci/challenge.h"

static void test_taken(void **state _unused_)
{
	static const struct {
		const char *text;
		bool basic;
		const char *realm, *service, *scope, *error;
	} rows[] = {
		{"", false, NULL, NULL, NULL, NULL},
		{" , ,", false, NULL, NULL, NULL, NULL},
		{"Basic", true, NULL, NULL, NULL, NULL},
		{"Basic realm=\"x\"", true, NULL, NULL, NULL, NULL},
		{"bEARER REALM=\"https://a/t\",SERVICE=b,scope=\"repository:c:pull repository:d:pull\"", false,
		 "https://a/t", "b", "repository:c:pull repository:d:pull", NULL},
		{"Bearer realm = \"a\\\"b\\\\c\" , error=\"invalid_token\"", false, "a\"b\\c", NULL, NULL,
		 "invalid_token"},
		{"Bearer realm=a, Basic realm=b", true, "a", NULL, NULL, NULL},
		{"Basic realm=\"b, c=d\", Bearer realm=\"a, Basic\"", true, "a, Basic", NULL, NULL, NULL},
		{"Negotiate, Bearer realm=a", false, "a", NULL, NULL, NULL},
		{"NTLM abc+/==, Bearer realm=a,,x=y", false, "a", NULL, NULL, NULL},
		{"Digest realm=\"x\", qop=\"auth\", nonce=1, Bearer realm=a", false, "a", NULL, NULL, NULL},
		{"Bearer realm=a, Bearer realm=b,service=c", false, "a", NULL, NULL, NULL},
		{"Bearer realm=\"\"", false, "", NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_challenge_ struct challenge c = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (challenge_parse(rows[i].text, &c, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		assert_int_equal(c.basic, rows[i].basic);
		assert_int_equal(c.bearer, rows[i].realm != NULL);
		if (!str_eq(c.realm, rows[i].realm) || !str_eq(c.service, rows[i].service) ||
		    !str_eq(c.scope, rows[i].scope) || !str_eq(c.error, rows[i].error))
			fail_msg("%s: %s, %s, %s, %s", rows[i].text, q(c.realm), q(c.service), q(c.scope), q(c.error));
	}
}

static void test_refused(void **state _unused_)
{
	static const char *const rows[] = {
		"Bearer", "Bearer service=x", "Bearer realm", "Bearer realm=", "Bearer realm=\"x", "Bearer realm=\"x\\",
		"Bearer realm=a realm=b", "Bearer realm=a,realm=b", "Bearer realm=\"a\"b", "=", "\"x\"", "Bearer:x",
		"Basic realm=a,scope=1,scope=2", "Bearer realm=@",
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *want = xasprintf("a malformed WWW-Authenticate: %s", q(rows[i]));
		_cleanup_challenge_ struct challenge c = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (challenge_parse(rows[i], &c, &e) != -EINVAL)
			fail_msg("%s was taken", rows[i]);
		assert_string_equal(err_text(&e), want);
		assert_null(c.realm);
	}
}

static void test_bounded(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_challenge_ struct challenge c = {0};

	strbuf_adds(&sb, "Bearer realm=a");
	for (int i = 0; i < 100; i++)
		strbuf_addf(&sb, ",x%d=y", i);
	assert_int_equal(challenge_parse(sb.buf, &c, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
