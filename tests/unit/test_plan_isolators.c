/* Isolators: each becomes a value of the record or of a control group, or is refused by its name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage1/run/caps.h"
#include "tests/unit/pod_dir.h"

static const char *const one_app[] = {"a", NULL};

static int plan(struct pod_dir *d, const struct entry_args *args, const char *of_app, const char *of_pod)
{
	_cleanup_free_ char *app = xasprintf(",\"isolators\":[%s]", of_app);
	_cleanup_free_ char *tail = xasprintf(",\"isolators\":[%s]", of_pod);
	_cleanup_free_ char *manifest = pod_dir_manifest(app, "", tail);

	pod_dir_open(d, manifest, "", one_app);
	return pod_dir_plan(d, args);
}

#define ISO(name, value) "{\"name\":\"" name "\",\"value\":" value "}"

static void values(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	const struct plan_app *pa;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, &args,
			      ISO("resource/memory", "{\"limit\":\"16Mi\"}") "," ISO("resource/cpu", "{\"limit\":\"250m\"}") ","
			      ISO("os/linux/cpu-shares", "512") "," ISO("os/linux/oom-score-adj", "-5") ","
			      ISO("gantry/pids", "{\"limit\":\"9\"}") "," ISO("os/linux/no-new-privileges", "true"),
			      ""),
			 0);
	pa = &d.plan->apps[0];
	assert_int_equal(pa->limits.memory_bytes, 16 << 20);
	assert_int_equal(pa->limits.cpu_milli, 250);
	assert_int_equal(pa->limits.cpu_shares, 512);
	assert_int_equal(pa->limits.pids, 9);
	assert_true(pa->record.has_oom_score_adj && pa->record.oom_score_adj == -5);
	assert_true(pa->record.no_new_privs);
	assert_true(pa->limits.devices && pa->limits.n_devices == 8);
	assert_false(d.plan->limited);
	pod_dir_close(&d);
}

static void of_the_pod(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, &args, "", ISO("resource/memory", "{\"limit\":\"1G\"}") "," ISO("resource/cpu", "{\"limit\":\"2\"}")),
			 0);
	assert_true(d.plan->limited);
	assert_int_equal(d.plan->limits.memory_bytes, 1000000000);
	assert_int_equal(d.plan->limits.cpu_milli, 2000);
	assert_true(!d.plan->limits.devices);
	assert_true(d.plan->apps[0].limits.memory_bytes < 0);
	pod_dir_close(&d);
}

static void capabilities(void **state)
{
	static const struct {
		const char *iso;
		uint64_t want;
	} rows[] = {
		{"", 0xa80425fb},
		{ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}"), 0x200001},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}"), 0xa80425fa},
	};
	static const struct entry_args none = ENTRY_ARGS_INIT, all = {.no_capabilities = true};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct pod_dir d;

		assert_int_equal(plan(&d, &none, rows[i].iso, ""), 0);
		assert_true(d.plan->apps[0].record.caps_bounding == rows[i].want);
		assert_int_equal(pod_dir_plan(&d, &all), 0);
		assert_true(d.plan->apps[0].record.caps_bounding == ALL_CAPS);
		pod_dir_close(&d);
	}
}

static void capability_names(void **state)
{
	static const char *const bad[] = {"CAP_NOPE", "chown", "cap_chown", "CAP_", "0", "CAP_CHOWN x", ""};
	char *names[] = {NULL, NULL};
	uint64_t mask = 7;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		_cleanup_err_ struct err e = ERR_INIT;

		names[0] = (char *) bad[i];
		assert_int_equal(caps_from_names(names, &mask, &e), -EINVAL);
		assert_non_null(strstr(err_text(&e), "unknown capability"));
		assert_true(mask == 7);
	}
}

/* What this process does not have, the app cannot get. */
static void capability_of_the_host(void **state)
{
	static const char manifest[] = ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}");
	static const struct entry_args args = ENTRY_ARGS_INIT;
	const struct host_facts facts = {.caps = 1};
	_cleanup_err_ struct err e = ERR_INIT;
	struct plan *p = NULL;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, &args, manifest, ""), 0);
	assert_int_equal(plan_make(d.pod, &args, &facts, &p, &e), -EPERM);
	assert_non_null(strstr(err_text(&e), "capabilities-retain-set: CAP_SYS_ADMIN cannot be had"));
	pod_dir_close(&d);
}

static void insecure(void **state)
{
	static const struct entry_args args = {.no_paths = true, .no_seccomp = true};
	const struct plan_app *pa;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, &args, ISO("os/linux/seccomp-remove-set", "{\"set\":[\"mkdir\"]}"), ""), 0);
	pa = &d.plan->apps[0];
	assert_true(!pa->record.seccomp && !pa->record.paths && !pa->limits.devices && !pa->record.masks);
	pod_dir_close(&d);
}

static void refusals(void **state)
{
	static const char *const of_app[][2] = {
		{ISO("resource/block-bandwidth", "{\"default\":true,\"limit\":\"2M\"}"), "resource/block-bandwidth"},
		{ISO("resource/block-iops", "{\"default\":true,\"limit\":\"1000\"}"), "resource/block-iops"},
		{ISO("resource/network-bandwidth", "{\"default\":true,\"limit\":\"1G\"}"), "resource/network-bandwidth"},
		{ISO("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"l\"}"),
		 "os/linux/selinux-context"},
		{ISO("os/linux/apparmor-profile", "{\"profile\":\"p\"}"), "os/linux/apparmor-profile"},
	};
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(of_app); i++) {
		assert_int_equal(plan(&d, &args, of_app[i][0], ""), -EOPNOTSUPP);
		assert_non_null(strstr(err_text(&d.e), of_app[i][1]));
		assert_non_null(strstr(err_text(&d.e), "app a: isolator"));
		pod_dir_close(&d);
	}
	assert_int_equal(plan(&d, &args, "", ISO("os/unix/sysctl", "{\"net.ipv4.ip_forward\":\"1\"}")), -EOPNOTSUPP);
	assert_non_null(strstr(err_text(&d.e), "isolator os/unix/sysctl: not supported"));
	pod_dir_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),		cmocka_unit_test(of_the_pod),
		cmocka_unit_test(capabilities),		cmocka_unit_test(capability_names),
		cmocka_unit_test(capability_of_the_host), cmocka_unit_test(insecure),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
