#include "stage0/pod/run.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/context.h"
#include "stage0/pod/dns.h"
#include "stage0/pod/start.h"
#include "stage0/pod/users.h"
#include "stage0/service/register.h"

#define RUN(field) offsetof(struct run_request, field)

/* Bare --net means the default network. */
const struct opt run_request_opts[] = {
	{.name = "net", .type = OPT_OPTIONAL, .offset = RUN(nets), .bare = "default",
	 .arg = "NAME[:K=V;...],...",
	 .help = "networks: default, none (lo only), host, all, or names of configured ones"},
	{.name = "net-dir", .type = OPT_STRV, .offset = RUN(net_dirs), .arg = "DIR",
	 .help = "networks of this directory too, after those of net.d"},
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
	 .help = "host name (gantry-UUID; as rkt rkt-UUID)"},
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
	strv_free(req->net_dirs);
	strv_free(req->dns);
	strv_free(req->dns_search);
	strv_free(req->dns_opt);
	free(req->dns_domain);
	strv_free(req->hosts_entries);
	free(req->hostname);
	free(req->ipc);
}

/* ":K=V;K2=V2" behind a network's name, or nothing: CNI_ARGS. */
static int check_net_args(const char *name, const char *text, struct err *e)
{
	_cleanup_strv_ char **args = *text ? strv_split(text + 1, ';') : NULL;

	for (char **a = args; a && *a; a++)
		if (**a == '=' || !strchr(*a, '='))
			return err_set(e, EINVAL,
				       "--net: network %s: argument %s: expected NAME=VALUE",
				       q(name), q(*a));
	return 0;
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
			int r;

			if (!*name)
				return err_set(e, EINVAL, "--net %s: empty network name", q(*use));
			if (strv_has(names, name))
				return err_set(e, EINVAL, "--net: network %s is there twice",
					       q(name));
			if ((*p)[len] && (!strcmp(name, "all") || !strcmp(name, "host") ||
					  !strcmp(name, "none")))
				return err_set(e, EINVAL, "--net: %s takes no arguments", name);
			r = check_net_args(name, *p + len, e);
			if (r < 0)
				return r;
			strv_add(&names, name);
			strv_add(&nets, *p);
		}
	}
	if (strv_len(names) > 1 &&
	    (strv_has(names, "host") || strv_has(names, "none")))
		return err_set(e, EINVAL, "--net: host and none stand alone");
	*ret = take_ptr(nets);
	return 0;
}

/* Absolute: stage1 works in the pod's directory. */
static int resolve_net_dirs(const struct run_request *req, char ***ret, struct err *e)
{
	_cleanup_strv_ char **dirs = NULL;

	for (char **d = req->net_dirs; d && *d; d++) {
		char *real = realpath(*d, NULL);

		if (!real)
			return err_sys(e, "--net-dir %s", q(*d));
		strv_push(&dirs, real);
	}
	*ret = take_ptr(dirs);
	return 0;
}

static int check_hostname(const char *name, struct err *e)
{
	/* RFC 1123 labels, and the underscore that people use; sethostname(2) takes 64 bytes. */
	if (!*name || strlen(name) > 64)
		return err_set(e, EINVAL, "--hostname %s: 1 to 64 characters", q(name));
	for (const char *s = name; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && *s != '-' && *s != '.' && *s != '_')
			return err_set(e, EINVAL,
				       "--hostname %s: letters, digits, '-', '.' and '_' only",
				       q(name));
	return 0;
}

int run_request_check_ports(const struct run_request *req, char *const *ports, struct err *e)
{
	for (char **n = req->nets; ports && n && *n; n++)
		if (!strcmp(*n, "none") || !strcmp(*n, "host"))
			return err_set(e, EINVAL, "--port does not work with --net=%s", *n);
	return 0;
}

int run_request_check(const struct run_request *req, struct err *e)
{
	_cleanup_strv_ char **nets = NULL, **net_dirs = NULL;
	int r = split_nets(req, &nets, e);

	if (r == 0)
		r = resolve_net_dirs(req, &net_dirs, e);
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

	if (r == 0)
		r = resolve_net_dirs(req, &args->net_dirs, e);
	if (r == 0)
		r = users_of_pod(p->dir, &args->private_users, e);
	/* It may have been made on another kernel, or before somebody switched them off. */
	if (r == 0 && args->private_users.count)
		r = users_supported(e);
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
		r = dns_write(req, g->program, args.hostname, p->dir, &args.private_users, e);
	if (r == 0)
		r = pod_move(p, PHASE_RUN, false, e);
	if (r < 0)
		return r;
	if (req->detach)
		return pod_start_detached(p, s, argv, e);
	return pod_start(p, s, argv, e);
}
