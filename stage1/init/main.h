/*
 * One file for the two programs that stay as long as a pod does: linked together they share their
 * pages, which is most of what a pod costs beside its apps.  They share no state: each process is
 * one or the other from its first instruction on, by the name under which it was executed.
 */
#pragma once

/* PID 1 of the pod. */
int init_main(void);
/* The host's side; argv[0] is its name, the rest are the arguments of the gc entry point. */
int monitor_main(char *const *argv);
