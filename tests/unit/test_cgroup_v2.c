/* The conversion of cpu.shares to cpu.weight. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sys/cgroup_ops.h"

static void shares_to_weight(void **state)
{
	static const struct {
		int64_t shares, weight;
	} rows[] = {{2, 1}, {1024, 100}, {2048, 174}, {12345, 745}, {262143, 10000}, {262144, 10000}};
	int64_t last = 0;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_int_equal(cg_weight_of_shares(rows[i].shares), rows[i].weight);
	for (int64_t s = 2; s <= 262144; s += 7) {
		int64_t w = cg_weight_of_shares(s);

		assert_true(w >= last && w >= 1 && w <= 10000);
		last = w;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shares_to_weight)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
