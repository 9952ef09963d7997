/* The plan of the flavour fly: what it leaves out, and what it says of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage1/fly/fly.h"
#include "tests/unit/pod_dir.h"

#define NO_ARGS ((struct entry_args) ENTRY_ARGS_INIT)

static const char *const one_app[] = {"a", NULL};
static const char *const two_apps[] = {"a", "b", NULL};

static int fly(struct pod_dir *d, const char *app, const char *more, const char *tail,
	       const struct entry_args *args)
{
	static const struct host_facts facts = {.caps = ALL_CAPS};
	_cleanup_free_ char *manifest = pod_dir_manifest(app, more, tail);
	int r;

	pod_dir_open(d, manifest, "", one_app);
	r = pod_load(d->dir, POD_DIR_UUID, &d->pod, &d->e);
	return r < 0 ? r : fly_plan(d->pod, args, &facts, &d->plan, &d->e);
}

static const struct plan_mount *mount_on(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->apps[0].n_mounts; i++)
		if (str_eq(p->apps[0].mounts[i].target, target))
			return &p->apps[0].mounts[i];
	return NULL;
}

static bool has_note(const struct plan *p, const char *part)
{
	for (char **n = p->notes; n && *n; n++)
		if (strstr(*n, part))
			return true;
	return false;
}

static void nothing_confines(void **state _unused_)
{
	const struct app_record *rec;
	struct pod_dir d;

	assert_int_equal(
		fly(&d,
		    ",\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"64M\"}}]",
		    "", "", &NO_ARGS),
		0);
	assert_true(d.plan->chroot && !d.plan->private_net && !d.plan->private_ipc &&
		    !d.plan->nets);
	assert_null(d.plan->cgroups);
	assert_int_equal(d.plan->apps[0].limits.memory_bytes, -1);
	rec = &d.plan->apps[0].record;
	assert_true(rec->chroot && !rec->seccomp && !rec->no_new_privs && !rec->paths && !rec->shm);
	assert_true(rec->caps_bounding == ALL_CAPS && rec->caps_ambient == 0);
	assert_null(rec->masks);
	assert_true(has_note(d.plan, "a: isolators are not applied: resource/memory"));
	pod_dir_close(&d);
}

static void host_mounts(void **state _unused_)
{
	static const char *const targets[] = {"/sys", "/proc", "/dev", "/tmp"};
	const struct plan_mount *m;
	struct pod_dir d;

	assert_int_equal(fly(&d, "", "", "", &NO_ARGS), 0);
	assert_int_equal(d.plan->apps[0].n_mounts, ELEMENTSOF(targets));
	for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
		m = &d.plan->apps[0].mounts[i];
		assert_string_equal(m->target, targets[i]);
		assert_int_equal(m->source, i == 3 ? SOURCE_TMPFS : SOURCE_HOST);
		assert_true(m->dir && !m->back && m->recursive == (i != 3));
	}
	pod_dir_close(&d);
	/* What the operator puts there is not covered. */
	assert_int_equal(
		fly(&d, "",
		    ",\"mounts\":[{\"volume\":\"v\",\"path\":\"/"
		    "tmp\"},{\"volume\":\"v\",\"path\":\"/sys\"}]",
		    ",\"volumes\":[{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/usr\"}]",
		    &NO_ARGS),
		0);
	assert_int_equal(d.plan->apps[0].n_mounts, ELEMENTSOF(targets));
	m = mount_on(d.plan, "/tmp");
	assert_string_equal(m->path, "/usr");
	assert_true(m->back && !m->recursive);
	assert_string_equal(mount_on(d.plan, "/sys")->path, "/usr");
	pod_dir_close(&d);
}

