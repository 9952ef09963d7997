/*
 * PID 1 of a pod.  One struct for the pod and one for each app; everything is allocated before the
 * loop (main.c) starts, and nothing afterwards: an init that dies for want of memory takes the pod
 * with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/fd.h"
#include "contract/pod_record.h"
#include "stage1/init/app.h"
#include "stage1/init/lines.h"

#define APP_FDS_MAX 256
#define REPORT_ROOM 1024

/* One of an app's two outputs, on its way to the log and to the relay. */
struct stream {
	int fd;		    /* read end, non-blocking; -EBADF: at its end */
	bool draining;	    /* the app is gone: what is in the pipe is all there will be */
	bool blocked;	    /* the relay is full: not read until it takes more */
	struct lines lines;
};

/* One check of an app: when it is made, and what it has said. */
struct watch {
	const struct pod_record_check *rec;
	char number[4];	    /* which, for stage2 */
	pid_t pid;	    /* the one that is being made, 0: none */
	int64_t next;	    /* ms, when the next begins; 0: not at all now */
	int64_t deadline;   /* of the one that is being made */
	unsigned good, bad; /* in a row */
	bool passed;	    /* what it comes to now */
	bool failed;	    /* bad often enough in a row */
};

struct app {
	const char *name;
	unsigned index;
	enum app_state state;
	const struct pod_record_app *rec;
	bool has_post_stop;
	bool keeps_namespace; /* more than the app is started in its mount namespace */
	bool exited;	    /* reaped, and not yet looked at */
	bool ready;	    /* its program was executed at some time */
	bool stopped;	    /* asked to end by the pod */
	pid_t pid;	    /* main process or handler, 0: none */
	int wait_status;
	int64_t deadline;   /* ms, 0: none */
	bool again;	    /* it is to be started again, once its handler has ended */
	unsigned restarts, last_status;
	int64_t started, backoff; /* ms: when it ran last, how long it is waited before the next start */
	struct watch *watches; /* one for each check of rec */

	struct fd_name *fds; /* for stage2, by its names */
	size_t n_fds;
	int cgroup;	    /* v2 directory to be born in */
	int kill_dir, freezer, control; /* v2 and v1, for cg_kill_leaf() */
	int mntns;	    /* for the handler after it */
	int log;

	int notify;	    /* socket on which the app says that it is ready; -EBADF: it does not */
	bool notified;
	int report;	    /* read end of stage2's error descriptor */
	char report_buf[REPORT_ROOM];
	size_t report_len;
	bool report_ready, report_failed;
	int report_status;
	char host_pid[16];

	enum pod_stream streams[3]; /* standard input, output, error: what they are */
	int given[3];	    /* those that are STREAM_GIVEN */
	struct stream out[2]; /* standard output, standard error, as far as they are logged */
	int out_write[2];   /* write ends, kept only for the handler */
	char *prefix;	    /* "NAME: " */
	char *status_path, *status_temp, *started_path, *started_temp, *log_path;
	char *health_path, *health_temp; /* NULL: there is nothing to tell */
};

/* The directories that we write into. */
enum { NOTES_STATUS, NOTES_STARTED, NOTES_LOGS, NOTES_HEALTH, NOTES_MAX };

struct pod {
	struct pod_record rec;
	struct app *apps;
	size_t n_apps;
	bool stopping;
	bool starting;	    /* the apps are being started just now */
	int exit_status;    /* -1: no app has failed */
	bool reported;	    /* the first failure of a start was told */
	bool shared;	    /* not PID 1: the pod's processes are among the host's (flavour fly) */

	int dir;	    /* the pod directory; -EBADF: its parts that are ours are in `notes` */
	int notes[NOTES_MAX];
	int go, alive, status, ready, stage2, hostself;
	int sys, mqueue;    /* mounts of what the pod shares with the host; -EBADF: it does not */
	int relay[2];	    /* -EBADF: detached */
	int null, signals;
	int terminal;	    /* the app's, held so that its other side does not end before we do */
	bool orphans;	    /* processes beside those reaped may be left */
};

