#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

void cleanup_fd(int *fd)
{
	*fd = fd_close(*fd);
}

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void) close(fd);
	errno = saved;
	return -EBADF;
}

int fd_copy(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* close_range(2) with CLOEXEC needs Linux 5.11, and may be filtered away. */
static int cloexec_by_proc(void)
{
	_cleanup_dir_ DIR *d = opendir("/proc/self/fd");
	struct dirent *de;
	uint64_t n;

	if (!d)
		return -errno;
	while ((de = readdir(d)))
		if (parse_u64(de->d_name, INT32_MAX, &n) == 0 && n > 2)
			(void) fd_set_cloexec((int) n, true);
	return 0;
}

int fd_cloexec_all(void)
{
	if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return cloexec_by_proc();
}

void fd_sanitize_stdio(void)
{
	for (;;) {
		int fd = open("/dev/null", O_RDWR);

		if (fd < 0 || fd > 2) {
			(void) fd_close(fd);
			return;
		}
	}
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t) n;
	}
	return 0;
}

int read_all(int fd, size_t limit, char **ret, size_t *ret_len)
{
	size_t room = 4096, len = 0;
	_cleanup_free_ char *buf = xmalloc(room + 1);

	for (;;) {
		ssize_t n = read(fd, buf + len, room - len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		len += (size_t) n;
		if (len > limit)
			return -EFBIG;
		if (len == room) {
			room *= 2;
			buf = xrealloc(buf, room + 1);
		}
	}
	buf[len] = '\0';
	*ret = take_ptr(buf);
	if (ret_len)
		*ret_len = len;
	return 0;
}

ssize_t read_exact(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *) buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return done ? -EIO : 0;
		done += (size_t) n;
	}
	return (ssize_t) len;
}

int fd_sealed(const char *name, const void *data, size_t len, struct err *e)
{
	_cleanup_fd_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_sys(e, "memfd_create %s", name);
	r = write_all(fd, data, len);
	if (r < 0)
		return err_sysr(e, r, "write memory file %s", name);
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(e, "seal memory file %s", name);
	return take_fd(fd);
}

/* The environment variable that lists them is one string of at most 128 KiB (execve(2)). */
#define FDS_MAX 4096

int fds_announce(const struct fd_name *fds, size_t n, char **ret, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t named = 0;

	*ret = NULL;
	for (size_t i = 0; i < n; i++)
		named += fds[i].fd >= 0;
	/* Said here, where there is still somebody to hear it: the program could only end. */
	if (named > FDS_MAX)
		return err_set(e, E2BIG, "%zu descriptors are needed (apps and volumes), the limit is %d", named,
			       FDS_MAX);
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			strbuf_addf(&sb, "%s%s=%d", sb.len ? "," : "GANTRY_FDS=", fds[i].name, fds[i].fd);
	if (sb.len)
		*ret = strbuf_take(&sb);
	return 0;
}

int exec_announced(int path_fd, const char *path, char *const *argv, char *const *env,
		   const struct fd_name *fds, size_t n, struct err *e)
{
	int r = fd_cloexec_all();

	if (r < 0)
		return err_sysr(e, r, "mark descriptors close-on-exec");
	for (size_t i = 0; i < n; i++) {
		r = fds[i].fd < 0 ? 0 : fd_set_cloexec(fds[i].fd, false);
		if (r < 0)
			return err_sysr(e, r, "keep descriptor %s open", fds[i].name);
	}
	if (path_fd >= 0)
		(void) syscall(SYS_execveat, path_fd, "", argv, env, AT_EMPTY_PATH);
	else
		execve(path, argv, env);
	return err_sys(e, "exec %s", path ? path : argv[0]);
}

int exec_fds(int path_fd, const char *path, char *const *argv, char *const *env,
	     const struct fd_name *fds, size_t n, struct err *e)
{
	_cleanup_strv_ char **envv = NULL;
	char *announced;
	int r = fds_announce(fds, n, &announced, e);

	if (r < 0)
		return r;
	for (; env && *env; env++)
		if (!str_starts(*env, "GANTRY_FDS="))
			strv_add(&envv, *env);
	if (announced)
		strv_push(&envv, announced);
	else if (!envv)
		envv = xcalloc(1, sizeof *envv);
	return exec_announced(path_fd, path, argv, envv, fds, n, e);
}

/* The announced descriptors. */
static struct announced {
	char name[32];
	int fd;
} *announced;
static size_t n_announced;

static int announce(const char *word)
{
	const char *eq = strchr(word, '=');
	uint64_t fd;

	if (!eq || eq == word || (size_t) (eq - word) >= sizeof announced[0].name)
		return -EINVAL;
	if (parse_u64(eq + 1, INT32_MAX, &fd) < 0 || fd < 3 || fd_set_cloexec((int) fd, true) < 0)
		return -EINVAL;
	memcpy(announced[n_announced].name, word, (size_t) (eq - word));
	announced[n_announced].name[eq - word] = '\0';
	announced[n_announced++].fd = (int) fd;
	return 0;
}

int fds_init(struct err *e)
{
	const char *env = getenv("GANTRY_FDS");
	_cleanup_strv_ char **words = NULL;

	if (!env)
		return 0;
	words = strv_split(env, ',');
	free(announced);
	n_announced = 0;
	announced = xcalloc(strv_len(words), sizeof *announced);
	for (size_t i = 0; words[i]; i++)
		if (announce(words[i]) < 0)
			return err_set(e, EINVAL, "GANTRY_FDS: bad entry %s", q(words[i]));
	unsetenv("GANTRY_FDS");
	return 0;
}

int fds_take(const char *name)
{
	for (size_t i = 0; i < n_announced; i++)
		if (announced[i].fd >= 0 && !strcmp(announced[i].name, name))
			return take_fd(announced[i].fd);
	return -ENOENT;
}

int fds_take_prefix(const char *prefix, struct fd_name *ret, size_t max)
{
	size_t len = strlen(prefix), n = 0;

	for (size_t i = 0; i < n_announced; i++) {
		if (announced[i].fd < 0 || strncmp(announced[i].name, prefix, len))
			continue;
		if (n == max)
			return -E2BIG;
		ret[n++] = (struct fd_name) {announced[i].name + len, take_fd(announced[i].fd)};
	}
	return (int) n;
}

int fds_take_n(const char *prefix, unsigned n)
{
	char name[32];

	(void) snprintf(name, sizeof name, "%s%u", prefix, n);
	return fds_take(name);
}
