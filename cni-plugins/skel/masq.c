#include "cni-plugins/skel/masq.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "sys/nft.h"

#define CHAIN "postrouting"
#define NAME_MAX_ 256 /* NFT_NAME_MAXLEN */

struct masq {
	char table[NAME_MAX_];
	char owner[NFT_COMMENT_MAX + 1]; /* "CONTAINERID IFNAME" */
	int lock;
	struct nl nl;
};
#define MASQ_INIT {.lock = -EBADF, .nl = NL_INIT}

static void masq_done(struct masq *m)
{
	nl_close(&m->nl);
	m->lock = fd_close(m->lock);
}
#define _cleanup_masq_ __attribute__((cleanup(masq_done)))

const char *masq_backend_check(const char *value)
{
	return !*value || !strcmp(value, "nftables") || !strcmp(value, "iptables")
		       ? NULL
		       : "unknown backend";
}

static int masq_open(struct masq *m, const struct cni_request *rq, enum lock_kind kind,
		     struct err *e)
{
	static const char path[] = MASQ_LOCK_DIR "/masq.lock";
	_cleanup_err_ struct err first = ERR_INIT;

	/* Names are bounded by CNI_NAME_MAX and interface names by IFNAMSIZ: both fit. */
	(void) snprintf(m->table, sizeof m->table, "gantry-masq-%s", rq->name);
	(void) snprintf(m->owner, sizeof m->owner, "%s %s", rq->container_id, rq->ifname);
	m->lock = lock_file_at(AT_FDCWD, path, kind, true, &first);
	if (m->lock == -ENOENT) {
		int r = path_mkdirs(MASQ_LOCK_DIR, 0700, e);

		if (r < 0)
			return r;
		m->lock = lock_file_at(AT_FDCWD, path, kind, true, &first);
	}
	if (m->lock < 0)
		return err_move(e, &first);
	return nl_open(&m->nl, NETLINK_NETFILTER, e);
}

static void set_name(const struct cidr *addr, char name[static NAME_MAX_])
{
	struct cidr net = cidr_network(addr);
	char text[CIDR_TEXT_MAX];

	(void) snprintf(name, NAME_MAX_, "from-%s", cidr_text(&net, text));
	/* nft(8) reads no colon in a name. */
	for (char *p = name; *p; p++)
		if (*p == ':')
			*p = '-';
}

/* --- adding --- */

static void put_elements(struct masq *m, struct nl_batch *b, const struct cni_result *res,
			 uint16_t flags)
{
	char set[NAME_MAX_];

	for (size_t i = 0; i < res->n_ips; i++) {
		set_name(&res->ips[i].addr, set);
		nft_put_element(b, m->table, set, &res->ips[i].addr.ip, m->owner, flags);
	}
}

/* The usual case: everything is there, one transaction with one element for each address. */
static int add_elements(struct masq *m, const struct cni_result *res, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	nft_begin(&b);
	put_elements(m, &b, res, NLM_F_EXCL);
	nft_end(&b);
	return nl_run(&m->nl, &b, NULL, NULL, e);
}

static void put_rule(struct masq *m, struct nl_batch *b, const struct cidr *addr, const char *set,
		     uint32_t id)
{
	struct cidr multicast = {.ip = {.family = addr->ip.family}};
	struct cidr net = cidr_network(addr);
	struct nft_rule r;

	multicast.ip.b[0] = addr->ip.family == AF_INET ? 224 : 0xff;
	multicast.prefix = addr->ip.family == AF_INET ? 4 : 8;
	nft_rule_begin(&r, b, m->table, CHAIN, set);
	nft_rule_family(&r, addr->ip.family);
	nft_rule_source_in(&r, addr->ip.family, set, id);
	nft_rule_destination_not(&r, &net);
	nft_rule_destination_not(&r, &multicast);
	nft_rule_masquerade(&r);
	nft_rule_end(&r);
}

/* What there is of the network's table; nothing at all is fine. */
static int list(struct masq *m, char ***sets, char ***rules, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = nft_list_sets(&m->nl, m->table, sets, &why);

	if (r >= 0 && rules)
		r = nft_list_rules(&m->nl, m->table, CHAIN, rules, &why);
	return r < 0 && r != -ENOENT ? err_move(e, &why) : 0;
}

static int have_sets(struct masq *m, const struct cni_result *res, bool *ret, struct err *e)
{
	_cleanup_strv_ char **sets = NULL;
	char set[NAME_MAX_];

	for (size_t i = 0; i < res->n_ips; i++) {
		set_name(&res->ips[i].addr, set);
		strv_add(&sets, set);
	}
	return nft_have_sets(&m->nl, m->table, sets, ret, e);
}

/* Under the exclusive lock: whatever is missing, and the elements, in one transaction. */
static int build(struct masq *m, const struct cni_result *res, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_strv_ char **sets = NULL, **rules = NULL;
	char set[NAME_MAX_];
	int r = list(m, &sets, &rules, e);

	if (r < 0)
		return r;
	nft_begin(&b);
	nft_put_table(&b, m->table, 0);
	nft_put_postrouting(&b, m->table, CHAIN);
	for (size_t i = 0; i < res->n_ips; i++) {
		const struct cidr *addr = &res->ips[i].addr;

		set_name(addr, set);
		if (!strv_has(sets, set)) {
			nft_put_set(&b, m->table, set, addr->ip.family, (uint32_t) i + 1);
			strv_add(&sets, set);
		} else {
			/*
			 * A stale owner's element would keep its name: out with it, if there is
			 * one.
			 */
			nft_put_element(&b, m->table, set, &addr->ip, m->owner, 0);
			nft_put_element_del(&b, m->table, set, &addr->ip);
		}
		nft_put_element(&b, m->table, set, &addr->ip, m->owner, NLM_F_EXCL);
		if (!strv_has(rules, set)) {
			put_rule(m, &b, addr, set, (uint32_t) i + 1);
			strv_add(&rules, set);
		}
	}
	nft_end(&b);
	return nl_run(&m->nl, &b, NULL, NULL, e);
}

