#include "cni-plugins/firewall/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/firewall/isolation.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/owned.h"

#define FORWARD "CNI-FORWARD"
/* Comments of what is shared; a container's id has no colon. */
#define MARK "gantry:"
#define MARK_JUMP MARK "containers"
#define MARK_ISOLATION MARK "isolation"
#define MARK_ADMIN MARK "admin"

/* Where the rules of containers stand. */
static const struct place {
	struct nft_table table;
	const char *base, *chain; /* the hook's chain; the one with the containers' rules */
	int family;		  /* 0: both */
	bool iptables;		  /* ours to make, and in iptables' forms */
} places[] = {
	{{NFPROTO_IPV4, "filter"}, "FORWARD", FORWARD, AF_INET, true},
	{{NFPROTO_IPV6, "filter"}, "FORWARD", FORWARD, AF_INET6, true},
	{{NFPROTO_INET, "firewalld"}, "filter_FORWARD", "filter_FORWARD", 0, false},
};

struct firewall {
	const struct cni_request *rq;
	const struct firewall_conf *conf;
	const struct cni_result *res;
	char owner[CNI_OWNER_MAX];
	const char *bridge; /* NULL: none to isolate */
	struct nl nl;
	int lock;
};
#define FIREWALL_INIT {.nl = NL_INIT, .lock = -EBADF}

static void firewall_done(struct firewall *f)
{
	nl_close(&f->nl);
	f->lock = fd_close(f->lock);
}
#define _cleanup_firewall_ __attribute__((cleanup(firewall_done)))

struct rules {
	struct nft_rule_info *v;
	size_t n;
};

static void rules_done(struct rules *r)
{
	free(r->v);
}
#define _cleanup_rules_ __attribute__((cleanup(rules_done)))

static const struct nft_rule_info *find(const struct rules *r, const char *comment)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].comment, comment))
			return &r->v[i];
	return NULL;
}

static int list(struct firewall *f, const struct place *p, const char *chain, struct rules *ret,
		struct err *e)
{
	return nft_list_rule_infos(&f->nl, &p->table, chain, &ret->v, &ret->n, e);
}

static int open_all(struct firewall *f, const struct cni_request *rq, struct err *e)
{
	static const char path[] = OWNED_LOCK_DIR "/firewall.lock";
	int r = path_mkdirs(OWNED_LOCK_DIR, 0700, e);

	f->rq = rq;
	cni_owner(rq->name, rq->container_id, rq->ifname, f->owner);
	if (r < 0)
		return r;
	f->lock = lock_file_at(AT_FDCWD, path, LOCK_EXCLUSIVE, true, e);
	return f->lock < 0 ? f->lock : nl_open(&f->nl, NETLINK_NETFILTER, e);
}

static bool is_wanted(const struct firewall *f, const struct place *p, const struct cni_address *a)
{
	bool known = a->interface >= 0 && (size_t) a->interface < f->res->n_interfaces;

	if (p->family && a->addr.ip.family != p->family)
		return false;
	return !known || f->res->interfaces[a->interface].sandbox;
}

static bool has_addresses(const struct firewall *f, const struct place *p)
{
	for (size_t i = 0; i < f->res->n_ips; i++)
		if (is_wanted(f, p, &f->res->ips[i]))
			return true;
	return false;
}

/* --- one container's rules --- */

static void put_to_container(struct firewall *f, struct nl_batch *b, const struct place *p,
			     const struct cidr *host)
{
	struct nft_rule r;

	if (p->iptables) {
		nft_rule_begin(&r, b, &p->table, p->chain, f->owner);
		nft_rule_destination(&r, host);
		nft_rule_xt_established_or_dnat(&r);
	} else {
		nft_rule_begin_first(&r, b, &p->table, p->chain, f->owner);
		nft_rule_family(&r, host->ip.family);
		nft_rule_destination(&r, host);
		nft_rule_established(&r);
	}
	nft_rule_counter(&r);
	nft_rule_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

static void put_from_container(struct firewall *f, struct nl_batch *b, const struct place *p,
			       const struct cidr *host)
{
	struct nft_rule r;

	if (p->iptables)
		nft_rule_begin(&r, b, &p->table, p->chain, f->owner);
	else
		nft_rule_begin_first(&r, b, &p->table, p->chain, f->owner);
	if (!p->family)
		nft_rule_family(&r, host->ip.family);
	nft_rule_source(&r, host);
	nft_rule_counter(&r);
	nft_rule_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);
}

static void put_container(struct firewall *f, struct nl_batch *b, const struct place *p)
{
	for (size_t i = 0; i < f->res->n_ips; i++) {
		struct cidr host = cidr_host(&f->res->ips[i].addr.ip);

		if (!is_wanted(f, p, &f->res->ips[i]))
			continue;
		put_to_container(f, b, p, &host);
		put_from_container(f, b, p, &host);
	}
}

/* --- what the containers share, in the tables of iptables --- */

