/*
 * What probe sees: commands that read the state of the process and of its root file system.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

static int see_env(int argc, char **argv)
{
	if (!argc)
		for (char **e = environ; *e; e++)
			puts(*e);
	for (int i = 0; i < argc; i++) {
		const char *value = getenv(argv[i]);

		if (value)
			printf("%s=%s\n", argv[i], value);
		else
			printf("%s is unset\n", argv[i]);
	}
	return 0;
}

static int see_args(int argc, char **argv)
{
	printf("argc=%d\n", argc);
	for (int i = 0; i < argc; i++)
		printf("arg[%d]=%s\n", i, argv[i]);
	return 0;
}

/* Fields of /proc/self/status as FIELD=value, the tab after the colon dropped. */
static int see_status(int argc, char **argv)
{
	char line[4096];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return report("status", -1, errno);
	while (fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		for (size_t n = strlen(value); n && value[n - 1] == ' '; n--)
			value[n - 1] = '\0';
		for (int i = 0; i < argc; i++)
			if (!strcmp(argv[i], line))
				printf("%s=%s\n", line, value);
	}
	fclose(f);
	return 0;
}

static int see_id(int argc, char **argv)
{
	gid_t groups[256];
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	int n = getgroups(256, groups);

	(void)argc, (void)argv;
	getresuid(&ruid, &euid, &suid);
	getresgid(&rgid, &egid, &sgid);
	printf("uid=%u/%u/%u\ngid=%u/%u/%u\ngroups=", ruid, euid, suid, rgid, egid, sgid);
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? " " : "", groups[i]);
	putchar('\n');
	return 0;
}

static int see_cwd(int argc, char **argv)
{
	char path[PATH_MAX];

	(void)argc, (void)argv;
	if (!getcwd(path, sizeof(path)))
		return report("cwd", -1, errno);
	printf("cwd=%s\n", path);
	return 0;
}

static int copy_out(const char *path)
{
	char buf[16384];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	fflush(stdout);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) != n)
			break;
	close(fd);
	return n < 0 ? -1 : 0;
}

static int see_cat(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (copy_out(argv[i]) < 0)
			printf("cat %s=%s\n", argv[i], errno_name(errno));
	return 0;
}

static int see_cgroup(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (copy_out("/proc/self/cgroup") < 0)
		return report("cgroup", -1, errno);
	return 0;
}

/*
 * `mount PATH=FSTYPE OPTIONS SUPER-OPTIONS` for the topmost mount on each PATH, or for all of them:
 * proc(5), /proc/PID/mountinfo, fields 5, 6, and after the "-".
 */
static int see_mount(int argc, char **argv)
{
	char line[8192], found[8192];
	FILE *f;

	for (int i = 0; i < (argc ? argc : 1); i++) {
		found[0] = '\0';
		f = fopen("/proc/self/mountinfo", "re");
		if (!f)
			return report("mount", -1, errno);
		while (fgets(line, sizeof(line), f)) {
			char point[4096], opts[1024], type[256], super[2048];
			char *dash = strstr(line, " - ");

			if (!dash || sscanf(line, "%*s %*s %*s %*s %4095s %1023s", point, opts) != 2 ||
			    sscanf(dash, " - %255s %*s %2047s", type, super) != 2)
				continue;
			if (!argc)
				printf("mount %s=%s %s %s\n", point, type, opts, super);
			else if (!strcmp(point, argv[i]))
				snprintf(found, sizeof(found), "%s %s %s", type, opts, super);
		}
		fclose(f);
		if (argc)
			printf("mount %s=%s\n", argv[i], found[0] ? found : "none");
	}
	return 0;
}

/* Open descriptors and what they are, but the one that reads the directory. */
static int see_fds(int argc, char **argv)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	(void)argc, (void)argv;
	if (!d)
		return report("fds", -1, errno);
	while ((e = readdir(d))) {
		char link[64], target[PATH_MAX];
		long fd;
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		fd = parse_number(e->d_name, 0, INT_MAX);
		if (fd == dirfd(d))
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
		n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("fd=%ld %s\n", fd, target);
	}
	closedir(d);
	return 0;
}

static int see_hostname(int argc, char **argv)
{
	struct utsname u;

	(void)argc, (void)argv;
	uname(&u);
	printf("hostname=%s\n", u.nodename);
	return 0;
}

static int see_ns(int argc, char **argv)
{
	static const char *const all[] = { "mnt", "pid", "net", "ipc", "uts", "user", "cgroup" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/ns/%s", argc ? argv[0] : "self", all[i]);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("ns %s=%s\n", all[i], n < 0 ? errno_name(errno) : target);
	}
	return 0;
}

