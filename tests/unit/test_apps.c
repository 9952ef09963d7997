/* The words of run and prepare: images with options of their own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage0/cli/apps.h"
#include "stage0/command.h"

static int parse(struct pod_request *req, char *const *argv, struct err *e)
{
	static const struct command cmd = {.name = "run"};
	struct gantry g = {0};
	struct opt_cursor c = {.argc = (int) strv_len(argv), .argv = argv};
	int r = apps_parse(&g, &cmd, &c, NULL, req, NULL, e);

	free(g.data_dir);
	return r;
}

#define PARSE(req, e, ...) parse(req, (char *const[]) {__VA_ARGS__, NULL}, e)
#define W(s) ((char *) (s))

static void images_with_arguments(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_request req = {0};

	(void) state;
	assert_int_equal(PARSE(&req, &e, W("--set-env=A=1"), W("a.aci"), W("--memory=1M"), W("--"), W("x"), W("--y"), W(""),
			       W("---"), W("b.aci"), W("--name"), W("bee"), W("---"), W("c.aci"), W("--"), W("-z")),
			 0);
	assert_int_equal(req.n_apps, 3);
	assert_string_equal(req.set_env[0], "A=1");
	assert_string_equal(req.apps[0].image, "a.aci");
	assert_string_equal(req.apps[0].memory, "1M");
	assert_int_equal(strv_len(req.apps[0].args), 2); /* the empty one is dropped */
	assert_string_equal(req.apps[0].args[1], "--y");
	assert_string_equal(req.apps[1].name, "bee");
	assert_null(req.apps[1].args);
	assert_string_equal(req.apps[2].args[0], "-z");
	pod_request_done(&req);
}

static void a_mount_before_the_images_is_for_all(void **state)
{
	struct pod_request req = {0};

	(void) state;
	assert_int_equal(PARSE(&req, NULL, W("--mount"), W("volume=v,target=/a"), W("a.aci"), W("--mount=volume=w,target=/b")), 0);
	assert_string_equal(req.mounts[0], "volume=v,target=/a");
	assert_string_equal(req.apps[0].mounts[0], "volume=w,target=/b");
	pod_request_done(&req);
}

static void what_is_for_the_whole_pod(void **state)
{
	struct pod_request req = {0};

	(void) state;
	assert_int_equal(PARSE(&req, NULL, W("--user-label=a=1"), W("--annotation"), W("n=2"), W("--user-annotation=u=3"),
			       W("x"), W("--user-label=b=4"), W("--port=web:80"), W("y"), W("--user-annotation=v=5"),
			       W("--annotation=m=6"), W("--port=db:81"), W("--pod-name=pod")),
			 0);
	assert_string_equal(req.user_labels[0], "a=1");
	assert_null(req.user_labels[1]);
	assert_string_equal(req.annotations[0], "n=2");
	assert_string_equal(req.user_annotations[0], "u=3");
	assert_string_equal(req.apps[0].user_labels[0], "b=4");
	assert_string_equal(req.apps[1].user_annotations[0], "v=5");
	assert_string_equal(req.apps[1].annotations[0], "m=6");
	assert_string_equal(req.ports[0], "web:80");
	assert_string_equal(req.ports[1], "db:81");
	assert_string_equal(req.pod_name, "pod");
	pod_request_done(&req);
}

static void refusals(void **state)
{
	static const struct {
		const char *words[6];
		const char *text;
	} rows[] = {
		{{"--", "x"}, "arguments behind \"--\" must follow an image"},
		{{"a.aci", "--", "x", "---", "--"}, "image \"a.aci\" has arguments behind \"--\" twice"},
		{{"--memory=1M", "a.aci"}, "--memory must follow an image"},
		{{"--name", "x", "a.aci"}, "--name must follow an image"},
		{{"a.aci", "--frob"}, "unknown flag: --frob"},
		{{"a.aci", "--frob=\033[1m"}, "unknown flag: --frob"},
		{{"a.aci", "--memory"}, "flag needs an argument: --memory"},
		{{"--stdin=tty", "a.aci"}, "--stdin must follow an image"},
		{{"--exec"}, "--exec must follow an image"},
		{{"--user-annotation"}, "flag needs an argument: --user-annotation"},
		{{"a.aci", "--exec=/a", "--exec=/b"}, "--exec specified multiple times"},
		{{"a.aci", "--signature", "x", "--signature=y"}, "--signature specified multiple times"},
		{{"---", "--", "x"}, "arguments behind \"--\" must follow an image"},
		{{"--set-env=A=1", "--", "a.aci"}, "arguments behind \"--\" must follow an image"},
		{{"a.aci", "--", "---", "--", "x"}, "image \"a.aci\" has arguments behind \"--\" twice"},
		{{"--private-users=maybe", "a.aci"}, "invalid argument \"maybe\" for --private-users: true or false"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct pod_request req = {0};

		assert_true(parse(&req, (char *const *) rows[i].words, &e) < 0);
		assert_string_equal(err_text(&e), rows[i].text);
		pod_request_done(&req);
	}
}

/* What goes together; and the old names of pull policies. */
static void checks(void **state)
{
	static char *const one[] = {(char *) "x", NULL};
	const struct {
		struct pod_request req;
		const char *text, *policy;
	} rows[] = {
		{{.n_apps = 1}, NULL, NULL},
		{{.n_apps = 1, .store_only = true}, NULL, "never"},
		{{.n_apps = 1, .no_store = true}, NULL, "update"},
		{{.n_apps = 1, .store_only = true, .no_store = true}, "both --store-only and --no-store specified", NULL},
		{{.n_apps = 1, .store_only = true, .pull_policy = W("new")},
		 "--store-only is --pull-policy=never, not \"new\"", NULL},
		{{.n_apps = 1, .no_store = true, .pull_policy = W("never")},
		 "--no-store is --pull-policy=update, not \"never\"", NULL},
		{{.n_apps = 1, .store_only = true, .pull_policy = W("never")}, NULL, "never"},
		{{0}, "must provide at least one image or specify the pod manifest", NULL},
		{{.pod_manifest = W("p")}, NULL, NULL},
		{{.pod_manifest = W("p"), .pull_policy = W("new")}, NULL, "new"},
		{{.pod_manifest = W("p"), .no_overlay = true}, NULL, NULL},
#define CONFLICT "conflicting flags set with --pod-manifest (see --help)"
		{{.pod_manifest = W("p"), .n_apps = 1}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .volumes = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .mounts = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .ports = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .annotations = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .user_annotations = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .user_labels = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .pod_name = W("web")}, NULL, NULL},
		{{.pod_manifest = W("p"), .pull_policy = W("update")}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .no_store = true}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .inherit_env = true}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .set_env = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .set_env_file = (char **) one}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .pull_policy = W("never")}, CONFLICT, NULL},
		{{.pod_manifest = W("p"), .store_only = true}, CONFLICT, NULL},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct pod_request req = rows[i].req;

		assert_int_equal(pod_request_check(&req, &e), rows[i].text ? -EINVAL : 0);
		if (rows[i].text)
			assert_string_equal(err_text(&e), rows[i].text);
		else if (rows[i].policy)
			assert_string_equal(req.pull_policy, rows[i].policy);
		else
			assert_null(req.pull_policy);
		if (req.pull_policy != rows[i].req.pull_policy)
			free(req.pull_policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_with_arguments),
		cmocka_unit_test(a_mount_before_the_images_is_for_all),
		cmocka_unit_test(what_is_for_the_whole_pod),
		cmocka_unit_test(refusals),
		cmocka_unit_test(checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
