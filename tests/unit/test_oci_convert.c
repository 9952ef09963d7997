#include "tests/unit/unit.h"

#include "spec/image_manifest.h"
#include "stage0/oci/convert.h"
#include "stage0/oci/machine.h"

#define FS "\"rootfs\":{\"type\":\"layers\"}"
#define CONFIG(members) "{\"os\":\"linux\",\"architecture\":\"amd64\"," FS ",\"config\":{" members "}}"

static char *convert_named(const char *reference, const char *config, struct err *e)
{
	_cleanup_oci_config_ struct oci_config *c = oci_config_parse(config, strlen(config), e);
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_oci_naming_ struct oci_naming name = {0};
	struct conversion in = {.config = c, .name = &name, .config_digest = "sha256:c", .manifest_digest = "sha256:m"};

	if (!c)
		fail_msg("%s", err_text(e));
	assert_int_equal(oci_ref_parse(reference, OCI_DEFAULT_REGISTRY, &ref, NULL), 0);
	oci_naming_of(&ref, &name);
	return oci_convert(&in, e);
}

static struct image_manifest *convert(const char *reference, const char *config)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = convert_named(reference, config, &e);
	struct image_manifest *m;

	if (!text)
		fail_msg("%s", err_text(&e));
	m = image_manifest_parse(text, strlen(text), &e);
	if (!m)
		fail_msg("%s", err_text(&e));
	return m;
}

