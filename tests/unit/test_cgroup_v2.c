/* The conversion of cpu.shares to cpu.weight; what is written into which file, in a directory that stands for cgroup2. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
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

static char top[] = "/tmp/gantry-cgroup2-XXXXXX";

static void put(const char *path, const char *text)
{
	_cleanup_free_ char *whole = path_join(top, path), *dir = xstrndup(whole, (size_t) (path_last(whole) - whole));

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, whole, text, strlen(text), 0644, FILE_FAST, NULL), 0);
}

static void assert_file(const char *path, const char *text)
{
	_cleanup_free_ char *whole = path_join(top, path), *now = NULL;

	assert_int_equal(file_read_line_at(AT_FDCWD, whole, &now, NULL), 0);
	assert_string_equal(now, text);
}

static const char *const group_files[] = {"cgroup.subtree_control", "memory.max", "memory.low", "cpu.max",
					  "cpu.weight", "pids.max", "io.max"};

static void make_group(const char *group)
{
	for (size_t i = 0; i < ELEMENTSOF(group_files); i++) {
		_cleanup_free_ char *path = path_join(group, group_files[i]);

		put(path, "");
	}
}

static void values(void **state)
{
	static const struct cg_disk disks[] = {{8, 0}, {253, 16}};
	static char *controllers[] = {(char *) "memory", (char *) "cpu", (char *) "pids", (char *) "blkio", NULL};
	const struct cg_host host = {.version = CG_V2, .ops = &cg_v2_ops, .v2 = top, .controllers = controllers};
	struct cg_limits l = CG_LIMITS_NONE;
	_cleanup_err_ struct err e = ERR_INIT;

	(void) state;
	assert_non_null(mkdtemp(top));
	make_group("");
	make_group("gantry");
	make_group("gantry/one");
	make_group("gantry/one/app");
	/* a pod that is there already, and one without a word about memory */
	put("gantry/two/memory.low", "1000\n");
	put("gantry/three/memory.low", "max\n");
	l.memory_request = 500;
	l.block_ops = 70;
	l.disks = disks;
	l.n_disks = 1;
	assert_int_equal(cg_v2_ops.make(&host, "gantry/one", &l, &e), 0);
	assert_file("cgroup.subtree_control", "+cpu +memory +pids +io");
	assert_file("gantry/one/memory.low", "500");
	/* what is kept for the pods together */
	assert_file("gantry/memory.low", "1500");
	assert_file("gantry/one/io.max", "8:0 riops=70 wiops=70");
	l.block_bytes = 2000000;
	l.disks = disks + 1;
	l.memory_bytes = 4096;
	l.cpu_milli = 1500;
	l.cpu_shares = 1024;
	l.pids = 9;
	assert_int_equal(cg_v2_ops.make(&host, "gantry/one/app", &l, &e), 0);
	assert_file("gantry/one/app/io.max", "253:16 rbps=2000000 wbps=2000000 riops=70 wiops=70");
	assert_file("gantry/one/app/memory.low", "500");
	assert_file("gantry/one/app/memory.max", "4096");
	assert_file("gantry/one/app/cpu.max", "150000 100000");
	assert_file("gantry/one/app/cpu.weight", "100");
	assert_file("gantry/one/app/pids.max", "9");
	/* not counted once more */
	assert_file("gantry/memory.low", "1500");
	assert_int_equal(path_remove_tree(AT_FDCWD, top, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shares_to_weight), cmocka_unit_test(values)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
