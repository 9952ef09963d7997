#include "stage0/store/modes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/context.h"

#define GROUP_FILE "/etc/group"
#define GROUP_FILE_MAX (16u << 20)
#define ALONE 0700

int modes_find_group(const char *text, const char *name, gid_t *ret)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line += line ? 1 : 0) {
		_cleanup_free_ char *digits = NULL;
		const char *p = line + len;

		if (strncmp(line, name, len) || *p != ':')
			continue;
		/* name:password:number:members, group(5) */
		p = strchr(p + 1, ':');
		if (!p)
			continue;
		digits = xstrndup(p + 1, strcspn(p + 1, ":\n"));
		if (parse_uid(digits, ret) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Local groups only: the name services of the host are libraries that gantry does not load. */
static int find_group(const struct gantry *g, gid_t *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(AT_FDCWD, GROUP_FILE, GROUP_FILE_MAX, &text, &len, NULL);

	return r < 0 ? r : modes_find_group(text, g->rkt ? "rkt" : "gantry", ret);
}

/*
 * It is ours from before anybody else may look; chown(2) first, which may clear bits of the mode.
 */
static void give(int dirfd, const char *path, gid_t gid, mode_t mode)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* Not root, nor of the group: then it is a store of one's own. */
	if (fd >= 0 && fchown(fd, (uid_t) -1, gid) == 0)
		(void) fchmod(fd, mode);
}

int modes_mkdir(const struct gantry *g, int dirfd, const char *path, mode_t mode)
{
	gid_t gid;

	if (mkdirat(dirfd, path, ALONE) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (find_group(g, &gid) == 0)
		give(dirfd, path, gid, mode);
	return 1;
}

int modes_mkdir_like(int dirfd, const char *path, const char *neighbour)
{
	struct stat st;

	if (mkdirat(dirfd, path, ALONE) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fstatat(dirfd, neighbour, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mode & S_ISGID)
		give(dirfd, path, st.st_gid, st.st_mode & 07777);
	return 1;
}

int modes_data_dir(const struct gantry *g, struct err *e)
{
	int fd = g->data_fd >= 0 ? fd_copy(g->data_fd)
				 : open(g->data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC),
	    r;
	gid_t gid;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(e, "data directory %s", g->data_dir);
	r = path_mkdirs(g->data_dir, 0755, e);
	if (r < 0)
		return r;
	if (find_group(g, &gid) == 0)
		give(AT_FDCWD, g->data_dir, gid, 02750);
	fd = open(g->data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "data directory %s", g->data_dir) : fd;
}
