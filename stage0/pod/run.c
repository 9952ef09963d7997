#include "stage0/pod/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/record.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/context.h"
#include "stage0/pod/dns.h"
#include "stage0/pod/status.h"
#include "stage0/service/register.h"

#define RUN(field) offsetof(struct run_request, field)

/* Bare --net means the default network. */
const struct opt run_request_opts[] = {
	{.name = "net", .type = OPT_OPTIONAL, .offset = RUN(nets), .bare = "default",
	 .arg = "NAME[:K=V;...],...",
	 .help = "networks: default, none (lo only), host, or names of configured ones"},
	{.name = "dns", .type = OPT_STRV, .offset = RUN(dns), .arg = "IP,...",
	 .help = "name servers, or host, or none"},
	{.name = "dns-search", .type = OPT_STRV, .offset = RUN(dns_search), .arg = "DOMAIN",
	 .help = "search domains"},
	{.name = "dns-opt", .type = OPT_STRV, .offset = RUN(dns_opt), .arg = "OPTION",
	 .help = "options of the resolver"},
	{.name = "dns-domain", .type = OPT_STRING, .offset = RUN(dns_domain), .arg = "DOMAIN",
	 .help = "local domain"},
	{.name = "hosts-entry", .type = OPT_STRV, .offset = RUN(hosts_entries),
	 .arg = "IP=NAME,...",
	 .help = "lines of /etc/hosts, or host for the host's own file"},
	{.name = "hostname", .type = OPT_STRING, .offset = RUN(hostname), .arg = "NAME",
	 .help = "host name (rkt-UUID)"},
	{.name = "ipc", .type = OPT_STRING, .offset = RUN(ipc), .arg = "WORD",
	 .help = "auto, private, or parent: the host's IPC"},
	{.name = "detach", .type = OPT_FLAG, .offset = RUN(detach),
	 .help = "return when the pod is ready, print its UUID"},
	{.name = "dry-run", .type = OPT_FLAG, .offset = RUN(dry_run),
	 .help = "print what would be done for the pod"},
	{.name = "interactive", .type = OPT_FLAG, .offset = RUN(interactive),
	 .help = "give the pod's one app the standard input; a terminal of its own for a terminal"},
	{.name = "mds-register", .type = OPT_FLAG, .offset = RUN(mds_register),
	 .help = "fail when the pod cannot be registered with the metadata service"},
};
const size_t n_run_request_opts = ELEMENTSOF(run_request_opts);

void run_request_done(struct run_request *req)
{
	strv_free(req->nets);
	strv_free(req->dns);
	strv_free(req->dns_search);
	strv_free(req->dns_opt);
	free(req->dns_domain);
	strv_free(req->hosts_entries);
	free(req->hostname);
	free(req->ipc);
}

/* The uses of --net, each a list, into one vector; names unique, special ones alone and bare. */
static int split_nets(const struct run_request *req, char ***ret, struct err *e)
{
	_cleanup_strv_ char **nets = NULL, **names = NULL;

	for (char **use = req->nets; use && *use; use++) {
		_cleanup_strv_ char **parts = strv_split(*use, ',');

		for (char **p = parts; *p; p++) {
			size_t len = strcspn(*p, ":");
			_cleanup_free_ char *name = xstrndup(*p, len);

			if (!*name)
				return err_set(e, EINVAL, "--net %s: empty network name", q(*use));
			if (strv_has(names, name))
				return err_set(e, EINVAL, "--net: network %s is there twice",
					       q(name));
			if ((*p)[len] && (!strcmp(name, "all") || !strcmp(name, "host") ||
					  !strcmp(name, "none")))
				return err_set(e, EINVAL, "--net: %s takes no arguments", name);
			strv_add(&names, name);
			strv_add(&nets, *p);
		}
	}
	if (strv_len(names) > 1 &&
	    (strv_has(names, "host") || strv_has(names, "none") || strv_has(names, "all")))
		return err_set(e, EINVAL, "--net: all, host and none stand alone");
	*ret = take_ptr(nets);
	return 0;
}

static int check_hostname(const char *name, struct err *e)
{
	/* RFC 1123 labels; the kernel takes 64 bytes (sethostname(2)). */
	if (!*name || strlen(name) > 64)
		return err_set(e, EINVAL, "--hostname %s: 1 to 64 characters", q(name));
	for (const char *s = name; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && *s != '-' && *s != '.')
			return err_set(e, EINVAL,
				       "--hostname %s: letters, digits, '-' and '.' only", q(name));
	return 0;
}

