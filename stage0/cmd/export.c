/*
 * gantry export: an app of an exited pod as an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/command.h"
#include "stage0/pod/export.h"
#include "stage0/pod/pod.h"

#define EXTENSION ".aci"

enum { EXIT_CLOSE = 1 };

struct target {
	char *app;
	bool overwrite;
};

static const struct opt opts[] = {
	{.name = "app", .type = OPT_STRING, .offset = offsetof(struct target, app), .arg = "NAME",
	 .help = "which app; not needed when there is one"},
	{.name = "overwrite", .type = OPT_FLAG, .offset = offsetof(struct target, overwrite),
	 .help = "replace the file if it is there"},
};

static int exists(struct err *e)
{
	return err_set(e, EEXIST, "target file exists (try --overwrite)");
}

/* The file under a name of its own, until it is whole. */
static int open_output(const char *path, bool overwrite, char **ret_temp, struct err *e)
{
	_cleanup_free_ char *temp = xasprintf("%s.%d", path, (int) getpid());
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0) {
		if (!overwrite)
			return exists(e);
		if (!S_ISREG(st.st_mode))
			return err_set(e, EINVAL, "target %s is not a regular file", q(path));
	}
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "unable to open target %s", q(path));
	*ret_temp = take_ptr(temp);
	return fd;
}

/* That the file cannot be closed has a status of its own, as in rkt. */
static int finish(int fd, const char *temp, const char *path, bool overwrite, struct err *e)
{
	if (close(fd) < 0) {
		log_error("close target file %s: %s", q(path), strerror(errno));
		return EXIT_CLOSE;
	}
	if (overwrite ? rename(temp, path) == 0
		      : file_rename_at(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? exists(e) : err_sys(e, "unable to write target %s", q(path));
}

/* Held until we end: nobody removes the pod meanwhile, and to others it is as ended as before. */
static int hold(const struct pod *p, struct err *e)
{
	if (p->state != POD_STATE_EXITED && p->state != POD_STATE_EXITED_GARBAGE)
		return err_set(e, EBUSY, "pod is not exited. Only exited pods can be exported");
	if (lock_fd(p->dir, LOCK_SHARED, false) < 0 || !pod_in_place(p))
		return err_set(e, EBUSY, "pod \"%s\" is being removed", p->uuid);
	return 0;
}

static int export(const struct gantry *g, const struct target *t, const struct pod *p, const char *path,
		  struct err *e)
{
	_cleanup_free_ char *app = NULL, *temp = NULL;
	_cleanup_fd_ int fd = -EBADF;
	int r = hold(p, e);

	if (r == 0)
		r = pod_export_app(p, t->app, &app, e);
	if (r < 0)
		return r;
	fd = open_output(path, t->overwrite, &temp, e);
	if (fd < 0)
		return fd;
	r = pod_export(g, p, app, fd, e);
	if (r == 0)
		r = finish(take_fd(fd), temp, path, t->overwrite, e);
	if (r)
		(void) unlink(temp);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	int r;

	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide a pod UUID and an output file");
	if (!str_ends(words[1], EXTENSION))
		return err_set(e, EINVAL, "extension must be " EXTENSION " (given %s)", q(words[1]));
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pod_find(pods, words[0], &p, e);
	if (r == 0)
		r = export(g, t, &p, words[1], e);
	return r < 0 ? err_ctx(e, r, "%s", words[0]) : r;
}

static void done(void *target)
{
	free(((struct target *) target)->app);
}

const struct command cmd_export = {
	.name = "export",
	.usage = "[options] UUID OUTPUT.aci",
	.summary = "make an image of an app of an exited pod",
	.details = "\tThe image has the manifest of the image that the app was started from, and the files\n"
		   "\tthat the app has left: what it changed is changed, what it deleted is not there.\n"
		   "\tVolumes are not part of it.\n",
	COMMAND_OPTS(opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