static void test_names(void **state _unused_)
{
	static const struct {
		const char *reference, *name, *version, *registry, *repository, *original;
	} rows[] = {
		{"docker://busybox", "docker.io/library/busybox", "latest", "docker.io", "library/busybox", "busybox"},
		{"docker:busybox:1.36", "docker.io/library/busybox", "1.36", "docker.io", "library/busybox",
		 "docker:busybox:1.36"},
		{"docker://localhost:5000/a__b/c---d:T", "localhost-5000/a_b/c-d", "T", "localhost:5000", "a__b/c---d",
		 "localhost:5000/a__b/c---d:T"},
		{"oci:/srv/Busy_Box.oci", "busy_box", NULL, NULL, "busy_box", "oci:/srv/Busy_Box.oci"},
		{"oci:/srv/x/:v1", "x", "v1", NULL, "x", "oci:/srv/x/:v1"},
		{"oci:/srv/x:quay.io/a/b:3", "quay.io/a/b", "3", "quay.io", "a/b", NULL},
		{"docker-archive:/srv/x.tar:busybox:1", "docker.io/library/busybox", "1", "docker.io", "library/busybox",
		 NULL},
		{"oci-archive:/srv/x.tar.gz", "x", NULL, NULL, "x", NULL},
		{"oci:/srv/...", "image", NULL, NULL, "image", NULL},
		{"oci:/srv/x:a//b:c", "x", "a//b:c", NULL, "x", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_image_manifest_ struct image_manifest *m = convert(rows[i].reference, CONFIG(""));
		const struct nameval_list *a = &m->annotations;

		assert_string_equal(m->name, rows[i].name);
		assert_true(str_eq(nameval_get(&m->labels, "version"), rows[i].version));
		assert_true(str_eq(nameval_get(a, "appc.io/docker/registryurl"), rows[i].registry));
		assert_true(str_eq(nameval_get(a, "appc.io/docker/repository"), rows[i].repository));
		assert_true(str_eq(nameval_get(a, "appc.io/docker/tag"), rows[i].version));
		if (rows[i].original)
			assert_true(str_eq(nameval_get(a, "appc.io/docker/originalname"), rows[i].original));
		assert_string_equal(nameval_get(a, "appc.io/docker/imageid"), "sha256:c");
		assert_string_equal(nameval_get(a, "appc.io/docker/manifesthash"), "sha256:m");
	}
}

static void test_arch(void **state _unused_)
{
	static const struct {
		const char *platform, *arch;
	} rows[] = {
		{"\"architecture\":\"amd64\"", "amd64"},
		{"\"architecture\":\"386\"", "i386"},
		{"\"architecture\":\"arm64\",\"variant\":\"v8\"", "aarch64"},
		{"\"architecture\":\"arm\",\"variant\":\"v6\"", "armv6l"},
		{"\"architecture\":\"arm\",\"variant\":\"v7\"", "armv7l"},
		{"\"architecture\":\"arm\",\"variant\":\"v5\"", NULL},
		{"\"architecture\":\"arm\"", "armv7l"},
		{"\"architecture\":\"ppc64le\"", "ppc64le"},
		{"\"architecture\":\"riscv64\"", NULL},
		{"\"created\":\"x\"", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf("{%s," FS "}", rows[i].platform);
		_cleanup_image_manifest_ struct image_manifest *m = convert("docker://a", text);

		assert_true(str_eq(nameval_get(&m->labels, "arch"), rows[i].arch));
		assert_string_equal(nameval_get(&m->labels, "os"), "linux");
		assert_null(nameval_get(&m->annotations, "created"));
	}
}

static void test_exec(void **state _unused_)
{
	static const struct {
		const char *members, *exec, *entrypoint, *cmd;
	} rows[] = {
		{"\"Entrypoint\":[\"/e\",\"-x\"],\"Cmd\":[\"a b\"]", "/e|-x|a b", "[\"/e\",\"-x\"]", "[\"a b\"]"},
		{"\"Cmd\":[\"sh\"]", "sh", NULL, "[\"sh\"]"},
		{"\"Entrypoint\":[\"/e\"],\"Cmd\":null", "/e", "[\"/e\"]", NULL},
		{"\"Entrypoint\":[],\"Cmd\":[]", NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf(CONFIG("%s"), rows[i].members);
		_cleanup_image_manifest_ struct image_manifest *m = convert("docker://a", text);
		_cleanup_free_ char *exec = m->app->exec ? strv_join(m->app->exec, "|") : NULL;

		assert_true(str_eq(exec, rows[i].exec));
		assert_true(str_eq(nameval_get(&m->annotations, "appc.io/docker/entrypoint"), rows[i].entrypoint));
		assert_true(str_eq(nameval_get(&m->annotations, "appc.io/docker/cmd"), rows[i].cmd));
	}
}

static bool has_isolator(const struct app *a, const char *name)
{
	for (size_t i = 0; i < a->isolators.n; i++)
		if (str_eq(isolator_name(a->isolators.v[i].kind), name))
			return true;
	return false;
}

static void test_user(void **state _unused_)
{
	static const struct {
		const char *user, *app_user, *app_group;
		bool login_groups;
	} rows[] = {
		{"", "0", "0", true},		{"www", "www", "0", true},  {"1000", "1000", "0", true},
		{"www:www", "www", "www", false}, {"1:2", "1", "2", false}, {":5", "0", "5", false},
		{"root:", "root", "0", true},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf(CONFIG("\"User\":\"%s\""), rows[i].user);
		_cleanup_image_manifest_ struct image_manifest *m = convert("docker://a", text);

		assert_string_equal(m->app->user, rows[i].app_user);
		assert_string_equal(m->app->group, rows[i].app_group);
		assert_int_equal(has_isolator(m->app, "gantry/login-groups"), rows[i].login_groups);
	}
}

static void test_environment(void **state _unused_)
{
	_cleanup_image_manifest_ struct image_manifest *m =
		convert("docker://a", CONFIG("\"Env\":[\"B=1\",\"A=x=y\",\"2=z\",\"C\",\"B=3\"],\"WorkingDir\":\"srv//a/../b/\""));
	const struct nameval_list *l = &m->app->environment;

	assert_int_equal(l->n, 3);
	assert_string_equal(l->v[0].name, "B");
	assert_string_equal(l->v[0].value, "3");
	assert_string_equal(nameval_get(l, "A"), "x=y");
	assert_string_equal(nameval_get(l, "C"), "");
	assert_string_equal(m->app->working_directory, "/srv/b");
}

static void test_volumes_and_ports(void **state _unused_)
{
	_cleanup_image_manifest_ struct image_manifest *m = convert(
		"docker://a", CONFIG("\"Volumes\":{\"/var/lib/Data\":{},\"/a-b\":{},\"/a/b\":{},\"/a//b/\":{},\"/\\u00fc\":{}},"
				     "\"ExposedPorts\":{\"80/tcp\":{},\"80\":{},\"53/UDP\":{},\"5000-5010/udp\":{},\"9/sctp\":{}}"));
	const struct app *a = m->app;

	assert_int_equal(a->n_mount_points, 4);
	assert_string_equal(a->mount_points[0].name, "volume-var-lib-data");
	assert_string_equal(a->mount_points[0].path, "/var/lib/Data");
	assert_string_equal(a->mount_points[1].name, "volume-a-b");
	assert_string_equal(a->mount_points[2].name, "volume-a-b-2");
	assert_string_equal(a->mount_points[2].path, "/a/b");
	assert_string_equal(a->mount_points[3].name, "volume");
	assert_int_equal(a->n_ports, 4);
	assert_string_equal(a->ports[0].name, "80-tcp");
	assert_string_equal(a->ports[1].name, "53-udp");
	assert_string_equal(a->ports[1].protocol, "udp");
	assert_string_equal(a->ports[2].name, "5000-5010-udp");
	assert_int_equal(a->ports[2].port, 5000);
	assert_int_equal(a->ports[2].count, 11);
	assert_string_equal(a->ports[3].protocol, "sctp");
}

static void test_labels(void **state _unused_)
{
	_cleanup_image_manifest_ struct image_manifest *m = convert(
		"docker://a", CONFIG("\"Labels\":{\"org.opencontainers.image.title\":\"T\",\"No Identifier\":\"x\",\"empty\":\"\","
				     "\"created\":\"yesterday\",\"homepage\":\"here\",\"appc.io/docker/tag\":\"evil\"}"));

	assert_string_equal(nameval_get(&m->annotations, "org.opencontainers.image.title"), "T");
	assert_null(nameval_get(&m->annotations, "No Identifier"));
	assert_null(nameval_get(&m->annotations, "created"));
	assert_null(nameval_get(&m->annotations, "homepage"));
	assert_string_equal(nameval_get(&m->annotations, "appc.io/docker/tag"), "latest");
	assert_int_equal(m->app->user_labels.n, 6);
	assert_string_equal(nameval_get(&m->app->user_labels, "No Identifier"), "x");
}

/* As text: what the isolators mean is their decoder's matter. */
static void test_isolators(void **state _unused_)
{
	static const struct {
		const char *members, *found; /* NULL: there are none */
	} rows[] = {
		{"\"StopSignal\":\"SIGQUIT\"", "{\"name\":\"gantry/stop-signal\",\"value\":{\"signal\":\"SIGQUIT\"}}"},
		{"\"StopSignal\":\"quit\"", "{\"signal\":\"SIGQUIT\"}"},
		{"\"StopSignal\":\"\"", NULL},
		{"\"Healthcheck\":{\"Test\":[\"NONE\"]}", NULL},
		{"\"Healthcheck\":{\"Interval\":5}", NULL},
		{"\"Healthcheck\":{\"Test\":[\"CMD\",\"/h\",\"-x\"]}",
		 "{\"name\":\"gantry/healthcheck\",\"value\":{\"exec\":[\"/h\",\"-x\"],\"interval\":\"30s\",\"timeout\":\"30s\","
		 "\"startPeriod\":\"0s\",\"retries\":3}}"},
		{"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"exit 0\"],\"Interval\":1500000000,\"Timeout\":2000000000,"
		 "\"StartPeriod\":60000000000,\"Retries\":1}",
		 "{\"exec\":[\"/bin/sh\",\"-c\",\"exit 0\"],\"interval\":\"1500000000ns\",\"timeout\":\"2s\","
		 "\"startPeriod\":\"60s\",\"retries\":1}"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *config = xasprintf(CONFIG("%s"), rows[i].members);
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *text = convert_named("docker://a", config, &e);

		if (!text)
			fail_msg("%s", err_text(&e));
		if (rows[i].found ? !strstr(text, rows[i].found) : strstr(text, "gantry/stop-signal") || strstr(text, "gantry/healthcheck"))
			fail_msg("%zu: %s", i, text);
	}
}

/* The pod's own /sys stays; what is beside these places is a volume as any other. */
static void test_places(void **state _unused_)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	text = convert_named("docker://a", CONFIG("\"Volumes\":{\"/sys\":{},\"/sys/fs/cgroup\":{},\"/dev/shm\":{},"
						  "\"/system\":{},\"/process\":{}}"), &e);
	if (!text)
		fail_msg("%s", err_text(&e));
	assert_null(strstr(text, "\"/sys\""));
	assert_null(strstr(text, "/sys/fs"));
	assert_non_null(strstr(text, "\"/dev/shm\""));
	assert_non_null(strstr(text, "\"/system\""));
	assert_non_null(strstr(text, "\"/process\""));
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *members, *error;
	} rows[] = {
		{"\"Volumes\":{\"/\":{}}", "Volumes: \"/\": the root cannot be a volume"},
		{"\"Volumes\":{\"/a/..\":{}}", "Volumes: \"/a/..\": the root cannot be a volume"},
		{"\"Volumes\":{\"/proc\":{}}", "Volumes: \"/proc\": a volume cannot be mounted there"},
		{"\"Volumes\":{\"/proc/sys\":{}}", "Volumes: \"/proc/sys\": a volume cannot be mounted there"},
		{"\"Volumes\":{\"//dev/.\":{}}", "Volumes: \"//dev/.\": a volume cannot be mounted there"},
		{"\"ExposedPorts\":{\"http\":{}}", "ExposedPorts: \"http\": not a port or a range of ports"},
		{"\"ExposedPorts\":{\"0/tcp\":{}}", "ExposedPorts: \"0/tcp\": not a port or a range of ports"},
		{"\"ExposedPorts\":{\"65536/tcp\":{}}", "ExposedPorts: \"65536/tcp\": not a port or a range of ports"},
		{"\"ExposedPorts\":{\"9-8/tcp\":{}}", "ExposedPorts: \"9-8/tcp\": not a port or a range of ports"},
		{"\"ExposedPorts\":{\"80/icmp\":{}}", "ExposedPorts: \"80/icmp\": not a port or a range of ports"},
		{"\"Healthcheck\":{\"Test\":[\"/h\"]}", "Healthcheck: \"/h\": neither NONE, CMD nor CMD-SHELL"},
		{"\"Healthcheck\":{\"Test\":[\"CMD\"]}", "Healthcheck: CMD without a command"},
		{"\"Cmd\":[\"\",\"x\"]", "image manifest: app.exec[0]: must not be empty"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *config = xasprintf(CONFIG("%s"), rows[i].members);
		_cleanup_free_ char *whole = xasprintf("image configuration: %s", rows[i].error);
		struct err e = ERR_INIT;

		assert_null(convert_named("docker://a", config, &e));
		assert_err(&e, whole);
	}
}

/* What would keep us busy is refused at once. */
static void test_counts(void **state _unused_)
{
	static const struct {
		const char *open, *form, *close, *error;
		int max;
	} rows[] = {
		{"\"Labels\":{", "\"l%d\":\"\"", "}", "image configuration: more than 4096 Labels", 4096},
		{"\"Env\":[", "\"E%d=x\"", "]", "image configuration: more than 4096 variables in Env", 4096},
		{"\"Volumes\":{", "\"/v%d\":{}", "}", "image configuration: more than 256 Volumes", 256},
		{"\"ExposedPorts\":{", "\"%d/tcp\":{}", "}", "image configuration: more than 1024 ExposedPorts", 1024},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		for (int n = rows[i].max; n <= rows[i].max + 1; n++) {
			_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
			_cleanup_free_ char *config = NULL, *text = NULL;
			_cleanup_err_ struct err e = ERR_INIT;

			for (int j = 1; j <= n; j++) {
				strbuf_adds(&sb, j > 1 ? "," : rows[i].open);
				strbuf_addf(&sb, rows[i].form, j);
			}
			config = xasprintf(CONFIG("%s%s"), sb.buf, rows[i].close);
			text = convert_named("docker://a", config, &e);
			assert_int_equal(!!text, n == rows[i].max);
			if (!text)
				assert_string_equal(err_text(&e), rows[i].error);
		}
}

static void test_machine(void **state _unused_)
{
	static const struct {
		const char *uname, *architecture, *variant;
	} rows[] = {
		{"x86_64", "amd64", NULL}, {"i686", "386", NULL},      {"aarch64", "arm64", "v8"},
		{"armv7l", "arm", "v7"},   {"armv6l", "arm", "v6"},    {"ppc64le", "ppc64le", NULL},
		{"s390x", "s390x", NULL},  {"riscv64", "riscv64", NULL}, {"other", "other", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct oci_platform p;

		oci_machine_of(rows[i].uname, &p);
		assert_string_equal(p.os, "linux");
		assert_string_equal(p.architecture, rows[i].architecture);
		assert_true(str_eq(p.variant, rows[i].variant));
	}
	assert_string_equal(oci_machine()->os, "linux");
	assert_non_null(oci_machine()->architecture);
}

static void test_foreign(void **state _unused_)
{
	static const struct {
		const char *text, *foreign;
	} rows[] = {
		{"{\"os\":\"linux\",\"architecture\":\"amd64\"," FS "}", NULL},
		{"{\"os\":\"linux\",\"architecture\":\"386\"," FS "}", NULL},
		{"{" FS "}", NULL},
		{"{\"os\":\"\",\"architecture\":\"\"," FS "}", NULL},
		{"{\"os\":\"windows\",\"architecture\":\"amd64\"," FS "}", "windows/amd64"},
		{"{\"architecture\":\"arm64\"," FS "}", "?/arm64"},
	};
	static const struct oci_platform machine = {(char *) "linux", (char *) "amd64", NULL, NULL};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_oci_config_ struct oci_config *c = oci_config_parse(rows[i].text, strlen(rows[i].text), NULL);
		_cleanup_free_ char *foreign = oci_config_foreign(c, &machine);

		assert_true(str_eq(foreign, rows[i].foreign));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_arch),
		cmocka_unit_test(test_exec),	    cmocka_unit_test(test_user),
		cmocka_unit_test(test_environment), cmocka_unit_test(test_volumes_and_ports),
		cmocka_unit_test(test_labels),	    cmocka_unit_test(test_isolators),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_machine),
		cmocka_unit_test(test_foreign),	    cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