int run_request_check(const struct run_request *req, struct err *e)
{
	_cleanup_strv_ char **nets = NULL;
	int r = split_nets(req, &nets, e);

	if (r == 0 && req->interactive && req->detach)
		r = err_set(e, EINVAL, "--interactive and --detach exclude each other");
	if (r == 0 && req->hostname)
		r = check_hostname(req->hostname, e);
	if (r == 0 && req->ipc && strcmp(req->ipc, "auto") && strcmp(req->ipc, "private") &&
	    strcmp(req->ipc, "parent"))
		r = err_set(e, EINVAL, "--ipc %s: auto, private or parent", q(req->ipc));
	if (r == 0)
		r = dns_check(req, e);
	if (r == 0 && req->mds_register && strv_has(nets, "none"))
		r = err_set(e, EINVAL, "--mds-register: a pod with --net=none cannot reach the metadata service");
	return r;
}

char *pod_default_hostname(const struct gantry *g, const char *uuid)
{
	return xasprintf("%s-%s", g->program, uuid);
}

static int fill_args(const struct gantry *g, const struct pod *p, const struct stage1 *s,
		     const struct run_request *req, struct entry_args *args, struct err *e)
{
	_cleanup_free_ char *mode = NULL;
	int r = split_nets(req, &args->nets, e);

	if (r < 0)
		return r;
	args->uuid = xstrdup(p->uuid);
	args->debug = g->debug;
	args->local_config = xstrdup(g->local_config);
	/* What nobody asked for an old stage1 goes without, and without complaint. */
	if (s->interface >= 7) {
		args->system_config = xstrdup(g->system_config);
		args->data_dir = xstrdup(g->data_dir);
		args->foreground = !req->detach;
	}
	if (req->hostname || s->interface >= 2)
		args->hostname = req->hostname ? xstrdup(req->hostname)
					       : pod_default_hostname(g, p->uuid);
	args->ipc = xstrdup_null(req->ipc);
	args->no_capabilities = g->insecure & INSECURE_CAPABILITIES;
	args->no_paths = g->insecure & INSECURE_PATHS;
	args->no_seccomp = g->insecure & INSECURE_SECCOMP;
	args->interactive = req->interactive;
	args->dry_run = req->dry_run;
	mode = dns_mode(req);
	if (s->interface >= 4 || !str_eq(mode, DNS_MODE_DEFAULT))
		args->dns_conf_mode = take_ptr(mode);
	return 0;
}

/* A pod that can reach the metadata service is registered there. */
static int register_pod(const struct gantry *g, const struct pod *p, const struct stage1 *s,
			const struct run_request *req, struct entry_args *args, struct err *e)
{
	struct metadata_note note;
	int r;

	if (strv_has(args->nets, "none"))
		return 0;
	r = metadata_register(g, p, req->mds_register, &note, e);
	/* Everybody can read a command line: only for who reads the token nowhere else. */
	if (r > 0 && s->interface < 7)
		args->mds_token = xstrdup(note.token);
	return r < 0 ? r : 0;
}

/* This process becomes stage1. */
static int exec_stage1(const struct pod *p, const struct stage1 *s, char *const *argv, int error,
		       int ready, struct err *e)
{
	_cleanup_strv_ char **env = stage1_environment(p->dir);
	struct fd_name fds[] = {{"lock", p->dir}, {"error", error}, {"ready", ready}};

	/* What an older stage1 does not know it would hold open for the life of the pod. */
	if (s->interface < ENTRY_VERSION_APPS)
		fds[1].fd = fds[2].fd = -EBADF;
	if (fchdir(p->dir) < 0)
		return err_sys(e, "change to the pod directory");
	return exec_fds(-EBADF, s->programs[ENTRY_RUN], argv, env, fds, ELEMENTSOF(fds), e);
}

static void report(int error, const struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, 1);
	record_addf(&sb, "code", "%d", EXIT_FAILED);
	record_add(&sb, "message", err_text(e));
	(void) write_all(error, sb.buf, sb.len);
}

/* Who am I: the detached pod's first process, in a session of its own, nobody's terminal. */
static _noreturn_ void detached(const struct pod *p, const struct stage1 *s, char *const *argv,
				int error, int ready)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void) setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		err_sys(&e, "open /dev/null");
	else
		exec_stage1(p, s, argv, error, ready, &e);
	report(error, &e);
	_exit(EXIT_FAILED);
}

