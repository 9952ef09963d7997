/* The plan as a whole: options, environment, files below /etc, what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/pod_dir.h"

static const char *const one_app[] = {"a", NULL};

static void make(struct pod_dir *d, const char *app, const char *more, const char *tail)
{
	_cleanup_free_ char *manifest = pod_dir_manifest(app, more, tail);

	pod_dir_open(d, manifest, "", one_app);
}

static bool has_mount(const struct plan_app *pa, const char *target, const char *path)
{
	for (size_t i = 0; i < pa->n_mounts; i++)
		if (str_eq(pa->mounts[i].target, target))
			return str_eq(pa->mounts[i].path, path);
	return false;
}

static void defaults(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	const struct plan_app *pa;
	struct pod_dir d;

	(void) state;
	make(&d, "", "", "");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_string_equal(d.plan->hostname, "rkt-" POD_DIR_UUID);
	assert_true(d.plan->private_net && d.plan->private_ipc && !d.plan->overlay && !d.plan->limited);
	assert_int_equal(strv_len(d.plan->nets), 1);
	assert_string_equal(d.plan->nets[0], "default");
	pa = &d.plan->apps[0];
	assert_string_equal(pa->group, "gantry/" POD_DIR_UUID "/a");
	assert_int_equal(pa->tree->n, 1);
	assert_string_equal(tree_top(pa->tree), "appsinfo/a/rootfs");
	assert_string_equal(pa->record.cwd, "/");
	assert_true(pa->record.caps_bounding == 0xa80425fb);
	assert_true(pa->record.caps_ambient == 0);
	assert_true(pa->record.seccomp && pa->record.paths && !pa->record.no_new_privs && !pa->record.read_only_root);
	assert_true(strv_has(pa->record.masks, "/proc/kcore") && strv_has(pa->record.masks, "/proc/keys"));
	assert_true(strv_has(pa->record.read_only_paths, "/proc/sysrq-trigger"));
	assert_true(has_mount(pa, "/etc/hostname", "etc/hostname"));
	assert_true(has_mount(pa, "/etc/hosts", "etc/hosts"));
	assert_true(has_mount(pa, "/etc/resolv.conf", "etc/resolv.conf"));
	assert_true(pa->mounts[1].only_with_dns);
	pod_dir_close(&d);
}

static void environment(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;
	char **env;

	(void) state;
	make(&d, ",\"environment\":[{\"name\":\"HOME\",\"value\":\"/h\"},{\"name\":\"X\",\"value\":\"a=b\"},"
		 "{\"name\":\"AC_APP_NAME\",\"value\":\"other\"}]",
	     "", "");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	env = d.plan->apps[0].record.env;
	assert_true(strv_has(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_true(strv_has(env, "HOME=/h") && strv_has(env, "X=a=b") && strv_has(env, "USER=root"));
	assert_true(strv_has(env, "LOGNAME=root") && strv_has(env, "SHELL=/bin/sh"));
	assert_true(strv_has(env, "AC_APP_NAME=a") && !strv_has(env, "AC_APP_NAME=other"));
	assert_true(strv_has(env, "container=gantry"));
	assert_int_equal(strv_len(env), 8);
	pod_dir_close(&d);
}

static void app_fields(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	const struct app_record *rec;
	struct pod_dir d;

	(void) state;
	make(&d, ",\"workingDirectory\":\"/w\",\"supplementaryGIDs\":[7,8],\"eventHandlers\":["
		 "{\"name\":\"pre-start\",\"exec\":[\"/pre\",\"x\"]},{\"name\":\"post-stop\",\"exec\":[\"/post\"]}]",
	     ",\"readOnlyRootFS\":true", "");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	rec = &d.plan->apps[0].record;
	assert_string_equal(rec->cwd, "/w");
	assert_int_equal(rec->n_gids, 2);
	assert_int_equal(rec->gids[1], 8);
	assert_string_equal(rec->pre_start[1], "x");
	assert_string_equal(rec->post_stop[0], "/post");
	assert_true(rec->read_only_root);
	pod_dir_close(&d);
}

/* The image's own app counts where the pod says nothing; nothing at all is an error. */
static void image_app(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	static const char manifest[] = "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"a\","
				       "\"image\":{\"id\":\"" POD_DIR_ID "\"}}]}";
	struct pod_dir d;

	(void) state;
	pod_dir_open(&d, manifest, ",\"app\":{\"exec\":[\"/own\"],\"user\":\"u\",\"group\":\"g\"}", one_app);
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_string_equal(d.plan->apps[0].record.exec[0], "/own");
	assert_string_equal(d.plan->apps[0].record.user, "u");
	pod_dir_close(&d);
	pod_dir_open(&d, manifest, "", one_app);
	assert_int_equal(pod_dir_plan(&d, &args), -EINVAL);
	assert_non_null(strstr(err_text(&d.e), "app a: neither the pod nor the image says what to run"));
	pod_dir_close(&d);
}

