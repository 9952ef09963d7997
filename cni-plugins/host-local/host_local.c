#include "cni-plugins/host-local/host_local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cni-plugins/host-local/conf.h"
#include "cni-plugins/host-local/store.h"
#include "cni-plugins/skel/code.h"

#define RESOLV_CONF_MAX (64u << 10)

static void add_words(char ***v, char *rest)
{
	char *save = NULL;

	for (char *w = strtok_r(rest, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		strv_add(v, w);
}

/* resolv.conf(5): the words that a result can carry. */
static void parse_resolv_line(char *line, struct cni_dns *dns)
{
	char *rest;

	line[strcspn(line, "#;")] = '\0';
	line += strspn(line, " \t");
	rest = line + strcspn(line, " \t");
	if (!*rest)
		return;
	*rest++ = '\0';
	rest += strspn(rest, " \t");
	rest[strcspn(rest, "\r")] = '\0';
	if (!strcmp(line, "nameserver")) {
		rest[strcspn(rest, " \t")] = '\0';
		strv_add(&dns->nameservers, rest);
	} else if (!strcmp(line, "domain")) {
		rest[strcspn(rest, " \t")] = '\0';
		free(dns->domain);
		dns->domain = xstrdup(rest);
	} else if (!strcmp(line, "search")) {
		add_words(&dns->search, rest);
	} else if (!strcmp(line, "options")) {
		add_words(&dns->options, rest);
	}
}

static int read_resolv_conf(const char *path, struct cni_dns *dns, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	int r = file_read_at(AT_FDCWD, path, RESOLV_CONF_MAX, &text, NULL, e);

	if (r < 0)
		return err_ctx(e, r, "ipam.resolvConf");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_resolv_line(line, dns);
	return 0;
}

/* --- ADD --- */

struct allocation {
	const struct cni_request *rq;
	const struct host_local_conf *conf;
	struct store st;
	struct cni_result *res;
};

static void give(struct allocation *a, const struct ip *ip, const struct range *range)
{
	struct cidr addr = {.ip = *ip, .prefix = range->subnet.prefix};

	cni_result_add_ip(a->res, &addr)->gw = range->gw;
}

static int allocate_wanted(struct allocation *a, size_t set, const struct ip *ip, struct err *e)
{
	const struct range *range = range_set_find(&a->conf->sets[set], ip);
	char text[IP_TEXT_MAX];
	int r;

	if (ip_eq(ip, &range->gw))
		return err_set(e, CNI_CODE(CNI_OTHER), "requested ip %s is subnet's gateway",
			       ip_text(ip, text));
	r = store_reserve(&a->st, ip, a->rq->container_id, a->rq->ifname, set, e);
	if (r == 0)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "requested IP address %s is not available in range set %zu",
			       ip_text(ip, text), set);
	if (r > 0)
		give(a, ip, range);
	return r;
}

static int allocate_next(struct allocation *a, size_t set, struct err *e)
{
	struct ip last = store_last(&a->st, set), ip;
	char text[RANGE_TEXT_MAX];
	const struct range *range;
	struct range_walk w;
	int r = 0;

	range_walk_init(&w, &a->conf->sets[set], &last);
	while (r == 0 && range_walk_next(&w, &ip, &range))
		r = store_reserve(&a->st, &ip, a->rq->container_id, a->rq->ifname, set, e);
	if (r == 0)
		return err_set(e, CNI_CODE(CNI_OTHER), "no IP addresses available in range set: %s",
			       range_text(&a->conf->sets[set].list[0], text));
	if (r > 0)
		give(a, &ip, range);
	return r;
}

/* One address from each set; a wanted one goes to the set that holds it. */
static int allocate(struct allocation *a, bool *used, struct err *e)
{
	for (size_t set = 0; set < a->conf->n_sets; set++) {
		size_t i = 0;
		int r;

		while (i < a->conf->n_wanted &&
		       (used[i] || !range_set_find(&a->conf->sets[set], &a->conf->wanted[i])))
			i++;
		if (i < a->conf->n_wanted) {
			used[i] = true;
			r = allocate_wanted(a, set, &a->conf->wanted[i], e);
		} else {
			r = allocate_next(a, set, e);
		}
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < a->conf->n_wanted; i++) {
		char text[IP_TEXT_MAX];

		if (!used[i])
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "cannot allocate all requested IPs: %s is in no range",
				       ip_text(&a->conf->wanted[i], text));
	}
	return 0;
}

static bool is_in_ranges(const struct host_local_conf *c, const struct ip *ip)
{
	for (size_t i = 0; i < c->n_sets; i++)
		if (range_set_find(&c->sets[i], ip))
			return true;
	return false;
}

