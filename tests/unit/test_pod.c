/* Pods by their directories: making, opening, finding by what a user wrote, listing. */
#include "tests/unit/pods.h"

#define A "11111111-0000-4000-8000-000000000001"
#define B "11111111-0000-4000-8000-000000000002"
#define C "2222abcd-0000-4000-8000-000000000003"
#define D "33333333-0000-4000-8000-000000000004"

static void a_new_pod_is_locked_and_preparing(void **state)
{
	struct pods_fixture f;
	struct pod p, seen = POD_INIT;
	struct stat st;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	assert_null(uuid_check(p.uuid));
	assert_int_equal(p.phase, PHASE_PREPARE);
	assert_int_equal(p.state, POD_STATE_PREPARING);
	assert_true(pod_is_in(&f, PHASE_PREPARE, p.uuid));
	assert_false(pod_is_in(&f, PHASE_EMBRYO, p.uuid));
	assert_int_equal(fstat(p.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	/* Its maker's lock is seen by others, and goes with its last descriptor. */
	assert_int_equal(pod_open(f.pods, p.uuid, &seen, NULL), 0);
	assert_int_equal(seen.state, POD_STATE_PREPARING);
	pod_close(&seen);
	pod_close(&p);
	assert_int_equal(pod_open(f.pods, p.uuid, &seen, NULL), 0);
	assert_int_equal(seen.state, POD_STATE_ABORTED_PREPARE);
	pod_close(&seen);
	pods_down(&f);
}

static void directories_are_made_where_they_are_missing(void **state)
{
	struct pods_fixture f;
	struct pod p;
	struct stat st;

	(void) state;
	pods_up(&f);
	/* Of another program: the one phase that it needed. */
	assert_int_equal(pods_make_phase(f.pods, PHASE_GARBAGE), 0);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	assert_int_equal(pod_move(&p, PHASE_RUN, false, NULL), 0);
	assert_int_equal(fstatat(f.pods, "run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	/* Where there is no group for it, nobody gets as far as that. */
	assert_int_equal(fstatat(f.pods, ".", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	pod_close(&p);
	pods_down(&f);
}

static void looking_makes_nothing(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct gantry g = {.data_fd = -EBADF};
	struct pod p = POD_INIT;
	char **all = (char **) 1;
	int scratch = scratch_open(), pods;

	(void) state;
	g.data_dir = path_join(scratch_path, "not-there");
	pods = pods_open(&g, true, &e);
	assert_int_equal(pods, -ENOENT);
	assert_int_equal(faccessat(scratch, "not-there", F_OK, 0), -1);
	/* As a descriptor it stands for "no pods at all". */
	assert_int_equal(pods_list(pods, PHASES_ALL, &all, &e), 0);
	assert_null(all);
	assert_int_equal(pod_find(pods, A, &p, &e), -ENOENT);
	assert_err(&e, "no matches found for \"" A "\"");
	assert_int_equal(pod_find(pods, "11", &p, &e), -ENOENT);
	assert_err(&e, "no matches found for \"11\"");
	assert_int_equal(pod_find(pods, "", &p, &e), -EINVAL);
	assert_err(&e, "UUID cannot be empty");
	free(g.data_dir);
	scratch_close(scratch);
}

static void every_phase_and_state(void **state)
{
	static const struct {
		enum pod_phase phase;
		enum pod_state free, locked;
	} rows[] = {
		{PHASE_EMBRYO, POD_STATE_EMBRYO, POD_STATE_EMBRYO},
		{PHASE_PREPARE, POD_STATE_ABORTED_PREPARE, POD_STATE_PREPARING},
		{PHASE_PREPARED, POD_STATE_PREPARED, POD_STATE_PREPARED},
		{PHASE_RUN, POD_STATE_EXITED, POD_STATE_RUNNING},
		{PHASE_EXITED_GARBAGE, POD_STATE_EXITED_GARBAGE, POD_STATE_EXITED_DELETING},
		{PHASE_GARBAGE, POD_STATE_GARBAGE, POD_STATE_DELETING},
	};
	struct pods_fixture f;

	(void) state;
	pods_up(&f);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct pod p = POD_INIT;
		pid_t pid;
		int held;

		pod_put(&f, rows[i].phase, A);
		assert_int_equal(pod_open(f.pods, A, &p, NULL), 0);
		assert_int_equal(p.phase, rows[i].phase);
		assert_int_equal(p.state, rows[i].free);
		pod_close(&p);
		held = hold_lock(&f, rows[i].phase, A, LOCK_EX, &pid);
		assert_int_equal(pod_open(f.pods, A, &p, NULL), 0);
		assert_int_equal(p.state, rows[i].locked);
		pod_close(&p);
		release_lock(held, pid);
		/* Others that look are no owners. */
		held = hold_lock(&f, rows[i].phase, A, LOCK_SH, &pid);
		assert_int_equal(pod_open(f.pods, A, &p, NULL), 0);
		assert_int_equal(p.state, rows[i].free);
		assert_int_equal(path_remove_tree(f.pods, pod_phase_dir(rows[i].phase), NULL), 0);
		assert_false(pod_in_place(&p));
		pod_close(&p);
		release_lock(held, pid);
	}
	pods_down(&f);
}

static void open_refuses_what_is_no_directory(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pods_fixture f;
	struct pod p = POD_INIT;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_open(f.pods, A, &p, &e), -ENOENT);
	assert_err(&e, "no matches found for \"" A "\"");
	assert_int_equal(pods_make_phase(f.pods, PHASE_RUN), 0);
	assert_int_equal(symlinkat("/etc", f.pods, "run/" A), 0);
	assert_int_equal(pod_open(f.pods, A, &p, &e), -ENOTDIR);
	assert_err(&e, "open pod " A ": Not a directory");
	assert_int_equal(p.dir, -EBADF);
	pods_down(&f);
}

static void find_by_what_a_user_wrote(void **state)
{
	static const struct {
		const char *word, *uuid, *text;
		int r;
	} rows[] = {
		{"", NULL, "UUID cannot be empty", -EINVAL},
		{"1", NULL, "ambiguous uuid, 2 matches", -ENOTUNIQ},
		{"11111111-0000-4000-8000-00000000000", NULL, "ambiguous uuid, 2 matches", -ENOTUNIQ},
		{A, A, NULL, 0},
		{"2", C, NULL, 0},
		{"2222ABCD", C, NULL, 0},
		{"2222ABCD-0000-4000-8000-000000000003", C, NULL, 0},
		/* an embryo is not for users, nor is garbage */
		{"3", NULL, "no matches found for \"3\"", -ENOENT},
		{D, NULL, "no matches found for \"" D "\"", -ENOENT},
		{"44444444-0000-4000-8000-000000000000", NULL,
		 "no matches found for \"44444444-0000-4000-8000-000000000000\"", -ENOENT},
		{A "0", NULL, "no matches found for \"" A "0\"", -ENOENT},
		{"../run", NULL, "no matches found for \"../run\"", -ENOENT},
		{"\033[31m", NULL, "no matches found for \"\\x1b[31m\"", -ENOENT},
	};
	struct pods_fixture f;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_RUN, A);
	pod_put(&f, PHASE_PREPARED, B);
	pod_put(&f, PHASE_EXITED_GARBAGE, C);
	pod_put(&f, PHASE_GARBAGE, D);
	pod_put(&f, PHASE_EMBRYO, "33333333-0000-4000-8000-000000000005");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct pod p = POD_INIT;

		assert_int_equal(pod_find(f.pods, rows[i].word, &p, &e), rows[i].r);
		if (rows[i].text)
			assert_err(&e, rows[i].text);
		else
			assert_string_equal(p.uuid, rows[i].uuid);
		pod_close(&p);
	}
	pods_down(&f);
}

static void lists_are_sorted_and_without_doubles(void **state)
{
	_cleanup_strv_ char **all = NULL, **shown = NULL;
	struct pods_fixture f;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_RUN, C);
	pod_put(&f, PHASE_PREPARE, A);
	/* Met twice while it moved. */
	pod_put(&f, PHASE_RUN, A);
	pod_put(&f, PHASE_GARBAGE, B);
	assert_int_equal(mkdirat(f.pods, "run/not-a-uuid", 0700), 0);
	assert_int_equal(pods_list(f.pods, PHASES_ALL, &all, NULL), 0);
	assert_int_equal(strv_len(all), 3);
	assert_string_equal(all[0], A);
	assert_string_equal(all[1], B);
	assert_string_equal(all[2], C);
	assert_int_equal(pods_list(f.pods, PHASES_SHOWN, &shown, NULL), 0);
	assert_int_equal(strv_len(shown), 2);
	pods_down(&f);
}

static void uuid_files(void **state)
{
	static const char *const texts[] = {A, A "\n", "  " A "\r\n", A " \n\n"};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *path = NULL, *want = NULL;
	int scratch = scratch_open();
	char *uuid = NULL;

	(void) state;
	path = path_join(scratch_path, "uuid");
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		assert_int_equal(file_write_at(scratch, "uuid", texts[i], strlen(texts[i]), 0600, FILE_FAST, NULL), 0);
		assert_int_equal(pod_uuid_of_file(path, &uuid, NULL), 0);
		assert_string_equal(uuid, A);
		free(uuid);
	}
	assert_int_equal(unlinkat(scratch, "uuid", 0), 0);
	assert_int_equal(pod_uuid_of_file(path, &uuid, &e), -ENOENT);
	want = xasprintf("unable to read UUID from file: open %s: No such file or directory", path);
	assert_err(&e, want);
	scratch_close(scratch);
}

