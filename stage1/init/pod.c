/*
 * The pod as a whole: events of its apps are looked up in THE table (app.c) and carried out here.
 * The first app that fails ends the pod; the pod ends when all apps have.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/proc.h"
#include "contract/exit.h"
#include "stage1/init/init.h"
#include "sys/cgroup.h"

/* docker's: twice as long each time, and from the beginning when it ran for a while. */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 60000
#define BACKOFF_FORGET_MS 10000

/* What cannot be killed (uninterruptible sleep) is tried again this often. */
#define KILL_AGAIN_MS 1000

int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Tell why the pod did not start as it should; the first reason is the one that counts. */
static void tell(struct pod *pod, int code, const char *text)
{
	if (!pod->reported)
		note_error(pod, code, text);
	pod->reported = true;
}

static void tell_step(struct pod *pod, struct app *a)
{
	const char *step = "start", *message = "?", *p = a->report_buf, *end = p + a->report_len;
	char text[900];

	for (; p < end; p += strnlen(p, (size_t) (end - p)) + 1) {
		if (!strncmp(p, "step=", 5))
			step = p + 5;
		else if (!strncmp(p, "message=", 8))
			message = p + 8;
	}
	(void) snprintf(text, sizeof text, "app %s: %s: %s", a->name, step, message);
	tell(pod, a->report_status, text);
}

/* In a session of its own, so in a group of its own, once stage2 has come so far. */
static void signal_app(const struct pod *pod, const struct app *a, int sig)
{
	if (a->pid > 0 && (!pod->shared || kill(-a->pid, sig) < 0))
		(void) kill(a->pid, sig);
}

static void kill_all(const struct pod *pod, struct app *a)
{
	if (pod->shared) {
		signal_app(pod, a, SIGKILL);
		descent_kill();
		/* The last one has been collected: nobody is waited for that we would miss. */
		if (a->pid <= 0)
			descent_end();
		return;
	}
	if (cg_kill_leaf(a->kill_dir, a->freezer, a->control) == -EBADF && a->pid > 0)
		(void) kill(a->pid, SIGKILL);
}

/* The end of a main process: what it counts as. */
static int final_status(struct pod *pod, struct app *a)
{
	char text[256];

	if (a->report_failed)
		return a->report_status;
	/* Ended because the pod ends: 0, as rkt has it. */
	if (a->stopped)
		return 0;
	if (!a->ready) {
		if (WIFSIGNALED(a->wait_status))
			(void) snprintf(text, sizeof text,
					"app %s: start: killed by signal %d before its program ran",
					a->name, WTERMSIG(a->wait_status));
		else
			(void) snprintf(text, sizeof text,
					"app %s: start: ended before its program ran", a->name);
		tell(pod, EXIT_FAILED, text);
		return EXIT_FAILED;
	}
	return proc_status(a->wait_status);
}

/* Whether its failure is the pod's: gantry's rule where no policy says something else. */
static bool ends_pod(const struct app *a)
{
	return a->rec->init || a->rec->restart == RESTART_UNSET;
}

/* Begin to wait for the next start. */
static void act_backoff(struct pod *pod, struct app *a)
{
	if (pod->orphans)
		kill_all(pod, a);
	watch_end(pod, a);
	a->again = false;
	a->stopped = false;
	a->report = fd_close(a->report);
	if (now_ms() - a->started >= BACKOFF_FORGET_MS || !a->backoff)
		a->backoff = BACKOFF_FIRST_MS;
	else if (a->backoff < BACKOFF_LAST_MS / 2)
		a->backoff *= 2;
	else
		a->backoff = BACKOFF_LAST_MS;
	a->deadline = now_ms() + a->backoff;
	a->restarts++;
	note_health(pod, a);
}

static void act_ended(struct pod *pod, struct app *a, bool handler)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int status = final_status(pod, a);

	/*
	 * What it left behind ends with it; when nothing at all is left in the pod, do not even
	 * look.
	 */
	if (pod->orphans)
		kill_all(pod, a);
	watch_end(pod, a);
	a->deadline = 0;
	a->report = fd_close(a->report);
	if (!a->again) {
		note_status(pod, a, status);
		note_health(pod, a);
		if (status && pod->exit_status < 0)
			pod->exit_status = status;
	}
	if (handler && spawn_stage2(pod, a, "post-stop", &e) < 0) {
		/* Best effort: there is nobody left whom its failure could concern. */
		a->state = a->again ? APP_BACKOFF : APP_DONE;
		handler = false;
	}
	if (a->state == APP_BACKOFF) {
		act_backoff(pod, a);
		return;
	}
	if (!handler) {
		spawn_forget(a);
		stream_drain(pod, a);
	}
	if (handler && pod->stopping)
		a->deadline = now_ms() + pod->rec.stop_timeout_ms;
	if (a->again)
		return;
	if (status && ends_pod(a))
		pod_stop(pod);
	else if (a->rec->init)
		pod_start(pod);
}

