/*
 * A pods directory in a scratch directory, for the tests of stage0/pod.
 */
#pragma once

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "stage0/context.h"
#include "stage0/pod/pod.h"
#include "tests/unit/unit.h"

struct pods_fixture {
	struct gantry g;
	int scratch, pods;
	unsigned fds; /* open before */
};

static inline _unused_ void pods_up(struct pods_fixture *f)
{
	*f = (struct pods_fixture) {.g = {.data_fd = -EBADF}, .fds = count_fds()};
	f->scratch = scratch_open();
	f->g.data_dir = xstrdup(scratch_path);
	f->pods = pods_open(&f->g, false, NULL);
	assert_true(f->pods >= 0);
}

static inline _unused_ void pods_down(struct pods_fixture *f)
{
	f->pods = fd_close(f->pods);
	free(f->g.data_dir);
	free(f->g.local_config);
	free(f->g.libexec);
	scratch_close(f->scratch);
	assert_int_equal(count_fds(), f->fds);
}

/* A pod that nobody holds, in some phase, with this UUID. */
static inline _unused_ void pod_put(const struct pods_fixture *f, enum pod_phase phase,
				    const char *uuid)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", pod_phase_dir(phase), uuid);

	assert_int_equal(pods_make_phase(f->pods, phase), 0);
	assert_int_equal(mkdirat(f->pods, path, 0700), 0);
}

static inline _unused_ bool pod_is_in(const struct pods_fixture *f, enum pod_phase phase,
				      const char *uuid)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", pod_phase_dir(phase), uuid);

	return faccessat(f->pods, path, F_OK, 0) == 0;
}

static inline _unused_ void pod_file(const struct pod *p, const char *path, const char *text)
{
	_cleanup_free_ char *dir = xstrndup(path, strlen(path) - strlen(path_last(path)));
	_cleanup_err_ struct err e = ERR_INIT;
	int fd = path_mkdirs_beneath(p->dir, dir, 0700, PATH_NO_LINKS);

	assert_true(fd >= 0);
	(void) fd_close(fd);
	if (file_write_at(p->dir, path, text, strlen(text), 0600, FILE_FAST, &e) < 0)
		fail_msg("%s", err_text(&e));
}

/*
 * Another process that holds the lock (LOCK_SH, LOCK_EX) on a pod until the answer is closed: a
 * descriptor. Its pid in *ret.
 */
static inline _unused_ int hold_lock(const struct pods_fixture *f, enum pod_phase phase,
				     const char *uuid, int how, pid_t *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", pod_phase_dir(phase), uuid);
	int ready[2], release[2];
	char c = 0;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(release, O_CLOEXEC), 0);
	*ret = fork();
	if (*ret == 0) {
		int fd = openat(f->pods, path, O_RDONLY | O_DIRECTORY);

		(void) close(release[1]);
		if (fd < 0 || flock(fd, how) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		(void) !read(release[0], &c, 1);
		_exit(0);
	}
	(void) close(ready[1]);
	(void) close(release[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void) close(ready[0]);
	return release[1];
}

static inline _unused_ void release_lock(int fd, pid_t pid)
{
	(void) close(fd);
	(void) waitpid(pid, NULL, 0);
}