/* gc and makers at once, each as fast as it can: nobody fails, nothing is left in embryo. */
static void making_beside_a_gc(void **state)
{
	struct pods_fixture f;
	pid_t pid;

	(void) state;
	pods_up(&f);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			_cleanup_strv_ char **all = NULL;

			(void) pods_list(f.pods, 1u << PHASE_EMBRYO, &all, NULL);
			for (char **u = all; u && *u; u++) {
				struct pod p = POD_INIT;

				if (pod_open(f.pods, *u, &p, NULL) == 0 && p.phase == PHASE_EMBRYO &&
				    pod_lock(&p) == 0)
					(void) pod_move(&p, PHASE_GARBAGE, false, NULL);
				pod_close(&p);
			}
		}
	}
	for (int i = 0; i < 300; i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct pod p = POD_INIT;

		if (pod_create(f.pods, &p, &e) < 0)
			fail_msg("%s", err_text(&e));
		assert_true(pod_is_in(&f, PHASE_PREPARE, p.uuid));
		pod_close(&p);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void) waitpid(pid, NULL, 0);
	pods_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_pod_is_locked_and_preparing),
		cmocka_unit_test(directories_are_made_where_they_are_missing),
		cmocka_unit_test(looking_makes_nothing),
		cmocka_unit_test(every_phase_and_state),
		cmocka_unit_test(open_refuses_what_is_no_directory),
		cmocka_unit_test(find_by_what_a_user_wrote),
		cmocka_unit_test(lists_are_sorted_and_without_doubles),
		cmocka_unit_test(uuid_files),
		cmocka_unit_test(making_beside_a_gc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
