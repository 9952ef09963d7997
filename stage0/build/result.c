#include "stage0/build/result.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"

/*
 * Without a name where the file system can do that: then nothing is left behind, however this
 * process ends.
 */
static int open_nameless(const char *path)
{
	const char *last = path_last(path);
	_cleanup_free_ char *dir = last == path ? xstrdup(".")
						: xstrndup(path, (size_t) (last - path));

	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
}

int result_open(struct result_file *res, const char *path, bool overwrite, struct err *e)
{
	struct stat st;

	if (!overwrite && lstat(path, &st) == 0)
		return err_set(e, EEXIST, "%s is there already (see --overwrite)", q(path));
	res->path = xstrdup(path);
	res->fd = open_nameless(path);
	if (res->fd >= 0)
		return 0;
	res->temp = xasprintf("%s.%d.tmp", path, (int) getpid());
	res->fd = open(res->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return res->fd < 0 ? err_sys(e, "create %s", q(path)) : 0;
}

/* What has no name is given one (open(2), O_TMPFILE): its own, or one beside what it replaces. */
static int give_name(struct result_file *res, bool overwrite, struct err *e)
{
	_cleanup_free_ char *self = xasprintf("/proc/self/fd/%d", res->fd), *beside = NULL;

	if (overwrite)
		beside = xasprintf("%s.%d.tmp", res->path, (int) getpid());
	if (linkat(AT_FDCWD, self, AT_FDCWD, beside ? beside : res->path, AT_SYMLINK_FOLLOW) < 0)
		return err_sys(e, "create %s", q(res->path));
	res->temp = take_ptr(beside);
	return 0;
}

int result_publish(struct result_file *res, bool overwrite, struct err *e)
{
	int r = fsync(res->fd) < 0 ? err_sys(e, "write %s", q(res->path)) : 0;

	if (r == 0 && !res->temp)
		r = give_name(res, overwrite, e);
	if (r < 0 || !res->temp)
		return r;
	/* Without --overwrite nothing is replaced that came to be meanwhile. */
	if (file_rename_at(AT_FDCWD, res->temp, AT_FDCWD, res->path, overwrite ? 0 : RENAME_NOREPLACE) <
	    0)
		return err_sys(e, "create %s", q(res->path));
	free(res->temp);
	res->temp = NULL;
	return 0;
}

void result_done(struct result_file *res)
{
	if (res->temp && res->fd >= 0)
		(void) unlink(res->temp);
	free(res->temp);
	free(res->path);
	res->temp = res->path = NULL;
	res->fd = fd_close(res->fd);
}
