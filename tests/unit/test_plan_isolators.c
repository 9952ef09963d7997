/* Isolators: each becomes a value of the record or of a control group, or is refused by its name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>

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

#define NET_BW(limit) ISO("resource/network-bandwidth", "{\"default\":true,\"limit\":\"" limit "\"}")

/* The pod's, or the only app's; the lower one counts, and a network there must be. */
static void bandwidth(void **state)
{
	const struct entry_args net = ENTRY_ARGS_INIT, none = {.nets = (char *[]) {(char *) "none", NULL}},
				host = {.nets = (char *[]) {(char *) "host", NULL}};
	const struct {
		const struct entry_args *args;
		const char *of_app, *of_pod;
		int64_t want; /* -1: refused */
		const char *text;
	} rows[] = {
		{&net, "", "", 0, NULL},
		{&net, NET_BW("1G"), "", 1000000000, NULL},
		{&net, "", NET_BW("2Ki"), 2048, NULL},
		{&net, NET_BW("1G"), NET_BW("2M"), 2000000, NULL},
		{&net, NET_BW("1M"), NET_BW("2M"), 1000000, NULL},
		{&none, NET_BW("1M"), "", 1000000,
		 "isolator resource/network-bandwidth: there is no network to limit (--net=none)"},
		{&host, NET_BW("1M"), "", -1,
		 "app a: isolator resource/network-bandwidth: the pod has the host's network (--net=host)"},
		{&host, "", NET_BW("1M"), -1,
		 "isolator resource/network-bandwidth: the pod has the host's network (--net=host)"},
		{&net, NET_BW("0"), "", -1,
		 "app a: isolator resource/network-bandwidth: no bytes at all are --net=none"},
	};
	struct pod_dir d;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int r = plan(&d, rows[i].args, rows[i].of_app, rows[i].of_pod);

		assert_int_equal(r, rows[i].want < 0 ? -EINVAL : 0);
		if (r == 0)
			assert_int_equal(d.plan->net_bytes, rows[i].want);
		if (rows[i].text)
			assert_string_equal(r < 0 ? err_text(&d.e) : d.plan->notes[0], rows[i].text);
		pod_dir_close(&d);
	}
}

/* What is asked for beside a limit, or without one. */
static void requests(void **state)
{
	static const struct {
		const char *iso;
		int64_t limit, request, milli, shares;
	} rows[] = {
		{ISO("resource/memory", "{\"request\":\"8Mi\"}"), -1, 8 << 20, -1, -1},
		{ISO("resource/memory", "{\"request\":\"8Mi\",\"limit\":\"16Mi\"}"), 16 << 20, 8 << 20, -1, -1},
		{ISO("resource/cpu", "{\"request\":\"500m\"}"), -1, -1, -1, 512},
		{ISO("resource/cpu", "{\"request\":\"2\",\"limit\":\"4\"}"), -1, -1, 4000, 2048},
		{ISO("resource/cpu", "{\"request\":\"1m\"}"), -1, -1, -1, 2},
		{ISO("resource/cpu", "{\"request\":\"10000\"}"), -1, -1, -1, 262144},
		/* what is said outright counts, in whatever order */
		{ISO("resource/cpu", "{\"request\":\"2\"}") "," ISO("os/linux/cpu-shares", "77"), -1, -1, -1, 77},
		{ISO("os/linux/cpu-shares", "77") "," ISO("resource/cpu", "{\"request\":\"2\"}"), -1, -1, -1, 77},
	};
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		const struct cg_limits *l;

		assert_int_equal(plan(&d, &args, rows[i].iso, ""), 0);
		l = &d.plan->apps[0].limits;
		assert_int_equal(l->memory_bytes, rows[i].limit);
		assert_int_equal(l->memory_request, rows[i].request);
		assert_int_equal(l->cpu_milli, rows[i].milli);
		assert_int_equal(l->cpu_shares, rows[i].shares);
		pod_dir_close(&d);
	}
}

/* The pod's plan with another sysfs, and its directory on the device 8:1. */
static int plan_on(struct pod_dir *d, struct plan **ret, struct err *e)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_free_ char *sys = path_join(d->path, "sys");
	const struct host_facts facts = {.caps = ALL_CAPS, .pod_device = makedev(8, 1), .sys = sys};

	return plan_make(d->pod, &args, &facts, ret, e);
}

