/*
 * dhcp: addresses from a DHCP server on the container's network.  Two programs in one: the plugin,
 * which only asks, and `dhcp daemon`, which keeps the leases as long as the containers live.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "cni-plugins/dhcp/call.h"
#include "cni-plugins/dhcp/daemon.h"
#include "cni-plugins/dhcp/lease_file.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/skel.h"

#define TIMEOUT_NS (10 * INT64_C(1000000000))
#define RESEND_MAX_NS (62 * INT64_C(1000000000))

/* --- the plugin --- */

static int take_result(const cJSON *j, struct cni_result *ret, struct err *e)
{
	const cJSON *result = json_get(j, "result");

	if (!result)
		return err_set(e, CNI_CODE(CNI_OTHER), "the DHCP daemon gives no result");
	return cni_result_decode(result, JSON_TOP, CNI_LATEST, ret, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_dhcp_conf_ struct dhcp_conf c = {0};
	_cleanup_json_ cJSON *j = NULL;
	int r = dhcp_conf_decode(rq, &c, e);

	if (r >= 0)
		r = call_daemon(rq, c.socket, &j, e);
	return r < 0 ? r : take_result(j, ret, e);
}

/* The lease is known and holds, and prevResult has its address. */
static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_dhcp_conf_ struct dhcp_conf c = {0};
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	_cleanup_json_ cJSON *j = NULL;
	char text[CIDR_TEXT_MAX];
	int r = dhcp_conf_decode(rq, &c, e);

	if (r >= 0)
		r = call_daemon(rq, c.socket, &j, e);
	if (r >= 0)
		r = take_result(j, &res, e);
	if (r < 0 || !rq->has_prev || !res.n_ips)
		return r;
	for (size_t i = 0; i < rq->prev.n_ips; i++)
		if (cidr_eq(&rq->prev.ips[i].addr, &res.ips[0].addr))
			return 0;
	return err_set(e, CNI_CODE(CNI_OTHER), "dhcp: the lease is for %s, which prevResult lacks",
		       cidr_text(&res.ips[0].addr, text));
}

/*
 * Without a daemon: is there anything that would have to be given back?  Then it is an error, so
 * that the runtime tries again.
 */
struct left {
	const struct cni_request *rq;
	bool any;
};

static int is_left(int dir _unused_, const struct lease_name *name, void *arg,
		   struct err *e _unused_)
{
	struct left *l = arg;

	l->any |= l->rq->command == CNI_GC
			  ? !cni_attachments_have(&l->rq->valid, name->id, name->ifname)
			  : !strcmp(name->id, l->rq->container_id) &&
				    !strcmp(name->ifname, l->rq->ifname);
	return 0;
}

static int without_daemon(const struct cni_request *rq, const char *socket, struct err *e)
{
	_cleanup_free_ char *path = dhcp_state_dir(socket);
	_cleanup_fd_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct left left = {.rq = rq};

	if (dir >= 0 && lease_file_each(dir, rq->name, is_left, &left, NULL) < 0)
		left.any = true;
	if (left.any)
		return err_ctx(e, -CNI_CODE(CNI_OTHER), "there is a lease to be released");
	err_done(e);
	return 0;
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_dhcp_conf_ struct dhcp_conf c = {0};
	_cleanup_json_ cJSON *j = NULL;
	int r = dhcp_conf_socket(rq, &c, e);

	if (r >= 0)
		r = call_daemon(rq, c.socket, &j, e);
	return r == -ENOENT ? without_daemon(rq, c.socket, e) : r;
}

static int gc(const struct cni_request *rq, struct err *e)
{
	return rq->valid.known ? del(rq, e) : 0;
}

static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_dhcp_conf_ struct dhcp_conf c = {0};
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *why = NULL;
	int r = dhcp_conf_decode(rq, &c, e);

	if (r < 0 || (r = call_daemon(rq, c.socket, &j, e)) >= 0)
		return r;
	why = xstrdup(err_text(e));
	return err_set(e, CNI_CODE(CNI_NOT_AVAILABLE), "%s", why);
}

static const struct cni_plugin plugin = {
	.name = "dhcp",
	.add = add,
	.del = del,
	.check = check,
	.gc = gc,
	.status = status,
};

/* --- the daemon --- */

