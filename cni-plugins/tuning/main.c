/*
 * tuning: kernel parameters of the container's network namespace, and attributes of its interface.
 * Chained.
 *
 * What the interface was before is kept (backup.h) and put back at DEL; the parameters go with the
 * namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/netns.h"
#include "cni-plugins/skel/skel.h"
#include "cni-plugins/skel/sysctl.h"
#include "cni-plugins/tuning/backup.h"
#include "cni-plugins/tuning/conf.h"

/* --- kernel parameters: inside the namespace --- */

static int each_sysctl(const struct netns *ns, const struct tuning_conf *c,
		       int (*fn)(const struct tuning_sysctl *s, struct err *e), struct err *e)
{
	int r = c->n_sysctls ? netns_enter(ns, e) : 0;

	if (r < 0 || !c->n_sysctls)
		return r;
	for (size_t i = 0; r >= 0 && i < c->n_sysctls; i++)
		r = fn(&c->sysctls[i], e);
	netns_leave(ns);
	return r;
}

static int set_sysctl(const struct tuning_sysctl *s, struct err *e)
{
	_cleanup_free_ char *path = path_join("sys", s->path);
	int r = file_poke_at(sysctl_proc_inside(), path, s->value);

	return r < 0 ? err_sysr(e, r, "sysctl %s", q(s->key)) : 0;
}

/* The kernel may print it with other space between the numbers. */
static bool same_words(const char *a, const char *b)
{
	while (*a || *b) {
		size_t n = strcspn(a, " \t\n");

		if (n != strcspn(b, " \t\n") || strncmp(a, b, n))
			return false;
		a += n + strspn(a + n, " \t\n");
		b += n + strspn(b + n, " \t\n");
	}
	return true;
}

static int check_sysctl(const struct tuning_sysctl *s, struct err *e)
{
	_cleanup_free_ char *path = path_join("sys", s->path), *now = NULL;
	int r = file_read_line_at(sysctl_proc_inside(), path, &now, e);

	if (r < 0)
		return r;
	return same_words(now, s->value)
		       ? 0
		       : err_set(e, CNI_CODE(CNI_OTHER), "sysctl %s is %s, not %s", q(s->key),
				 q(now), q(s->value));
}

/* --- the interface --- */

static int apply_link(struct nl *inside, const struct link *now, const struct tuning_link *want,
		      struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change c = {.name = now->name, .mtu = want->has_mtu ? (unsigned) want->mtu : 0};
	unsigned char mac[LINK_MAC_LEN];

	if (want->mac && link_mac_parse(want->mac, mac) == 0)
		c.mac = mac;
	if (want->has_promisc) {
		c.mask |= IFF_PROMISC;
		c.flags |= want->promisc ? IFF_PROMISC : 0;
	}
	if (want->has_all_multicast) {
		c.mask |= IFF_ALLMULTI;
		c.flags |= want->all_multicast ? IFF_ALLMULTI : 0;
	}
	c.set_tx_queue_len = want->has_tx_queue_len;
	c.tx_queue_len = (unsigned) want->tx_queue_len;
	link_put_change(&b, now->index, &c);
	return nl_run(inside, &b, NULL, NULL, e);
}

/* What is about to be changed, as it is. */
static int save_link(const struct cni_request *rq, const struct tuning_conf *c,
		     const struct link *now, struct err *e)
{
	char mac[LINK_MAC_TEXT];
	struct tuning_link before = {
		.mac = c->link.mac ? (char *) link_mac_text(now->mac, mac) : NULL,
		.mtu = now->mtu,
		.tx_queue_len = now->tx_queue_len,
		.promisc = now->flags & IFF_PROMISC,
		.all_multicast = now->flags & IFF_ALLMULTI,
		.has_mtu = c->link.has_mtu,
		.has_tx_queue_len = c->link.has_tx_queue_len,
		.has_promisc = c->link.has_promisc,
		.has_all_multicast = c->link.has_all_multicast,
	};

	return backup_save(rq, c->data_dir, &before, e);
}

