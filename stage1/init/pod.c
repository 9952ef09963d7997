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

/* What cannot be killed (uninterruptible sleep) is tried again this often. */
#define KILL_AGAIN_MS 1000

static int64_t now_ms(void)
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
	if (cg_kill_leaf(a->kill_dir, a->freezer) == -EBADF && a->pid > 0)
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
	a->deadline = 0;
	a->report = fd_close(a->report);
	note_status(pod, a, status);
	if (status && pod->exit_status < 0)
		pod->exit_status = status;
	if (handler && spawn_stage2(pod, a, "post-stop", &e) < 0) {
		/* Best effort: there is nobody left whom its failure could concern. */
		a->state = APP_DONE;
		handler = false;
	}
	if (!handler) {
		spawn_forget(a);
		stream_drain(pod, a);
	}
	if (handler && pod->stopping)
		a->deadline = now_ms() + pod->rec.stop_timeout_ms;
	if (status)
		pod_stop(pod);
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
	note_started(pod, a);
	pod_check_ready(pod);
}

static void act_done(struct pod *pod, struct app *a)
{
	if (pod->orphans)
		kill_all(pod, a);
	a->deadline = 0;
	a->report = fd_close(a->report);
	spawn_forget(a);
	stream_drain(pod, a);
}

static void act_term(struct pod *pod, struct app *a)
{
	a->stopped = true;
	a->deadline = now_ms() + pod->rec.stop_timeout_ms;
	signal_app(pod, a, SIGTERM);
	/* What a shell on a terminal does not heed; that its terminal is going away, it does. */
	if (pod->terminal >= 0)
		signal_app(pod, a, SIGHUP);
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
	}
}

void pod_start(struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps && !pod->stopping; i++)
		pod_event(pod, pod->apps + i, EV_START);
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

/* What stage2 said, before the end of its process is looked at. */
static void look_at_end(struct pod *pod, struct app *a)
{
	enum app_event event = EV_EXIT;

	a->exited = false;
	a->pid = 0;
	if (a->state == APP_HANDLER) {
		pod_event(pod, a, EV_HANDLER_EXIT);
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
	event = EV_EXIT;
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
			if (pod->apps[i].pid != pid)
				continue;
			pod->apps[i].wait_status = st;
			pod->apps[i].exited = true;
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
	}
}

int pod_next_timeout(const struct pod *pod)
{
	int64_t next = 0, left;

	for (size_t i = 0; i < pod->n_apps; i++)
		if (pod->apps[i].deadline && (!next || pod->apps[i].deadline < next))
			next = pod->apps[i].deadline;
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
