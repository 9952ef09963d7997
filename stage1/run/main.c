/*
 * Who am I: `run` of the default stage1, executed by stage0 in the pod's directory with the pod's lock
 * held.  Manifests become a plan, the plan a process that becomes the pod's init; then I become the
 * monitor, with the same process id.  When I fail before that, nothing of the pod is left running, and
 * my exit status is 254.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/record.h"
#include "base/str.h"
#include "contract/exit.h"
#include "contract/layout.h"
#include "stage1/run/caps.h"
#include "stage1/run/flavor.h"
#include "stage1/run/sandbox.h"

/* What stage0 announced, before there is a sandbox to put it in. */
struct handed {
	int lock, error, ready, log;
	struct listening_list listening;
};

static int take_handed(struct handed *h, struct err *e)
{
	int r = fds_init(e);

	h->lock = fds_take("lock");
	h->error = fds_take("error");
	h->ready = fds_take("ready");
	h->log = fds_take("log");
	if (r == 0)
		r = listening_take(&h->listening, e);
	/* The old names of the lock: an app or a plugin has no business with it. */
	(void) unsetenv("GANTRY_LOCK_FD");
	(void) unsetenv("RKT_LOCK_FD");
	/* Said to stage0, and no longer true. */
	(void) unsetenv("LISTEN_FDS");
	(void) unsetenv("LISTEN_PID");
	(void) unsetenv("LISTEN_FDNAMES");
	return r;
}

static void report(const struct handed *h, const char *text)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (h->error < 0) {
		log_error("%s", text);
		return;
	}
	record_begin(&sb, 1);
	record_addf(&sb, "code", "%d", EXIT_FAILED);
	record_add(&sb, "message", text);
	(void) write_all(h->error, sb.buf, sb.len);
}

/* What other pods of a network may call this one: its name, if it has one, and those of its apps. */
static char **names_of(const struct plan *plan, int pod)
{
	_cleanup_free_ char *name = NULL;
	char **names = NULL;

	if (file_read_line_at(pod, POD_NAME, &name, NULL) == 0)
		strv_add(&names, name);
	for (size_t i = 0; i < plan->n_apps; i++)
		if (!strv_has(names, plan->apps[i].name))
			strv_add(&names, plan->apps[i].name);
	return names;
}

/* Load and check the networks, and only that. */
static int plan_network(const struct plan *plan, const struct entry_args *args, int pod,
			struct net_plan **ret, struct err *e)
{
	_cleanup_strv_ char **names = plan->nets ? names_of(plan, pod) : NULL;
	struct net_request req = {
		.uuid = plan->uuid,
		.pod_fd = pod,
		.nets = plan->nets,
		.local_config = args->local_config ? args->local_config : LOCAL_CONFIG_DIR,
		.net_dirs = args->net_dirs,
		.netns_fd = -EBADF,
		.ports = plan->ports,
		.n_ports = plan->n_ports,
		.bandwidth = plan->net_bytes,
		.aliases = names,
	};

	*ret = NULL;
	return plan->nets ? net_plan(&req, ret, e) : 0;
}

static void dry_run(const struct plan *plan, const struct net_plan *net)
{
	_cleanup_strv_ char **lines = net ? net_plan_lines(net) : NULL;

	plan_print(plan, stdout);
	for (char **l = lines; l && *l; l++)
		printf("network %s\n", *l);
}

static int carry_out(const struct plan *plan, const struct entry_args *args, const struct cg_host *cgroups,
		     int dir, struct net_plan *net, const struct handed *h, struct err *e)
{
	struct rlimit files;
	struct sandbox sb;
	int r;

	if (log_is_debug())
		plan_report(plan);
	for (char **n = plan->notes; n && *n; n++)
		log_info("%s", *n);
	if (plan->files_limit && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = plan->files_limit;
		(void) setrlimit(RLIMIT_NOFILE, &files);
	}
	sandbox_init(&sb, plan, args, cgroups, dir);
	sb.net = net;
	sb.lock = h->lock;
	sb.error = h->error;
	sb.ready = h->ready;
	sb.log = h->log;
	r = flavor.prepare_host ? flavor.prepare_host(plan, e) : 0;
	if (r == 0)
		r = sandbox_run(&sb, e);
	sb.error = -EBADF;
	sandbox_done(&sb);
	return r;
}

static int run(const struct entry_args *args, const struct handed *h, struct err *e)
{
	_cleanup_fd_ int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_pod_ struct pod *pod = NULL;
	_cleanup_plan_ struct plan *plan = NULL;
	struct rlimit files = {0};
	struct stat st;
	struct host_facts facts = {
		.caps = caps_permitted(),
		.terminal = args->interactive && isatty(STDIN_FILENO),
		.term = getenv("TERM"),
		.listening = &h->listening,
	};
	struct cg_host *cgroups = NULL;
	struct net_plan *net = NULL;
	int r;

	if (dir < 0)
		return err_sys(e, "open the pod directory");
	r = pod_load(dir, args->uuid, &pod, e);
	if (r < 0)
		return r;
	if (flavor.groups) {
		cgroups = cg_host_detect(e);
		if (!cgroups)
			return -EINVAL;
	}
	facts.cgroups = cgroups;
	if (fstat(dir, &st) == 0)
		facts.pod_device = st.st_dev;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		facts.files_soft = files.rlim_cur;
		facts.files_hard = files.rlim_max;
	}
	r = flavor.plan(pod, args, &facts, &plan, e);
	if (r == 0)
		r = plan_network(plan, args, dir, &net, e);
	if (r == 0 && args->dry_run) {
		dry_run(plan, net);
		net_plan_free(net);
	} else if (r == 0) {
		r = carry_out(plan, args, cgroups, dir, net, h, e);
	}
	cg_host_free(cgroups);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_entry_args_ struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct handed h = {.lock = -EBADF, .error = -EBADF, .ready = -EBADF, .log = -EBADF};
	int r;

	fd_sanitize_stdio();
	(void) umask(022);
	log_init("gantry: run");
	/* A reader of ours that goes away is an error of the write, not a death in the middle. */
	(void) signal(SIGPIPE, SIG_IGN);
	r = take_handed(&h, &e);
	if (r == 0)
		r = entry_parse(ENTRY_RUN, argc, argv, &args, &e);
	if (r == 0) {
		log_set_debug(args.debug);
		r = run(&args, &h, &e);
	}
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(&e, EIO, "the output could not be written");
	if (r < 0)
		report(&h, err_text(&e));
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