static void disks(void **state)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_plan_ struct plan *p = NULL;
	struct pod_dir d;

	(void) state;
	(void) plan(&d, &args, ISO("resource/block-bandwidth", "{\"default\":true,\"limit\":\"2M\"}"),
		    ISO("resource/block-iops", "{\"default\":true,\"limit\":\"1000\"}"));
	assert_int_equal(plan_on(&d, &p, &e), -ENODEV);
	assert_string_equal(err_text(&e), "app a: isolators resource/block-bandwidth and resource/block-iops: the "
					  "pod's directory is on no disk whose use can be limited");
	/* a partition: the disk is one directory up */
	pod_dir_write(&d, "sys/dev/block/8:1/partition", "1\n");
	pod_dir_write(&d, "sys/dev/block/dev", "8:0\n");
	assert_int_equal(plan_on(&d, &p, &e), 0);
	assert_int_equal(p->apps[0].limits.block_bytes, 2000000);
	assert_int_equal(p->apps[0].limits.block_ops, -1);
	assert_int_equal(p->apps[0].limits.n_disks, 1);
	assert_int_equal(p->apps[0].disks[0].major, 8);
	assert_int_equal(p->apps[0].disks[0].minor, 0);
	assert_int_equal(p->limits.block_ops, 1000);
	assert_int_equal(p->limits.n_disks, 1);
	assert_non_null(strstr(p->notes[0], "app a: limits of block devices hold for 8:0"));
	assert_non_null(strstr(p->notes[1], "pod: limits of block devices hold for 8:0"));
	pod_dir_close(&d);
}

static void security_modules(void **state)
{
	static const char selinux[] =
		ISO("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0:c1\"}");
	static const char own[] = ISO("os/linux/apparmor-profile", "{\"profile\":\"own\"}");
	static const char pods[] = ISO("os/linux/apparmor-profile", "{\"profile\":\"of the pod\"}");
	static const struct entry_args args = ENTRY_ARGS_INIT;
	struct pod_dir d;

	(void) state;
	for (int i = 0; i < 2; i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_plan_ struct plan *p = NULL;
		_cleanup_free_ char *of_pod = xasprintf("%s,%s", pods, selinux);

		(void) plan(&d, &args, i ? own : "", of_pod);
		assert_int_equal(plan_on(&d, &p, &e), -EOPNOTSUPP);
		assert_non_null(strstr(err_text(&e), i ? "app a: isolator os/linux/apparmor-profile: this host has no AppArmor"
						       : "isolator os/linux/selinux-context: this host has no SELinux"));
		pod_dir_write(&d, "sys/module/apparmor/parameters/enabled", "Y\n");
		pod_dir_write(&d, "sys/fs/selinux/enforce", "1");
		assert_int_equal(plan_on(&d, &p, &e), 0);
		assert_string_equal(p->apps[0].record.apparmor, i ? "own" : "of the pod");
		assert_string_equal(p->apps[0].record.selinux, "u:r:t:s0:c1");
		pod_dir_close(&d);
	}
}

static void sysctls(void **state)
{
	static const struct {
		const char *set, *net, *ipc, *says; /* says NULL: allowed */
	} rows[] = {
		{"{\"net.ipv4.ip_forward\":\"1\",\"kernel.shmmax\":\"1\",\"kernel.msgmnb\":\"2\",\"kernel.sem\":\"1 2 3 4\","
		 "\"fs.mqueue.msg_max\":\"5\"}", "none", NULL, NULL},
		{"{\"net.ipv4.ip_forward\":\"1\"}", "host", NULL, "\"net.ipv4.ip_forward\" would be the host's, whose network the pod shares"},
		{"{\"kernel.shmmax\":\"1\"}", "none", "parent", "\"kernel.shmmax\" would be the host's, whose IPC the pod shares"},
		{"{\"kernel.core_pattern\":\"|/x\"}", "none", NULL, "\"kernel.core_pattern\" is not a setting of a pod alone"},
		{"{\"kernel.semaphore\":\"1\"}", "none", NULL, "\"kernel.semaphore\" is not"},
		{"{\"kernel.shm.x\":\"1\"}", "none", NULL, "\"kernel.shm.x\" is not"},
		{"{\"vm.overcommit_memory\":\"1\"}", "none", NULL, "\"vm.overcommit_memory\" is not"},
		{"{\"network.x\":\"1\"}", "none", NULL, "\"network.x\" is not"},
		{"{\"fs.file-max\":\"1\"}", "none", NULL, "\"fs.file-max\" is not"},
	};
	struct pod_dir d;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *iso = xasprintf("{\"name\":\"os/unix/sysctl\",\"value\":%s}", rows[i].set);
		char *nets[] = {(char *) rows[i].net, NULL};
		const struct entry_args args = {.nets = nets, .ipc = (char *) rows[i].ipc};

		assert_int_equal(plan(&d, &args, "", iso), rows[i].says ? -EPERM : 0);
		if (rows[i].says) {
			assert_non_null(strstr(err_text(&d.e), "isolator os/unix/sysctl: "));
			assert_non_null(strstr(err_text(&d.e), rows[i].says));
		} else {
			assert_int_equal(strv_len(d.plan->sysctls), 5);
			assert_string_equal(d.plan->sysctls[3], "kernel.sem=1 2 3 4");
		}
		pod_dir_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),		cmocka_unit_test(of_the_pod),
		cmocka_unit_test(capabilities),		cmocka_unit_test(capability_names),
		cmocka_unit_test(capability_of_the_host), cmocka_unit_test(insecure),
		cmocka_unit_test(bandwidth),		cmocka_unit_test(requests),
		cmocka_unit_test(disks),		cmocka_unit_test(security_modules),
		cmocka_unit_test(sysctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