static int see_limits(int argc, char **argv)
{
	static const struct {
		int resource;
		const char *name;
	} all[] = {
		{ RLIMIT_NOFILE, "nofile" }, { RLIMIT_NPROC, "nproc" }, { RLIMIT_CORE, "core" },
		{ RLIMIT_AS, "as" },	     { RLIMIT_FSIZE, "fsize" }, { RLIMIT_STACK, "stack" },
		{ RLIMIT_MEMLOCK, "memlock" },
	};
	struct rlimit r;

	(void)argc, (void)argv;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!getrlimit(all[i].resource, &r))
			printf("limit %s=%lld/%lld\n", all[i].name, (long long)r.rlim_cur,
			       (long long)r.rlim_max);
	return 0;
}

static int see_ls(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;

		if (!d) {
			printf("ls %s=%s\n", argv[i], errno_name(errno));
			continue;
		}
		while ((e = readdir(d)))
			if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
				printf("entry %s/%s\n", argv[i], e->d_name);
		closedir(d);
	}
	return 0;
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	default: return 's';
	}
}

static int see_stat(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		struct stat st;

		if (lstat(argv[i], &st) < 0) {
			printf("stat %s=%s\n", argv[i], errno_name(errno));
			continue;
		}
		printf("stat %s=%c %04o %u:%u", argv[i], type_of(st.st_mode), st.st_mode & 07777, st.st_uid,
		       st.st_gid);
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			printf(" dev %u:%u\n", major(st.st_rdev), minor(st.st_rdev));
		else
			printf(" size %lld nlink %lu\n", (long long)st.st_size, (unsigned long)st.st_nlink);
	}
	return 0;
}

static int see_readlink(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char target[PATH_MAX];
		ssize_t n = readlink(argv[i], target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		printf("readlink %s=%s\n", argv[i], n < 0 ? errno_name(errno) : target);
	}
	return 0;
}

struct processes {
	int count, zombies;
};

/* Every process of this PID namespace: its number, state and name (proc(5), /proc/PID/stat). */
static int look_at_processes(int print, struct processes *ret)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	*ret = (struct processes) { 0 };
	if (!d)
		return -1;
	while ((e = readdir(d))) {
		char path[PATH_MAX], name[64], state;
		FILE *f;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%*d (%63[^)]) %c", name, &state) == 2) {
			if (print)
				printf("process %s=%c %s\n", e->d_name, state, name);
			ret->count++;
			ret->zombies += state == 'Z';
		}
		fclose(f);
	}
	closedir(d);
	return 0;
}

static int see_ps(int argc, char **argv)
{
	struct processes p;

	(void)argc, (void)argv;
	if (look_at_processes(1, &p) < 0)
		return report("ps", -1, errno);
	printf("processes=%d\nzombies=%d\n", p.count, p.zombies);
	return 0;
}

/* Until there are N and none of them is dead, for a minute: a bound that only PID 1's neglect reaches. */
static int see_reaped(int argc, char **argv)
{
	struct timespec step = { .tv_nsec = 20000000 };
	long n = parse_number(argv[0], 1, 4096);
	struct processes p;
	int left = 3000;

	(void)argc;
	while (look_at_processes(0, &p) == 0 && (p.zombies || p.count > n) && --left)
		nanosleep(&step, NULL);
	printf("processes=%d\nzombies=%d\n", p.count, p.zombies);
	return 0;
}

const struct command see_commands[] = {
	{ "env", 0, see_env, "[NAME...]: the environment" },
	{ "args", 0, see_args, "the rest of the words as they came" },
	{ "status", 1, see_status, "FIELD...: of /proc/self/status" },
	{ "id", 0, see_id, "real/effective/saved ids and groups" },
	{ "cwd", 0, see_cwd, "working directory" },
	{ "cat", 1, see_cat, "FILE..." },
	{ "cgroup", 0, see_cgroup, "/proc/self/cgroup" },
	{ "mount", 0, see_mount, "[POINT...]: type and options of mounts" },
	{ "fds", 0, see_fds, "open descriptors" },
	{ "hostname", 0, see_hostname, "node name" },
	{ "ns", 0, see_ns, "[PID]: namespaces" },
	{ "limits", 0, see_limits, "resource limits, soft/hard" },
	{ "ls", 1, see_ls, "DIRECTORY..." },
	{ "stat", 1, see_stat, "PATH...: type, mode, owner, device" },
	{ "readlink", 1, see_readlink, "PATH..." },
	{ "ps", 0, see_ps, "processes of this PID namespace" },
	{ "reaped", 1, see_reaped, "N: wait until that many are left, and no zombie" },
	{ NULL, 0, NULL, NULL },
};
