/*
 * pod-driver: plays the part of stage1/run for tests and measurements of the programs inside a pod.
 *
 *   pod-driver [-d POD-DIRECTORY] [-b PROGRAMS] [-u UUID] [-t STOP-TIMEOUT-MS] [-D] [-H]
 *              NAME ROOTFS [SETTING...] -- COMMAND [ARGUMENT...] [--- NAME ROOTFS ...]
 *
 * PROGRAMS is the directory with init, monitor and stage2.  -D: no relays (detached), -H: the
 * host's network.  Settings: user=U group=G gid=N cwd=DIR env=K=V ro nopaths nnp caps=HEX
 * ambient=HEX seccomp=FILE oom=N memory=BYTES pids=N mount=SOURCE:TARGET:ro|rw pre=SCRIPT
 * post=SCRIPT nogroups
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/path.h"
#include "contract/app_record.h"
#include "contract/layout.h"
#include "contract/pod_record.h"
#include "sys/cgroup.h"
#include "sys/mountapi.h"

#define APPS_MAX 16
#define NAMES_MAX 512

struct driver {
	const char *dir, *programs, *uuid;
	bool detached, host_net, groups;
	struct pod_record pod;
	struct app_record apps[APPS_MAX];
	struct cg_limits limits[APPS_MAX];
	char *seccomp[APPS_MAX];
	char *roots[APPS_MAX];
	char **mounts[APPS_MAX];
	struct cg_host *host;
	struct cg_leaf init_leaf;
	int dirfd, stage2, init;
	struct fd_name init_fds[NAMES_MAX];
	size_t n_init_fds;
	struct fd_name monitor_fds[16];
	size_t n_monitor_fds;
};

static _noreturn_ void die(const char *what)
{
	(void) fprintf(stderr, "pod-driver: %s: %s\n", what, strerror(errno));
	exit(99);
}

static _noreturn_ void die_err(int r, const struct err *e)
{
	(void) fprintf(stderr, "pod-driver: %d: %s\n", r, err_text(e));
	exit(99);
}

static void give(struct driver *d, int fd, const char *fmt, ...) _printf_(3, 4);
static void give(struct driver *d, int fd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->init_fds[d->n_init_fds++] = (struct fd_name) {xvasprintf(fmt, ap), fd};
	va_end(ap);
}

static void keep(struct driver *d, const char *name, int fd)
{
	d->monitor_fds[d->n_monitor_fds++] = (struct fd_name) {name, fd};
}

static uint64_t number(const char *s, int base)
{
	return strtoull(s, NULL, base);
}

static void shell(char ***v, const char *script)
{
	strv_add(v, "/bin/sh");
	strv_add(v, "-c");
	strv_add(v, script);
}

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static void setting(struct driver *d, size_t i, const char *s)
{
	struct app_record *rec = d->apps + i;
	const char *v = strchr(s, '=') ? strchr(s, '=') + 1 : "";

	if (str_starts(s, "user="))
		set_text(&rec->user, v);
	else if (str_starts(s, "group="))
		set_text(&rec->group, v);
	else if (str_starts(s, "cwd="))
		set_text(&rec->cwd, v);
	else if (str_starts(s, "gid="))
		app_record_add_gid(rec, (gid_t) number(v, 10));
	else if (str_starts(s, "env="))
		strv_add(&rec->env, v);
	else if (str_starts(s, "caps="))
		rec->caps_bounding = number(v, 16);
	else if (str_starts(s, "ambient="))
		rec->caps_ambient = number(v, 16);
	else if (str_starts(s, "mount="))
		strv_add(&d->mounts[i], v);
	else if (str_starts(s, "pre="))
		shell(&rec->pre_start, v);
	else if (str_starts(s, "post="))
		shell(&rec->post_stop, v);
	else if (str_starts(s, "memory="))
		d->limits[i].memory_bytes = (int64_t) number(v, 10);
	else if (str_starts(s, "pids="))
		d->limits[i].pids = (int64_t) number(v, 10);
	else if (str_starts(s, "seccomp="))
		set_text(&d->seccomp[i], v);
	else if (str_starts(s, "oom=")) {
		rec->has_oom_score_adj = true;
		rec->oom_score_adj = (int) strtol(v, NULL, 10);
	} else if (str_eq(s, "ro"))
		rec->read_only_root = true;
	else if (str_eq(s, "nopaths"))
		rec->paths = false;
	else if (str_eq(s, "nnp"))
		rec->no_new_privs = true;
	else if (str_eq(s, "nogroups"))
		d->groups = false;
	else {
		errno = EINVAL;
		die(s);
	}
}

/* NAME ROOTFS SETTING... -- COMMAND...; returns where the next app begins. */
static char **read_app(struct driver *d, char **p)
{
	size_t i = d->pod.n_apps;
	struct app_record *rec = d->apps + i;

	*rec = (struct app_record) APP_RECORD_INIT;
	d->limits[i] = (struct cg_limits) CG_LIMITS_NONE;
	rec->app = xstrdup(*p++);
	d->roots[i] = *p++;
	rec->cwd = xstrdup("/");
	rec->user = xstrdup("0");
	rec->group = xstrdup("0");
	rec->caps_bounding = 0xa80425fb;
	strv_add(&rec->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	app_record_default_paths(rec);
	for (; *p && !str_eq(*p, "--"); p++)
		setting(d, i, *p);
	if (*p)
		p++;
	for (; *p && !str_eq(*p, "---"); p++)
		strv_add(&rec->exec, *p);
	pod_record_add_app(&d->pod, rec->app, rec->post_stop != NULL);
	return *p ? p + 1 : p;
}

/* Two drivers at once must not share control groups. */
static char *random_uuid(void)
{
	char *uuid;

	if (file_read_line_at(AT_FDCWD, "/proc/sys/kernel/random/uuid", &uuid, NULL) < 0)
		die("uuid");
	return uuid;
}

static void read_options(struct driver *d, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+d:b:u:t:DH")) != -1) {
		if (c == 'd')
			d->dir = optarg;
		else if (c == 'b')
			d->programs = optarg;
		else if (c == 'u')
			d->uuid = optarg;
		else if (c == 't')
			d->pod.stop_timeout_ms = (unsigned) number(optarg, 10);
		else if (c == 'D')
			d->detached = true;
		else if (c == 'H')
			d->host_net = true;
		else
			exit(99);
	}
	for (char **p = argv + optind; *p && d->pod.n_apps < APPS_MAX;)
		p = read_app(d, p);
	if (!d->uuid)
		d->uuid = random_uuid();
	d->pod.uuid = xstrdup(d->uuid);
	d->pod.hostname = xstrdup("pod-driver");
	d->pod.private_net = !d->host_net;
}