/*
 * The start failed: its one line, and the status with which it would have ended in the foreground.
 */
static int read_failure(int error, pid_t pid, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *data = NULL, *text = NULL;
	const char *message = NULL;
	size_t len;
	int r = read_all(error, RECORD_MAX, &data, &len), st = proc_wait(pid);

	if (st < 0)
		return err_sysr(e, st, "wait for the pod");
	if (r == 0 && len && record_parse(&rec, take_ptr(data), len, 1, NULL) == 0)
		message = record_get(&rec, "message");
	if (!message) {
		text = proc_describe(st);
		return err_set(e, ESRCH, "the pod ended before it was ready: its first process %s",
			       text);
	}
	/* Part of it may be an image's word. */
	text = str_escape(message, strlen(message));
	log_error("%s", text);
	return proc_status(st) ? proc_status(st) : EXIT_FAILED;
}

/*
 * A stage1 of rkt's contract says nothing when it is ready: then the pod is there as soon as its
 * first process is known. The error pipe ends with the exec.
 */
static int wait_first_process(const struct pod *p, int error, pid_t pid, struct err *e)
{
	const struct timespec tick = {.tv_nsec = 50 * 1000 * 1000};
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);
	struct pollfd closed = {.fd = error, .events = POLLIN};
	pid_t first;

	if (pidfd < 0)
		return err_sysr(e, pidfd, "watch the pod");
	while (poll(&closed, 1, -1) < 0 && errno == EINTR)
		continue;
	if (closed.revents & POLLIN)
		return read_failure(error, pid, e);
	while (pod_pid(p, &first, NULL) < 0) {
		if (proc_wait_pidfd(pidfd, 0) == 0)
			return read_failure(error, pid, e);
		(void) nanosleep(&tick, NULL);
	}
	printf("%s\n", p->uuid);
	return 0;
}

static int run_detached(const struct pod *p, const struct stage1 *s, char *const *argv,
			struct err *e)
{
	int ready[2] = {-EBADF, -EBADF}, error[2] = {-EBADF, -EBADF}, r = 0;
	pid_t pid = -1;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0)
		r = err_sys(e, "pipe");
	if (r == 0) {
		pid = fork();
		if (pid == 0)
			detached(p, s, argv, error[1], ready[1]);
		if (pid < 0)
			r = err_sys(e, "fork");
	}
	(void) fd_close(ready[1]);
	(void) fd_close(error[1]);
	if (r == 0 && s->interface < ENTRY_VERSION_APPS)
		r = wait_first_process(p, error[0], pid, e);
	else if (r == 0 && read_exact(ready[0], &c, 1) == 1)
		printf("%s\n", p->uuid);
	else if (r == 0)
		r = read_failure(error[0], pid, e);
	(void) fd_close(ready[0]);
	(void) fd_close(error[0]);
	return r;
}

/*
 * stage1 prints its plan; a pod that was only made for this goes again, a prepared one stays as it
 * is.
 */
static int dry_run(const struct gantry *g, struct pod *p, const struct stage1 *s,
		   const struct entry_args *args, struct err *e)
{
	int status = stage1_call(s, ENTRY_RUN, args, p, e), r = 0;

	if (p->phase == PHASE_PREPARE) {
		r = pod_move(p, PHASE_GARBAGE, false, status < 0 ? NULL : e);
		if (r == 0)
			r = pod_remove(g, p, status < 0 ? NULL : e);
	}
	return status < 0 ? status : r < 0 ? r : status;
}

int pod_run(const struct gantry *g, struct pod *p, const struct stage1 *s,
	    const struct run_request *req, struct err *e)
{
	_cleanup_entry_args_ struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_strv_ char **argv = NULL;
	int r = fill_args(g, p, s, req, &args, e);

	if (r == 0 && req->dry_run)
		return dry_run(g, p, s, &args, e);
	if (r == 0)
		r = register_pod(g, p, s, req, &args, e);
	if (r == 0)
		r = stage1_argv(s, ENTRY_RUN, &args, &argv, e);
	if (r == 0)
		r = dns_write(req, args.hostname, p->dir, e);
	if (r == 0)
		r = pod_move(p, PHASE_RUN, false, e);
	if (r < 0)
		return r;
	if (req->detach)
		return run_detached(p, s, argv, e);
	return exec_stage1(p, s, argv, -EBADF, -EBADF, e);
}
