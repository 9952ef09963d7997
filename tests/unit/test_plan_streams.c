/* Standard streams: modes by annotation, with and without --interactive, with and without a terminal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage1/run/plan.h"

#define PREFIX "coreos.com/rkt/stage2/"

enum { N = STREAM_NULL, L = STREAM_LOG, G = STREAM_GIVEN };

static void modes(void **state)
{
	static const struct {
		bool interactive, terminal;
		const char *in, *out, *err;
		int want[3];
		const char *refused; /* part of the message */
	} rows[] = {
		{false, false, NULL, NULL, NULL, {N, L, L}, NULL},
		{false, false, "null", "log", "null", {N, L, N}, NULL},
		{false, false, NULL, "null", NULL, {N, N, L}, NULL},
		{true, false, NULL, NULL, NULL, {G, L, L}, NULL},
		{true, false, "stream", "null", NULL, {G, N, L}, NULL},
		{true, true, NULL, NULL, NULL, {G, G, G}, NULL},
		{true, true, "tty", "tty", "null", {G, G, N}, NULL},
		/* what stage0 writes when nobody said anything */
		{true, true, "null", "log", "log", {G, G, G}, NULL},
		{false, false, "stream", NULL, NULL, {0}, "stdin mode stream: not supported by this version"},
		{false, false, "tty", NULL, NULL, {0}, "stdin mode tty: not supported by this version without"},
		{true, false, NULL, "tty", NULL, {0}, "stdout mode tty: not supported by this version without"},
		{true, true, NULL, NULL, "stream", {0}, "stderr mode stream: not supported by this version"},
		{false, false, "log", NULL, NULL, {0}, "stdin: \"log\" is none of null, stream, tty"},
		{false, false, NULL, "", NULL, {0}, "stdout: \"\" is none of log, null, stream, tty"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		const struct plan plan = {.interactive = rows[i].interactive, .terminal = rows[i].terminal};
		struct runtime_app ra = {0};
		struct plan_app pa = {0};
		_cleanup_err_ struct err e = ERR_INIT;
		int r;

		if (rows[i].in)
			nameval_set(&ra.annotations, PREFIX "stdin", rows[i].in);
		if (rows[i].out)
			nameval_set(&ra.annotations, PREFIX "stdout", rows[i].out);
		if (rows[i].err)
			nameval_set(&ra.annotations, PREFIX "stderr", rows[i].err);
		r = plan_streams(&ra, &plan, &pa, &e);
		if (rows[i].refused) {
			assert_true(r < 0);
			assert_non_null(strstr(err_text(&e), rows[i].refused));
		} else {
			assert_int_equal(r, 0);
			for (int k = 0; k < 3; k++)
				assert_int_equal(pa.streams[k], rows[i].want[k]);
			assert_int_equal(pa.record.tty, rows[i].terminal);
		}
		nameval_done(&ra.annotations);
	}
}

static void interactive(void **state)
{
	const struct entry_args none = {.foreground = true}, on = {.interactive = true, .foreground = true},
				detached = {.interactive = true};
	const struct host_facts terminal = {.terminal = true}, pipe = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	struct plan plan = {0};

	(void) state;
	assert_int_equal(plan_interactive(3, &none, &terminal, &plan, &e), 0);
	assert_true(!plan.interactive && !plan.terminal);
	assert_int_equal(plan_interactive(1, &on, &pipe, &plan, &e), 0);
	assert_true(plan.interactive && !plan.terminal);
	assert_int_equal(plan_interactive(1, &on, &terminal, &plan, &e), 0);
	assert_true(plan.interactive && plan.terminal);
	assert_int_equal(plan_interactive(2, &on, &terminal, &plan, &e), -EINVAL);
	assert_string_equal(err_text(&e), "interactive option only supports pods with one app");
	assert_int_equal(plan_interactive(1, &detached, &terminal, &plan, &e), -EINVAL);
	assert_string_equal(err_text(&e), "--interactive needs --foreground");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(modes), cmocka_unit_test(interactive)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
