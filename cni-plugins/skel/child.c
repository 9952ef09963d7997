#include "cni-plugins/skel/child.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/skel.h"

struct attachment {
	const struct cni_request *rq;
	const struct child *c;
	struct netns ns;
	struct nl host, inside;
	struct link parent, link;
	struct cni_result *res;
	bool chained;
};
#define ATTACHMENT_INIT {.ns = NETNS_INIT, .host = NL_INIT, .inside = NL_INIT}

static void attachment_done(struct attachment *a)
{
	netns_close(&a->ns);
	nl_close(&a->host);
	nl_close(&a->inside);
}
#define _cleanup_attachment_ __attribute__((cleanup(attachment_done)))

static void child_done(struct child *c)
{
	free(c->master);
}
#define _cleanup_child_ __attribute__((cleanup(child_done)))

int child_decode(const struct cni_request *rq, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct child, "master", STRING, master)},
		{CNI_FIELD(struct child, "mtu", I64, mtu), .min = INT32_MIN, .max = INT32_MAX},
		{CNI_FIELD(struct child, "linkInContainer", BOOL, in_container)},
	};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), ret, e);

	if (r < 0)
		return r;
	if (ret->mtu < 0)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "invalid MTU %lld, must not be negative",
			       (long long) ret->mtu);
	ret->link.mtu = (unsigned) ret->mtu;
	return 0;
}

int child_decode_mode(const struct cni_request *rq, const struct link_mode *modes,
		      struct child *ret, struct err *e)
{
	const cJSON *j = json_get(rq->conf, "mode");
	const char *word = json_get_str(rq->conf, "mode");
	const struct link_mode *mode = word && *word ? link_mode_find(modes, word) : modes;

	if (j && !cJSON_IsNull(j) && !word)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "mode: expected string");
	if (!mode)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "unknown %s mode: %s", ret->link.kind,
			       q(word));
	ret->link.value = mode->value;
	return 0;
}

/* --- ADD --- */

static int find_parent(struct attachment *a, struct err *e)
{
	struct nl *nl = a->c->in_container ? &a->inside : &a->host;
	int r;

	if (a->c->no_master)
		return 0;
	if (a->c->master && *a->c->master) {
		r = link_get(nl, a->c->master, &a->parent, e);
		if (r == -ENODEV)
			return err_set(e, CNI_CODE(CNI_OTHER), "failed to lookup master %s: no such link",
				       q(a->c->master));
	} else {
		r = link_of_default_route(nl, &a->parent, e);
	}
	if (r >= 0 && a->c->link.mtu > a->parent.mtu)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "invalid MTU %u, must be [0, master MTU(%u)]", a->c->link.mtu,
			       a->parent.mtu);
	return r;
}