#define LAYER_ID(digit) "layer-sha256-" LAYER_15(digit) LAYER_15(digit) LAYER_15(digit) LAYER_15(digit) digit digit digit digit
#define LAYER_15(d) d d d d d d d d d d d d d d d

static void overlay_trees(void **state)
{
	static const struct entry_args args = {.dns_conf_mode = (char *) "hosts=stage0"};
	struct pod_dir d;

	(void) state;
	make(&d, "", "", "");
	pod_dir_write(&d, "overlay-prepared", "");
	pod_dir_write(&d, "appsinfo/a/treeStoreID", POD_DIR_ID "\n");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_true(d.plan->overlay);
	assert_string_equal(tree_top(d.plan->apps[0].tree), "../../../cas/tree/" POD_DIR_ID "/rootfs");
	assert_int_equal(d.plan->apps[0].tree->n, 1);
	/* Layers: bottom first, the last is the top. */
	pod_dir_write(&d, "appsinfo/a/treeStoreID", LAYER_ID("0") "\n" LAYER_ID("1") "\nattrs-" POD_DIR_ID);
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_int_equal(d.plan->apps[0].tree->n, 3);
	assert_string_equal(d.plan->apps[0].tree->layers[0], "../../../cas/tree/" LAYER_ID("0") "/rootfs");
	assert_string_equal(tree_top(d.plan->apps[0].tree), "../../../cas/tree/attrs-" POD_DIR_ID "/rootfs");
	pod_dir_write(&d, "appsinfo/a/treeStoreID", LAYER_ID("0") "\n\n" LAYER_ID("1"));
	assert_int_equal(pod_dir_plan(&d, &args), -EINVAL);
	assert_non_null(strstr(err_text(&d.e), "treeStoreID"));
	pod_dir_write(&d, "appsinfo/a/treeStoreID", LAYER_ID("0") "\n../../../etc");
	assert_int_equal(pod_dir_plan(&d, &args), -EINVAL);
	/* What stands there becomes a path. */
	pod_dir_write(&d, "appsinfo/a/treeStoreID", "../../../etc\n");
	assert_int_equal(pod_dir_plan(&d, &args), -EINVAL);
	assert_non_null(strstr(err_text(&d.e), "treeStoreID"));
	pod_dir_close(&d);
}

static void names(void **state)
{
	static const struct {
		const char *mode, *volume_target;
		bool resolv, hosts, hostname;
		const char *host_file; /* bound from the host itself */
	} rows[] = {
		{NULL, NULL, true, true, true, NULL},
		{"resolv=none", NULL, false, true, true, NULL},
		{"resolv=host,hosts=host", NULL, false, false, true, "/etc/hosts"},
		{"resolv=stage0,hosts=stage0", NULL, true, true, true, NULL},
		{NULL, "/etc", true, false, false, NULL},
		{"hosts=stage0", "/etc", true, true, false, NULL},
		{NULL, "/etc/hosts", true, false, true, NULL},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct entry_args args = {.dns_conf_mode = (char *) rows[i].mode};
		_cleanup_free_ char *more = NULL;
		const struct plan_app *pa;
		struct pod_dir d;

		if (rows[i].volume_target)
			more = xasprintf(",\"mounts\":[{\"volume\":\"v\",\"path\":\"%s\"}]", rows[i].volume_target);
		make(&d, "", more ? more : "", ",\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\"}]");
		assert_int_equal(pod_dir_plan(&d, &args), 0);
		pa = &d.plan->apps[0];
		assert_int_equal(has_mount(pa, "/etc/resolv.conf", "etc/resolv.conf"), rows[i].resolv);
		assert_int_equal(has_mount(pa, "/etc/hosts", "etc/hosts"), rows[i].hosts);
		assert_int_equal(has_mount(pa, "/etc/hostname", "etc/hostname"), rows[i].hostname);
		if (rows[i].host_file)
			assert_true(has_mount(pa, rows[i].host_file, rows[i].host_file));
		pod_dir_close(&d);
	}
}

