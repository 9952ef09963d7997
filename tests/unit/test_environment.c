/* Where the variables of an app come from, and which wins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/pod/environment.h"

static char *temp_file(const char *text)
{
	char *path = xstrdup("/tmp/test-environment.XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
	return path;
}

static void order(void **state)
{
	_cleanup_free_ char *file = temp_file("# a comment\n; another\n\nFILE=file\nPOD=file\nOWN=file\n");
	char *files[] = {file, NULL}, *pod[] = {(char *) "POD=pod", (char *) "OWN=pod", NULL};
	char *own[] = {(char *) "OWN=own", NULL};
	struct pod_request req = {.inherit_env = true, .set_env = pod, .set_env_file = files};
	struct app_request app = {.environment = own};
	struct nameval_list env = {0};

	(void) state;
	setenv("IMAGE", "caller", 1);
	setenv("CALLER", "caller", 1);
	nameval_set(&env, "IMAGE", "image");
	nameval_set(&env, "FILE", "image");
	assert_int_equal(environment_apply(&req, &app, &env, NULL), 0);
	assert_string_equal(nameval_get(&env, "CALLER"), "caller");
	assert_string_equal(nameval_get(&env, "IMAGE"), "image");
	assert_string_equal(nameval_get(&env, "FILE"), "file");
	assert_string_equal(nameval_get(&env, "POD"), "pod");
	assert_string_equal(nameval_get(&env, "OWN"), "own");
	nameval_done(&env);
	unlink(file);
}

static void nothing_is_inherited_unasked(void **state)
{
	struct pod_request req = {0};
	struct app_request app = {0};
	struct nameval_list env = {0};

	(void) state;
	setenv("SECRET", "x", 1);
	assert_int_equal(environment_apply(&req, &app, &env, NULL), 0);
	assert_int_equal(env.n, 0);
}

static void refusals(void **state)
{
	static const struct {
		const char *pairs[3];
		const char *text;
	} rows[] = {
		{{"A=1", "A=2"}, "--set-env: environment variable \"A\" is there twice"},
		{{"NOVALUE"}, "--set-env: \"NOVALUE\": expected NAME=VALUE"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct pod_request req = {.set_env = (char **) rows[i].pairs};
		struct app_request app = {0};
		struct nameval_list env = {0};

		assert_true(environment_apply(&req, &app, &env, &e) < 0);
		assert_string_equal(err_text(&e), rows[i].text);
		nameval_done(&env);
	}
}

static void a_bad_line_is_named(void **state)
{
	_cleanup_free_ char *file = temp_file("A=1\nbad line\n"), *want = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	char *files[] = {file, NULL};
	struct pod_request req = {.set_env_file = files};
	struct app_request app = {0};
	struct nameval_list env = {0};

	(void) state;
	assert_true(environment_apply(&req, &app, &env, &e) < 0);
	want = xasprintf("--set-env-file \"%s\": line 2: \"bad line\": expected NAME=VALUE", file);
	assert_string_equal(err_text(&e), want);
	nameval_done(&env);
	unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(nothing_is_inherited_unasked),
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_bad_line_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