/* Leases of ranges that the configuration had before are no second allocation. */
static int refuse_second(struct allocation *a, struct err *e)
{
	_cleanup_free_ struct ip *have = NULL;
	char text[IP_TEXT_MAX];
	size_t n;
	int r = store_find(&a->st, a->rq->container_id, a->rq->ifname, &have, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (is_in_ranges(a->conf, &have[i]))
			r = err_set(e, CNI_CODE(CNI_OTHER),
				    "%s has been allocated to %s %s, duplicate allocation is not allowed",
				    ip_text(&have[i], text), a->rq->container_id, a->rq->ifname);
	return r;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_free_ bool *used = NULL;
	struct allocation a = {.rq = rq, .conf = &c, .st = STORE_INIT, .res = ret};
	int r = host_local_conf_decode(rq, &c, e);

	if (r >= 0 && c.resolv_conf && *c.resolv_conf)
		r = read_resolv_conf(c.resolv_conf, &ret->dns, e);
	if (r >= 0)
		r = store_open(c.data_dir, rq->name, true, &a.st, e);
	if (r >= 0)
		r = refuse_second(&a, e);
	if (r >= 0) {
		used = xcalloc(c.n_wanted + 1, sizeof *used);
		r = allocate(&a, used, e);
		for (size_t i = 0; r < 0 && i < ret->n_ips; i++)
			(void) store_release_ip(&a.st, &ret->ips[i].addr.ip, NULL);
	}
	store_close(&a.st);
	if (r < 0)
		return r;
	ret->routes = take_ptr(c.routes.routes);
	ret->n_routes = c.routes.n_routes;
	c.routes.n_routes = 0;
	return 0;
}

/* --- the others --- */

/* Open the store of an existing network; *none when there is nothing at all. */
static int open_existing(const struct cni_request *rq, struct store *st, bool *none, struct err *e)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	int r = host_local_conf_dir(rq, &c, e);

	*none = false;
	if (r < 0)
		return r;
	r = store_open(c.data_dir, rq->name, false, st, &why);
	if (r == -ENOENT) {
		*none = true;
		return 0;
	}
	return r < 0 ? err_move(e, &why) : 0;
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_store_ struct store st = STORE_INIT;
	bool none;
	int r = open_existing(rq, &st, &none, e);

	return r < 0 || none ? r : store_release(&st, rq->container_id, rq->ifname, e);
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_store_ struct store st = STORE_INIT;
	bool none = true;
	int r = rq->valid.known ? open_existing(rq, &st, &none, e) : 0;

	return r < 0 || none ? r : store_gc(&st, &rq->valid, e);
}

static bool is_held(const struct ip *ip, const struct ip *have, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_eq(ip, &have[i]))
			return true;
	return false;
}

/* The attachment holds leases, among them every address of prevResult that is from our ranges. */
static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_store_ struct store st = STORE_INIT;
	_cleanup_free_ struct ip *have = NULL;
	char text[IP_TEXT_MAX];
	bool none;
	size_t n = 0;
	int r = host_local_conf_decode(rq, &c, e);

	if (r >= 0)
		r = open_existing(rq, &st, &none, e);
	if (r >= 0 && !none)
		r = store_find_sure(&st, rq->container_id, rq->ifname, &have, &n, e);
	if (r < 0)
		return r;
	if (n == 0)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "host-local: failed to find address added by container %s",
			       rq->container_id);
	for (size_t i = 0; i < rq->prev.n_ips; i++)
		for (size_t s = 0; s < c.n_sets; s++)
			if (range_set_find(&c.sets[s], &rq->prev.ips[i].addr.ip) &&
			    !is_held(&rq->prev.ips[i].addr.ip, have, n))
				return err_set(e, CNI_CODE(CNI_OTHER),
					       "host-local: %s is not leased to container %s",
					       ip_text(&rq->prev.ips[i].addr.ip, text),
					       rq->container_id);
	return 0;
}

static int not_available(struct err *e, int r)
{
	_cleanup_free_ char *why = xstrdup(err_text(e));

	(void) r;
	return err_set(e, CNI_CODE(CNI_NOT_AVAILABLE), "host-local: %s", why);
}

/* Could an ADD be served now: the store can be written, and every set has a free address. */
static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_store_ struct store st = STORE_INIT;
	char text[RANGE_TEXT_MAX];
	const struct range *range;
	int r = host_local_conf_decode(rq, &c, e);

	if (r < 0)
		return r;
	r = store_open(c.data_dir, rq->name, true, &st, e);
	if (r < 0)
		return not_available(e, r);
	if (faccessat(st.dir, ".", W_OK, 0) < 0)
		return not_available(e, err_sys(e, "write to %s/%s", c.data_dir, rq->name));
	for (size_t i = 0; i < c.n_sets; i++) {
		struct ip last = store_last(&st, i), ip;
		struct range_walk w;
		bool is_free = false;

		range_walk_init(&w, &c.sets[i], &last);
		while (!is_free && range_walk_next(&w, &ip, &range))
			is_free = !store_is_taken(&st, &ip);
		if (!is_free)
			return err_set(e, CNI_CODE(CNI_NOT_AVAILABLE),
				       "no IP addresses available in range set: %s",
				       range_text(&c.sets[i].list[0], text));
	}
	return 0;
}

const struct cni_plugin host_local_plugin = {
	.name = "host-local",
	.add = add,
	.del = del,
	.check = check,
	.gc = gc,
	.status = status,
};
