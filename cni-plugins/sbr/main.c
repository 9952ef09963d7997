/*
 * sbr: source based routing.  What leaves with an address of this interface goes by this interface's
 * routes, which move to a table of their own, one for each address.  Chained.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/netns.h"
#include "cni-plugins/skel/skel.h"
#include "sys/inet.h"
#include "sys/inet_rule.h"
#include "sys/link.h"

#define FIRST_TABLE 100 /* the reference plugin's */

struct conf {
	int64_t table; /* 0: the next one that is free */
	bool source_hints;
	char **gateways; /* strv, owned */
};

static void conf_done(struct conf *c)
{
	strv_free(c->gateways);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

static const char *check_ip(const char *text)
{
	struct ip ip;

	return ip_parse(text, &ip) == 0 ? NULL : "not an IP address";
}

static int decode(const struct cni_request *rq, struct conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "table", I64, table), .min = 0, .max = UINT32_MAX},
		{CNI_FIELD(struct conf, "addSourceHints", BOOL, source_hints)},
		{CNI_FIELD(struct conf, "gateways", STRV, gateways), .check = check_ip},
	};

	return cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
}

struct inside {
	struct netns ns;
	struct nl nl;
	struct link link;
	struct inet_rule *rules;
	struct inet_route *routes; /* of the link, in the main table */
	size_t n_rules, n_routes;
};
#define INSIDE_INIT {.ns = NETNS_INIT, .nl = NL_INIT}

static void inside_done(struct inside *in)
{
	netns_close(&in->ns);
	nl_close(&in->nl);
	free(in->rules);
	free(in->routes);
}
#define _cleanup_inside_ __attribute__((cleanup(inside_done)))

static int look(const struct cni_request *rq, struct inside *in, struct err *e)
{
	int r = netns_socket(&in->ns, &in->nl, e);

	if (r >= 0)
		r = link_get(&in->nl, rq->ifname, &in->link, e);
	if (r >= 0)
		r = inet_list_rules(&in->nl, &in->rules, &in->n_rules, e);
	return r < 0 ? r
		     : inet_list_routes(&in->nl, in->link.index, 0, &in->routes, &in->n_routes, e);
}

static bool is_ours(const struct cni_request *rq, const struct cni_result *res, size_t i)
{
	int64_t at = res->ips[i].interface;

	return at < 0 || (size_t) at >= res->n_interfaces ||
	       (res->interfaces[at].sandbox && !strcmp(res->interfaces[at].name, rq->ifname));
}

static bool is_free_choice(uint32_t table)
{
	return table >= FIRST_TABLE && (table < RT_TABLE_DEFAULT || table > RT_TABLE_LOCAL);
}

/* The table of a rule that is there, of this address and fit to be ours: repairing; 0: none. */
static uint32_t table_of(const struct conf *c, const struct inside *in, const struct cidr *host)
{
	for (size_t i = 0; i < in->n_rules; i++) {
		const struct inet_rule *x = &in->rules[i];

		if (ip_is_set(&x->from.ip) && cidr_eq(&x->from, host) &&
		    (c->table ? x->table == c->table : is_free_choice(x->table)))
			return x->table;
	}
	return 0;
}

static uint32_t free_table(const struct inside *in, uint32_t from)
{
	bool taken;

	do {
		taken = false;
		for (size_t i = 0; i < in->n_rules; i++)
			taken |= in->rules[i].table == from;
		from += taken;
	} while (taken);
	return from;
}

/* The gateway that the configuration gives for the family goes before IPAM's. */
static struct ip gateway_of(const struct conf *c, const struct cni_address *a)
{
	struct ip gw;

	for (char **s = c->gateways; s && *s; s++)
		if (ip_parse(*s, &gw) == 0 && gw.family == a->addr.ip.family)
			return gw;
	return a->gw;
}

static struct cidr any_of(int family)
{
	return (struct cidr) {.ip = {.family = family}};
}

static void put_default(const struct conf *c, struct nl_batch *b, const struct inside *in,
			const struct cni_address *a, uint32_t table)
{
	struct inet_route r = {.dst = any_of(a->addr.ip.family),
			       .gw = gateway_of(c, a),
			       .link = in->link.index,
			       .table = table};

	if (!ip_is_set(&r.gw))
		return;
	if (c->source_hints)
		r.src = a->addr.ip;
	inet_put_route(b, &r, NLM_F_REPLACE);
}

/* Is the gateway in the network of another of the addresses, and not in this one's? */
static bool is_of_other(const struct cni_request *rq, const struct cni_result *res,
			const struct cni_address *a, const struct ip *gw)
{
	bool other = false;

	if (!ip_is_set(gw) || cidr_contains(&a->addr, gw))
		return false;
	for (size_t i = 0; i < res->n_ips; i++)
		other |= is_ours(rq, res, i) && cidr_contains(&res->ips[i].addr, gw);
	return other;
}

