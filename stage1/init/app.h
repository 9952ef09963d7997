/*
 * The life of one app: states, events, and THE table of what an event does in a state.  Pure data
 * and one look-up, so that a test can walk all of it; pod.c carries the actions out.
 */
#pragma once

enum app_state {
	APP_WAITING,  /* nothing has been started */
	APP_STARTING, /* stage2 prepares */
	APP_RUNNING,  /* the app's own program runs */
	APP_ENDING,   /* asked to end, because it is not alive any more */
	APP_BACKOFF,  /* ended; it will be started again when its time has come */
	APP_STOPPING, /* asked to end, because the pod ends */
	APP_HANDLER,  /* ended; its post-stop handler runs */
	APP_DONE,
	APP_STATE_MAX,
};

enum app_event {
	EV_START,	 /* the pod starts */
	EV_READY,	 /* stage2 has executed the program */
	EV_FAILED,	 /* stage2 reported a step that failed */
	EV_STOP,	 /* the pod ends */
	EV_TIMEOUT,	 /* the time to end by itself is over */
	EV_EXIT,	 /* the main process ended, and no handler is to follow */
	EV_EXIT_HANDLER, /* the main process ended, the post-stop handler follows */
	EV_EXIT_AGAIN,	 /* the main process ended, and is to be started again */
	EV_HANDLER_EXIT, /* the handler ended */
	EV_HANDLER_AGAIN,/* the handler ended, and the main process is to be started again */
	EV_SICK,	 /* its liveness check has failed for long enough */
	APP_EVENT_MAX,
};

enum app_action {
	ACT_NONE,
	ACT_SPAWN,    /* start stage2 */
	ACT_STARTED,  /* note the start for others to see */
	ACT_FAILED,   /* note why the start failed */
	ACT_TERM,     /* ask the main process to end, begin to wait */
	ACT_KILL,     /* kill all of the app's processes */
	ACT_ENDED,    /* note how it ended, kill what it left behind */
	ACT_HANDLER,  /* the same, then start the post-stop handler */
	ACT_DEADLINE, /* begin to wait for the handler */
	ACT_DONE,     /* the handler ended */
	ACT_SICK,     /* as ACT_TERM, for this app alone */
	ACT_BACKOFF,  /* kill what it left behind, begin to wait for the next start */
	ACT_AGAIN,    /* start stage2 in the mount namespace that is there */
	ACT_GIVE_UP,  /* it will not be started any more */
};

struct app_transition {
	enum app_action action;
	enum app_state next;
};

/* What the event does in the state; events that mean nothing there leave it alone. */
struct app_transition app_transition(enum app_state state, enum app_event event);
