#include "tests/unit/unit.h"

#include "spec/isolator.h"

static int decode(const char *text, bool pod, struct isolator_list *l, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), JSON_MANIFEST_MAX, e);
	struct json_at at = {.key = "iso"};

	assert_non_null(j);
	return pod ? isolators_decode_pod(j, &at, l, e) : isolators_decode_app(j, &at, l, e);
}

#define ISO(name, value) "{\"name\":\"" name "\",\"value\":" value "}"

struct row {
	const char *json, *error; /* NULL: fine */
};

static void check_rows(const struct row *rows, size_t n, bool pod)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *json = xasprintf("[%s]", rows[i].json);
		_cleanup_err_ struct err e = ERR_INIT;
		struct isolator_list l = {0};
		int r = decode(json, pod, &l, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", rows[i].error ? rows[i].error : "fine");
		assert_int_equal(r, rows[i].error ? -EINVAL : 0);
		isolators_done(&l);
	}
}

static void test_form(void **state _unused_)
{
	static const struct row rows[] = {
		{"", NULL},
		{"7", "iso[0]: expected object"},
		{"{\"value\":1}", "iso[0].name: required member is missing"},
		{"{\"name\":\"resource/cpu\"}", "iso[0].value: required member is missing"},
		{"{\"name\":1,\"value\":1}", "iso[0].name: expected string"},
		{"{\"name\":\"resource/cpu\",\"value\":{\"limit\":\"1\"},\"x\":1}", "iso[0].x: unknown member"},
		{ISO("resource/gpu", "{\"limit\":\"1\"}"), "iso[0].name: \"resource/gpu\": unknown isolator"},
		{ISO("Resource/cpu", "{\"limit\":\"1\"}"), "iso[0].name: \"Resource/cpu\": unknown isolator"},
		{ISO("os/unix/sysctl", "{\"a.b\":\"1\"}"), "iso[0].name: \"os/unix/sysctl\": only for the pod"},
		{ISO("resource/cpu", "{\"limit\":\"1\"}") "," ISO("resource/cpu", "{\"limit\":\"2\"}"),
		 "iso[1].name: \"resource/cpu\" is there twice"},
		{ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_KILL\"]}") "," ISO(
			 "os/linux/capabilities-remove-set", "{\"set\":[\"CAP_KILL\"]}"),
		 "iso[1].name: \"os/linux/capabilities-remove-set\" excludes \"os/linux/capabilities-retain-set\""},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"read\"]}") "," ISO("os/linux/seccomp-retain-set",
										"{\"set\":[\"read\"]}"),
		 "iso[1].name: \"os/linux/seccomp-retain-set\" excludes \"os/linux/seccomp-remove-set\""},
	};

	check_rows(rows, ELEMENTSOF(rows), false);
}

static void test_pod_scope(void **state _unused_)
{
	static const struct row rows[] = {
		{ISO("resource/memory", "{\"limit\":\"4G\"}"), NULL},
		{ISO("resource/cpu", "{\"limit\":\"2\"}"), NULL},
		{ISO("gantry/pids", "{\"limit\":\"100\"}"), NULL},
		{ISO("os/unix/sysctl", "{\"net.ipv4.ip_forward\":\"1\",\"kernel.hostname\":\"a\\tb\"}"), NULL},
		{ISO("os/unix/sysctl", "[]"), "iso[0].value: expected object"},
		{ISO("os/unix/sysctl", "{\"net.a\":1}"), "iso[0].value.net.a: expected string"},
		{ISO("os/unix/sysctl", "{\"net\":\"1\"}"), "iso[0].value.net: not a sysctl's name"},
		{ISO("os/unix/sysctl", "{\"net..a\":\"1\"}"), "iso[0].value.net..a: not a sysctl's name"},
		{ISO("os/unix/sysctl", "{\".net.a\":\"1\"}"), "iso[0].value..net.a: not a sysctl's name"},
		{ISO("os/unix/sysctl", "{\"net.a.\":\"1\"}"), "iso[0].value.net.a.: not a sysctl's name"},
		{ISO("os/unix/sysctl", "{\"net/../a.b\":\"1\"}"), "iso[0].value.net/../a.b: not a sysctl's name"},
		{ISO("os/unix/sysctl", "{\"net.a\":\"1\\nkernel.core_pattern=x\"}"),
		 "iso[0].value.net.a: \"1\\nkernel.core_pattern=x\": control characters are not allowed"},
		{ISO("os/linux/no-new-privileges", "true"),
		 "iso[0].name: \"os/linux/no-new-privileges\": only for an app"},
		{ISO("os/linux/cpu-shares", "1024"), "iso[0].name: \"os/linux/cpu-shares\": only for an app"},
		{ISO("os/linux/seccomp-retain-set", "{\"set\":[\"read\"]}"),
		 "iso[0].name: \"os/linux/seccomp-retain-set\": only for an app"},
	};

	check_rows(rows, ELEMENTSOF(rows), true);
}

