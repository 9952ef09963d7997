/* Which stage1 a pod has, what its manifest says, and calling its programs. */
#include "tests/unit/pods.h"

#include "base/record.h"
#include "stage0/pod/stage1.h"

#define A "11111111-0000-4000-8000-000000000001"

static void put_manifest(int dir, const char *annotations)
{
	_cleanup_free_ char *text = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\","
					      "\"name\":\"example.com/stage1\",\"labels\":"
					      "[{\"name\":\"version\",\"value\":\"1.2.3\"}],\"annotations\":[%s]}",
					      annotations);

	assert_int_equal(file_write_at(dir, "manifest", text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

#define NOTE(name, value) "{\"name\":\"coreos.com/rkt/stage1/" name "\",\"value\":\"" value "\"}"

/* A program of the stage1 at rootfs/NAME. */
static void put_program(const char *name, const char *text)
{
	_cleanup_free_ char *dir = path_join(scratch_path, "rootfs"), *path = path_join(dir, name);
	_cleanup_free_ char *whole = xasprintf("#!/bin/sh\n%s\n", text);

	assert_int_equal(path_mkdirs(dir, 0700, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, whole, strlen(whole), 0700, FILE_FAST, NULL), 0);
}

static void record_and_find_again(void **state)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT, again = STAGE1_INIT;
	_cleanup_free_ char *record = NULL, *want = NULL, *program = NULL;
	int dir = scratch_open();

	(void) state;
	put_manifest(dir, NOTE("run", "/run") "," NOTE("gc", "/bin/gc") "," NOTE("interface-version", "6"));
	want = xasprintf("%s\nexample.com/stage1:1.2.3\n6\n", scratch_path);
	assert_int_equal(file_write_at(dir, "stage1", want, strlen(want), 0600, FILE_FAST, NULL), 0);
	assert_int_equal(stage1_of_pod(dir, &s, NULL), 0);
	assert_string_equal(s.dir, scratch_path);
	assert_string_equal(s.name, "example.com/stage1:1.2.3");
	assert_int_equal(s.interface, 6);
	program = xasprintf("%s/rootfs/bin/gc", scratch_path);
	assert_string_equal(s.programs[ENTRY_GC], program);
	assert_non_null(s.programs[ENTRY_RUN]);
	assert_null(s.programs[ENTRY_STOP]);
	assert_null(s.programs[ENTRY_ENTER]);
	assert_int_equal(unlinkat(dir, "stage1", 0), 0);
	assert_int_equal(stage1_record(&s, dir, NULL), 0);
	assert_int_equal(file_read_at(dir, "stage1", 4096, &record, NULL, NULL), 0);
	assert_string_equal(record, want);
	assert_int_equal(stage1_of_pod(dir, &again, NULL), 0);
	assert_string_equal(again.dir, s.dir);
	scratch_close(dir);
}

static void what_is_missing_has_rkts_meaning(void **state)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct entry_args args = {.uuid = (char *) A};
	char **argv = NULL;
	int dir = scratch_open();

	(void) state;
	put_manifest(dir, NOTE("run", "/run"));
	assert_int_equal(file_write_at(dir, "stage1", scratch_path, strlen(scratch_path), 0600, FILE_FAST, NULL), 0);
	assert_int_equal(stage1_of_pod(dir, &s, NULL), 0);
	/* no version: the first one; no program: not possible with this stage1 */
	assert_int_equal(s.interface, 1);
	assert_int_equal(stage1_argv(&s, ENTRY_STOP, &args, &argv, &e), -ENOTSUP);
	assert_err(&e, "gantry stop not implemented for pod's stage1");
	/* harmless options are left out, the others refused */
	args.hostname = (char *) "x";
	assert_int_equal(stage1_argv(&s, ENTRY_RUN, &args, &argv, &e), 0);
	assert_int_equal(strv_len(argv), 2);
	assert_string_equal(argv[1], A);
	strv_free(argv);
	args.no_seccomp = true;
	assert_int_equal(stage1_argv(&s, ENTRY_RUN, &args, &argv, &e), -EOPNOTSUPP);
	assert_err(&e, "--disable-seccomp: this stage1 has interface version 1, the option came with 3");
	scratch_close(dir);
}