struct arguments {
	char *pidfile, *prefix, *socket;
	bool broadcast, help;
	int64_t timeout, resend_max;
};

static const struct opt options[] = {
	{.name = "pidfile", .type = OPT_STRING, .offset = offsetof(struct arguments, pidfile),
	 .arg = "PATH", .help = "file for the daemon's process id"},
	{.name = "hostprefix", .type = OPT_STRING, .offset = offsetof(struct arguments, prefix),
	 .arg = "PATH", .help = "goes before the paths of the socket and of namespaces"},
	{.name = "socketpath", .type = OPT_STRING, .offset = offsetof(struct arguments, socket),
	 .arg = "PATH", .help = "socket to listen on (" DHCP_SOCKET ")"},
	{.name = "broadcast", .type = OPT_FLAG, .offset = offsetof(struct arguments, broadcast),
	 .help = "ask servers to answer by broadcast"},
	{.name = "timeout", .type = OPT_DURATION, .offset = offsetof(struct arguments, timeout),
	 .arg = "TIME", .help = "how long an ADD looks for an address (10s)"},
	{.name = "resendmax", .type = OPT_DURATION,
	 .offset = offsetof(struct arguments, resend_max), .arg = "TIME",
	 .help = "longest time between two questions (1m2s)"},
	{.name = "help", .short_name = 'h', .type = OPT_FLAG,
	 .offset = offsetof(struct arguments, help), .help = "this text"},
};

/* The reference's options have one dash. */
static char **with_two_dashes(int argc, char *const *argv)
{
	char **v = NULL;

	for (int i = 0; i < argc; i++) {
		size_t n = strcspn(argv[i], "=");
		bool ours = false;

		for (size_t o = 0; *argv[i] == '-' && o < ELEMENTSOF(options); o++)
			ours |= strlen(options[o].name) == n - 1 &&
				!strncmp(argv[i] + 1, options[o].name, n - 1);
		strv_push(&v, ours ? xasprintf("-%s", argv[i]) : xstrdup(argv[i]));
	}
	return v;
}

static int parse_arguments(int argc, char *const *argv, struct arguments *a, struct err *e)
{
	struct opt_table table = OPT_TABLE(options, a);
	_cleanup_strv_ char **args = with_two_dashes(argc, argv), **words = NULL;
	struct opt_cursor c = {.argc = argc, .argv = args};
	int r = opt_parse_all(&c, &table, 1, false, &words, e);

	if (r < 0)
		return r;
	if (words)
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (a->timeout <= 0 || a->resend_max <= 0)
		return err_set(e, EINVAL, "a time must be above zero");
	if (*a->socket != '/' || (*a->prefix && *a->prefix != '/'))
		return err_set(e, EINVAL, "paths must be absolute");
	return 0;
}

static int64_t to_ms(int64_t ns)
{
	return ns < 1000000 ? 1 : ns / 1000000;
}

static int run_daemon(const struct arguments *a, struct err *e)
{
	struct daemon_options o = {
		.lease = {.broadcast = a->broadcast,
			  .timeout_ms = to_ms(a->timeout),
			  .resend_max_ms = to_ms(a->resend_max)},
		.pidfile = a->pidfile,
		.prefix = a->prefix,
		.socket = a->socket,
	};

	return daemon_run(&o, e);
}

static int daemon_main(int argc, char *const *argv)
{
	struct arguments a = {
		.pidfile = xstrdup(""),
		.prefix = xstrdup(""),
		.socket = xstrdup(DHCP_SOCKET),
		.timeout = TIMEOUT_NS,
		.resend_max = RESEND_MAX_NS,
	};
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	fd_sanitize_stdio();
	log_init("dhcp");
	r = parse_arguments(argc, argv, &a, &e);
	if (r >= 0 && a.help) {
		(void) printf("usage: dhcp daemon [options]\n");
		opt_help(stdout, options, ELEMENTSOF(options));
	} else if (r >= 0) {
		r = run_daemon(&a, &e);
	}
	free(a.pidfile);
	free(a.prefix);
	free(a.socket);
	if (r < 0)
		log_error("%s", err_text(&e));
	return r < 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "daemon"))
		return daemon_main(argc - 2, argv + 2);
	return cni_main(&plugin);
}
