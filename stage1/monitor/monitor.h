/*
 * The monitor: the host side of a running pod, in the process in which `gantry run` was typed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/err.h"
#include "base/fd.h"

#define INPUT_ROOM 4096

/* Our standard input on its way to the app (--interactive). */
struct input {
	int to;		/* the app's terminal, or a pipe; -EBADF: nobody takes it */
	bool end;	/* nothing more comes */
	char *buf;	/* INPUT_ROOM bytes */
	size_t len;	/* read, and not yet taken */
	int escapes;	/* how many Ctrl-] were typed in a row, */
	int64_t since;	/* the first of them then */
};

struct monitor {
	int init;	 /* pidfd of the pod's PID 1 */
	int status;	 /* lines of init, see notes.c there */
	int relay[2];	 /* what the apps print, to 1 and 2; -EBADF: detached or at its end */
	bool room[2];	 /* 1 or 2 has room for a piece */
	struct input input;
	int pty;	 /* the other side of the app's terminal; relay[0] is a copy of it; -EBADF: none */
	bool raw;	 /* our own terminal was set to pass on every key; */
	struct termios saved; /* this is what it was */
	bool escaped;	 /* the pod was ended by keys */
	int netns;	 /* kept open: CNI_NETNS is /proc/PID/fd/N of it */
	int dir;	 /* the pod directory */
	int error;	 /* where the reason of a failed start goes; -EBADF: standard error */
	int signals;
	int asked;	 /* how often we were asked to end the pod */
	int exit_status; /* as init said, -1: it has not */
	char line[1200]; /* of the status pipe, as far as it is there */
	size_t line_len;
	char *const *args; /* ours, which are those of the gc entry point: [options] UUID */
};

/* main.c: ask the pod to end; the more often, the less politely. */
void ask_to_end(struct monitor *m);
/* End it at once. */
void end_at_once(struct monitor *m);

/* relay.c: at most one piece; -1 or the end of the stream closes it. */
void relay_copy(struct monitor *m, int which);

/* input.c: take what was typed; pass on what is taken. */
void input_read(struct monitor *m);
void input_write(struct monitor *m);

/* terminal.c: our own terminal, while the app's stands in its place. Without one they do nothing. */
void terminal_raw(struct monitor *m);
void terminal_restore(struct monitor *m);
/* Its size is the app's. */
void terminal_resize(const struct monitor *m);
/* We shall stop (SIGTSTP); or were stopped, by force or by that, and go on. */
void terminal_stop(struct monitor *m);
void terminal_continue(struct monitor *m);

/* notify.c: tell the service manager, if there is one. */
void notify_manager(const char *text);

/* status.c: read what is there; false: the stream has ended. */
bool status_read(struct monitor *m);

/* teardown.c: what the pod leaves on the host, once its last process is gone. */
void teardown(struct monitor *m);