static void act_again(struct pod *pod, struct app *a)
{
	_cleanup_err_ struct err e = ERR_INIT;

	a->deadline = 0;
	a->started = now_ms();
	if (spawn_stage2(pod, a, "again", &e) == 0)
		return;
	/* Want of processes or memory passes, perhaps: it is tried again like everything else. */
	a->state = APP_BACKOFF;
	act_backoff(pod, a);
}

/* The pod ends while it was waiting. */
static void act_give_up(struct pod *pod, struct app *a)
{
	a->deadline = 0;
	note_status(pod, a, 0);
	spawn_forget(a);
	stream_drain(pod, a);
}

static void act_spawn(struct pod *pod, struct app *a)
{
	_cleanup_err_ struct err e = ERR_INIT;
	char text[900];
	int r = spawn_stage2(pod, a, "main", &e);

	spawn_close(a);
	if (r == 0)
		return;
	(void) snprintf(text, sizeof text, "app %s: start: %s", a->name, err_text(&e));
	tell(pod, EXIT_FAILED, text);
	a->report_failed = true;
	a->report_status = EXIT_FAILED;
	pod_event(pod, a, EV_EXIT);
}

void pod_check_ready(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		const struct app *a = pod->apps + i;

		if (!a->ready || (a->notify >= 0 && !a->notified))
			return;
	}
	note_ready(pod);
}

static void act_started(struct pod *pod, struct app *a)
{
	a->ready = true;
	a->started = now_ms();
	note_started(pod, a);
	if (a->state == APP_RUNNING)
		watch_begin(a);
	note_health(pod, a);
	pod_check_ready(pod);
}

static void act_done(struct pod *pod, struct app *a)
{
	if (pod->orphans)
		kill_all(pod, a);
	a->deadline = 0;
	a->report = fd_close(a->report);
	/* It would have been started again, but the pod ends. */
	if (a->again)
		note_status(pod, a, 0);
	spawn_forget(a);
	stream_drain(pod, a);
	if (a->rec->init)
		pod_start(pod);
}

static void act_term(struct pod *pod, struct app *a)
{
	a->stopped = true;
	a->deadline = now_ms() + pod->rec.stop_timeout_ms;
	signal_app(pod, a, a->rec->stop_signal);
	/* What a shell on a terminal does not heed; that its terminal is going away, it does. */
	if (pod->terminal >= 0)
		signal_app(pod, a, SIGHUP);
}

/* It counts as a failure: a->stopped is for the end of the pod alone. */
static void act_sick(struct pod *pod, struct app *a)
{
	watch_end(pod, a);
	a->deadline = now_ms() + pod->rec.stop_timeout_ms;
	signal_app(pod, a, a->rec->stop_signal);
	note_health(pod, a);
}

void pod_event(struct pod *pod, struct app *a, enum app_event event)
{
	struct app_transition t = app_transition(a->state, event);

	a->state = t.next;
	switch (t.action) {
	case ACT_NONE:
		break;
	case ACT_SPAWN:
		act_spawn(pod, a);
		break;
	case ACT_STARTED:
		act_started(pod, a);
		break;
	case ACT_FAILED:
		tell_step(pod, a);
		break;
	case ACT_TERM:
		act_term(pod, a);
		break;
	case ACT_KILL:
		kill_all(pod, a);
		a->deadline = now_ms() + KILL_AGAIN_MS;
		break;
	case ACT_ENDED:
		act_ended(pod, a, false);
		break;
	case ACT_HANDLER:
		act_ended(pod, a, true);
		break;
	case ACT_DEADLINE:
		a->deadline = now_ms() + pod->rec.stop_timeout_ms;
		break;
	case ACT_DONE:
		act_done(pod, a);
		break;
	case ACT_SICK:
		act_sick(pod, a);
		break;
	case ACT_BACKOFF:
		act_backoff(pod, a);
		break;
	case ACT_AGAIN:
		act_again(pod, a);
		break;
	case ACT_GIVE_UP:
		act_give_up(pod, a);
		break;
	}
}

