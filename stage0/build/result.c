#include "stage0/build/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

int result_open(struct result_file *res, const char *path, bool overwrite, struct err *e)
{
	struct stat st;

	if (!overwrite && lstat(path, &st) == 0)
		return err_set(e, EEXIST, "%s is there already (see --overwrite)", q(path));
	res->path = xstrdup(path);
	res->temp = xasprintf("%s.%d.tmp", path, (int) getpid());
	res->fd = open(res->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return res->fd < 0 ? err_sys(e, "create %s", q(res->temp)) : 0;
}

int result_publish(struct result_file *res, bool overwrite, struct err *e)
{
	if (fsync(res->fd) < 0)
		return err_sys(e, "write %s", q(res->path));
	/* Without --overwrite nothing is replaced that came to be meanwhile. */
	if (renameat2(AT_FDCWD, res->temp, AT_FDCWD, res->path, overwrite ? 0 : RENAME_NOREPLACE) < 0)
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