static void put_jump(struct nl_batch *b, const struct place *p, const char *from, const char *to,
		     const char *mark)
{
	struct nft_rule r;

	nft_rule_begin_first(&r, b, &p->table, from, mark);
	nft_rule_counter(&r);
	nft_rule_jump(&r, to);
	nft_rule_end(&r);
}

static struct isolation isolation_of(const struct firewall *f, const struct place *p)
{
	return (struct isolation) {
		.table = &p->table,
		.bridge = f->bridge,
		.neighbours = f->conf->ingress == INGRESS_ISOLATED,
	};
}

/* It stands first, unless somebody put a rule before it: the others need not be listed. */
static int has_admin(struct firewall *f, const struct place *p, bool *ret, struct err *e)
{
	_cleanup_rules_ struct rules containers = {0};
	int r = nft_first_rule_is(&p->table, FORWARD, MARK_ADMIN, ret, e);

	if (r < 0 || *ret)
		return r;
	r = list(f, p, FORWARD, &containers, e);
	*ret = find(&containers, MARK_ADMIN);
	return r;
}

/* The jumps stand first, the isolation before the containers' accepting. */
static int put_shared(struct firewall *f, struct nl_batch *b, const struct place *p, struct err *e)
{
	static const struct nft_chain base = {
		"FORWARD", "filter", NF_INET_FORWARD, NFT_PRIORITY_FILTER};
	const struct nft_chain admin = {.name = f->conf->admin_chain}, ours = {.name = FORWARD};
	_cleanup_rules_ struct rules forward = {0};
	const struct nft_rule_info *jump;
	struct isolation want;
	bool have_base, have_admin;
	int r = nft_have_chain(&f->nl, &p->table, p->base, &have_base, e);

	if (r >= 0)
		r = list(f, p, p->base, &forward, e);
	if (r >= 0)
		r = has_admin(f, p, &have_admin, e);
	if (r < 0)
		return r;
	nft_put_table(b, &p->table, 0);
	/* An existing one keeps its policy. */
	if (!have_base)
		nft_put_chain(b, &p->table, &base);
	nft_put_chain(b, &p->table, &admin);
	nft_put_chain(b, &p->table, &ours);
	if (!have_admin)
		put_jump(b, p, FORWARD, admin.name, MARK_ADMIN);
	jump = find(&forward, MARK_ISOLATION);
	if (!find(&forward, MARK_JUMP)) {
		if (jump)
			nft_put_rule_del(b, &p->table, p->base, jump->handle);
		put_jump(b, p, p->base, FORWARD, MARK_JUMP);
		jump = NULL;
	}
	if (!f->bridge)
		return 0;
	want = isolation_of(f, p);
	r = isolation_put(&want, &f->nl, b, e);
	if (r >= 0 && !jump)
		put_jump(b, p, p->base, ISOLATION_STAGE_1, MARK_ISOLATION);
	return r;
}

static int add_at(struct firewall *f, const struct place *p, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	bool have = true;
	int r = 0;

	if (!has_addresses(f, p))
		return 0;
	if (!p->iptables)
		r = nft_have_chain(&f->nl, &p->table, p->base, &have, e);
	if (r < 0 || !have)
		return r;
	nft_begin(&b);
	if (p->iptables)
		r = put_shared(f, &b, p, e);
	put_container(f, &b, p);
	nft_end(&b);
	return r < 0 ? r : nl_run(&f->nl, &b, NULL, NULL, e);
}

/* Isolation is between bridges: prevResult's first interface is one, or there is nothing to do. */
static int find_bridge(struct firewall *f, struct err *e)
{
	const struct cni_interface *i = chain_host_interface(f->res);

	if (f->conf->ingress == INGRESS_OPEN)
		return 0;
	if (!i)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "ingressPolicy: prevResult has no interface on the host's side");
	f->bridge = i->name;
	return 0;
}

static int remove_at(struct firewall *f, const struct place *p, bool gc, struct err *e);
int firewall_rules_add(const struct cni_request *rq, const struct firewall_conf *c,
		       const struct cni_result *res, struct err *e)
{
	_cleanup_firewall_ struct firewall f = FIREWALL_INIT;
	int r;

	f.conf = c;
	f.res = res;
	r = find_bridge(&f, e);
	if (r >= 0)
		r = open_all(&f, rq, e);
	for (size_t i = 0; r >= 0 && i < ELEMENTSOF(places); i++) {
		/* Repairing: what is left of ours would stand there twice. */
		if (rq->command == CNI_CHECK)
			r = remove_at(&f, &places[i], false, e);
		if (r >= 0)
			r = add_at(&f, &places[i], e);
	}
	return r;
}

/* --- removing --- */

static bool is_doomed(const struct firewall *f, const char *comment, bool gc)
{
	return gc ? cni_owner_is_stale(comment, f->rq->name, &f->rq->valid)
		  : !strcmp(comment, f->owner);
}

static void put_chain_gone(struct nl_batch *b, const struct place *p, const char *chain)
{
	nft_put_chain_flush(b, &p->table, chain);
	nft_put_chain_del(b, &p->table, chain);
}

