/* The lock of a pod, moves and who loses them, and waiting for a pod. */
#include "tests/unit/pods.h"

#include <time.h>

#define A "11111111-0000-4000-8000-000000000001"

static int open_a(const struct pods_fixture *f, struct pod *p)
{
	*p = (struct pod) POD_INIT;
	return pod_open(f->pods, A, p, NULL);
}

static void a_look_is_not_in_the_way(void **state)
{
	struct pods_fixture f;
	struct pod p;
	pid_t looker;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_RUN, A);
	assert_int_equal(open_a(&f, &p), 0);
	/* Somebody takes and drops the shared lock all the time. */
	looker = fork();
	if (looker == 0)
		for (;;) {
			struct pod seen;

			(void) open_a(&f, &seen);
			pod_close(&seen);
		}
	for (int i = 0; i < 200; i++) {
		assert_int_equal(pod_lock(&p), 0);
		assert_int_equal(flock(p.dir, LOCK_UN), 0);
	}
	(void) kill(looker, SIGKILL);
	(void) waitpid(looker, NULL, 0);
	pod_close(&p);
	pods_down(&f);
}

static void an_owner_is(void **state)
{
	struct pods_fixture f;
	struct pod p;
	pid_t pid;
	int held;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_RUN, A);
	held = hold_lock(&f, PHASE_RUN, A, LOCK_EX, &pid);
	assert_int_equal(open_a(&f, &p), 0);
	assert_int_equal(p.state, POD_STATE_RUNNING);
	assert_int_equal(pod_lock(&p), -EWOULDBLOCK);
	/* However the owner ends. */
	(void) kill(pid, SIGKILL);
	release_lock(held, pid);
	assert_int_equal(pod_lock(&p), 0);
	/* Held once is held: also against another description of our own. */
	{
		struct pod second;

		assert_int_equal(open_a(&f, &second), 0);
		assert_int_equal(second.state, POD_STATE_RUNNING);
		assert_int_equal(pod_lock(&second), -EWOULDBLOCK);
		pod_close(&second);
	}
	pod_close(&p);
	pods_down(&f);
}

static void a_lock_counts_in_its_phase_only(void **state)
{
	struct pods_fixture f;
	struct pod first, second;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_PREPARED, A);
	assert_int_equal(open_a(&f, &first), 0);
	assert_int_equal(open_a(&f, &second), 0);
	assert_int_equal(pod_lock(&first), 0);
	assert_int_equal(pod_move(&first, PHASE_RUN, false, NULL), 0);
	pod_close(&first);
	/* It ran and ended between our look and our lock. */
	assert_int_equal(pod_lock(&second), -ENOENT);
	assert_int_equal(open_a(&f, &first), 0);
	assert_int_equal(first.state, POD_STATE_EXITED);
	pod_close(&first);
	pod_close(&second);
	pods_down(&f);
}

static void who_moves_second_loses(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pods_fixture f;
	struct pod first, second;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_PREPARED, A);
	assert_int_equal(open_a(&f, &first), 0);
	assert_int_equal(open_a(&f, &second), 0);
	assert_int_equal(pod_move(&first, PHASE_RUN, true, &e), 0);
	assert_int_equal(first.phase, PHASE_RUN);
	assert_int_equal(pod_move(&second, PHASE_GARBAGE, false, &e), -ENOENT);
	assert_err(&e, "move pod to garbage: No such file or directory");
	assert_int_equal(second.phase, PHASE_PREPARED);
	assert_true(pod_is_in(&f, PHASE_RUN, A));
	pod_close(&first);
	pod_close(&second);
	pods_down(&f);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void waiting_for_the_lock(void **state)
{
	struct pods_fixture f;
	struct pod p;
	int64_t start;
	pid_t pid;
	int held;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_RUN, A);
	assert_int_equal(open_a(&f, &p), 0);
	assert_int_equal(pod_wait_unlocked(&p, 0), 0);
	held = hold_lock(&f, PHASE_RUN, A, LOCK_EX, &pid);
	assert_int_equal(pod_wait_unlocked(&p, 0), -ETIMEDOUT);
	start = now_ms();
	assert_int_equal(pod_wait_unlocked(&p, 50), -ETIMEDOUT);
	assert_true(now_ms() - start >= 50);
	/* No child of ours is left. */
	(void) kill(pid, SIGKILL);
	assert_int_equal(pod_wait_unlocked(&p, -1), 0);
	release_lock(held, pid);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	/* We hold nothing afterwards. */
	assert_int_equal(pod_lock(&p), 0);
	pod_close(&p);
	pods_down(&f);
}

