/* Volumes: who gets which, where, in what order, and what cannot be one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stage1/run/source.h"
#include "tests/unit/pod_dir.h"

static const struct entry_args no_args = ENTRY_ARGS_INIT;
static const char *const one_app[] = {"a", NULL};
static const char *const two_apps[] = {"a", "b", NULL};

static int plan(struct pod_dir *d, const char *app, const char *mounts, const char *volumes)
{
	_cleanup_free_ char *more = *mounts ? xasprintf(",\"mounts\":[%s]", mounts) : xstrdup("");
	_cleanup_free_ char *tail = *volumes ? xasprintf(",\"volumes\":[%s]", volumes) : xstrdup("");
	_cleanup_free_ char *manifest = pod_dir_manifest(app, more, tail);

	pod_dir_open(d, manifest, "", one_app);
	return pod_dir_plan(d, &no_args);
}

static const struct plan_mount *mount_on(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->apps[0].n_mounts; i++)
		if (str_eq(p->apps[0].mounts[i].target, target))
			return &p->apps[0].mounts[i];
	return NULL;
}

static void kinds(void **state)
{
	const struct plan_mount *m;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, "",
			      "{\"volume\":\"h\",\"path\":\"/h\"},{\"volume\":\"f\",\"path\":\"/f\"},"
			      "{\"volume\":\"n\",\"path\":\"/dev/x\"},{\"volume\":\"e\",\"path\":\"//e/./x/../\"}",
			      "{\"name\":\"h\",\"kind\":\"host\",\"source\":\"/tmp\",\"recursive\":false},"
			      "{\"name\":\"f\",\"kind\":\"host\",\"source\":\"/etc/passwd\",\"readOnly\":true},"
			      "{\"name\":\"n\",\"kind\":\"host\",\"source\":\"/dev/null\"},"
			      "{\"name\":\"e\",\"kind\":\"empty\",\"mode\":\"0711\",\"uid\":5,\"gid\":6}"),
			 0);
	m = mount_on(d.plan, "/h");
	assert_true(m->source == SOURCE_HOST && m->dir && !m->read_only && !m->recursive && !m->device);
	m = mount_on(d.plan, "/f");
	assert_true(m->source == SOURCE_HOST && !m->dir && m->read_only && m->recursive && !m->device);
	m = mount_on(d.plan, "/dev/x");
	assert_true(!m->dir && m->device == 0x103 && m->device_type == 'c');
	m = mount_on(d.plan, "/e");
	assert_true(m->source == SOURCE_EMPTY && m->dir);
	assert_string_equal(m->path, "sharedVolumes/e");
	assert_int_equal(d.plan->n_volumes, 1);
	assert_int_equal(d.plan->volumes[0].mode, 0711);
	assert_int_equal(d.plan->volumes[0].uid, 5);
	assert_int_equal(d.plan->volumes[0].gid, 6);
	/* Device volumes are in the list of the device cgroup, to be opened, not to be made. */
	assert_string_equal(d.plan->apps[0].devices[d.plan->apps[0].n_devices - 1].access, "rw");
	pod_dir_close(&d);
}

/* The image has /etc/passwd, empty, and nothing else (pod_dir.h). */
static void masking(void **state)
{
	static const struct {
		const char *mounts, *volumes, *note; /* note NULL: nothing to be told */
		int r;
	} rows[] = {
		{"{\"volume\":\"v\",\"path\":\"/new\"}", "{\"name\":\"v\",\"kind\":\"empty\"}", NULL, 0},
		{"{\"volume\":\"v\",\"path\":\"/etc\"}", "{\"name\":\"v\",\"kind\":\"empty\"}",
		 "app a: volume \"v\" on \"/etc\": what the image has there is hidden by it", 0},
		{"{\"volume\":\"v\",\"path\":\"/etc/passwd\"}", "{\"name\":\"v\",\"kind\":\"empty\"}",
		 "app a: volume \"v\" on \"/etc/passwd\": the image has a file there, a directory takes its place", 0},
		{"{\"volume\":\"v\",\"path\":\"/etc/passwd\"}",
		 "{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/etc/passwd\"}",
		 "app a: volume \"v\" on \"/etc/passwd\": the image's file there is hidden by it", 0},
		{"{\"volume\":\"v\",\"path\":\"/etc\"}",
		 "{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/etc/passwd\"}",
		 "app a: volume \"v\": a file cannot be mounted on the directory \"/etc\" of the image", -EISDIR},
		{"{\"volume\":\"b\",\"path\":\"/x/y\"},{\"volume\":\"a\",\"path\":\"/x\"}",
		 "{\"name\":\"a\",\"kind\":\"empty\"},{\"name\":\"b\",\"kind\":\"empty\"}",
		 "app a: volume \"b\" on \"/x/y\": it lies inside volume \"a\"", 0},
	};
	struct pod_dir d;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		assert_int_equal(plan(&d, "", rows[i].mounts, rows[i].volumes), rows[i].r);
		if (rows[i].r < 0)
			assert_string_equal(err_text(&d.e), rows[i].note);
		else if (rows[i].note)
			assert_string_equal(d.plan->notes[0], rows[i].note);
		else
			assert_null(d.plan->notes);
		pod_dir_close(&d);
	}
}