/* The last container of this table went: the jumps, then what they led to. */
static int remove_shared(struct firewall *f, const struct place *p, struct err *e)
{
	static const char *const ours[] = {FORWARD, ISOLATION_STAGE_1, ISOLATION_STAGE_2};
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_rules_ struct rules forward = {0};
	bool have;
	int r = list(f, p, p->base, &forward, e);

	nft_begin(&b);
	for (size_t i = 0; r >= 0 && i < forward.n; i++)
		if (!strcmp(forward.v[i].comment, MARK_JUMP) ||
		    !strcmp(forward.v[i].comment, MARK_ISOLATION))
			nft_put_rule_del(&b, &p->table, p->base, forward.v[i].handle);
	for (size_t i = 0; r >= 0 && i < ELEMENTSOF(ours); i++) {
		r = nft_have_chain(&f->nl, &p->table, ours[i], &have, e);
		if (r >= 0 && have)
			put_chain_gone(&b, p, ours[i]);
	}
	nft_end(&b);
	return r < 0 ? r : nl_run(&f->nl, &b, NULL, NULL, e);
}

static int remove_at(struct firewall *f, const struct place *p, bool gc, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_rules_ struct rules have = {0};
	_cleanup_err_ struct err busy = ERR_INIT;
	size_t ours = 0, others = 0;
	int r = list(f, p, p->chain, &have, e);

	if (r < 0 || !have.n)
		return r;
	nft_begin(&b);
	for (size_t i = 0; i < have.n; i++) {
		if (is_doomed(f, have.v[i].comment, gc)) {
			nft_put_rule_del(&b, &p->table, p->chain, have.v[i].handle);
			ours++;
		} else if (!str_starts(have.v[i].comment, MARK)) {
			others++;
		}
	}
	nft_end(&b);
	if (p->iptables && !others) {
		r = remove_shared(f, p, &busy);
		if (r != -EBUSY)
			return r < 0 ? err_move(e, &busy) : r;
		/* Somebody else's rule leads there: the chains stay, the container's rules go. */
	}
	return ours ? nl_run(&f->nl, &b, NULL, NULL, e) : 0;
}

static int remove_all(const struct cni_request *rq, bool gc, struct err *e)
{
	_cleanup_firewall_ struct firewall f = FIREWALL_INIT;
	int r = open_all(&f, rq, e);

	for (size_t i = 0; r >= 0 && i < ELEMENTSOF(places); i++)
		r = remove_at(&f, &places[i], gc, e);
	return r;
}

int firewall_rules_del(const struct cni_request *rq, struct err *e)
{
	return remove_all(rq, false, e);
}

int firewall_rules_gc(const struct cni_request *rq, struct err *e)
{
	return rq->valid.known ? remove_all(rq, true, e) : 0;
}

/* --- checking --- */

static int missing(const struct place *p, const char *chain, const char *what, struct err *e)
{
	return err_set(e, CNI_CODE(CNI_OTHER), "firewall: %s missing in chain %s of table %s", what,
		       chain, p->table.name);
}

static int check_isolation(struct firewall *f, const struct place *p, struct err *e)
{
	struct isolation want = isolation_of(f, p);
	const char *chain;
	int r = isolation_missing(&want, &f->nl, &chain, e);

	return r < 0 || !chain ? r : missing(p, chain, "a rule of the bridge is", e);
}

static int check_at(struct firewall *f, const struct place *p, struct err *e)
{
	_cleanup_rules_ struct rules have = {0}, forward = {0};
	size_t want = 0, found = 0;
	bool is_there = true;
	int r = p->iptables ? 0 : nft_have_chain(&f->nl, &p->table, p->base, &is_there, e);

	if (r >= 0 && is_there)
		r = list(f, p, p->chain, &have, e);
	if (r >= 0 && is_there && p->iptables)
		r = list(f, p, p->base, &forward, e);
	if (r < 0 || !is_there || !has_addresses(f, p))
		return r;
	for (size_t i = 0; i < f->res->n_ips; i++)
		want += is_wanted(f, p, &f->res->ips[i]) ? 2 : 0;
	for (size_t i = 0; i < have.n; i++)
		found += !strcmp(have.v[i].comment, f->owner);
	if (found != want)
		return missing(p, p->chain, "a rule of this container is", e);
	if (p->iptables && !find(&forward, MARK_JUMP))
		return missing(p, p->base, "the jump to " FORWARD " is", e);
	if (p->iptables && f->bridge && !find(&forward, MARK_ISOLATION))
		return missing(p, p->base, "the jump to " ISOLATION_STAGE_1 " is", e);
	return p->iptables && f->bridge ? check_isolation(f, p, e) : 0;
}

int firewall_rules_check(const struct cni_request *rq, const struct firewall_conf *c,
			 struct err *e)
{
	_cleanup_firewall_ struct firewall f = FIREWALL_INIT;
	int r;

	f.conf = c;
	f.res = &rq->prev;
	r = find_bridge(&f, e);
	if (r >= 0)
		r = open_all(&f, rq, e);
	for (size_t i = 0; r >= 0 && i < ELEMENTSOF(places); i++)
		r = check_at(&f, &places[i], e);
	return r;
}