/* 1: one of the apps that come first is not through yet; it was started now, if it waited. */
static bool init_apps_run(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps && !pod->stopping; i++) {
		struct app *a = pod->apps + i;

		if (!a->rec->init || a->state == APP_DONE)
			continue;
		pod_event(pod, a, EV_START);
		/* It could not be started, or else it runs now. */
		if (a->state != APP_DONE)
			return true;
	}
	return pod->stopping;
}

void pod_start(struct pod *pod)
{
	/* The end of one that cannot be started comes here as well. */
	if (pod->starting)
		return;
	pod->starting = true;
	if (!init_apps_run(pod))
		for (size_t i = 0; i < pod->n_apps && !pod->stopping; i++)
			if (!pod->apps[i].rec->init)
				pod_event(pod, pod->apps + i, EV_START);
	pod->starting = false;
}

void pod_stop(struct pod *pod)
{
	if (pod->stopping)
		return;
	pod->stopping = true;
	for (size_t i = pod->n_apps; i-- > 0;)
		pod_event(pod, pod->apps + i, EV_STOP);
}

void pod_kill(struct pod *pod)
{
	pod_stop(pod);
	for (size_t i = pod->n_apps; i-- > 0;)
		pod_event(pod, pod->apps + i, EV_TIMEOUT);
}

/* One that never ran is a mistake, which time does not mend. */
static bool is_to_run_again(const struct pod *pod, const struct app *a)
{
	if (pod->stopping || a->stopped || !a->ready || a->mntns < 0)
		return false;
	if (a->rec->restart == RESTART_ALWAYS && !a->rec->init)
		return true;
	return a->rec->restart >= RESTART_ON_FAILURE && a->last_status;
}

/* What stage2 said, before the end of its process is looked at. */
static void look_at_end(struct pod *pod, struct app *a)
{
	enum app_event event = EV_EXIT;

	a->exited = false;
	a->pid = 0;
	if (a->state == APP_HANDLER) {
		pod_event(pod, a, a->again && !pod->stopping ? EV_HANDLER_AGAIN : EV_HANDLER_EXIT);
		return;
	}
	if (a->report >= 0) {
		/* Whoever else may have the other end open: the one that we wait for is gone. */
		if (!report_read(a))
			report_finish(a);
		if (a->report_failed)
			event = EV_FAILED;
		else if (a->report_ready)
			event = EV_READY;
		pod_event(pod, a, event);
	}
	if (a->state == APP_DONE)
		return;
	a->last_status = (unsigned) (a->report_failed ? a->report_status : proc_status(a->wait_status));
	a->again = is_to_run_again(pod, a);
	event = a->again ? EV_EXIT_AGAIN : EV_EXIT;
	if (a->has_post_stop && a->ready && a->mntns >= 0)
		event = EV_EXIT_HANDLER;
	pod_event(pod, a, event);
}

void pod_reap(struct pod *pod)
{
	int st;
	pid_t pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		for (size_t i = 0; i < pod->n_apps; i++) {
			if (pod->apps[i].pid == pid) {
				pod->apps[i].wait_status = st;
				pod->apps[i].exited = true;
			} else {
				(void) watch_reap(pod, pod->apps + i, pid, st);
			}
		}
	}
	/* Every process of the pod descends from us: without children, nobody is left. */
	pod->orphans = pid == 0;
	for (size_t i = 0; i < pod->n_apps; i++)
		if (pod->apps[i].exited)
			look_at_end(pod, pod->apps + i);
}

void pod_timeouts(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *a = pod->apps + i;

		if (a->deadline && a->deadline <= now_ms())
			pod_event(pod, a, EV_TIMEOUT);
		watch_timeouts(pod, a);
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

int pod_next_timeout(const struct pod *pod)
{
	int64_t next = 0, left;

	for (size_t i = 0; i < pod->n_apps; i++)
		next = sooner(sooner(next, pod->apps[i].deadline), watch_next(pod->apps + i));
	left = next - now_ms();
	return !next ? -1 : left > 0 ? (int) left : 0;
}

bool pod_is_done(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++)
		if (pod->apps[i].state != APP_DONE)
			return false;
	return output_is_done(pod);
}
