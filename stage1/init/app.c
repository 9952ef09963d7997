#include "stage1/init/app.h"

#include <assert.h>
#include <stdbool.h>

/* A cell that is not written keeps the state and does nothing. */
struct cell {
	bool set;
	struct app_transition to;
};

#define TO(action, next) {true, {action, next}}

static const struct cell table[APP_STATE_MAX][APP_EVENT_MAX] = {
	[APP_WAITING] = {
		[EV_START] = TO(ACT_SPAWN, APP_STARTING),
		[EV_STOP] = TO(ACT_NONE, APP_DONE),
	},
	[APP_STARTING] = {
		[EV_READY] = TO(ACT_STARTED, APP_RUNNING),
		[EV_FAILED] = TO(ACT_FAILED, APP_STARTING),
		[EV_STOP] = TO(ACT_TERM, APP_STOPPING),
		/* Or it could not even be spawned: nothing ran, nothing has to be undone. */
		[EV_EXIT] = TO(ACT_ENDED, APP_DONE),
		[EV_EXIT_AGAIN] = TO(ACT_BACKOFF, APP_BACKOFF),
		/* What never ran needs no handler after it. */
		[EV_EXIT_HANDLER] = TO(ACT_ENDED, APP_DONE),
	},
	[APP_RUNNING] = {
		[EV_STOP] = TO(ACT_TERM, APP_STOPPING),
		[EV_SICK] = TO(ACT_SICK, APP_ENDING),
		[EV_EXIT] = TO(ACT_ENDED, APP_DONE),
		[EV_EXIT_AGAIN] = TO(ACT_BACKOFF, APP_BACKOFF),
		[EV_EXIT_HANDLER] = TO(ACT_HANDLER, APP_HANDLER),
	},
	[APP_ENDING] = {
		[EV_STOP] = TO(ACT_TERM, APP_STOPPING),
		[EV_TIMEOUT] = TO(ACT_KILL, APP_ENDING),
		[EV_EXIT] = TO(ACT_ENDED, APP_DONE),
		[EV_EXIT_AGAIN] = TO(ACT_BACKOFF, APP_BACKOFF),
		[EV_EXIT_HANDLER] = TO(ACT_HANDLER, APP_HANDLER),
	},
	[APP_BACKOFF] = {
		[EV_STOP] = TO(ACT_GIVE_UP, APP_DONE),
		[EV_TIMEOUT] = TO(ACT_AGAIN, APP_STARTING),
	},
	[APP_STOPPING] = {
		/* The two may cross: it got ready before the signal reached it. */
		[EV_READY] = TO(ACT_STARTED, APP_STOPPING),
		[EV_FAILED] = TO(ACT_FAILED, APP_STOPPING),
		[EV_TIMEOUT] = TO(ACT_KILL, APP_STOPPING),
		[EV_EXIT] = TO(ACT_ENDED, APP_DONE),
		[EV_EXIT_HANDLER] = TO(ACT_HANDLER, APP_HANDLER),
	},
	[APP_HANDLER] = {
		/* Left to itself a handler has all the time it wants. */
		[EV_STOP] = TO(ACT_DEADLINE, APP_HANDLER),
		[EV_TIMEOUT] = TO(ACT_KILL, APP_HANDLER),
		[EV_HANDLER_EXIT] = TO(ACT_DONE, APP_DONE),
		[EV_HANDLER_AGAIN] = TO(ACT_BACKOFF, APP_BACKOFF),
	},
	[APP_DONE] = {{false, {0}}},
};

struct app_transition app_transition(enum app_state state, enum app_event event)
{
	assert(state < APP_STATE_MAX && event < APP_EVENT_MAX);
	if (!table[state][event].set)
		return (struct app_transition) {ACT_NONE, state};
	return table[state][event].to;
}