static void test_resources(void **state _unused_)
{
	static const struct row rows[] = {
		{ISO("resource/cpu", "{\"request\":\"250m\",\"limit\":\"500m\"}"), NULL},
		{ISO("resource/cpu", "{\"request\":\"1\"}"), NULL},
		{ISO("resource/cpu", "{\"request\":null,\"limit\":\"1\",\"default\":false}"), NULL},
		{ISO("resource/cpu", "\"1\""), "iso[0].value: expected object"},
		{ISO("resource/cpu", "{}"), "iso[0].value: neither request nor limit is given"},
		{ISO("resource/cpu", "{\"limit\":1}"), "iso[0].value.limit: expected string"},
		{ISO("resource/cpu", "{\"limit\":\"0\"}"), "iso[0].value.limit: must be more than 0"},
		{ISO("resource/cpu", "{\"limit\":\"-1\"}"), "iso[0].value.limit: \"-1\": not a quantity"},
		{ISO("resource/cpu", "{\"request\":\"1x\"}"), "iso[0].value.request: \"1x\": not a quantity"},
		{ISO("resource/cpu", "{\"limit\":\"1E\"}"), "iso[0].value.limit: \"1E\": too large"},
		{ISO("resource/cpu", "{\"limit\":\"1\",\"default\":true}"),
		 "iso[0].value.default: must not be true here"},
		{ISO("resource/cpu", "{\"limit\":\"1\",\"shares\":2}"), "iso[0].value.shares: unknown member"},
		{ISO("resource/memory", "{\"request\":\"1G\",\"limit\":\"2G\"}"), NULL},
		{ISO("resource/memory", "{\"limit\":\"4096\"}"), NULL},
		{ISO("resource/memory", "{\"limit\":\"4095.0001\"}"), NULL},
		{ISO("resource/memory", "{\"limit\":\"4095\"}"),
		 "iso[0].value.limit: less than 4096 bytes (the suffix m means thousandths)"},
		{ISO("resource/memory", "{\"limit\":\"512m\"}"),
		 "iso[0].value.limit: less than 4096 bytes (the suffix m means thousandths)"},
		{ISO("resource/memory", "{\"limit\":\"0\"}"),
		 "iso[0].value.limit: less than 4096 bytes (the suffix m means thousandths)"},
		{ISO("resource/memory", "{\"limit\":\"2G\",\"default\":true}"),
		 "iso[0].value.default: must not be true here"},
		{ISO("resource/block-bandwidth", "{\"default\":true,\"limit\":\"2M\"}"), NULL},
		{ISO("resource/block-bandwidth", "{\"limit\":\"2M\"}"), "iso[0].value.default: must be true"},
		{ISO("resource/block-bandwidth", "{\"default\":true}"),
		 "iso[0].value.limit: required member is missing"},
		{ISO("resource/block-bandwidth", "{\"default\":true,\"request\":\"1\",\"limit\":\"2M\"}"),
		 "iso[0].value.request: must be absent"},
		{ISO("resource/block-iops", "{\"default\":true,\"limit\":\"1000\"}"), NULL},
		{ISO("resource/block-iops", "{\"default\":false,\"limit\":\"1000\"}"),
		 "iso[0].value.default: must be true"},
		{ISO("resource/network-bandwidth", "{\"default\":true,\"limit\":\"1G\"}"), NULL},
		{ISO("resource/network-bandwidth", "{\"default\":true,\"request\":\"0\",\"limit\":\"1G\"}"),
		 "iso[0].value.request: must be absent"},
		{ISO("gantry/pids", "{\"limit\":\"1\"}"), NULL},
		{ISO("gantry/pids", "{\"limit\":\"4194304\"}"), NULL},
		{ISO("gantry/pids", "{}"), "iso[0].value.limit: required member is missing"},
		{ISO("gantry/pids", "{\"limit\":5}"), "iso[0].value.limit: expected string"},
		{ISO("gantry/pids", "{\"limit\":\"0\"}"),
		 "iso[0].value.limit: \"0\": not a number within 1..4194304"},
		{ISO("gantry/pids", "{\"limit\":\"4194305\"}"),
		 "iso[0].value.limit: \"4194305\": not a number within 1..4194304"},
		{ISO("gantry/pids", "{\"limit\":\"1k\"}"),
		 "iso[0].value.limit: \"1k\": not a number within 1..4194304"},
		{ISO("gantry/pids", "{\"limit\":\"5\",\"request\":\"1\"}"), "iso[0].value.request: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows), false);
}

static void test_linux(void **state _unused_)
{
	static const struct row rows[] = {
		{ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_NET_BIND_SERVICE\",\"CAP_KILL\"]}"), NULL},
		{ISO("os/linux/capabilities-retain-set", "{\"set\":[]}"), "iso[0].value.set: must not be empty"},
		{ISO("os/linux/capabilities-retain-set", "{}"), "iso[0].value.set: required member is missing"},
		{ISO("os/linux/capabilities-retain-set", "{\"set\":\"CAP_KILL\"}"),
		 "iso[0].value.set: expected array"},
		{ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_KILL\",1]}"),
		 "iso[0].value.set[1]: expected string"},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[]}"), "iso[0].value.set: must not be empty"},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_KILL\",\"KILL\"]}"),
		 "iso[0].value.set[1]: \"KILL\": not a capability's name"},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[\"cap_kill\"]}"),
		 "iso[0].value.set[0]: \"cap_kill\": not a capability's name"},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_\"]}"),
		 "iso[0].value.set[0]: \"CAP_\": not a capability's name"},
		{ISO("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_KILL\"],\"errno\":\"EPERM\"}"),
		 "iso[0].value.errno: unknown member"},
		{ISO("os/linux/seccomp-retain-set", "{\"set\":[\"@appc.io/all\"]}"), NULL},
		{ISO("os/linux/seccomp-retain-set", "{\"set\":[\"read\",\"_llseek\"],\"errno\":\"E2BIG\"}"), NULL},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"@rkt/default-blacklist\"],\"errno\":\"EPERM\"}"), NULL},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[]}"), "iso[0].value.set: must not be empty"},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"READ\"]}"),
		 "iso[0].value.set[0]: \"READ\": not a system call's name"},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"\"]}"),
		 "iso[0].value.set[0]: \"\": not a system call's name"},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"@\"]}"),
		 "iso[0].value.set[0]: \"@\": not the name of a set of system calls"},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"read\"],\"errno\":\"EPERM \"}"),
		 "iso[0].value.errno: \"EPERM \": not an error's name"},
		{ISO("os/linux/seccomp-remove-set", "{\"set\":[\"read\"],\"errno\":1}"),
		 "iso[0].value.errno: expected string"},
		{ISO("os/linux/no-new-privileges", "false"), NULL},
		{ISO("os/linux/no-new-privileges", "false") "," ISO("os/linux/no-new-privileges", "true"), NULL},
		{ISO("os/linux/no-new-privileges", "\"true\""), "iso[0].value: expected true or false"},
		{ISO("os/linux/no-new-privileges", "1"), "iso[0].value: expected true or false"},
		{ISO("os/linux/cpu-shares", "2"), NULL},
		{ISO("os/linux/cpu-shares", "1"), "iso[0].value: 1 is not within 2..262144"},
		{ISO("os/linux/cpu-shares", "262145"), "iso[0].value: 262145 is not within 2..262144"},
		{ISO("os/linux/cpu-shares", "2.5"), "iso[0].value: expected whole number"},
		{ISO("os/linux/cpu-shares", "1e300"), "iso[0].value: number out of range"},
		{ISO("os/linux/oom-score-adj", "-1000"), NULL},
		{ISO("os/linux/oom-score-adj", "-1001"), "iso[0].value: -1001 is not within -1000..1000"},
		{ISO("os/linux/oom-score-adj", "\"5\""), "iso[0].value: expected number"},
		{ISO("os/linux/apparmor-profile", "{\"profile\":\"web\"}"), NULL},
		{ISO("os/linux/apparmor-profile", "{\"profile\":\"\"}"),
		 "iso[0].value.profile: \"\": must not be empty"},
		{ISO("os/linux/apparmor-profile", "{}"), "iso[0].value.profile: required member is missing"},
		{ISO("os/linux/selinux-context",
		     "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0:c1,c2\"}"),
		 NULL},
		{ISO("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\"}"),
		 "iso[0].value.level: required member is missing"},
		{ISO("os/linux/selinux-context",
		     "{\"user\":\"u:r\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0\"}"),
		 "iso[0].value.user: \"u:r\": a colon is not allowed"},
		{ISO("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"\",\"type\":\"t\",\"level\":\"s0\"}"),
		 "iso[0].value.role: \"\": must not be empty"},
	};

	check_rows(rows, ELEMENTSOF(rows), false);
}

