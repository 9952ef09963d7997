/* Taking a pod back: stage1's gc where something was made outside the directory, then the directory. */
#include "tests/unit/pods.h"

#include "base/log.h"

#define A "11111111-0000-4000-8000-000000000001"

/* Stands for a stage1 in scratch/NAME whose gc notes that it was called and ends with a status. */
static char *put_stage1(const char *name, const char *script)
{
	static const char manifest[] =
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"x\",\"annotations\":["
		"{\"name\":\"coreos.com/rkt/stage1/gc\",\"value\":\"/gc\"},"
		"{\"name\":\"coreos.com/rkt/stage1/interface-version\",\"value\":\"7\"}]}";
	char *dir = path_join(scratch_path, name);
	_cleanup_free_ char *rootfs = path_join(dir, "rootfs"), *file = path_join(dir, "manifest");
	_cleanup_free_ char *gc = path_join(rootfs, "gc");
	_cleanup_free_ char *text = xasprintf("#!/bin/sh\necho %s \"$@\" >>%s/called\n%s\n", name, scratch_path, script);

	assert_int_equal(path_mkdirs(rootfs, 0700, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, file, manifest, strlen(manifest), 0600, FILE_FAST, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, gc, text, strlen(text), 0700, FILE_FAST, NULL), 0);
	return dir;
}

struct remove_fixture {
	struct pods_fixture f;
	struct pod p;
	char *own; /* the stage1 of the pod */
};

static void up(struct remove_fixture *r, const char *script)
{
	_cleanup_free_ char *standard = NULL;

	pods_up(&r->f);
	r->f.g.libexec = path_join(scratch_path, "libexec");
	r->f.g.local_config = xstrdup("/etc/x");
	standard = put_stage1("libexec/stage1/ns", "exit 0");
	r->own = put_stage1("own", script);
	pod_put(&r->f, PHASE_EXITED_GARBAGE, A);
	assert_int_equal(pod_open(r->f.pods, A, &r->p, NULL), 0);
	assert_int_equal(pod_lock(&r->p), 0);
	pod_file(&r->p, "stage1", r->own);
	pod_file(&r->p, "deep/er/and/deeper", "x");
	assert_int_equal(symlinkat("/etc", r->p.dir, "link"), 0);
}

static void down(struct remove_fixture *r)
{
	pod_close(&r->p);
	free(r->own);
	pods_down(&r->f);
}

static char *called(const struct remove_fixture *r)
{
	char *text = NULL;

	return file_read_line_at(r->f.scratch, "called", &text, NULL) < 0 ? xstrdup("") : text;
}

static void nothing_outside_needs_no_stage1(void **state)
{
	_cleanup_free_ char *log = NULL, *standard = NULL;
	struct remove_fixture r;

	(void) state;
	up(&r, "exit 1");
	standard = xasprintf("%s/libexec/stage1/ns\nx\n7\n", scratch_path);
	pod_file(&r.p, "stage1", standard);
	assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
	assert_false(pod_is_in(&r.f, PHASE_EXITED_GARBAGE, A));
	log = called(&r);
	assert_string_equal(log, "");
	/* Twice is harmless. */
	assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	down(&r);
}

/* What another stage1 than the default one has made, only it knows. */
static void a_foreign_stage1_is_always_asked(void **state)
{
	_cleanup_free_ char *log = NULL;
	struct remove_fixture r;

	(void) state;
	up(&r, "exit 0");
	assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
	log = called(&r);
	assert_string_equal(log, "own --local-config=/etc/x " A);
	down(&r);
}

static void the_pods_own_stage1(void **state)
{
	static const char *const files[] = {"cgroup", "net/record"};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(files); i++) {
		_cleanup_free_ char *log = NULL;
		struct remove_fixture r;

		up(&r, "exit 0");
		pod_file(&r.p, files[i], "x");
		assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
		assert_false(pod_is_in(&r.f, PHASE_EXITED_GARBAGE, A));
		log = called(&r);
		assert_string_equal(log, "own --local-config=/etc/x " A);
		down(&r);
	}
}

static void one_that_is_gone_is_stood_in_for(void **state)
{
	static const char *const records[] = {"/nonexistent", ""};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(records); i++) {
		_cleanup_free_ char *log = NULL;
		struct remove_fixture r;

		up(&r, "exit 0");
		pod_file(&r.p, "cgroup", "");
		pod_file(&r.p, "stage1", records[i]);
		assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
		log = called(&r);
		assert_string_equal(log, "libexec/stage1/ns --local-config=/etc/x " A);
		down(&r);
	}
}

static void what_stage1_cannot_take_back_keeps_the_pod(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct remove_fixture r;

	(void) state;
	up(&r, "exit 254");
	pod_file(&r.p, "net/record", "x");
	assert_int_equal(pod_remove(&r.f.g, &r.p, &e), -EIO);
	assert_err(&e, "stage1 gc exited with status 254");
	assert_true(pod_is_in(&r.f, PHASE_EXITED_GARBAGE, A));
	assert_int_equal(faccessat(r.p.dir, "net/record", F_OK, 0), 0);
	down(&r);
}

/* While stage1 works nobody else may begin, even if we die. */
static void the_lock_is_held_by_gc(void **state)
{
	_cleanup_free_ char *log = NULL;
	struct remove_fixture r;

	(void) state;
	up(&r, "readlink /proc/$$/fd/* | grep -qx \"$PWD\" && echo held >>../../../called");
	pod_file(&r.p, "cgroup", "");
	assert_int_equal(pod_remove(&r.f.g, &r.p, NULL), 0);
	log = called(&r);
	assert_string_equal(log, "own --local-config=/etc/x " A "\nheld");
	down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outside_needs_no_stage1),
		cmocka_unit_test(a_foreign_stage1_is_always_asked),
		cmocka_unit_test(the_pods_own_stage1),
		cmocka_unit_test(one_that_is_gone_is_stood_in_for),
		cmocka_unit_test(what_stage1_cannot_take_back_keeps_the_pod),
		cmocka_unit_test(the_lock_is_held_by_gc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
