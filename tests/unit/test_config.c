/* Configuration: merging, and which credentials a host gets. */
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "stage0/config/print.h"
#include "stage0/config/config.h"
#include "stage0/context.h"
#include "tests/unit/unit.h"

static void put(int dir, const char *path, const char *text)
{
	_cleanup_free_ char *up = xasprintf("%s/%s", scratch_path, path);

	*strrchr(up, '/') = '\0';
	assert_int_equal(path_mkdirs(up, 0700, NULL), 0);
	assert_int_equal(file_write_at(dir, path, text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

static struct gantry context(void)
{
	struct gantry g = {.data_fd = -EBADF};

	g.system_config = path_join(scratch_path, "s");
	g.local_config = path_join(scratch_path, "l");
	g.user_config = path_join(scratch_path, "u");
	return g;
}

static void context_free(struct gantry *g)
{
	free(g->system_config);
	free(g->local_config);
	free(g->user_config);
}

#define HEAD(kind) "{\"rktKind\":\"" kind "\",\"rktVersion\":\"v1\","

static void credentials(void **state)
{
	_cleanup_auth_ struct auth_list l = AUTH_LIST_INIT;
	int dir = scratch_open();
	struct gantry g = context();
	const struct auth *a;

	(void) state;
	put(dir, "s/auth.d/a.json",
	    HEAD("auth") "\"domains\":[\"B.example\",\"a.example:8443\",\"c.example\"],\"type\":\"basic\","
			 "\"credentials\":{\"user\":\"u\",\"password\":\"p\"}}");
	put(dir, "u/auth.d/b.json",
	    HEAD("auth") "\"domains\":[\"b.EXAMPLE\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}");
	put(dir, "l/auth.d/c.json",
	    HEAD("auth") "\"domains\":[\"c.example\"],\"type\":\"aws\",\"credentials\":"
			 "{\"accessKeyID\":\"i\",\"secretAccessKey\":\"k\",\"awsRegion\":\"\"}}");
	assert_int_equal(config_load_auth(&g, &l, NULL), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].domain, "a.example:8443");
	assert_string_equal(l.v[1].domain, "b.example");
	assert_string_equal(l.v[2].domain, "c.example");
	a = auth_for(&l, "b.example");
	assert_non_null(a);
	assert_int_equal(a->type, AUTH_OAUTH);
	assert_string_equal(a->token, "t");
	assert_null(a->password);
	a = auth_for(&l, "C.Example");
	assert_non_null(a);
	assert_int_equal(a->type, AUTH_AWS);
	assert_string_equal(a->region, "us-east-1");
	/* another port is another server, and so is everything around the name */
	assert_non_null(auth_for(&l, "a.example:8443"));
	assert_null(auth_for(&l, "a.example"));
	assert_null(auth_for(&l, "a.example:443"));
	assert_null(auth_for(&l, "b.example:443"));
	assert_null(auth_for(&l, "x.b.example"));
	assert_null(auth_for(&l, "b.example.org"));
	assert_null(auth_for(&l, "example"));
	assert_null(auth_for(&l, ""));
	context_free(&g);
	scratch_close(dir);
}

static void no_directories(void **state)
{
	_cleanup_auth_ struct auth_list l = AUTH_LIST_INIT;
	_cleanup_config_paths_ struct config_paths p = CONFIG_PATHS_INIT;
	_cleanup_config_stage1_ struct config_stage1 s = CONFIG_STAGE1_INIT;
	struct gantry g = {.data_fd = -EBADF, .user_config = (char *) ""};

	(void) state;
	assert_int_equal(config_load_auth(&g, &l, NULL), 0);
	assert_int_equal(config_load_paths(&g, &p, NULL), 0);
	assert_int_equal(config_load_stage1(&g, &s, NULL), 0);
	assert_int_equal(l.n, 0);
	assert_null(auth_for(&l, "a.example"));
	assert_null(p.data);
	assert_null(s.name);
}

static void many_files(void **state)
{
	_cleanup_config_paths_ struct config_paths p = CONFIG_PATHS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();
	struct gantry g = context();
	_cleanup_free_ char *want = NULL;

	(void) state;
	for (int i = 0; i <= 1000; i++) {
		_cleanup_free_ char *name = xasprintf("l/paths.d/%d.json", i);

		put(dir, name, HEAD("paths") "\"data\":\"\"}");
	}
	assert_true(config_load_paths(&g, &p, &e) < 0);
	want = xasprintf("configuration %s/l/paths.d: more than 1000 files", scratch_path);
	assert_err(&e, want);
	context_free(&g);
	scratch_close(dir);
}

/* What a failure leaves behind is nothing: of three directories the last one is broken. */
static void failure(void **state)
{
	_cleanup_auth_ struct auth_list l = AUTH_LIST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();
	struct gantry g = context();
	_cleanup_free_ char *want = NULL;

	(void) state;
	put(dir, "s/auth.d/a.json",
	    HEAD("auth") "\"domains\":[\"a\"],\"type\":\"oauth\",\"credentials\":{\"token\":\"t\"}}");
	put(dir, "u/auth.d/a.json",
	    HEAD("auth") "\"domains\":[\"a\"],\"type\":\"oauth\",\"credentials\":{\"token\":1}}");
	assert_int_equal(config_load_auth(&g, &l, &e), -EINVAL);
	want = xasprintf("configuration %s/u/auth.d/a.json: credentials.token: expected string", scratch_path);
	assert_err(&e, want);
	assert_int_equal(l.n, 0);
	assert_null(config_print(&g, true, NULL));
	context_free(&g);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(no_directories),
		cmocka_unit_test(many_files),
		cmocka_unit_test(failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