static void make_cgroups(struct driver *d, struct err *e)
{
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	_cleanup_strv_ char **groups = NULL;
	int r;

	for (size_t i = 0; i < d->pod.n_apps; i++)
		strv_push(&groups, xasprintf("gantry/%s/%s", d->uuid, d->pod.apps[i].name));
	strv_push(&groups, xasprintf("gantry/%s/" POD_INIT_LEAF, d->uuid));
	strv_push(&groups, xasprintf("gantry/%s", d->uuid));
	d->host = cg_host_detect(e);
	if (!d->host)
		die_err(-1, e);
	for (size_t i = 0; groups[i]; i++) {
		_cleanup_strv_ char **paths = cg_paths(d->host, groups[i]);

		for (size_t k = 0; paths[k]; k++)
			strbuf_addf(&list, "%s\n", paths[k]);
	}
	r = file_write_at(d->dirfd, POD_CGROUP, list.buf, list.len, 0644, FILE_FAST, e);
	for (size_t i = strv_len(groups); r >= 0 && i-- > 0;) {
		static const struct cg_limits none = CG_LIMITS_NONE;

		r = cg_make(d->host, groups[i], i < d->pod.n_apps ? d->limits + i : &none, e);
		if (r >= 0 && i < d->pod.n_apps) {
			struct cg_leaf leaf = CG_LEAF_INIT;

			r = cg_open_leaf(d->host, groups[i], &leaf, e);
			for (size_t k = 0; k < leaf.n_join; k++)
				give(d, leaf.join[k], "app%zu-cg%zu", i, k);
			if (leaf.dir >= 0) {
				give(d, leaf.dir, "app%zu-cgroup", i);
				give(d, fd_copy(leaf.dir), "app%zu-kill", i);
			}
			if (leaf.freezer >= 0)
				give(d, leaf.freezer, "app%zu-freezer", i);
		} else if (r >= 0 && i == d->pod.n_apps) {
			r = cg_open_leaf(d->host, groups[i], &d->init_leaf, e);
		}
	}
	if (r < 0)
		die_err(r, e);
}

static void make_mount(struct driver *d, size_t i, size_t k, const char *spec, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(spec, ':');
	struct stat st;
	int fd;

	if (strv_len(parts) != 3 || stat(parts[0], &st) < 0)
		die(spec);
	fd = mnt_clone(AT_FDCWD, parts[0], true);
	if (fd < 0)
		die_err(fd, e);
	give(d, fd, "app%zu-mount%zu", i, k);
	app_record_add_mount(d->apps + i, (unsigned) k, str_eq(parts[2], "ro"), S_ISDIR(st.st_mode),
			     true, parts[1]);
}

