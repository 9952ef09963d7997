/*
 * A terminal of its own for what is entered.  The operator's terminal never reaches the pod: whoever has
 * it could type into the operator's shell (TIOCSTI, TIOCLINUX; CVE-2017-5226) or read what is typed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"

struct terminal {
	int master;	     /* -EBADF: none of 0, 1, 2 is a terminal, none is needed */
	bool replaced[3];    /* these are terminals, and become the slave in the child */
	bool raw;	     /* the operator's terminal was set to raw mode; `saved` is what it was */
	struct termios saved;
};
#define TERMINAL_INIT {.master = -EBADF}

/*
 * Look at 0, 1 and 2, and make a pseudo terminal when one of them is a terminal: in the devpts of the
 * process `pid`, so that the name which the kernel tells of it (ttyname(3)) means something there; in
 * the host's where the app has taken its own away.
 */
int terminal_open(struct terminal *t, pid_t pid, struct err *e);
/* In the child: a new session, with the slave as its controlling terminal and in place of the terminals. */
int terminal_child(struct terminal *t, struct err *e);
/*
 * In the parent: pass bytes, window size and signals on until the child (pidfd, and pid for waiting)
 * has ended; the operator's terminal is as before afterwards.  Returns the wait status.
 */
int terminal_relay(struct terminal *t, int pidfd, pid_t pid);
void terminal_done(struct terminal *t);
