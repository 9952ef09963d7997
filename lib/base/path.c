#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define PATH_LINKS_MAX 40
#define PROC_ROOT_INODE 1 /* the kernel's PROC_ROOT_INO */
/* openat2(2) answers EAGAIN when it raced with a rename below the root; ask again, but not for ever. */
#define PATH_RETRIES 64

static int sys_openat2(int dirfd, const char *path, int flags, mode_t mode, unsigned how)
{
	struct open_how oh = {
		.flags = (uint64_t) (flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	if (how & PATH_NO_LINKS)
		oh.resolve |= RESOLVE_NO_SYMLINKS;
	if (how & PATH_NO_XDEV)
		oh.resolve |= RESOLVE_NO_XDEV;
	for (int i = 0; i < PATH_RETRIES; i++) {
		long fd = syscall(SYS_openat2, dirfd, path, &oh, sizeof oh);

		if (fd >= 0)
			return (int) fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/*
 * The walk without openat2: a stack of descriptors from the root to the current directory, so that
 * ".." is popping, never a look at the file system.  Each step is O_NOFOLLOW; a link's text is put in
 * front of what is left.
 */
struct walk {
	int fds[PATH_MAX / 2];
	size_t depth;
	dev_t dev;
	char rest[2 * PATH_MAX];
	int links;
};

static void walk_done(struct walk *w)
{
	while (w->depth > 1)
		(void) fd_close(w->fds[--w->depth]);
}

/*
 * Links of procfs jump to an object instead of having a text (proc(5), /proc/PID/{exe,cwd,root,fd,ns}):
 * openat2(2) answers ELOOP for them.  Only those right in its root (self, mounts, net) are ordinary.
 */
static bool is_magic_link(int parent, int link)
{
	struct statfs sfs;
	struct stat st;

	if (fstatfs(link, &sfs) < 0 || sfs.f_type != PROC_SUPER_MAGIC)
		return false;
	return fstatat(parent, "", &st, AT_EMPTY_PATH) < 0 || st.st_ino != PROC_ROOT_INODE;
}

static int walk_link(struct walk *w, int link, const char *rest, unsigned how)
{
	char target[PATH_MAX];
	_cleanup_free_ char *joined = NULL;
	ssize_t n;

	if (how & PATH_NO_LINKS || ++w->links > PATH_LINKS_MAX || is_magic_link(w->fds[w->depth - 1], link))
		return -ELOOP;
	n = readlinkat(link, "", target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	/* No slash behind the last one: it would demand a directory. */
	joined = xasprintf("%s%s%s", target, *rest ? "/" : "", rest);
	if (strlen(joined) >= sizeof w->rest)
		return -ENAMETOOLONG;
	if (*target == '/')
		walk_done(w);
	memcpy(w->rest, joined, strlen(joined) + 1);
	return 0;
}

/* Move one component on; returns 1 while there is more, 0 when `name` holds the last component. */
static int walk_step(struct walk *w, char name[NAME_MAX + 1])
{
	char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");
	char *after = p + n + strspn(p + n, "/");

	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, n);
	name[n] = '\0';
	/* path_resolution(7): "a/" is "a/.": a has to be a directory, and a link is followed. */
	if (n && p[n] == '/' && !*after)
		after = memcpy(w->rest, ".", 2);
	memmove(w->rest, after, strlen(after) + 1);
	return *w->rest ? 1 : 0;
}

static int walk_enter(struct walk *w, const char *name, unsigned how)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (!*name || !strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		if (w->depth > 1)
			(void) fd_close(w->fds[--w->depth]);
		return 0;
	}
	fd = openat(w->fds[w->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		_cleanup_free_ char *rest = xstrdup(w->rest);

		return walk_link(w, fd, rest, how);
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (how & PATH_NO_XDEV && st.st_dev != w->dev)
		return -EXDEV;
	if (w->depth == ELEMENTSOF(w->fds))
		return -ENAMETOOLONG;
	w->fds[w->depth++] = take_fd(fd);
	return 0;
}

/* Open the last component. *again: it was a link, now expanded into w->rest; go on walking. */
static int walk_last(struct walk *w, const char *name, int flags, mode_t mode, unsigned how, bool *again)
{
	_cleanup_fd_ int probe = -EBADF;
	struct stat st;
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		int r = walk_enter(w, name, how);

		if (r < 0)
			return r;
		fd = openat(w->fds[w->depth - 1], ".", flags | O_CLOEXEC, mode);
		return fd < 0 ? -errno : fd;
	}
	probe = openat(w->fds[w->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (probe >= 0) {
		if (fstat(probe, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode) && !(flags & O_NOFOLLOW)) {
			if (flags & O_CREAT && flags & O_EXCL)
				return -EEXIST;
			*again = true;
			return walk_link(w, probe, "", how);
		}
		if (how & PATH_NO_XDEV && st.st_dev != w->dev)
			return -EXDEV;
	}
	fd = openat(w->fds[w->depth - 1], name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

static int walk_open(int dirfd, const char *path, int flags, mode_t mode, unsigned how)
{
	_cleanup_free_ struct walk *w = xcalloc(1, sizeof *w);
	char name[NAME_MAX + 1];
	struct stat st;
	int r;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	/* Not fstat(2): the root may be AT_FDCWD. */
	if (fstatat(dirfd, "", &st, AT_EMPTY_PATH) < 0)
		return -errno;
	w->dev = st.st_dev;
	w->fds[w->depth++] = dirfd;
	memcpy(w->rest, path, strlen(path) + 1);
	for (;;) {
		bool again = false;

		r = walk_step(w, name);
		if (r > 0) {
			r = walk_enter(w, name, how);
			again = true;
		} else if (r == 0) {
			r = walk_last(w, name, flags, mode, how, &again);
		}
		if (r < 0 || !again)
			break;
	}
	walk_done(w);
	return r;
}

int path_open_beneath(int dirfd, const char *path, int flags, mode_t mode, unsigned how)
{
	static bool no_openat2;

	if (!no_openat2) {
		int r = sys_openat2(dirfd, path, flags, mode, how);

		/* A filter of the host may answer EPERM for what it does not know. */
		if (r != -ENOSYS && r != -EPERM)
			return r;
		if (r == -ENOSYS)
			no_openat2 = true;
	}
	return walk_open(dirfd, path, flags, mode, how);
}

/* Make one directory, whatever the umask says, and give it to root; returns an O_PATH descriptor. */
static int make_dir(int parent, const char *name, mode_t mode)
{
	bool made = mkdirat(parent, name, mode) == 0;
	_cleanup_fd_ int fd = -EBADF;
	int path_fd;

	if (!made && errno != EEXIST)
		return -errno;
	path_fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Somebody else's directory, who was faster, stays as it is. */
	if (path_fd < 0 || !made)
		return path_fd < 0 ? -errno : path_fd;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, mode) < 0) {
		int r = -errno;

		(void) fd_close(path_fd);
		return r;
	}
	return path_fd;
}

int path_mkdirs_beneath(int dirfd, const char *path, mode_t mode, unsigned how)
{
	_cleanup_strv_ char **parts = strv_split(path, '/');
	_cleanup_strbuf_ struct strbuf sofar = STRBUF_INIT;
	_cleanup_fd_ int at = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return -errno;
	for (size_t i = 0; parts[i]; i++) {
		int next;

		if (!*parts[i] || !strcmp(parts[i], "."))
			continue;
		strbuf_addf(&sofar, "/%s", parts[i]);
		/* Always from the root: links of the existing part may point anywhere inside it. */
		next = path_open_beneath(dirfd, sofar.buf, O_PATH | O_DIRECTORY, 0, how);
		if (next == -ENOENT && path_is_name(parts[i]))
			next = make_dir(at, parts[i], mode);
		if (next < 0)
			return next;
		(void) fd_close(at);
		at = next;
	}
	return take_fd(at);
}

int path_mkdirs(const char *path, mode_t mode, struct err *e)
{
	_cleanup_free_ char *p = xstrdup(path);
	struct stat st;

	for (char *s = p + (*p == '/'); ; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (*p && mkdir(p, mode) < 0 && errno != EEXIST && !(errno == EROFS && stat(p, &st) == 0))
			return err_sys(e, "mkdir %s", p);
		*s = c;
		if (!c)
			break;
	}
	if (stat(path, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s: not a directory", path);
	return 0;
}

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	/* Nothing before it: a relative path must not become an absolute one. */
	if (!n)
		return xstrdup(b);
	return xasprintf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b + (*b == '/'));
}

char *path_clean(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, '/');
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; parts[i]; i++) {
		if (!*parts[i] || !strcmp(parts[i], "."))
			continue;
		if (!strcmp(parts[i], "..")) {
			char *slash = sb.len ? strrchr(sb.buf, '/') : NULL;

			if (slash) {
				*slash = '\0';
				sb.len = (size_t) (slash - sb.buf);
			}
			continue;
		}
		strbuf_addf(&sb, "/%s", parts[i]);
	}
	if (!sb.len)
		strbuf_addc(&sb, '/');
	return strbuf_take(&sb);
}

bool path_is_absolute(const char *path)
{
	return *path == '/';
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1)
		return *path == '/';
	return !strncmp(path, dir, n) && (path[n] == '/' || path[n] == '\0');
}

bool path_is_name(const char *s)
{
	return *s && strcmp(s, ".") && strcmp(s, "..") && !strchr(s, '/') && strlen(s) <= NAME_MAX;
}

const char *path_last(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
