/*
 * dnsname: the containers of a network find each other by name.  Chained, behind a plugin that
 * gives the host an address on the network (bridge with isGateway).
 *
 * Each ADD puts its container's names into the network's file and has the network's server read
 * it; the first one starts the server, the last DEL (or GC) ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/dnsname/conf.h"
#include "cni-plugins/dnsname/domains.h"
#include "cni-plugins/dnsname/group.h"
#include "cni-plugins/dnsname/names.h"
#include "cni-plugins/dnsname/server.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/skel.h"

#define LOCK_DIR "/run/gantry"

/* The network's directory, and the lock: between a last DEL and an ADD nobody comes. */
struct state {
	char *path, *owner;
	int dir, lock;
	struct names names;
};
#define STATE_INIT {.dir = -EBADF, .lock = -EBADF}

static void state_done(struct state *s)
{
	names_done(&s->names);
	free(s->path);
	free(s->owner);
	s->dir = fd_close(s->dir);
	s->lock = fd_close(s->lock);
}
#define _cleanup_state_ __attribute__((cleanup(state_done)))

/* -ENOENT, when it is not to be made: nobody has names here. */
static int state_open(const struct cni_request *rq, bool make, struct state *s, struct err *e)
{
	int r = path_mkdirs(LOCK_DIR, 0700, e);

	s->path = path_join(SERVER_DIR, rq->name);
	s->owner = xasprintf("%s %s", rq->container_id, rq->ifname);
	if (r < 0)
		return r;
	s->lock = lock_file_at(AT_FDCWD, LOCK_DIR "/dnsname.lock", LOCK_EXCLUSIVE, true, e);
	if (s->lock < 0)
		return s->lock;
	if (make)
		r = path_mkdirs(s->path, 0755, e);
	if (r < 0)
		return r;
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return errno == ENOENT && !make ? -ENOENT : err_sys(e, "open %s", s->path);
	return names_read(s->dir, &s->names, e);
}

/* --- what one container has --- */

/* Where the server listens: the gateways of the container's addresses, IPv4 first; strv. */
static char **gateways_of(const struct cni_result *res)
{
	static const int families[] = {AF_INET, AF_INET6};
	char **list = NULL, text[IP_TEXT_MAX];

	for (size_t f = 0; f < ELEMENTSOF(families); f++)
		for (size_t i = 0; i < res->n_ips; i++) {
			const struct ip *gw = &res->ips[i].gw;

			if (gw->family == families[f] && !strv_has(list, ip_text(gw, text)))
				strv_add(&list, ip_text(gw, text));
		}
	return list;
}

static bool is_inside(const struct cni_result *res, const struct cni_address *a)
{
	bool known = a->interface >= 0 && (size_t) a->interface < res->n_interfaces;

	return !known || res->interfaces[a->interface].sandbox;
}

static char *lines_of(const struct cni_result *res, char *const *aliases)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char text[IP_TEXT_MAX];

	for (size_t i = 0; aliases && i < res->n_ips; i++) {
		if (!is_inside(res, &res->ips[i]))
			continue;
		strbuf_adds(&sb, ip_text(&res->ips[i].addr.ip, text));
		for (char *const *a = aliases; *a; a++)
			strbuf_addf(&sb, " %s", *a);
		strbuf_addc(&sb, '\n');
	}
	return sb.len ? strbuf_take(&sb) : xstrdup("");
}

static void put_dns(struct cni_dns *dns, char **gateways, const char *domain)
{
	char **others = dns->nameservers;

	dns->nameservers = NULL;
	for (char **g = gateways; *g; g++)
		strv_add(&dns->nameservers, *g);
	for (char **o = others; o && *o; o++)
		if (!strv_has(dns->nameservers, *o))
			strv_add(&dns->nameservers, *o);
	strv_free(others);
	if (!domain)
		return;
	if (!dns->domain)
		dns->domain = xstrdup(domain);
	if (!strv_has(dns->search, domain))
		strv_add(&dns->search, domain);
}

/* --- the names of the network, written down --- */