/* An image with its own /etc/hosts keeps it. */
static void image_hosts(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;

	(void) state;
	make(&d, "", "", "");
	pod_dir_write(&d, "appsinfo/a/rootfs/etc/hosts", "x");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_false(has_mount(&d.plan->apps[0], "/etc/hosts", "etc/hosts"));
	pod_dir_close(&d);
}

static void networks(void **state)
{
	char *none[] = {(char *) "none", NULL}, *host[] = {(char *) "host", NULL};
	struct entry_args args = {.nets = none};
	struct pod_dir d;

	(void) state;
	make(&d, "", "", "");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_true(d.plan->private_net && !d.plan->nets);
	args.nets = host;
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_true(!d.plan->private_net && !d.plan->nets);
	assert_false(has_mount(&d.plan->apps[0], "/etc/resolv.conf", "etc/resolv.conf"));
	pod_dir_close(&d);
}

static void refusals(void **state)
{
	char *mixed[] = {(char *) "host", (char *) "x", NULL};
	const struct {
		struct entry_args args;
		const char *app, *says;
	} rows[] = {
		{{.hostname = (char *) ""}, "", "hostname"},
		{{.hostname = (char *) "a\nb"}, "", "hostname"},
		{{.ipc = (char *) "shared"}, "", "--ipc: \"shared\""},
		{{.nets = mixed}, "", "--net=host"},
		{{.dns_conf_mode = (char *) "resolv=x"}, "", "unknown mode \"x\""},
		{{.dns_conf_mode = (char *) "hosts=none"}, "", "unknown mode \"none\""},
		{{.dns_conf_mode = (char *) "x"}, "", "neither resolv= nor hosts="},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct pod_dir d;

		make(&d, rows[i].app, "", "");
		assert_int_equal(pod_dir_plan(&d, &rows[i].args), -EINVAL);
		assert_non_null(strstr(err_text(&d.e), rows[i].says));
		pod_dir_close(&d);
	}
}

static void init_is_a_name(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	static const char *const init_app[] = {"init", NULL};
	struct pod_dir d;

	(void) state;
	pod_dir_open(&d,
		     "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"init\",\"image\":{\"id\":\"" POD_DIR_ID
		     "\"}}]}",
		     ",\"app\":{\"exec\":[\"/own\"],\"user\":\"u\",\"group\":\"g\"}", init_app);
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	assert_non_null(strstr(d.plan->apps[0].group, "/init"));
	pod_dir_close(&d);
}

static void printed(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_free_ char *text = NULL;
	struct pod_dir d;
	size_t len;
	FILE *f;

	(void) state;
	make(&d, ",\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1Mi\"}}]", "", "");
	assert_int_equal(pod_dir_plan(&d, &args), 0);
	f = open_memstream(&text, &len);
	plan_print(d.plan, f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, "app a:\n"));
	assert_non_null(strstr(text, "\tmemory: at most 1048576 bytes, no swap\n"));
	assert_non_null(strstr(text, "c1:3(rwm)"));
	assert_non_null(strstr(text, "c136:*(rwm)"));
	pod_dir_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),   cmocka_unit_test(environment),   cmocka_unit_test(app_fields),
		cmocka_unit_test(image_app),  cmocka_unit_test(overlay_trees), cmocka_unit_test(names),
		cmocka_unit_test(image_hosts), cmocka_unit_test(networks),	cmocka_unit_test(refusals),
		cmocka_unit_test(init_is_a_name), cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