/* The link's own network first: gateways are found by it. */
static void put_routes(const struct cni_request *rq, const struct cni_result *res,
		       struct nl_batch *b, const struct inside *in, const struct cni_address *a,
		       uint32_t table)
{
	for (int by_gateway = 0; by_gateway < 2; by_gateway++)
		for (size_t i = 0; i < in->n_routes; i++) {
			struct inet_route r = in->routes[i];

			if (r.dst.ip.family != a->addr.ip.family ||
			    ip_is_set(&r.gw) != (by_gateway > 0) ||
			    (ip_is_set(&r.src) && !ip_eq(&r.src, &a->addr.ip)) ||
			    is_of_other(rq, res, a, &r.gw))
				continue;
			r.table = table;
			inet_put_route(b, &r, NLM_F_REPLACE);
		}
}

/* Those by a gateway first: what they are found by may go only then. */
static void put_removal(struct nl_batch *b, const struct inside *in, const bool families[2])
{
	static const struct cidr link_local = {
		.ip = {.family = AF_INET6, .b = {0xfe, 0x80}}, .prefix = 64};

	for (int by_gateway = 1; by_gateway >= 0; by_gateway--)
		for (size_t i = 0; i < in->n_routes; i++) {
			const struct inet_route *r = &in->routes[i];

			if (!families[r->dst.ip.family == AF_INET6] ||
			    ip_is_set(&r->gw) != (by_gateway > 0) || cidr_eq(&r->dst, &link_local))
				continue;
			inet_put_route_del(b, r);
			nl_ignore(b, ESRCH);
		}
}

static int route(const struct cni_request *rq, const struct conf *c, const struct cni_result *res,
		 struct inside *in, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	bool families[2] = {false, false};
	uint32_t table = FIRST_TABLE;
	int r = look(rq, in, e);

	for (size_t i = 0; r >= 0 && i < res->n_ips; i++) {
		const struct cni_address *a = &res->ips[i];
		struct inet_rule rule = {.from = cidr_host(&a->addr.ip)};

		if (!is_ours(rq, res, i))
			continue;
		families[a->addr.ip.family == AF_INET6] = true;
		rule.table = table_of(c, in, &rule.from);
		if (!rule.table) {
			rule.table = c->table ? (uint32_t) c->table : free_table(in, table);
			table = rule.table + 1;
			inet_put_rule(&b, &rule, 0);
		}
		put_routes(rq, res, &b, in, a, rule.table);
		put_default(c, &b, in, a, rule.table);
	}
	if (r < 0 || !b.n)
		return r;
	put_removal(&b, in, families);
	return nl_run(&in->nl, &b, NULL, NULL, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	int r = decode(rq, &c, e);

	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r >= 0)
		r = netns_open(rq, &in.ns, e);
	return r < 0 ? r : route(rq, &c, ret, &in, e);
}

static bool is_from(const struct inet_rule *rule, const struct cidr *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_is_set(&rule->from.ip) && ip_eq(&rule->from.ip, &list[i].ip) &&
		    rule->from.prefix == ip_bits(&list[i].ip))
			return true;
	return false;
}

/* The rules of the link's addresses; tables go with the link, and everything with the namespace. */
static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	_cleanup_free_ struct cidr *addrs = NULL;
	size_t n = 0;
	int r = netns_open_for_del(rq, &in.ns, e);

	if (r <= 0)
		return r;
	r = look(rq, &in, e);
	if (r == -ENODEV) {
		err_done(e);
		return 0;
	}
	if (r >= 0)
		r = inet_list_addrs(&in.nl, in.link.index, AF_UNSPEC, &addrs, &n, e);
	for (size_t i = 0; r >= 0 && i < in.n_rules; i++) {
		if (!is_from(&in.rules[i], addrs, n))
			continue;
		inet_put_rule_del(&b, &in.rules[i]);
		nl_ignore(&b, ENOENT);
	}
	return r < 0 || !b.n ? r : nl_run(&in.nl, &b, NULL, NULL, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	char text[CIDR_TEXT_MAX];
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = decode(rq, &c, e);
	if (r >= 0)
		r = netns_open(rq, &in.ns, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = route(rq, &c, &rq->prev, &in, e);
	if (r >= 0 && in.nl.fd < 0) {
		r = look(rq, &in, e);
	} else if (r >= 0) {
		free(take_ptr(in.rules));
		r = inet_list_rules(&in.nl, &in.rules, &in.n_rules, e);
	}
	for (size_t i = 0; r >= 0 && i < rq->prev.n_ips; i++) {
		size_t j = 0;

		while (j < in.n_rules && !is_from(&in.rules[j], &rq->prev.ips[i].addr, 1))
			j++;
		if (is_ours(rq, &rq->prev, i) && j == in.n_rules)
			r = err_set(e, CNI_CODE(CNI_OTHER), "sbr: rule for %s is missing",
				    cidr_text(&rq->prev.ips[i].addr, text));
	}
	return r;
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "sbr", .add = add, .del = del, .check = check};

	return cni_main(&plugin);
}
