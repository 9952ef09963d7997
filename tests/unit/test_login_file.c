#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/oci/login.h"

#define GOOD "dTpw" /* u:p */
#define OTHER "eDp5" /* x:y */

static void test_keys(void **state _unused_)
{
	static const char *const rows[][2] = {
		{"docker.io", "docker.io"},
		{"https://index.docker.io/v1/", "docker.io"},
		{"index.docker.io", "docker.io"},
		{"registry-1.docker.io", "docker.io"},
		{"index.docker.io.evil.com", "index.docker.io.evil.com"},
		{"http://a.com:5000/v2/", "a.com:5000"},
		{"https://a.com", "a.com"},
		{"a.com/lib/app/", "a.com/lib/app"},
		{"a.com/v1/x", "a.com/v1/x"},
		{"docker.io/lib", "docker.io/lib"},
		{"", ""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *key = login_normal_key(rows[i][0]);

		assert_string_equal(key, rows[i][1]);
	}
}

static void test_found(void **state _unused_)
{
	static const struct {
		const char *text, *user, *identity, *token, *helper;
	} rows[] = {
		{"{}", NULL, NULL, NULL, NULL},
		{"{\"auths\":null,\"HttpHeaders\":{\"x\":\"y\"}}", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"auth\":\"" GOOD "\"}}}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"https://a.com/v1/\":{\"auth\":\"" GOOD "\"}}}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"username\":\"u\",\"password\":\"p\"}}}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"a.com.evil\":{\"auth\":\"" GOOD "\"}}}", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"a.com/li\":{\"auth\":\"" GOOD "\"}}}", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"a.com/lib/app/x\":{\"auth\":\"" GOOD "\"}}}", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"auth\":\"" OTHER "\"},\"a.com/lib\":{\"auth\":\"" GOOD "\"}}}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"a.com/lib/app\":{\"auth\":\"" GOOD "\"},\"a.com/lib\":{\"auth\":\"" OTHER "\"}}}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"identitytoken\":\"i\"}}}", NULL, "i", NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"auth\":\"" GOOD "\",\"identitytoken\":\"i\"}}}", "u", "i", NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"registrytoken\":\"r\"}}}", NULL, NULL, "r", NULL},
		{"{\"auths\":{\"a.com\":{}},\"credsStore\":\"pass\"}", NULL, NULL, NULL, "pass"},
		{"{\"auths\":{\"a.com\":{\"auth\":\"" GOOD "\"}},\"credsStore\":\"pass\"}", "u", NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"auth\":\"" GOOD "\"}},\"credHelpers\":{\"a.com\":\"ecr-login\"}}", NULL, NULL, NULL, "ecr-login"},
		{"{\"credHelpers\":{\"b.com\":\"x\"},\"credsStore\":\"\"}", NULL, NULL, NULL, NULL},
		{"{\"auths\":{\"a.com\":{\"username\":\"u\"}}}", NULL, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_login_ struct login l = {0};
		_cleanup_free_ char *helper = NULL;
		_cleanup_err_ struct err e = ERR_INIT;

		if (login_from_file(rows[i].text, strlen(rows[i].text), "a.com", "lib/app", &l, &helper, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		if (!str_eq(l.user, rows[i].user) || !str_eq(l.identity_token, rows[i].identity) ||
		    !str_eq(l.registry_token, rows[i].token) || !str_eq(helper, rows[i].helper))
			fail_msg("%s: %s, %s, %s, %s", rows[i].text, q(l.user), q(l.identity_token), q(l.registry_token), q(helper));
		if (l.user)
			assert_string_equal(l.password, "p");
	}
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"[]", "expected object"},
		{"{\"auths\":[]}", "auths, credHelpers: expected object"},
		{"{\"auths\":{\"a.com\":{\"auth\":\"dTpw=\"}}}", "auths[\"a.com\"]: auth: it is no base64"},
		{"{\"auths\":{\"a.com\":{\"auth\":\"dQ==\"}}}", "auths[\"a.com\"]: auth: expected USER:PASSWORD in base64"},
		{"{\"auths\":{\"a.com\":{\"auth\":\"OnA=\"}}}", "auths[\"a.com\"]: auth: expected USER:PASSWORD in base64"},
		{"{\"auths\":{\"a.com\":{\"auth\":\"dTpwCng=\"}}}", "auths[\"a.com\"]: auth: control character"},
		{"{\"auths\":{\"a.com\":{\"identitytoken\":1}}}", "auths[\"a.com\"]: identitytoken: expected string"},
		{"{\"auths\":{\"a.com\":{\"username\":\"a:b\",\"password\":\"p\"}}}",
		 "auths[\"a.com\"]: username: a user name has no colon"},
		{"{\"credsStore\":\"a/b\"}", "credsStore: \"a/b\": the name of a helper may have letters, digits, '.', '_' and '-' only"},
		{"{\"credsStore\":\"..\"}", "credsStore: \"..\": the name of a helper must begin with a letter or a digit"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_login_ struct login l = {0};
		_cleanup_free_ char *helper = NULL;
		_cleanup_err_ struct err e = ERR_INIT;

		if (login_from_file(rows[i].text, strlen(rows[i].text), "a.com", NULL, &l, &helper, &e) == 0)
			fail_msg("%s was taken", rows[i].text);
		assert_string_equal(err_text(&e), rows[i].why);
	}
}

static void test_helper(void **state _unused_)
{
	static const char user[] = "{\"ServerURL\":\"a\",\"Username\":\"u\",\"Secret\":\"p\"}",
			  token[] = "{\"Username\":\"<token>\",\"Secret\":\"i\"}", half[] = "{\"Username\":\"u\"}",
			  feed[] = "{\"Username\":\"u\",\"Secret\":\"a\\nb\"}";
	_cleanup_login_ struct login l = {0}, m = {0}, n = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(login_from_helper(user, strlen(user), &l, &e), 0);
	assert_string_equal(l.user, "u");
	assert_string_equal(l.password, "p");
	assert_int_equal(login_from_helper(token, strlen(token), &m, &e), 0);
	assert_null(m.user);
	assert_string_equal(m.identity_token, "i");
	assert_int_equal(login_from_helper(half, strlen(half), &n, &e), -EINVAL);
	assert_string_equal(err_text(&e), "Username or Secret is missing");
	assert_int_equal(login_from_helper(feed, strlen(feed), &n, &e), -EINVAL);
	assert_string_equal(err_text(&e), "Secret: control character");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
