/*
 * tuning: kernel parameters of the container's network namespace, and attributes of its interface.
 * Chained.
 *
 * What the interface was before is kept in a file of the reference plugin's form,
 * DATADIR/CONTAINERID_IFNAME.json, and is put back at DEL; the parameters go with the namespace.
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
#include "cni-plugins/tuning/conf.h"

#define BACKUP_MAX 65536

static char *backup_path(const struct cni_request *rq, const struct tuning_conf *c)
{
	return xasprintf("%s/%s_%s.json", c->data_dir, rq->container_id, rq->ifname);
}

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
	_cleanup_free_ char *path = path_join("/proc/sys", s->path);
	int r = file_poke_at(AT_FDCWD, path, s->value);

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
	_cleanup_free_ char *path = path_join("/proc/sys", s->path), *now = NULL;
	int r = file_read_line_at(AT_FDCWD, path, &now, e);

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
	_cleanup_json_ cJSON *j = tuning_link_encode(&before);
	_cleanup_free_ char *text = json_print(j, false), *path = backup_path(rq, c);
	int r = path_mkdirs(c->data_dir, 0700, e);

	return r < 0 ? r : file_write_at(AT_FDCWD, path, text, strlen(text), 0600, FILE_FAST, e);
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
	if (r < 0 && save) {
		_cleanup_free_ char *path = backup_path(rq, c);

		(void) unlink(path);
	}
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

static int restore(const struct cni_request *rq, const char *path, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *j = NULL;
	struct tuning_link before = {0};
	struct link now;
	size_t len;
	int r = netns_open_for_del(rq, &ns, e);

	if (r <= 0)
		return r;
	r = file_read_at(AT_FDCWD, path, BACKUP_MAX, &text, &len, NULL);
	if (r < 0)
		return 0; /* nothing was changed */
	j = json_parse(text, len, BACKUP_MAX, NULL);
	if (!j || tuning_link_decode(j, JSON_TOP, &before, NULL) < 0) {
		tuning_link_done(&before);
		return 0; /* half of one, of a crash: as good as none */
	}
	r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, rq->ifname, &now, e);
	if (r >= 0)
		r = apply_link(&inside, &now, &before, e);
	tuning_link_done(&before);
	if (r == -ENODEV) { /* a later plugin's DEL, or a second one: nothing to restore */
		err_done(e);
		r = 0;
	}
	return r;
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	_cleanup_free_ char *path = NULL;
	int r = tuning_conf_dir(rq, &c, e);

	if (r < 0)
		return r;
	path = backup_path(rq, &c);
	r = restore(rq, path, e);
	if (r >= 0 && unlink(path) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", path);
	return r;
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
		.name = "tuning", .add = add, .del = del, .check = check};

	return cni_main(&plugin);
}
