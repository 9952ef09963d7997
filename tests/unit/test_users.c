/* Which ids a pod gets: never one that somebody has, and all of a pod's at once. */
#include "tests/unit/unit.h"

#include <string.h>

#include "stage0/pod/users.h"

#define N_SLOTS ((USERS_LAST - USERS_FIRST) / USERS_COUNT + 1)
#define SEED "5d1ed4b2-7c4f-4a12-9d5e-0123456789ab"

static struct id_map pick(const char *seed, const struct id_ranges *taken)
{
	struct id_map m = {0};

	assert_true(users_pick(seed, taken, &m));
	assert_int_equal(m.count, 65536);
	assert_int_equal(m.shift % 65536, 0);
	assert_true(m.shift >= 0x80000 && m.shift <= 0x6fff0000);
	return m;
}

static void test_pick(void **state _unused_)
{
	struct id_ranges taken = {0};
	struct id_map first = pick(SEED, &taken), next, other;
	/* one id of it, at either end, is enough */
	const struct id_range at[] = {{first.shift, 1}, {first.shift + 65535, 1}, {first.shift - 10, 11}, {0, UINT32_MAX}};

	assert_int_equal(pick(SEED, &taken).shift, first.shift);
	other = pick("6d1ed4b2-7c4f-4a12-9d5e-0123456789ab", &taken);
	assert_int_not_equal(other.shift, first.shift);
	for (size_t i = 0; i + 1 < ELEMENTSOF(at); i++) {
		taken.n = 0;
		id_ranges_add(&taken, at[i].first, at[i].count);
		next = pick(SEED, &taken);
		assert_int_equal(next.shift, first.shift == USERS_LAST ? USERS_FIRST : first.shift + 65536);
	}
	/* neighbours are not in the way */
	taken.n = 0;
	id_ranges_add(&taken, first.shift - 65536, 65536);
	id_ranges_add(&taken, first.shift + 65536, 65536);
	id_ranges_add(&taken, 0, 65534);
	id_ranges_add(&taken, UINT32_MAX - 1, 1);
	id_ranges_add(&taken, first.shift, 0);
	assert_int_equal(pick(SEED, &taken).shift, first.shift);
	taken.n = 0;
	id_ranges_add(&taken, 0, UINT32_MAX);
	assert_false(users_pick(SEED, &taken, &next));
	id_ranges_done(&taken);
}

/* As many pods as there are ranges, each with one of its own; then none is left. */
static void test_all(void **state _unused_)
{
	_cleanup_free_ bool *seen = xcalloc(N_SLOTS, sizeof *seen);
	struct id_ranges taken = {0};
	struct id_map m;

	/* all but a few, so that it does not take its time */
	id_ranges_add(&taken, USERS_FIRST, 40 * 65536);
	id_ranges_add(&taken, USERS_FIRST + 60 * 65536, USERS_LAST - USERS_FIRST - 60 * 65536 + 1);
	for (unsigned i = 40; i < 60; i++) {
		_cleanup_free_ char *seed = xasprintf("%u", i);
		uint32_t slot;

		m = pick(seed, &taken);
		slot = (m.shift - USERS_FIRST) / 65536;
		assert_true(slot >= 40 && slot < 60);
		assert_false(seen[slot]);
		seen[slot] = true;
		id_ranges_add(&taken, m.shift, m.count);
	}
	assert_false(users_pick("none", &taken, &m));
	id_ranges_done(&taken);
}

static void test_files(void **state _unused_)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n\n# a comment\nbob:x:524288:7::/:/bin/sh\n+::::::\n"
				     "bad:x:-1:0:::\nbig:x:4294967295:0::\nlast:x:99";
	static const char subuid[] = "alice:100000:65536\n:1:2\nbob:0x10:5\ncarol:5:\ndave:7:8:more\nover:4294967290:100\n"
				     "end:4294967290:4";
	static const struct id_range want[] = {{0, 1}, {524288, 1}, {99, 1}, {100000, 65536}, {1, 2}, {7, 8}, {4294967290, 4}};
	struct id_ranges r = {0};

	users_read(passwd, 2, 0, &r);
	users_read(subuid, 1, 2, &r);
	users_read("", 1, 2, &r);
	assert_int_equal(r.n, ELEMENTSOF(want));
	for (size_t i = 0; i < r.n; i++) {
		assert_int_equal(r.v[i].first, want[i].first);
		assert_int_equal(r.v[i].count, want[i].count);
	}
	id_ranges_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