static void recursive_when_asked(void **state _unused_)
{
	struct pod_dir d;

	assert_int_equal(
		fly(&d, "",
		    ",\"mounts\":[{\"volume\":\"y\",\"path\":\"/y\"},{\"volume\":\"n\",\"path\":\"/"
		    "n\"}]",
		    ",\"volumes\":[{\"name\":\"y\",\"kind\":\"host\",\"source\":\"/"
		    "usr\",\"recursive\":true},"
		    "{\"name\":\"n\",\"kind\":\"host\",\"source\":\"/usr\",\"recursive\":false}]",
		    &NO_ARGS),
		0);
	assert_true(mount_on(d.plan, "/y")->recursive && !mount_on(d.plan, "/n")->recursive);
	pod_dir_close(&d);
}

static void mount_points(void **state _unused_)
{
	static const char point[] = ",\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\"}]";
	static const char refused[] = "app a: no volume for mount point \"data\" on \"/data\"";
	struct pod_dir d;

	assert_int_equal(fly(&d, point, "", "", &NO_ARGS), -EINVAL);
	assert_string_equal(err_text(&d.e), refused);
	pod_dir_close(&d);
	/* As stage0 makes one up. */
	assert_int_equal(fly(&d, point, ",\"mounts\":[{\"volume\":\"a-data\",\"path\":\"/data\"}]",
			     ",\"volumes\":[{\"name\":\"a-data\",\"kind\":\"empty\"}]", &NO_ARGS),
			 -EINVAL);
	assert_string_equal(err_text(&d.e), refused);
	pod_dir_close(&d);
	assert_int_equal(fly(&d, point, "", ",\"volumes\":[{\"name\":\"data\",\"kind\":\"empty\"}]",
			     &NO_ARGS),
			 0);
	assert_int_equal(mount_on(d.plan, "/data")->source, SOURCE_EMPTY);
	assert_false(mount_on(d.plan, "/data")->back);
	pod_dir_close(&d);
	assert_int_equal(fly(&d, point, ",\"mounts\":[{\"volume\":\"other\",\"path\":\"/data/\"}]",
			     ",\"volumes\":[{\"name\":\"other\",\"kind\":\"empty\"}]", &NO_ARGS),
			 0);
	pod_dir_close(&d);
}

static void options(void **state _unused_)
{
	char *net[] = {(char *) "none", NULL}, *host[] = {(char *) "host", NULL};
	struct entry_args args = {
		.nets = net, .hostname = (char *) "name", .ipc = (char *) "private"};
	struct pod_dir d;

	assert_int_equal(fly(&d, "", "", "", &args), 0);
	assert_true(has_note(d.plan, "--net is ignored") &&
		    has_note(d.plan, "--hostname is ignored") &&
		    has_note(d.plan, "--ipc is ignored"));
	pod_dir_close(&d);
	args = (struct entry_args) {.nets = host,
				    .hostname = (char *) "gantry-" POD_DIR_UUID,
				    .ipc = (char *) "parent"};
	assert_int_equal(fly(&d, "", "", "", &args), 0);
	assert_null(d.plan->notes);
	pod_dir_close(&d);
}

static void one_app_only(void **state _unused_)
{
	static const char app[] = "{\"name\":\"%s\",\"image\":{\"id\":\"" POD_DIR_ID
				  "\"},\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}}";
	static const struct host_facts facts = {.caps = ALL_CAPS};
	_cleanup_free_ char *a = xasprintf(app, "a"), *b = xasprintf(app, "b");
	_cleanup_free_ char *manifest = xasprintf(
		"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[%s,%s]}", a, b);
	struct pod_dir d;

	pod_dir_open(&d, manifest, "", two_apps);
	assert_int_equal(pod_load(d.dir, POD_DIR_UUID, &d.pod, &d.e), 0);
	assert_int_equal(fly_plan(d.pod, &NO_ARGS, &facts, &d.plan, &d.e), -EINVAL);
	assert_string_equal(err_text(&d.e), "stage1 fly runs one app only, and the pod has 2");
	pod_dir_close(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_confines),
		cmocka_unit_test(host_mounts),
		cmocka_unit_test(recursive_when_asked),
		cmocka_unit_test(mount_points),
		cmocka_unit_test(options),
		cmocka_unit_test(one_app_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