static void report_mac(const struct cni_request *rq, const char *mac, struct cni_result *res)
{
	for (size_t i = 0; i < res->n_interfaces; i++) {
		struct cni_interface *x = &res->interfaces[i];

		if (!x->sandbox || !*x->sandbox || strcmp(x->name, rq->ifname))
			continue;
		free(x->mac);
		x->mac = xstrdup(mac);
	}
}

static int change_link(const struct cni_request *rq, const struct tuning_conf *c,
		       const struct netns *ns, bool save, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link now;
	int r;

	if (tuning_link_is_empty(&c->link))
		return 0;
	r = netns_socket(ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, rq->ifname, &now, e);
	if (r >= 0 && save)
		r = save_link(rq, c, &now, e);
	if (r >= 0)
		r = apply_link(&inside, &now, &c->link, e);
	if (r < 0 && save)
		(void) backup_remove(rq, c->data_dir, NULL);
	return r;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	int r = tuning_conf_decode(rq, &c, e);

	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r >= 0)
		r = netns_open(rq, &ns, e);
	if (r >= 0)
		r = each_sysctl(&ns, &c, set_sysctl, e);
	if (r >= 0)
		r = change_link(rq, &c, &ns, true, e);
	if (r >= 0 && c.link.mac)
		report_mac(rq, c.link.mac, ret);
	return r;
}

static int restore(const struct cni_request *rq, const struct tuning_link *before, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link now;
	int r = netns_open_for_del(rq, &ns, e);

	if (r <= 0)
		return r;
	r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, rq->ifname, &now, e);
	if (r >= 0)
		r = apply_link(&inside, &now, before, e);
	if (r == -ENODEV) { /* a later plugin's DEL, or a second one: nothing to restore */
		err_done(e);
		r = 0;
	}
	return r;
}

/*
 * The file goes whether the interface could be made what it was or not: a DEL that fails for that
 * fails once, and is no reason to keep it for ever.
 */
static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	struct tuning_link before = {0};
	int r = tuning_conf_dir(rq, &c, e), restored = 0;

	if (r < 0)
		return r;
	if (backup_load(rq, c.data_dir, &before))
		restored = restore(rq, &before, &why);
	tuning_link_done(&before);
	r = backup_remove(rq, c.data_dir, e);
	return r < 0 || restored >= 0 ? r : err_move(e, &why);
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	int r = rq->valid.known ? tuning_conf_dir(rq, &c, e) : 0;

	return r < 0 || !rq->valid.known ? r : backup_gc(rq, c.data_dir, e);
}

static int differs(struct err *e, const char *ifname, const char *what)
{
	return err_set(e, CNI_CODE(CNI_OTHER), "interface %s: %s is not as configured", q(ifname),
		       what);
}

static int check_link(const struct cni_request *rq, const struct tuning_link *want,
		      const struct netns *ns, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	char mac[LINK_MAC_TEXT];
	struct link l;
	int r = netns_socket(ns, &inside, e);

	if (r >= 0)
		r = link_get(&inside, rq->ifname, &l, e);
	if (r < 0)
		return r;
	if (want->mac && strcasecmp(want->mac, link_mac_text(l.mac, mac)))
		return differs(e, rq->ifname, "mac");
	if (want->has_mtu && l.mtu != want->mtu)
		return differs(e, rq->ifname, "mtu");
	if (want->has_tx_queue_len && l.tx_queue_len != want->tx_queue_len)
		return differs(e, rq->ifname, "txQLen");
	if (want->has_promisc && !(l.flags & IFF_PROMISC) == want->promisc)
		return differs(e, rq->ifname, "promisc");
	if (want->has_all_multicast && !(l.flags & IFF_ALLMULTI) == want->all_multicast)
		return differs(e, rq->ifname, "allmulti");
	return 0;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = tuning_conf_decode(rq, &c, e);
	if (r >= 0)
		r = netns_open(rq, &ns, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = each_sysctl(&ns, &c, set_sysctl, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = change_link(rq, &c, &ns, false, e);
	if (r >= 0)
		r = each_sysctl(&ns, &c, check_sysctl, e);
	return r < 0 ? r : check_link(rq, &c.link, &ns, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "tuning", .add = add, .del = del, .check = check, .gc = gc};

	return cni_main(&plugin);
}