static void mount_points(void **state)
{
	static const char points[] = ",\"mountPoints\":[{\"name\":\"one\",\"path\":\"/one\",\"readOnly\":true},"
				     "{\"name\":\"two\",\"path\":\"/two\"},{\"name\":\"three\",\"path\":\"/three\"}]";
	const struct plan_mount *m;
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, points, "{\"volume\":\"v\",\"path\":\"/one/\"}",
			      "{\"name\":\"v\",\"kind\":\"empty\"},{\"name\":\"two\",\"kind\":\"empty\",\"readOnly\":true}"),
			 0);
	/* Satisfied by its path, with the image's wish for read-only. */
	m = mount_on(d.plan, "/one");
	assert_string_equal(m->path, "sharedVolumes/v");
	assert_true(m->read_only);
	/* By its name. */
	m = mount_on(d.plan, "/two");
	assert_string_equal(m->path, "sharedVolumes/two");
	assert_true(m->read_only);
	/* By an empty volume of its own, which is told. */
	m = mount_on(d.plan, "/three");
	assert_string_equal(m->path, "sharedVolumes/a.three");
	assert_int_equal(strv_len(d.plan->notes), 1);
	assert_non_null(strstr(d.plan->notes[0], "no volume specified for mount point \"three\""));
	assert_int_equal(d.plan->volumes[2].mode, 0755);
	pod_dir_close(&d);
}

static void app_volumes(void **state)
{
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, "",
			      "{\"volume\":\"v\",\"path\":\"/v\",\"appVolume\":{\"name\":\"v\",\"kind\":\"empty\"}}",
			      "{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/nowhere\"}"),
			 0);
	assert_string_equal(mount_on(d.plan, "/v")->path, "sharedVolumes/a.v");
	pod_dir_close(&d);
}