static int finish(struct state *s, struct err *e)
{
	static const char *const files[] = {"hosts", "pid", "domain", SERVERS_FILE};
	bool told = domains_have(s->dir);
	int r = server_stop(s->path, e);

	for (size_t i = 0; r == 0 && i < ELEMENTSOF(files); i++)
		if (unlinkat(s->dir, files[i], 0) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s/%s", s->path, files[i]);
	if (r == 0 && rmdir(s->path) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", s->path);
	/* Succeeds when this was the last network. */
	if (rmdir(SERVER_DIR) == 0)
		server_group_remove();
	else if (r == 0 && told)
		r = domains_spread(e);
	return r;
}

/* After something was taken out. A server that is gone is the next ADD's matter. */
static int less(struct state *s, struct err *e)
{
	int r;

	if (!s->names.n)
		return finish(s, e);
	r = names_write(s->dir, &s->names, e);
	if (r == 0)
		r = server_reload(s->path, e);
	return r == -ESRCH ? 0 : r;
}

static int more(struct state *s, char *const *gateways, const char *domain, struct err *e)
{
	int r = names_write(s->dir, &s->names, e);

	if (r == 0)
		r = server_reload(s->path, e);
	return r == -ESRCH ? server_start(s->path, gateways, domain, e) : r;
}

static int put(const struct cni_request *rq, const struct dnsname_conf *c,
	       const struct cni_result *res, char *const *gateways, struct err *e)
{
	_cleanup_state_ struct state s = STATE_INIT;
	_cleanup_free_ char *lines = lines_of(res, c->aliases);
	int r;

	if (!gateways)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "prevResult has no gateway: the host needs an address on the "
			       "network (bridge: isGateway)");
	r = state_open(rq, true, &s, e);
	if (r < 0)
		return r;
	names_put(&s.names, s.owner, lines);
	r = domains_put(s.dir, c->domain, c->multi_domain ? gateways : NULL, e);
	if (r == 0)
		r = more(&s, gateways, c->domain, e);
	if (r < 0 && names_drop(&s.names, s.owner))
		(void) less(&s, NULL);
	return r;
}

/* --- the commands --- */

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_dnsname_conf_ struct dnsname_conf c = {0};
	_cleanup_strv_ char **gateways = NULL;
	_cleanup_free_ char *program = NULL;
	int r = dnsname_conf_decode(rq, &c, e);

	if (r >= 0)
		r = server_find_program(&program, e);
	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r < 0)
		return r;
	gateways = gateways_of(ret);
	r = put(rq, &c, ret, gateways, e);
	if (r >= 0)
		put_dns(&ret->dns, gateways, c.domain);
	return r;
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_state_ struct state s = STATE_INIT;
	int r = state_open(rq, false, &s, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return names_drop(&s.names, s.owner) || !s.names.n ? less(&s, e) : 0;
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_state_ struct state s = STATE_INIT;
	int r = rq->valid.known ? state_open(rq, false, &s, e) : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return names_keep(&s.names, &rq->valid) || !s.names.n ? less(&s, e) : 0;
}

static int look(const struct cni_request *rq, const struct dnsname_conf *c, struct err *e)
{
	_cleanup_state_ struct state s = STATE_INIT;
	_cleanup_free_ char *lines = lines_of(&rq->prev, c->aliases);
	_cleanup_fd_ int server = -EBADF;
	const struct names_entry *x;
	int r = state_open(rq, false, &s, e);

	if (r < 0 && r != -ENOENT)
		return r;
	x = names_find(&s.names, s.owner);
	if (!x || strcmp(x->lines, lines))
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "dnsname: the names of this container are not in %s/hosts", s.path);
	server = server_find(s.path, e);
	if (server == -ESRCH)
		return err_set(e, CNI_CODE(CNI_OTHER), "dnsname: dnsmasq does not run");
	return server < 0 ? server : 0;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_dnsname_conf_ struct dnsname_conf c = {0};
	_cleanup_strv_ char **gateways = NULL;
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = dnsname_conf_decode(rq, &c, e);
	if (r < 0)
		return r;
	gateways = gateways_of(&rq->prev);
	if (chain_wants_repair(rq))
		r = put(rq, &c, &rq->prev, gateways, e);
	return r < 0 ? r : look(rq, &c, e);
}

static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_free_ char *program = NULL;

	(void) rq;
	return server_find_program(&program, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "dnsname",
		.add = add,
		.del = del,
		.check = check,
		.gc = gc,
		.status = status,
	};

	/* The server reads the names as another user. */
	(void) umask(022);
	return cni_main(&plugin);
}