int masq_add(const struct cni_request *rq, const struct cni_result *res, struct err *e)
{
	_cleanup_masq_ struct masq m = MASQ_INIT;
	bool have;
	int r;

	if (!res->n_ips)
		return 0;
	r = masq_open(&m, rq, LOCK_SHARED, e);
	if (r >= 0)
		r = have_sets(&m, res, &have, e);
	if (r < 0)
		return r;
	if (have) {
		r = add_elements(&m, res, e);
		/* An element that nobody took away is left for build(). */
		if (r != -EEXIST)
			return r;
	}
	r = lock_fd(m.lock, LOCK_EXCLUSIVE, true);
	if (r < 0)
		return err_sysr(e, r, "lock masquerading");
	r = build(&m, res, e);
	if (r >= 0 && e)
		err_done(e);
	return r;
}

/* --- removing --- */

static int remove_table(struct masq *m, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	nft_begin(&b);
	nft_put_table_del(&b, m->table);
	nft_end(&b);
	return nl_run(&m->nl, &b, NULL, NULL, e);
}

struct doomed {
	const struct cni_request *rq; /* GC: what it does not list goes; else: what is `owner`'s */
	const char *owner;
	size_t others, ours;
	struct nl_batch b;
};

static bool is_doomed(const struct doomed *d, const char *comment)
{
	_cleanup_free_ char *id = NULL;
	char *space;

	if (d->owner)
		return !strcmp(comment, d->owner);
	id = xstrdup(comment);
	space = strchr(id, ' ');
	if (!space)
		return true;
	*space = '\0';
	return !cni_attachments_have(&d->rq->valid, id, space + 1);
}

static int scan_set(struct masq *m, const char *set, struct doomed *d, struct err *e)
{
	_cleanup_free_ struct nft_element *list = NULL;
	size_t n;
	int r = nft_list_elements(&m->nl, m->table, set, &list, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (!is_doomed(d, list[i].comment)) {
			d->others++;
			continue;
		}
		nft_put_element_del(&d->b, m->table, set, &list[i].ip);
		d->ours++;
	}
	return r;
}

/* The lock is exclusive: between looking and removing nothing is added. */
static int remove_doomed(struct masq *m, struct doomed *d, struct err *e)
{
	_cleanup_strv_ char **sets = NULL;
	int r = list(m, &sets, NULL, e);

	if (r < 0 || !sets)
		return r;
	nft_begin(&d->b);
	for (char **s = sets; r >= 0 && *s; s++)
		r = scan_set(m, *s, d, e);
	nft_end(&d->b);
	if (r < 0)
		return r;
	if (!d->others)
		return remove_table(m, e);
	return d->ours ? nl_run(&m->nl, &d->b, NULL, NULL, e) : 0;
}

static int masq_remove(const struct cni_request *rq, bool gc, struct nl *late, struct err *e)
{
	_cleanup_masq_ struct masq m = MASQ_INIT;
	struct doomed d = {.rq = rq, .b = NL_BATCH_INIT};
	int r = masq_open(&m, rq, LOCK_EXCLUSIVE, e);

	if (r < 0)
		return r;
	d.owner = gc ? NULL : m.owner;
	r = remove_doomed(&m, &d, e);
	nl_batch_done(&d.b);
	nl_close(late);
	*late = m.nl;
	m.nl = (struct nl) NL_INIT;
	return r;
}

int masq_del(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return masq_remove(rq, false, late, e);
}

int masq_gc(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return rq->valid.known ? masq_remove(rq, true, late, e) : 0;
}

/* --- checking --- */

static int check_one(struct masq *m, const struct cidr *addr, const char *set, struct err *e)
{
	_cleanup_free_ struct nft_element *list = NULL;
	char text[CIDR_TEXT_MAX];
	size_t n;
	int r = nft_list_elements(&m->nl, m->table, set, &list, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (ip_eq(&list[i].ip, &addr->ip) && !strcmp(list[i].comment, m->owner))
			return 0;
	return r < 0 ? r
		     : err_set(e, CNI_CODE(CNI_OTHER), "masquerading of %s is missing",
			       cidr_text(addr, text));
}

int masq_check(const struct cni_request *rq, struct err *e)
{
	_cleanup_masq_ struct masq m = MASQ_INIT;
	_cleanup_strv_ char **sets = NULL, **rules = NULL;
	int r = masq_open(&m, rq, LOCK_SHARED, e);

	if (r >= 0)
		r = list(&m, &sets, &rules, e);
	for (size_t i = 0; r >= 0 && i < rq->prev.n_ips; i++) {
		const struct cidr *addr = &rq->prev.ips[i].addr;
		char set[NAME_MAX_], text[CIDR_TEXT_MAX];

		set_name(addr, set);
		if (strv_has(sets, set) && strv_has(rules, set))
			r = check_one(&m, addr, set, e);
		else
			r = err_set(e, CNI_CODE(CNI_OTHER), "masquerading of %s is missing",
				    cidr_text(addr, text));
	}
	return r;
}
