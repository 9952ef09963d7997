#include "tests/unit/unit.h"

#include "stage1/init/app.h"

static enum app_state run(const enum app_event *events, size_t n, enum app_action *actions)
{
	enum app_state state = APP_WAITING;

	for (size_t i = 0; i < n; i++) {
		struct app_transition t = app_transition(state, events[i]);

		actions[i] = t.action;
		state = t.next;
	}
	return state;
}

static const struct {
	const char *what;
	enum app_event events[8];
	enum app_action actions[8];
	size_t n;
	enum app_state end;
} lives[] = {
	{"runs to its end",
	 {EV_START, EV_READY, EV_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_ENDED},
	 3,
	 APP_DONE},
	{"with a handler",
	 {EV_START, EV_READY, EV_EXIT_HANDLER, EV_HANDLER_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_HANDLER, ACT_DONE},
	 4,
	 APP_DONE},
	{"a step fails",
	 {EV_START, EV_FAILED, EV_EXIT},
	 {ACT_SPAWN, ACT_FAILED, ACT_ENDED},
	 3,
	 APP_DONE},
	{"a step fails, no handler then",
	 {EV_START, EV_FAILED, EV_EXIT_HANDLER},
	 {ACT_SPAWN, ACT_FAILED, ACT_ENDED},
	 3,
	 APP_DONE},
	{"cannot be spawned", {EV_START, EV_EXIT}, {ACT_SPAWN, ACT_ENDED}, 2, APP_DONE},
	{"stopped in time",
	 {EV_START, EV_READY, EV_STOP, EV_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_TERM, ACT_ENDED},
	 4,
	 APP_DONE},
	{"stopped by force",
	 {EV_START, EV_READY, EV_STOP, EV_TIMEOUT, EV_TIMEOUT, EV_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_TERM, ACT_KILL, ACT_KILL, ACT_ENDED},
	 6,
	 APP_DONE},
	{"stopped while it starts",
	 {EV_START, EV_STOP, EV_READY, EV_EXIT},
	 {ACT_SPAWN, ACT_TERM, ACT_STARTED, ACT_ENDED},
	 4,
	 APP_DONE},
	{"stopped before it starts",
	 {EV_STOP, EV_START},
	 {ACT_NONE, ACT_NONE},
	 2,
	 APP_DONE},
	{"stopped, then its handler",
	 {EV_START, EV_READY, EV_STOP, EV_EXIT_HANDLER, EV_TIMEOUT, EV_HANDLER_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_TERM, ACT_HANDLER, ACT_KILL, ACT_DONE},
	 6,
	 APP_DONE},
	{"started again, then stopped while it waits",
	 {EV_START, EV_READY, EV_EXIT_AGAIN, EV_TIMEOUT, EV_READY, EV_EXIT_AGAIN, EV_STOP},
	 {ACT_SPAWN, ACT_STARTED, ACT_BACKOFF, ACT_AGAIN, ACT_STARTED, ACT_BACKOFF, ACT_GIVE_UP},
	 7,
	 APP_DONE},
	{"not alive, killed, started again",
	 {EV_START, EV_READY, EV_SICK, EV_TIMEOUT, EV_EXIT_AGAIN},
	 {ACT_SPAWN, ACT_STARTED, ACT_SICK, ACT_KILL, ACT_BACKOFF},
	 5,
	 APP_BACKOFF},
	{"not alive, and stopped meanwhile",
	 {EV_START, EV_READY, EV_SICK, EV_STOP, EV_EXIT},
	 {ACT_SPAWN, ACT_STARTED, ACT_SICK, ACT_TERM, ACT_ENDED},
	 5,
	 APP_DONE},
	{"its handler, then again",
	 {EV_START, EV_READY, EV_EXIT_HANDLER, EV_HANDLER_AGAIN, EV_TIMEOUT},
	 {ACT_SPAWN, ACT_STARTED, ACT_HANDLER, ACT_BACKOFF, ACT_AGAIN},
	 5,
	 APP_STARTING},
	{"the pod ends during the handler",
	 {EV_START, EV_READY, EV_EXIT_HANDLER, EV_STOP},
	 {ACT_SPAWN, ACT_STARTED, ACT_HANDLER, ACT_DEADLINE},
	 4,
	 APP_HANDLER},
};

static void test_lives(void **state _unused_)
{
	for (size_t i = 0; i < ELEMENTSOF(lives); i++) {
		enum app_action actions[8] = {ACT_NONE};

		if (run(lives[i].events, lives[i].n, actions) != lives[i].end ||
		    memcmp(actions, lives[i].actions, lives[i].n * sizeof *actions))
			fail_msg("%s", lives[i].what);
	}
}

/*
 * Whatever happens in whatever order: nothing is started twice, nothing comes back from the dead.
 */
static void test_every_cell(void **state _unused_)
{
	for (unsigned s = 0; s < APP_STATE_MAX; s++) {
		for (unsigned ev = 0; ev < APP_EVENT_MAX; ev++) {
			struct app_transition t = app_transition(s, ev);

			assert_true(t.next < APP_STATE_MAX);
			/* A life goes one way, but for those who are started again. */
			assert_true(t.next >= s || t.action == ACT_AGAIN ||
				    (s == APP_HANDLER && ev == EV_HANDLER_AGAIN));
			assert_true(t.action != ACT_AGAIN || s == APP_BACKOFF);
			/* Nor when the pod ends. */
			assert_true(s < APP_STOPPING || s == APP_HANDLER || t.next >= APP_STOPPING);
			assert_true(t.action != ACT_SPAWN || s == APP_WAITING);
			assert_true(t.action != ACT_STARTED || s == APP_STARTING ||
				    s == APP_STOPPING);
			/* A handler follows a main process only. */
			assert_true(t.action != ACT_HANDLER ||
				    (s < APP_HANDLER && ev == EV_EXIT_HANDLER));
			if (s == APP_DONE)
				assert_true(t.action == ACT_NONE && t.next == APP_DONE);
			/* A dead process is never left waiting for its death. */
			if (s != APP_HANDLER && s != APP_BACKOFF && s != APP_WAITING &&
			    (ev == EV_EXIT || ev == EV_EXIT_HANDLER))
				assert_true(t.next == APP_DONE || t.next == APP_HANDLER);
		}
	}
	assert_int_equal(app_transition(APP_HANDLER, EV_HANDLER_EXIT).next, APP_DONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_every_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
