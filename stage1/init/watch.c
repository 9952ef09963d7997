/*
 * Checks of the apps: when each is made, and what its answers come to.  How one is made is stage2's
 * matter, in the app's own place; here a check is a process with a status and a time limit.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "stage1/init/init.h"

void watch_prepare(struct app *a)
{
	a->watches = xcalloc(a->rec->n_checks ? a->rec->n_checks : 1, sizeof *a->watches);
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		a->watches[i].rec = &a->rec->checks[i];
		(void) snprintf(a->watches[i].number, sizeof a->watches[i].number, "%u", (unsigned) i % 100);
	}
}

static struct watch *find(const struct app *a, enum check_purpose purpose)
{
	for (size_t i = 0; i < a->rec->n_checks; i++)
		if (a->watches[i].rec->purpose == purpose)
			return &a->watches[i];
	return NULL;
}

/* Probes of the other two kinds wait until the startup probe has succeeded once. */
static bool must_wait(const struct app *a, const struct watch *w)
{
	const struct watch *startup = find(a, CHECK_STARTUP);

	return startup && !startup->passed &&
	       (w->rec->purpose == CHECK_LIVENESS || w->rec->purpose == CHECK_READINESS);
}

void watch_begin(struct app *a)
{
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		struct watch *w = &a->watches[i];

		w->good = w->bad = 0;
		w->passed = w->failed = false;
		w->next = must_wait(a, w) ? 0 : now_ms() + w->rec->delay_ms;
	}
}

static void kill_check(struct watch *w)
{
	/* In a group of its own, once stage2 has come so far. */
	if (w->pid > 0 && kill(-w->pid, SIGKILL) < 0)
		(void) kill(w->pid, SIGKILL);
}

void watch_end(_unused_ const struct pod *pod, struct app *a)
{
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		kill_check(&a->watches[i]);
		/* Whoever collects it does not know it any more. */
		a->watches[i].pid = 0;
		a->watches[i].next = a->watches[i].deadline = 0;
		a->watches[i].passed = false;
	}
}

/* The startup probe has succeeded: it is not made again, and the others begin. */
static void startup_passed(struct app *a, struct watch *startup)
{
	startup->next = 0;
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		struct watch *w = &a->watches[i];

		if (w != startup && !w->next && !w->pid)
			w->next = now_ms() + w->rec->delay_ms;
	}
}

static void take_good(struct app *a, struct watch *w)
{
	w->bad = 0;
	w->failed = false;
	if (w->good < w->rec->successes)
		w->good++;
	if (w->good < w->rec->successes)
		return;
	w->passed = true;
	if (w->rec->purpose == CHECK_STARTUP)
		startup_passed(a, w);
}

static void take_bad(struct pod *pod, struct app *a, struct watch *w)
{
	w->good = 0;
	/* docker: what fails while it starts is not counted, until it has succeeded once. */
	if (!w->passed && now_ms() < a->started + w->rec->grace_ms)
		return;
	if (w->bad < w->rec->failures)
		w->bad++;
	if (w->bad < w->rec->failures)
		return;
	w->failed = true;
	if (w->rec->purpose != CHECK_STARTUP)
		w->passed = false;
	if (w->rec->purpose == CHECK_LIVENESS || w->rec->purpose == CHECK_STARTUP)
		pod_event(pod, a, EV_SICK);
}

static void take_answer(struct pod *pod, struct app *a, struct watch *w, bool good)
{
	w->deadline = 0;
	w->next = now_ms() + w->rec->period_ms;
	if (good)
		take_good(a, w);
	else
		take_bad(pod, a, w);
	note_health(pod, a);
}

bool watch_reap(struct pod *pod, struct app *a, pid_t pid, int wait_status)
{
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		struct watch *w = &a->watches[i];

		if (w->pid != pid)
			continue;
		w->pid = 0;
		take_answer(pod, a, w, WIFEXITED(wait_status) && !WEXITSTATUS(wait_status));
		return true;
	}
	return false;
}

void watch_timeouts(struct pod *pod, struct app *a)
{
	for (size_t i = 0; i < a->rec->n_checks; i++) {
		struct watch *w = &a->watches[i];

		if (w->deadline && w->deadline <= now_ms()) {
			/* Its end is its answer. */
			kill_check(w);
			w->deadline = 0;
		}
		if (w->next && w->next <= now_ms() && !w->pid && a->state == APP_RUNNING) {
			w->next = 0;
			w->pid = spawn_check(pod, a, w);
			w->deadline = now_ms() + w->rec->timeout_ms;
			if (w->pid > 0)
				continue;
			w->pid = 0;
			take_answer(pod, a, w, false);
		}
	}
}

int64_t watch_next(const struct app *a)
{
	int64_t next = 0;

	for (size_t i = 0; i < a->rec->n_checks; i++) {
		const struct watch *w = &a->watches[i];
		int64_t times[2] = {w->deadline, w->pid || a->state != APP_RUNNING ? 0 : w->next};

		for (size_t k = 0; k < 2; k++)
			if (times[k] && (!next || times[k] < next))
				next = times[k];
	}
	return next;
}

const char *watch_health(const struct app *a)
{
	const struct watch *w = find(a, CHECK_HEALTH);

	return !w ? NULL : w->passed ? "healthy" : w->failed ? "unhealthy" : "starting";
}

bool watch_is_ready(const struct app *a)
{
	const struct watch *ready = find(a, CHECK_READINESS), *startup = find(a, CHECK_STARTUP);

	return a->state == APP_RUNNING && (!ready || ready->passed) && (!startup || startup->passed);
}