static void shared_by_apps(void **state)
{
	static const char manifest[] =
		"{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":["
		"{\"name\":\"a\",\"image\":{\"id\":\"" POD_DIR_ID "\"},\"mounts\":[{\"volume\":\"v\",\"path\":\"/x\"}]},"
		"{\"name\":\"b\",\"image\":{\"id\":\"" POD_DIR_ID "\"},\"mounts\":[{\"volume\":\"v\",\"path\":\"/y\"}]}],"
		"\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\"}]}";
	struct pod_dir d;

	(void) state;
	pod_dir_open(&d, manifest, ",\"app\":{\"exec\":[\"/own\"],\"user\":\"0\",\"group\":\"0\"}", two_apps);
	assert_int_equal(pod_dir_plan(&d, &no_args), 0);
	assert_int_equal(d.plan->n_volumes, 1);
	assert_string_equal(d.plan->apps[0].mounts[0].path, d.plan->apps[1].mounts[0].path);
	pod_dir_close(&d);
}

/* Outer ones first, whatever the manifest's order; files below /etc after all volumes. */
static void order(void **state)
{
	static const char *const want[] = {"/v", "/etc/x", "/v/w", "/v/w/deep"};
	struct pod_dir d;

	(void) state;
	assert_int_equal(plan(&d, "",
			      "{\"volume\":\"v\",\"path\":\"/v/w/deep\"},{\"volume\":\"v\",\"path\":\"/etc/x\"},"
			      "{\"volume\":\"v\",\"path\":\"/v/w\"},{\"volume\":\"v\",\"path\":\"/v\"}",
			      "{\"name\":\"v\",\"kind\":\"empty\"}"),
			 0);
	for (size_t i = 0; i < ELEMENTSOF(want); i++)
		assert_string_equal(d.plan->apps[0].mounts[i].target, want[i]);
	assert_true(d.plan->apps[0].mounts[ELEMENTSOF(want)].source == SOURCE_FILE);
	pod_dir_close(&d);
}

static void refusals(void **state)
{
	static const struct {
		const char *mounts, *volumes, *says;
	} rows[] = {
		{"{\"volume\":\"x\",\"path\":\"/x\"}", "", "x"},
		{"{\"volume\":\"v\",\"path\":\"/x\"}", "{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/no/such\"}",
		 "app a: volume \"v\": Failed to stat /no/such: No such file or directory"},
		{"{\"volume\":\"v\",\"path\":\"/x\"},{\"volume\":\"v\",\"path\":\"//x/\"}",
		 "{\"name\":\"v\",\"kind\":\"empty\"}", "another volume is mounted on \"/x\""},
		{"{\"volume\":\"v\",\"path\":\"/\"}", "{\"name\":\"v\",\"kind\":\"empty\"}", "cannot be mounted on \"/\""},
		{"{\"volume\":\"v\",\"path\":\"/proc\"}", "{\"name\":\"v\",\"kind\":\"empty\"}",
		 "cannot be mounted on \"/proc\""},
		{"{\"volume\":\"v\",\"path\":\"/x/../proc/self\"}", "{\"name\":\"v\",\"kind\":\"empty\"}",
		 "cannot be mounted on \"/proc/self\""},
		{"{\"volume\":\"v\",\"path\":\"/dev/\"}", "{\"name\":\"v\",\"kind\":\"empty\"}",
		 "cannot be mounted on \"/dev\""},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct pod_dir d;

		assert_true(plan(&d, "", rows[i].mounts, rows[i].volumes) < 0);
		assert_non_null(strstr(err_text(&d.e), rows[i].says));
		pod_dir_close(&d);
	}
	/* Beside those: */
	assert_int_equal(access("/no", F_OK), -1);
}

/* A link that root made is the operator's; one that somebody else planted is not followed. */
static void source_links(void **state)
{
	_cleanup_free_ char *file = NULL, *own = NULL, *planted = NULL, *through = NULL, *loop = NULL;
	struct pod_dir d;
	struct stat st;
	int fd;

	(void) state;
	assert_int_equal(plan(&d, "", "", ""), 0);
	file = xasprintf("%s/pod", d.path);
	own = xasprintf("%s/own", d.path);
	planted = xasprintf("%s/planted", d.path);
	through = xasprintf("%s/dir/./../dir/pod", d.path);
	loop = xasprintf("%s/loop", d.path);
	assert_int_equal(symlinkat("pod", d.dir, "own"), 0);
	assert_int_equal(symlinkat(d.path, d.dir, "dir"), 0);
	assert_int_equal(symlinkat("loop", d.dir, "loop"), 0);
	assert_int_equal(symlinkat("pod", d.dir, "planted"), 0);
	fd = source_open(file, &st, NULL);
	assert_true(fd >= 0 && S_ISREG(st.st_mode));
	(void) fd_close(fd);
	fd = source_open(own, &st, NULL);
	assert_true(fd >= 0 && S_ISREG(st.st_mode));
	(void) fd_close(fd);
	/* ".." after a link is the parent of what it points to. */
	assert_int_equal(source_open(through, &st, NULL), -ENOENT);
	assert_int_equal(source_open(loop, &st, NULL), -ELOOP);
	assert_int_equal(source_open("relative", &st, NULL), -EINVAL);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(d.dir, "planted", 1000, 1000, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(source_open(planted, &st, &d.e), -EPERM);
		assert_non_null(strstr(err_text(&d.e), "symbolic link that root does not own"));
	}
	pod_dir_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds), cmocka_unit_test(masking),	  cmocka_unit_test(mount_points), cmocka_unit_test(app_volumes),
		cmocka_unit_test(shared_by_apps), cmocka_unit_test(order),	   cmocka_unit_test(refusals),
		cmocka_unit_test(source_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