static void test_quantity(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
		int64_t milli;
	} rows[] = {
		{"0", 0, 0}, {"1", 0, 1000}, {"500m", 0, 500}, {"0.5", 0, 500}, {".5", 0, 500}, {"5.", 0, 5000},
		{"16Mi", 0, 16777216000}, {"1k", 0, 1000000}, {"1K", 0, 1000000}, {"1Ki", 0, 1024000},
		{"2M", 0, 2000000000}, {"1.5Gi", 0, 1610612736000}, {"1G", 0, 1000000000000},
		{"1T", 0, 1000000000000000}, {"1Ti", 0, 1099511627776000}, {"1P", 0, 1000000000000000000},
		{"8Pi", 0, 9007199254740992000}, {"0.001E", 0, 1000000000000000000},
		{"0.0078125Ei", 0, 9007199254740992000}, {"0.1Ki", 0, 102400},
		/* finer than a thousandth: upwards */
		{"0.0001", 0, 1}, {"0.1m", 0, 1}, {"1.0005", 0, 1001}, {"0.00000000000000000000001", 0, 1},
		{"1.00000000000000000000000000", 0, 1000}, {"0.0000000000000000000000", 0, 0},
		{"00012", 0, 12000},
		/* the last that fits, and the first that does not */
		{"9223372036854775.807", 0, INT64_MAX}, {"9223372036854775807m", 0, INT64_MAX},
		{"9223372036854775808m", -ERANGE, 0}, {"9223372036854775.8071", -ERANGE, 0},
		{"9223372036854776", -ERANGE, 0}, {"10P", -ERANGE, 0}, {"1E", -ERANGE, 0}, {"8Ei", -ERANGE, 0},
		{"99999999999999999999999999999999999999999999999999", -ERANGE, 0},
		{"340282366920938463463374607431768211456", -ERANGE, 0},
		{"", -EINVAL, 0}, {".", -EINVAL, 0}, {"m", -EINVAL, 0}, {"Ki", -EINVAL, 0}, {"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0}, {" 1", -EINVAL, 0}, {"1 ", -EINVAL, 0}, {"1.2.3", -EINVAL, 0},
		{"1mi", -EINVAL, 0}, {"1ki", -EINVAL, 0}, {"1kI", -EINVAL, 0}, {"1KiB", -EINVAL, 0},
		{"1MB", -EINVAL, 0}, {"1g", -EINVAL, 0}, {"1e3", -EINVAL, 0}, {"0x10", -EINVAL, 0}, {"1,5", -EINVAL, 0},
		{"1mm", -EINVAL, 0}, {"NaN", -EINVAL, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int64_t milli = -7;
		int r = quantity_parse(rows[i].text, &milli);

		if (r != rows[i].r || milli != (r < 0 ? -7 : rows[i].milli))
			fail_msg("%s: %d, %lld", q(rows[i].text), r, (long long) milli);
	}
}

static const char every_app_isolator[] =
	"[" ISO("resource/cpu", "{\"request\":\"250m\",\"limit\":\"500m\"}") ","
	ISO("resource/memory", "{\"limit\":\"16777216\"}") ","
	ISO("resource/block-bandwidth", "{\"default\":true,\"limit\":\"2000000\"}") ","
	ISO("resource/block-iops", "{\"default\":true,\"limit\":\"1000\"}") ","
	ISO("resource/network-bandwidth", "{\"default\":true,\"limit\":\"1000000000\"}") ","
	ISO("os/linux/capabilities-retain-set", "{\"set\":[\"CAP_KILL\",\"CAP_CHOWN\"]}") ","
	ISO("os/linux/no-new-privileges", "true") ","
	ISO("os/linux/seccomp-remove-set", "{\"set\":[\"@appc.io/empty\",\"reboot\"],\"errno\":\"EPERM\"}") ","
	ISO("os/linux/selinux-context", "{\"user\":\"u\",\"role\":\"r\",\"type\":\"t\",\"level\":\"s0\"}") ","
	ISO("os/linux/apparmor-profile", "{\"profile\":\"web\"}") ","
	ISO("os/linux/cpu-shares", "1024") ","
	ISO("os/linux/oom-score-adj", "-17") ","
	ISO("gantry/pids", "{\"limit\":\"64\"}") "]";

static void test_round_trip(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct isolator_list l = {0}, copy;
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *text = NULL;

	assert_int_equal(decode(every_app_isolator, false, &l, &e), 0);
	isolators_copy(&copy, &l);
	isolators_done(&l);
	j = isolators_encode(&copy);
	text = json_print(j, false);
	assert_string_equal(text, every_app_isolator);
	isolators_done(&copy);
}

static void test_values(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct isolator_list l = {0};

	assert_int_equal(decode(every_app_isolator, false, &l, &e), 0);
	assert_int_equal(isolator_find(&l, ISO_CPU)->resource.limit, 500);
	assert_int_equal(isolator_find(&l, ISO_CPU)->resource.request, 250);
	assert_int_equal(isolator_find(&l, ISO_MEMORY)->resource.limit, 16 << 20);
	assert_int_equal(isolator_find(&l, ISO_MEMORY)->resource.request, -1);
	assert_true(isolator_find(&l, ISO_BLOCK_IOPS)->resource.is_default);
	assert_int_equal(isolator_find(&l, ISO_PIDS)->number, 64);
	assert_true(strv_has(isolator_find(&l, ISO_CAPS_RETAIN)->names.set, "CAP_CHOWN"));
	assert_null(isolator_find(&l, ISO_SYSCTL));

	isolators_remove(&l, ISO_CAPS_RETAIN);
	isolators_remove(&l, ISO_SELINUX);
	isolators_remove(&l, ISO_SYSCTL);
	assert_null(isolator_find(&l, ISO_CAPS_RETAIN));
	assert_int_equal(l.n, 11);
	isolators_add(&l, (struct isolator) {.kind = ISO_CAPS_REMOVE, .names.set = strv_split("CAP_KILL,CAP_MKNOD", ',')});
	assert_int_equal(l.n, 12);
	isolators_done(&l);
	for (int k = 0; k < ISO_KIND_MAX; k++)
		assert_non_null(isolator_name((enum isolator_kind) k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),	 cmocka_unit_test(test_pod_scope), cmocka_unit_test(test_resources),
		cmocka_unit_test(test_linux),	 cmocka_unit_test(test_quantity),  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