static void damaged(void **state)
{
	static const struct {
		const char *record, *annotations, *text; /* %s: the stage1's directory */
	} rows[] = {
		/* after a power cut: never what happens to lie in the current directory */
		{"", NULL, "stage1 of the pod: \"\" is not an absolute path"},
		{"\n\n", NULL, "stage1 of the pod: \"\" is not an absolute path"},
		{"relative", NULL, "stage1 of the pod: \"relative\" is not an absolute path"},
		{"/nonexistent", NULL, "stage1 of the pod: /nonexistent is not there any more (the pod was made with it)"},
		{"/nonexistent\nexample.com/one:1\n", NULL,
		 "stage1 of the pod: /nonexistent is not there any more (the pod was made with \"example.com/one:1\")"},
		{"/\n", NULL, "stage1 of the pod: open /manifest: No such file or directory"},
		{NULL, NOTE("run", "run"),
		 "stage1 of the pod: %s/manifest: coreos.com/rkt/stage1/run: \"run\" is not an absolute path"},
		{NULL, NOTE("run", "/a/../run"),
		 "stage1 of the pod: %s/manifest: coreos.com/rkt/stage1/run: \"/a/../run\" is not a clean path"},
		{NULL, NOTE("run", "/"),
		 "stage1 of the pod: %s/manifest: coreos.com/rkt/stage1/run: \"/\" is not a clean path"},
		{NULL, NOTE("interface-version", "0"),
		 "stage1 of the pod: %s/manifest: bad interface version \"0\""},
		{NULL, NOTE("interface-version", "new"),
		 "stage1 of the pod: %s/manifest: bad interface version \"new\""},
		{NULL, NOTE("interface-version", "-1"), "stage1 of the pod: %s/manifest: bad interface version \"-1\""},
		{NULL, "1", "stage1 of the pod: %s/manifest: image manifest: annotations[0]: expected object"},
	};
	int dir = scratch_open();

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		const char *record = rows[i].record ? rows[i].record : scratch_path;
		_cleanup_free_ char *want = xasprintf(rows[i].text, scratch_path);

		put_manifest(dir, rows[i].annotations ? rows[i].annotations : "");
		assert_int_equal(file_write_at(dir, "stage1", record, strlen(record), 0600, FILE_FAST, NULL), 0);
		assert_true(stage1_of_pod(dir, &s, &e) < 0);
		assert_err(&e, want);
	}
	scratch_close(dir);
}

/* Of an image: the pod's own copy of the manifest is what counts, the directory has none. */
static void of_an_image(void **state)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT, again = STAGE1_INIT;
	_cleanup_free_ char *id = NULL, *text = NULL;
	int dir = scratch_open();

	(void) state;
	s.dir = xstrdup("/usr");
	s.name = xstrdup("example.com/stage1:1.2.3");
	s.interface = 2;
	s.tree_id = xstrdup("deps-sha512-00");
	put_manifest(dir, NOTE("stop", "/stop") "," NOTE("interface-version", "2"));
	assert_int_equal(file_read_at(dir, "manifest", 4096, &s.manifest, NULL, NULL), 0);
	assert_int_equal(stage1_record(&s, dir, NULL), 0);
	assert_int_equal(file_read_line_at(dir, "stage1TreeStoreID", &id, NULL), 0);
	assert_string_equal(id, "deps-sha512-00");
	assert_int_equal(file_read_line_at(dir, "stage1", &text, NULL), 0);
	assert_string_equal(text, "/usr\nexample.com/stage1:1.2.3\n2");
	assert_int_equal(stage1_of_pod(dir, &again, NULL), 0);
	assert_string_equal(again.programs[ENTRY_STOP], "/usr/rootfs/stop");
	assert_int_equal(again.interface, 2);
	scratch_close(dir);
}

