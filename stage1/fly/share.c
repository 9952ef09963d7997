/*
 * Mount propagation of a fly pod's volumes: what the app mounts on one appears on the host as well,
 * which is what rkt's fly is used for (an agent in a pod that mounts disks for others).  A clone of
 * a shared mount is its peer by itself; where the host's mount is not shared (no systemd), it is
 * made so first, and stays so: mounts that the app leaves there are the host's, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "stage1/fly/fly.h"
#include "stage1/run/source.h"

#define MOUNTINFO_MAX (16u << 20)

/* Where the source really lies, and the number of the mount that it is on. */
struct place {
	char path[PATH_MAX];
	char *mount; /* as in /proc/self/mountinfo */
};

static int find_place(const char *source, struct place *ret, struct err *e)
{
	struct stat st;
	_cleanup_fd_ int fd = source_open(source, &st, e);
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd), *text = NULL;
	_cleanup_free_ char *info = xasprintf("/proc/self/fdinfo/%d", fd);
	ssize_t n;
	char *id;

	if (fd < 0)
		return fd;
	n = readlink(link, ret->path, sizeof ret->path - 1);
	if (n < 0)
		return err_sys(e, "find %s", q(source));
	ret->path[n] = '\0';
	if (file_read_at(AT_FDCWD, info, 4096, &text, NULL, e) < 0)
		return -EINVAL;
	id = strstr(text, "mnt_id:");
	if (!id)
		return err_set(e, EINVAL, "%s: no mnt_id", info);
	id += strlen("mnt_id:");
	id += strspn(id, "\t ");
	ret->mount = xstrndup(id, strcspn(id, "\n"));
	return 0;
}

/* proc(5): space, tab, line feed and backslash are written as \ and three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && strspn(s + 1, "01234567") >= 3) {
			char digits[4] = {s[1], s[2], s[3], '\0'};

			*to++ = (char) strtol(digits, NULL, 8);
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /root /mount/point rw shared:1 - type source options" */
static int share_line(const char *line, const struct plan_mount *m, const struct place *at,
		      struct err *e)
{
	_cleanup_strv_ char **words = strv_split(line, ' ');
	size_t n = strv_len(words);

	if (n < 10)
		return 0;
	unescape(words[4]);
	if (!str_eq(words[0], at->mount) && !(m->recursive && path_is_below(words[4], at->path)))
		return 0;
	for (size_t i = 6; i < n && !str_eq(words[i], "-"); i++)
		if (str_starts(words[i], "shared:"))
			return 0;
	if (mount(NULL, words[4], NULL, MS_SHARED, NULL) < 0)
		return err_sys(e, "make %s shared", q(words[4]));
	log_info("stage1 fly: volume %s: the mount on %s is a shared one from now on", q(m->volume),
		 q(words[4]));
	return 0;
}

static int share(const struct plan_mount *m, struct err *e)
{
	_cleanup_free_ char *text = NULL, *number = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct place at = {.mount = NULL};
	int r = find_place(m->path, &at, e);

	number = at.mount;
	if (r == 0)
		r = file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL, e);
	if (r < 0)
		return r;
	lines = strv_split(text, '\n');
	for (char **l = lines; *l && r == 0; l++)
		r = share_line(*l, m, &at, e);
	return r;
}

int fly_share(const struct plan *plan, struct err *e)
{
	const struct plan_app *pa = &plan->apps[0];

	for (size_t i = 0; i < pa->n_mounts; i++) {
		const struct plan_mount *m = &pa->mounts[i];
		int r = m->back && m->dir ? share(m, e) : 0;

		if (r < 0)
			return err_ctx(e, r, "app %s: volume %s", pa->name, q(m->volume));
	}
	return 0;
}