/* sandbox.c: the pod's mount namespace, loopback, host name. */
int sandbox_enter(const struct pod *pod, struct err *e);

/* sysctl.c: of the pod's namespaces, whose network is complete. */
int sysctl_apply(const struct pod *pod, struct err *e);

/* spawn.c */
/* Start stage2 for the app's program or handler; sets pid, report, out. */
int spawn_stage2(struct pod *pod, struct app *a, const char *phase, struct err *e);
/* Start stage2 for a check: it reports nothing but its status.  The pid, or -errno. */
pid_t spawn_check(struct pod *pod, struct app *a, const struct watch *w);
/* Close what only the first stage2 needed. */
void spawn_close(struct app *a);
/* Nothing of it will be started any more: its mount namespace, too, is let go. */
void spawn_forget(struct app *a);

/* report.c: what stage2 says. */
/* Read what is there; true when the stream has ended and report_* are final. */
bool report_read(struct app *a);
/* Take what was read so far as all of it. */
void report_finish(struct app *a);

/* watch.c: checks. */
void watch_prepare(struct app *a);
/* The app's program runs: its checks begin. */
void watch_begin(struct app *a);
/* It does not any more: those that are being made are ended. */
void watch_end(const struct pod *pod, struct app *a);
/* Whether the process was one of the app's checks; then its answer is taken. */
bool watch_reap(struct pod *pod, struct app *a, pid_t pid, int wait_status);
/* Begin what is due, end what takes too long. */
void watch_timeouts(struct pod *pod, struct app *a);
/* The next time of which something must be done, in ms as now_ms(); 0: none. */
int64_t watch_next(const struct app *a);
/* "starting", "healthy", "unhealthy"; NULL: nobody asks. */
const char *watch_health(const struct app *a);
/* Whether the app is ready, as its readiness and startup probes see it. */
bool watch_is_ready(const struct app *a);

/* notify.c: what the app says; true when it has just become ready. */
bool notify_read(struct app *a);

/* output.c */
/* Move what can be moved; never blocks. */
void stream_pump(struct pod *pod, struct app *a, int which);
/* The app is gone: take what is in the pipe, then close. */
void stream_drain(struct pod *pod, struct app *a);
/* True when all output of all apps has been passed on. */
bool output_is_done(const struct pod *pod);

/* notes.c: what others read: status/, started/, the status pipe. */
int notes_prepare(struct pod *pod, struct err *e);
void note_status(struct pod *pod, const struct app *a, int status);
void note_started(struct pod *pod, const struct app *a);
void note_ready(struct pod *pod);
/* How the app is, how often it was started again. */
void note_health(struct pod *pod, const struct app *a);
/* code: with which status the start ends for that (enum exit_code). */
void note_error(struct pod *pod, int code, const char *text);
void note_exit(struct pod *pod, int status);

/* pod.c: events of apps and of the pod. */
int64_t now_ms(void);
void pod_event(struct pod *pod, struct app *a, enum app_event event);
/* The pod is ready when all apps are: tell, when they are. */
void pod_check_ready(struct pod *pod);
void pod_start(struct pod *pod);
/* descent.c: without a PID namespace and control groups, what is a child of ours is the pod's. */
int descent_begin(struct err *e);
/* SIGKILL to every child. */
void descent_kill(void);
/* The same until there are none left, of those that become ours by that as well; bounded. */
void descent_end(void);

/* End all apps, the last one first. */
void pod_stop(struct pod *pod);
/* Do not wait any longer for those that were asked to end. */
void pod_kill(struct pod *pod);
/* Collect processes that ended. */
void pod_reap(struct pod *pod);
void pod_timeouts(struct pod *pod);
/* Milliseconds until the next deadline, -1: none. */
int pod_next_timeout(const struct pod *pod);
bool pod_is_done(const struct pod *pod);