static void environment(void **state)
{
	_cleanup_strv_ char **env = NULL, **with = NULL;

	(void) state;
	setenv("CNI_NETNS", "/proc/1/ns/net", 1);
	setenv("GANTRY_FDS", "lock=3", 1);
	setenv("GANTRY_LOG_FD", "9", 1);
	setenv("RKT_LOCK_FD", "7", 1);
	setenv("TERM", "dumb", 1);
	env = stage1_environment(-EBADF);
	assert_true(strv_has(env, "TERM=dumb"));
	for (char **v = env; *v; v++)
		assert_false(str_starts(*v, "CNI_") || str_starts(*v, "GANTRY_") || str_starts(*v, "RKT_"));
	with = stage1_environment(5);
	assert_true(strv_has(with, "GANTRY_LOCK_FD=5"));
	assert_true(strv_has(with, "RKT_LOCK_FD=5"));
	assert_false(strv_has(with, "RKT_LOCK_FD=7"));
	unsetenv("CNI_NETNS");
	unsetenv("GANTRY_FDS");
	unsetenv("GANTRY_LOG_FD");
	unsetenv("RKT_LOCK_FD");
}

/* cwd is the pod; only gc is given the lock; the exit status comes back. */
static void calling(void **state)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *said = NULL, *want = NULL;
	struct entry_args args = {.uuid = (char *) A, .force = true, .local_config = (char *) "/etc/x"};
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	put_manifest(f.scratch, NOTE("stop", "/stop") "," NOTE("gc", "/gc") "," NOTE("enter", "/enter") ","
				NOTE("run", "/gone") "," NOTE("interface-version", "7"));
	put_program("stop", "echo \"$PWD|$*|$GANTRY_FDS\" >said; exit 3");
	put_program("gc", "echo \"$PWD|$*|${GANTRY_FDS%%=*}\" >said");
	put_program("enter", "kill -9 $$");
	assert_int_equal(file_write_at(f.scratch, "stage1", scratch_path, strlen(scratch_path), 0600, FILE_FAST, NULL), 0);
	assert_int_equal(stage1_of_pod(f.scratch, &s, NULL), 0);
	pod_put(&f, PHASE_RUN, A);
	assert_int_equal(pod_open(f.pods, A, &p, NULL), 0);
	assert_int_equal(stage1_call(&s, ENTRY_STOP, &args, &p, &e), 3);
	assert_int_equal(file_read_line_at(p.dir, "said", &said, NULL), 0);
	want = xasprintf("%s/pods/run/" A "|--force " A "|", scratch_path);
	assert_string_equal(said, want);
	free(said);
	free(want);
	assert_int_equal(stage1_call(&s, ENTRY_GC, &args, &p, &e), 0);
	assert_int_equal(file_read_line_at(p.dir, "said", &said, NULL), 0);
	want = xasprintf("%s/pods/run/" A "|--local-config=/etc/x " A "|lock", scratch_path);
	assert_string_equal(said, want);
	args.pid = 1;
	args.app = (char *) "x";
	args.command = (char *[]) {(char *) "true", NULL};
	assert_int_equal(stage1_call(&s, ENTRY_ENTER, &args, &p, &e), 128 + SIGKILL);
	args.force = false;
	assert_int_equal(stage1_call(&s, ENTRY_RUN, &args, &p, &e), -ENOENT);
	free(want);
	want = xasprintf("stage1 run: exec %s/rootfs/gone: No such file or directory", scratch_path);
	assert_err(&e, want);
	pod_close(&p);
	pods_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_and_find_again),
		cmocka_unit_test(what_is_missing_has_rkts_meaning),
		cmocka_unit_test(damaged),
		cmocka_unit_test(of_an_image),
		cmocka_unit_test(environment),
		cmocka_unit_test(calling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
