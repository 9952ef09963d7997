/* The table phase x lock -> state. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stage0/pod/pod.h"

static void every_cell(void **state)
{
	static const struct {
		enum pod_phase phase;
		const char *dir, *free, *locked;
	} rows[] = {
		{PHASE_EMBRYO, "embryo", "embryo", "embryo"},
		{PHASE_PREPARE, "prepare", "aborted prepare", "preparing"},
		{PHASE_PREPARED, "prepared", "prepared", "prepared"},
		{PHASE_RUN, "run", "exited", "running"},
		{PHASE_EXITED_GARBAGE, "exited-garbage", "exited garbage", "exited deleting"},
		{PHASE_GARBAGE, "garbage", "garbage", "deleting"},
	};

	(void) state;
	assert_int_equal(ELEMENTSOF(rows), PHASE_MAX);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		assert_string_equal(pod_phase_dir(rows[i].phase), rows[i].dir);
		assert_string_equal(pod_state_name(pod_state_of(rows[i].phase, false)), rows[i].free);
		assert_string_equal(pod_state_name(pod_state_of(rows[i].phase, true)), rows[i].locked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