static void make_app(struct driver *d, size_t i, struct err *e)
{
	_cleanup_free_ char *base = xasprintf(POD_APPSINFO "/%s", d->pod.apps[i].name);
	_cleanup_free_ char *upper = path_join(base, APP_UPPER), *work = path_join(base, APP_WORK);
	const struct mnt_option overlay[] = {
		{"lowerdir", d->roots[i]}, {"upperdir", upper}, {"workdir", work}, {NULL, NULL},
	};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int fd, r = path_mkdirs(upper, 0755, e);

	if (r >= 0)
		r = path_mkdirs(work, 0755, e);
	fd = r < 0 ? r : mnt_new("overlay", overlay, MNT_ATTR_NODEV, e);
	if (fd < 0)
		die_err(fd, e);
	give(d, fd, "app%zu-root", i);
	for (size_t k = 0; d->mounts[i] && d->mounts[i][k]; k++)
		make_mount(d, i, k, d->mounts[i][k], e);
	if (d->seccomp[i]) {
		fd = open(d->seccomp[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die(d->seccomp[i]);
		d->apps[i].seccomp = true;
		give(d, fd, "app%zu-seccomp", i);
	}
	app_record_encode(d->apps + i, &sb);
	fd = fd_sealed("record", sb.buf, sb.len, e);
	if (fd < 0)
		die_err(fd, e);
	give(d, fd, "app%zu-record", i);
}

static int detached_program(struct driver *d, const char *name)
{
	_cleanup_free_ char *path = path_join(d->programs, name), *data = NULL;
	int fd = mnt_clone(AT_FDCWD, path, false), r;
	size_t len;

	r = fd < 0 ? fd : mnt_set_attrs(fd, MNT_ATTR_RDONLY, false);
	if (r >= 0)
		return fd;
	/* Without mount_setattr(2): a sealed copy. */
	(void) fd_close(fd);
	if (file_read_at(AT_FDCWD, path, 64u << 20, &data, &len, NULL) < 0)
		die(path);
	return fd_sealed(name, data, len, NULL);
}

static void make_pipes(struct driver *d, int go[2])
{
	static const char *const names[] = {"status", "out", "err"};
	int p[2];

	if (pipe2(go, O_CLOEXEC) < 0 || pipe2(p, O_CLOEXEC) < 0)
		die("pipe");
	give(d, go[0], "go");
	give(d, p[0], "alive");
	keep(d, "alive", p[1]);
	for (size_t i = 0; i < (d->detached ? 1 : ELEMENTSOF(names)); i++) {
		if (pipe2(p, O_CLOEXEC) < 0)
			die("pipe");
		keep(d, names[i], p[0]);
		give(d, p[1], "%s", names[i]);
	}
}

/* Who am I: the child that becomes PID 1 of the pod. */
static _noreturn_ void become_init(struct driver *d)
{
	char *const argv[] = {(char[]) {"init"}, NULL};
	_cleanup_err_ struct err e = ERR_INIT;

	for (size_t i = 0; d->groups && i < d->init_leaf.n_join; i++)
		if (write(d->init_leaf.join[i], "0", 1) != 1)
			die("join control group");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || unshare(CLONE_NEWCGROUP) < 0 || setsid() < 0)
		die("become init");
	(void) exec_fds(d->init, "init", argv, NULL, d->init_fds, d->n_init_fds, &e);
	die_err(-1, &e);
}

static pid_t start_init(struct driver *d, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD,
		.pidfd = (uint64_t) (uintptr_t) pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (!d->host_net)
		args.flags |= CLONE_NEWNET;
	if (d->init_leaf.dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t) d->init_leaf.dir;
	}
	pid = (pid_t) syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0)
		die("clone3");
	if (pid == 0)
		become_init(d);
	return pid;
}

static void finish(struct driver *d, pid_t pid, int pidfd, int go, struct err *e)
{
	_cleanup_free_ char *monitor = path_join(d->programs, "monitor");
	_cleanup_free_ char *text = xasprintf("%d\n", (int) pid);
	char *const argv[] = {(char[]) {"monitor"}, (char *) d->uuid, NULL};
	int r = file_write_at(d->dirfd, POD_PID, text, strlen(text), 0644, FILE_FAST, e);

	if (r < 0)
		die_err(r, e);
	keep(d, "init", pidfd);
	keep(d, "pod", d->dirfd);
	if (write(go, "g", 1) != 1)
		die("go");
	r = exec_fds(-1, monitor, argv, NULL, d->monitor_fds, d->n_monitor_fds, e);
	die_err(r, e);
}

int main(int argc, char **argv)
{
	static struct driver d = {
		.dir = ".",
		.pod = POD_RECORD_INIT,
		.groups = true,
		.init_leaf = CG_LEAF_INIT,
		.programs = "build/libexec/gantry/stage1/ns/rootfs",
	};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *programs = NULL;
	int go[2], pidfd = -1, fd;
	pid_t pid;

	read_options(&d, argc, argv);
	programs = realpath(d.programs, NULL);
	if (!programs || chdir(d.dir) < 0)
		die(d.dir);
	d.programs = programs;
	d.dirfd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.groups)
		make_cgroups(&d, &e);
	for (size_t i = 0; i < d.pod.n_apps; i++)
		make_app(&d, i, &e);
	pod_record_encode(&d.pod, &sb);
	fd = fd_sealed("record", sb.buf, sb.len, &e);
	if (fd < 0)
		die_err(fd, &e);
	give(&d, fd, "record");
	give(&d, fd_copy(d.dirfd), "pod");
	d.stage2 = detached_program(&d, "stage2");
	d.init = detached_program(&d, "init");
	give(&d, d.stage2, "stage2");
	give(&d, open("/proc/self", O_PATH | O_NOFOLLOW | O_CLOEXEC), "hostself");
	make_pipes(&d, go);
	pid = start_init(&d, &pidfd);
	finish(&d, pid, pidfd, go[1], &e);
}