static int open_all(struct attachment *a, struct err *e)
{
	int r = netns_open(a->rq, &a->ns, e);

	if (r >= 0)
		r = nl_open(&a->host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = netns_socket(&a->ns, &a->inside, e);
	return r;
}

/*
 * The socket of the parent's namespace makes it: there the parent's index means something.
 */
static int create(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_child l = a->c->link;
	bool here = a->c->in_container || a->c->no_master;
	int r;

	l.name = a->rq->ifname;
	l.parent = a->parent.index;
	l.netns = here ? -EBADF : a->ns.fd;
	link_put_child(&b, &l);
	r = nl_run(here ? &a->inside : &a->host, &b, NULL, NULL, e);
	if (r == -EEXIST)
		return err_set(e, CNI_CODE(CNI_OTHER), "container interface %s already exists",
			       q(a->rq->ifname));
	return r < 0 ? r : link_get(&a->inside, a->rq->ifname, &a->link, e);
}

static int ask_for_addresses(struct attachment *a, struct err *e)
{
	int r = a->chained ? cni_result_decode(json_get(a->rq->conf, "prevResult"), JSON_TOP,
					       a->rq->version, a->res, e)
			   : ipam_call(a->rq, CNI_ADD, a->res, e);

	if (r >= 0 && a->rq->ipam && !a->res->n_ips)
		r = err_set(e, CNI_CODE(CNI_OTHER), "IPAM plugin returned missing IP config");
	return r;
}

int child_configure(const struct cni_request *rq, const struct netns *ns, struct nl *inside,
		    int link, const struct cni_result *res, bool arp_notify, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change notify = {.name = rq->ifname, .arp_notify = true};
	struct link_change up = {.name = rq->ifname, .flags = IFF_UP, .mask = IFF_UP};
	bool v6 = false;
	int r = 0;

	for (size_t i = 0; i < res->n_ips; i++)
		v6 |= res->ips[i].addr.ip.family == AF_INET6;
	if (v6)
		r = endpoint_ipv6(rq, ns, false, e);
	if (r < 0)
		return r;
	if (arp_notify)
		link_put_change(&b, link, &notify);
	for (size_t i = 0; i < res->n_ips; i++) {
		struct inet_addr addr = {.addr = res->ips[i].addr, .link = link};

		inet_put_addr(&b, &addr, NLM_F_EXCL);
	}
	link_put_change(&b, link, &up);
	endpoint_put_routes(&b, res, link);
	return nl_run(inside, &b, NULL, NULL, e);
}

static int configure(struct attachment *a, struct err *e)
{
	return child_configure(a->rq, &a->ns, &a->inside, a->link.index, a->res, a->c->arp_notify,
			       e);
}

/* As far as ADD came; the error that brought us here is the one to report. */
static void undo(struct attachment *a, bool asked)
{
	_cleanup_err_ struct err ignored = ERR_INIT;

	if (asked && !a->chained)
		(void) ipam_call(a->rq, CNI_DEL, NULL, &ignored);
	if (a->link.index)
		(void) link_del(&a->inside, a->link.index, &ignored);
}

void child_report(const struct cni_request *rq, const struct link *l, struct cni_result *res)
{
	char mac[LINK_MAC_TEXT];
	int64_t index = (int64_t) res->n_interfaces;

	cni_result_add_interface(res, rq->ifname, link_mac_text(l->mac, mac), rq->netns)->mtu =
		l->mtu;
	for (size_t i = 0; i < res->n_ips; i++)
		res->ips[i].interface = index;
	cni_dns_merge(&res->dns, &rq->dns);
}

static void report(struct attachment *a)
{
	child_report(a->rq, &a->link, a->res);
}

static const struct child_plugin *plugin; /* the one that this program is */

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	_cleanup_child_ struct child c = {0};
	bool asked = false;
	int r = plugin->decode(rq, &c, e);

	if (r < 0)
		return r;

	a.rq = rq;
	a.c = &c;
	a.res = ret;
	a.chained = c.chained && !rq->ipam;
	if (c.needs_ipam && !rq->ipam && !a.chained)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "ipam is required");
	r = open_all(&a, e);
	if (r >= 0)
		r = find_parent(&a, e);
	if (r >= 0)
		r = create(&a, e);
	if (r < 0)
		return r;
	asked = rq->ipam;
	r = ask_for_addresses(&a, e);
	if (r >= 0)
		r = configure(&a, e);
	if (r < 0)
		undo(&a, asked);
	else
		report(&a);
	return r;
}

/* --- the rest --- */

int child_del(const struct cni_request *rq, struct err *e)
{
	return ipam_del_with_link(rq, endpoint_delete, e);
}

static int check_parent(struct attachment *a, struct err *e)
{
	int r = find_parent(a, e);

	if (r < 0 || a->c->no_master || a->link.peer == a->parent.index)
		return r;
	return err_set(e, CNI_CODE(CNI_OTHER), "interface %s: its master is not %s",
		       q(a->rq->ifname), q(a->parent.name));
}

/* The link is of the plugin's kind and mode, and everything that ADD reported is there. */
static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	_cleanup_child_ struct child c = {0};
	int r = cni_request_need_prev(rq, e);

	a.rq = rq;
	a.c = &c;
	if (r >= 0)
		r = plugin->decode(rq, &c, e);
	if (r >= 0)
		r = open_all(&a, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_CHECK, NULL, e);
	if (r >= 0)
		r = endpoint_check_inside(rq, &a.ns, c.link.kind, &a.link, e);
	if (r >= 0)
		r = endpoint_check_mtu(&a.link, c.mtu, e);
	if (r >= 0)
		r = check_parent(&a, e);
	if (r >= 0 && c.link.value_type != LINK_VALUE_NONE && a.link.kind_value != c.link.value)
		r = err_set(e, CNI_CODE(CNI_OTHER), "interface %s: %s mode or id is %u, not %u",
			    q(rq->ifname), c.link.kind, a.link.kind_value, c.link.value);
	return r;
}

/* The link lives in the container's namespace and goes with it: what can be left is a lease. */
int child_gc(const struct cni_request *rq, struct err *e)
{
	return rq->valid.known ? ipam_call(rq, CNI_GC, NULL, e) : 0;
}

int child_status(const struct cni_request *rq, struct err *e)
{
	return ipam_call(rq, CNI_STATUS, NULL, e);
}

int child_main(const struct child_plugin *p)
{
	const struct cni_plugin frame = {
		.name = p->name,
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	plugin = p;
	return cni_main(&frame);
}