/* In a moment, in a child: what happens to the pod while we wait. */
static pid_t later(const struct pods_fixture *f, void (*what)(const struct pods_fixture *f))
{
	static const struct timespec moment = {.tv_nsec = 50000000};
	pid_t pid = fork();

	if (pid == 0) {
		(void) nanosleep(&moment, NULL);
		what(f);
		_exit(0);
	}
	return pid;
}

static void runs_and_ends(const struct pods_fixture *f)
{
	struct pod p;

	if (open_a(f, &p) < 0 || pod_lock(&p) < 0 || pod_move(&p, PHASE_RUN, false, NULL) < 0)
		_exit(1);
}

static void waiting_for_the_end(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pods_fixture f;
	struct pod p;
	pid_t pid;
	int held, st;

	(void) state;
	pods_up(&f);
	pod_put(&f, PHASE_PREPARED, A);
	assert_int_equal(open_a(&f, &p), 0);
	/* It has not even begun. */
	assert_int_equal(pod_wait_ended(&p, 20, &e), -ETIMEDOUT);
	assert_err(&e, "timeout while waiting for the pod to exit");
	pid = later(&f, runs_and_ends);
	assert_int_equal(pod_wait_ended(&p, -1, &e), 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	pod_close(&p);
	held = hold_lock(&f, PHASE_RUN, A, LOCK_EX, &pid);
	assert_int_equal(open_a(&f, &p), 0);
	assert_int_equal(pod_wait_ended(&p, 20, &e), -ETIMEDOUT);
	release_lock(held, pid);
	assert_int_equal(pod_wait_ended(&p, -1, &e), 0);
	/* A gc that is at work on it comes after the end. */
	assert_int_equal(pod_move(&p, PHASE_EXITED_GARBAGE, false, NULL), 0);
	held = hold_lock(&f, PHASE_EXITED_GARBAGE, A, LOCK_EX, &pid);
	assert_int_equal(pod_wait_ended(&p, 20, NULL), 0);
	release_lock(held, pid);
	assert_int_equal(path_remove_tree(f.pods, "exited-garbage", NULL), 0);
	err_done(&e);
	assert_int_equal(pod_wait_ended(&p, -1, &e), -ENOENT);
	assert_err(&e, "no matches found for \"" A "\"");
	pod_close(&p);
	pods_down(&f);
}

static void app_starts(const struct pods_fixture *f)
{
	struct pod p;

	if (open_a(f, &p) < 0 || mkdirat(p.dir, "started", 0700) < 0 ||
	    file_write_at(p.dir, "started/one", "1", 1, 0600, FILE_FAST, NULL) < 0)
		_exit(1);
}

static void waiting_for_the_start(void **state)
{
	static const char manifest[] =
		"{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":["
		"{\"name\":\"one\",\"image\":{\"id\":\"sha512-%s\"}},{\"name\":\"two\",\"image\":{\"id\":\"sha512-%s\"}}]}";
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;
	struct pods_fixture f;
	char hex[129] = "";
	struct pod p;
	pid_t pid, starter;
	int held, st;

	(void) state;
	memset(hex, 'a', 128);
	text = xasprintf(manifest, hex, hex);
	pods_up(&f);
	pod_put(&f, PHASE_RUN, A);
	held = hold_lock(&f, PHASE_RUN, A, LOCK_EX, &pid);
	assert_int_equal(open_a(&f, &p), 0);
	pod_file(&p, "pod", text);
	pod_file(&p, "pid", "1\n");
	assert_int_equal(pod_wait_ready(&p, NULL, 20, &e), -ETIMEDOUT);
	assert_err(&e, "timeout while waiting for the pod to be ready");
	starter = later(&f, app_starts);
	assert_int_equal(pod_wait_ready(&p, "one", -1, &e), 0);
	assert_int_equal(waitpid(starter, &st, 0), starter);
	assert_int_equal(st, 0);
	assert_int_equal(pod_wait_ready(&p, "two", 1, &e), -ETIMEDOUT);
	assert_int_equal(pod_wait_ready(&p, NULL, 1, &e), -ETIMEDOUT);
	err_done(&e);
	/* An app that could not be started has its status. */
	pod_file(&p, "status/two", "203\n");
	assert_int_equal(pod_wait_ready(&p, NULL, -1, &e), 0);
	assert_int_equal(unlinkat(p.dir, "status/two", 0), 0);
	release_lock(held, pid);
	assert_int_equal(pod_wait_ready(&p, NULL, -1, &e), -ESRCH);
	assert_err(&e, "the pod ended before it was ready");
	pod_close(&p);
	pods_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_is_not_in_the_way),
		cmocka_unit_test(an_owner_is),
		cmocka_unit_test(a_lock_counts_in_its_phase_only),
		cmocka_unit_test(who_moves_second_loses),
		cmocka_unit_test(waiting_for_the_lock),
		cmocka_unit_test(waiting_for_the_end),
		cmocka_unit_test(waiting_for_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
