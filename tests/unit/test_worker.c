#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "stage0/context.h"
#include "stage0/worker/worker.h"

/* A worker that is a shell script; R is the number of the result descriptor. */
static int run_script(const char *script, int timeout_ms, struct record *rec, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("#!/bin/sh\nR=${GANTRY_FDS#*result=}; R=${R%%%%,*}\n%s\n", script);
	_cleanup_worker_ struct worker w = WORKER_INIT;
	struct gantry g = {.libexec = scratch_path};
	unsigned fds = count_fds();
	int dir = scratch_open(), r;

	assert_int_equal(file_write_at(dir, "w", text, strlen(text), 0755, FILE_FAST, NULL), 0);
	r = worker_start(&g, "w", NULL, NULL, 0, &w, e);
	if (r == 0)
		r = worker_finish(&w, timeout_ms, rec, e);
	scratch_close(dir);
	assert_int_equal(count_fds(), fds);
	return r;
}

static void test_answer(void **state _unused_)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (run_script("printf 'version=1\\0id=x\\0' >&$R", 60000, &rec, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_string_equal(record_get(&rec, "id"), "x");
}

static void test_errors(void **state _unused_)
{
	static const struct {
		const char *script;
		int r;
		const char *text;
	} rows[] = {
		{"printf 'version=1\\0code=2\\0message=no such\\0' >&$R; exit 1", -ENOENT, "no such"},
		/* what a worker says is foreign */
		{"printf 'version=1\\0code=2\\0message=\\033[31mred\\0' >&$R", -ENOENT, "\\x1b[31mred"},
		{"printf 'version=1\\0code=0\\0message=x\\0' >&$R", -EPROTO, "x"},
		{"printf 'version=1\\0code=99999\\0' >&$R", -EPROTO, ""},
		{"printf 'version=9\\0' >&$R", -EPROTO, "image w gave a malformed answer"},
		{"echo garbage >&$R", -EPROTO, "image w gave a malformed answer"},
		{"exit 0", -EIO, "image w exited with status 0 without an answer"},
		{"exit 3", -EIO, "image w exited with status 3 without an answer"},
		{"kill -KILL $$", -ENOMEM, "image w was killed (out of memory?)"},
		{"kill -SYS $$", -EPERM, "image w made a system call that it may not make"},
		{"kill -XCPU $$", -ETIMEDOUT, "image w used up its processor time"},
		{"kill -XFSZ $$", -EFBIG, "image w: a file is larger than the limit"},
		/* an answer, but not a good end */
		{"printf 'version=1\\0id=x\\0' >&$R; exit 1", -EIO, "image w exited with status 1 without an answer"},
		{"head -c 3000000 /dev/zero >&$R", -EFBIG, "image w: answer too large"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_record_ struct record rec = RECORD_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		int r = run_script(rows[i].script, 60000, &rec, &e);

		if (r != rows[i].r)
			fail_msg("%s: %d %s", rows[i].script, r, err_text(&e));
		assert_err(&e, rows[i].text);
	}
}

/* A worker that hangs, with children that hold its descriptors, is killed with them. */
static void test_hang(void **state _unused_)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(run_script("sleep 1000 & wait", 300, &rec, &e), -ETIMEDOUT);
	assert_err(&e, "image w gave no answer in time");
	assert_int_equal(run_script("printf 'version=1\\0' >&$R; eval \"exec $R>&-\"; exec sleep 1000", 300, &rec, &e), -ETIMEDOUT);
}

static void test_missing(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct gantry g = {.libexec = (char *) "/nonexistent"};
	struct worker w = WORKER_INIT;

	assert_int_equal(worker_start(&g, "w", NULL, NULL, 0, &w, &e), -ENOENT);
	assert_non_null(strstr(err_text(&e), "start /nonexistent/w: "));
	worker_kill(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer), cmocka_unit_test(test_errors), cmocka_unit_test(test_hang),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
