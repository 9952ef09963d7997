/*
 * What every unit test needs: cmocka, the count of open descriptors, a scratch directory, and
 * comparison of an error with its exact text.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

static inline _unused_ unsigned count_fds(void)
{
	_cleanup_dir_ DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n;
}

/* The message is exactly this; `e` becomes empty again. */
static inline _unused_ void assert_err(struct err *e, const char *text)
{
	assert_string_equal(err_text(e), text);
	err_done(e);
}

static char scratch_path[64];

/* A fresh directory for one test, by descriptor; its path is in scratch_path. */
static inline _unused_ int scratch_open(void)
{
	int fd;

	(void) snprintf(scratch_path, sizeof scratch_path, "/tmp/gantry-unit-XXXXXX");
	assert_non_null(mkdtemp(scratch_path));
	fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline _unused_ void scratch_close(int fd)
{
	_cleanup_err_ struct err e = ERR_INIT;

	(void) fd_close(fd);
	if (path_remove_tree(AT_FDCWD, scratch_path, &e) < 0)
		fail_msg("%s", err_text(&e));
}
