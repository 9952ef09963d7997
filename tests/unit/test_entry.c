/* The arguments of stage1 programs: what is built is what is parsed, for every interface version. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "contract/entry.h"

static char *nets[] = {(char *) "a:IP=1.2.3.4;K=V", (char *) "b", NULL};
static char *command[] = {(char *) "sh", (char *) "-c", (char *) "--pid=9", NULL};

static void run_both_ways(void **state)
{
	struct entry_args a = {
		.debug = true, .uuid = (char *) "U", .nets = nets, .net_dirs = nets, .local_config = (char *) "/etc/x y",
		.system_config = (char *) "/usr/lib/x", .data_dir = (char *) "/d=e", .hostname = (char *) "h",
		.dns_conf_mode = (char *) "resolv=host,hosts=default", .ipc = (char *) "parent",
		.no_capabilities = true, .no_paths = true, .no_seccomp = true, .foreground = true, .dry_run = true,
		.private_users = {0x80000, 65536},
	};
	_cleanup_entry_args_ struct entry_args b = ENTRY_ARGS_INIT;
	_cleanup_strv_ char **argv = NULL, **dropped = NULL, **again = NULL;

	(void) state;
	assert_int_equal(entry_argv(ENTRY_RUN, ENTRY_VERSION, "run", &a, &argv, &dropped, NULL), 0);
	assert_int_equal(strv_len(dropped), 0);
	assert_int_equal(entry_parse(ENTRY_RUN, (int) strv_len(argv), argv, &b, NULL), 0);
	assert_int_equal(entry_argv(ENTRY_RUN, ENTRY_VERSION, "run", &b, &again, NULL, NULL), 0);
	assert_int_equal(strv_len(argv), strv_len(again));
	for (size_t i = 0; argv[i]; i++)
		assert_string_equal(argv[i], again[i]);
	assert_string_equal(b.nets[0], "a:IP=1.2.3.4;K=V");
	assert_string_equal(b.net_dirs[1], "b");
	assert_true(b.no_capabilities && b.no_paths && b.no_seccomp && b.foreground && b.dry_run && b.debug);
	assert_int_equal(b.private_users.shift, 0x80000);
	assert_int_equal(b.private_users.count, 65536);
}

static void enter_both_ways(void **state)
{
	struct entry_args a = {.pid = 4711, .app = (char *) "one", .user = (char *) "bob", .command = command};
	_cleanup_entry_args_ struct entry_args b = ENTRY_ARGS_INIT;
	_cleanup_strv_ char **argv = NULL;

	(void) state;
	assert_int_equal(entry_argv(ENTRY_ENTER, ENTRY_VERSION, "enter", &a, &argv, NULL, NULL), 0);
	assert_int_equal(entry_parse(ENTRY_ENTER, (int) strv_len(argv), argv, &b, NULL), 0);
	assert_int_equal(b.pid, 4711);
	assert_string_equal(b.app, "one");
	assert_string_equal(b.user, "bob");
	assert_null(b.group);
	assert_int_equal(strv_len(b.command), 3);
	assert_string_equal(b.command[2], "--pid=9");
}

/* An older stage1: security options are refused by name, others are left out and reported. */
static void older_versions(void **state)
{
	static const struct {
		struct entry_args args;
		unsigned version;
		const char *refused, *dropped;
	} rows[] = {
		{{.uuid = (char *) "U", .no_seccomp = true}, 2, "--disable-seccomp", NULL},
		{{.uuid = (char *) "U", .no_seccomp = true}, 3, NULL, NULL},
		{{.uuid = (char *) "U", .no_paths = true}, 1, "--disable-paths", NULL},
		{{.uuid = (char *) "U", .ipc = (char *) "parent"}, 5, "--ipc", NULL},
		{{.uuid = (char *) "U", .dry_run = true}, 6, "--dry-run", NULL},
		{{.uuid = (char *) "U", .net_dirs = nets}, 6, "--net-dir", NULL},
		{{.uuid = (char *) "U", .net_dirs = nets}, 7, NULL, NULL},
		{{.uuid = (char *) "U", .dns_conf_mode = (char *) "resolv=none"}, 3, "--dns-conf-mode", NULL},
		{{.uuid = (char *) "U", .hostname = (char *) "h"}, 1, NULL, "--hostname=h"},
		{{.uuid = (char *) "U", .data_dir = (char *) "/d"}, 6, NULL, "--data-dir=/d"},
		{{.uuid = (char *) "U", .nets = nets}, 1, NULL, NULL},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_strv_ char **argv = NULL, **dropped = NULL;
		int r = entry_argv(ENTRY_RUN, rows[i].version, "run", &rows[i].args, &argv, &dropped, &e);

		if (rows[i].refused) {
			assert_int_equal(r, -EOPNOTSUPP);
			assert_non_null(strstr(err_text(&e), rows[i].refused));
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(strv_len(dropped), rows[i].dropped ? 1 : 0);
		if (rows[i].dropped)
			assert_string_equal(dropped[0], rows[i].dropped);
	}
}

static void gc_learned_local_config_later(void **state)
{
	struct entry_args a = {.uuid = (char *) "U", .local_config = (char *) "/c"};
	_cleanup_strv_ char **argv4 = NULL, **argv5 = NULL;

	(void) state;
	assert_int_equal(entry_argv(ENTRY_GC, 4, "gc", &a, &argv4, NULL, NULL), 0);
	assert_int_equal(strv_len(argv4), 2);
	assert_int_equal(entry_argv(ENTRY_GC, 5, "gc", &a, &argv5, NULL, NULL), 0);
	assert_string_equal(argv5[1], "--local-config=/c");
}

static void refusals(void **state)
{
	static const struct {
		enum entry_point point;
		const char *argv[4], *says;
	} rows[] = {
		{ENTRY_RUN, {"run", "--nope", "U"}, "unknown option: \"--nope\""},
		{ENTRY_RUN, {"run", "-x", "U"}, "unknown option"},
		{ENTRY_RUN, {"run", "-", "U"}, "unknown option"},
		{ENTRY_RUN, {"run", "--force", "U"}, "unknown option"},
		{ENTRY_RUN, {"run"}, "UUID is missing"},
		{ENTRY_RUN, {"run", "U", "V"}, "more than one word"},
		{ENTRY_RUN, {"run", "--hostname"}, "needs a value"},
		{ENTRY_RUN, {"run", "--dry-run=maybe", "U"}, "neither true nor false"},
		{ENTRY_RUN, {"run", "--private-users=1", "U"}, "\"1\" is no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=0:65536", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=65536:0", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=1:4294967295", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=65536:65536:1", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users=-1:5", "U"}, "no SHIFT:COUNT"},
		{ENTRY_RUN, {"run", "--private-users", "U"}, "\"U\" is no SHIFT:COUNT"},
		{ENTRY_ENTER, {"enter", "--pid=0", "--appname=a", "x"}, "no process id"},
		{ENTRY_ENTER, {"enter", "--pid=1", "--appname=a", "--"}, "no command"},
		{ENTRY_ENTER, {"enter", "--pid=1", "--", "x"}, "are needed"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_entry_args_ struct entry_args a = ENTRY_ARGS_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		int n = 0;

		while (n < 4 && rows[i].argv[n])
			n++;
		assert_int_equal(entry_parse(rows[i].point, n, (char *const *) rows[i].argv, &a, &e), -EINVAL);
		assert_non_null(strstr(err_text(&e), rows[i].says));
	}
}

static void values_as_words(void **state)
{
	char *argv[] = {(char *) "stop", (char *) "--force=false", (char *) "--debug", (char *) "U"};
	char *run[] = {(char *) "run", (char *) "--hostname", (char *) "h", (char *) "--", (char *) "U"};
	_cleanup_entry_args_ struct entry_args a = ENTRY_ARGS_INIT, b = ENTRY_ARGS_INIT;

	(void) state;
	assert_int_equal(entry_parse(ENTRY_STOP, 4, argv, &a, NULL), 0);
	assert_true(a.debug && !a.force);
	assert_int_equal(entry_parse(ENTRY_RUN, 5, run, &b, NULL), 0);
	assert_string_equal(b.hostname, "h");
	assert_string_equal(b.uuid, "U");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_both_ways),
		cmocka_unit_test(enter_both_ways),
		cmocka_unit_test(older_versions),
		cmocka_unit_test(gc_learned_local_config_later),
		cmocka_unit_test(refusals),
		cmocka_unit_test(values_as_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
