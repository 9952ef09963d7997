#include "cni-plugins/portmap/conf.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

const char *port_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ELEMENTSOF(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}

static bool is_any(const struct ip *ip)
{
	static const unsigned char zero[16];

	return !memcmp(ip->b, zero, sizeof zero);
}

bool port_mapping_has(const struct port_mapping *m, int family)
{
	return !ip_is_set(&m->host_ip) || m->host_ip.family == family;
}

bool port_mapping_has_address(const struct port_mapping *m)
{
	return ip_is_set(&m->host_ip) && !is_any(&m->host_ip);
}

void portmap_conf_done(struct portmap_conf *c)
{
	free(c->list);
	for (size_t i = 0; i < ELEMENTSOF(c->conditions); i++)
		conditions_done(&c->conditions[i]);
	*c = (struct portmap_conf) {0};
}

/* --- one mapping --- */

struct entry {
	int64_t host_port, container_port;
	char *protocol, *host_ip; /* owned */
};

static void entry_done(struct entry *x)
{
	free(x->protocol);
	free(x->host_ip);
}
#define _cleanup_entry_ __attribute__((cleanup(entry_done)))

static int take_entry(const struct entry *x, const struct json_at *at, struct port_mapping *ret,
		      struct err *e)
{
	size_t i = 0;

	if (x->host_port < 1 || x->host_port > 65535)
		return json_err(at, e, "invalid host port number: %lld", (long long) x->host_port);
	if (x->container_port < 1 || x->container_port > 65535)
		return json_err(at, e, "invalid container port number: %lld",
				(long long) x->container_port);
	while (i < ELEMENTSOF(protocols) &&
	       strcasecmp(protocols[i].name, x->protocol ? x->protocol : ""))
		i++;
	if (i == ELEMENTSOF(protocols))
		return json_err(at, e, "unknown port protocol %s",
				q(x->protocol ? x->protocol : ""));
	if (x->host_ip && *x->host_ip && ip_parse(x->host_ip, &ret->host_ip) < 0)
		return json_err(at, e, "hostIP %s: not an IP address", q(x->host_ip));
	ret->protocol = protocols[i].number;
	ret->host_port = (uint16_t) x->host_port;
	ret->container_port = (uint16_t) x->container_port;
	return 0;
}

static int add_mapping(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct entry, "hostPort", I64, host_port), .min = INT32_MIN,
		 .max = INT32_MAX},
		{CNI_FIELD(struct entry, "containerPort", I64, container_port), .min = INT32_MIN,
		 .max = INT32_MAX},
		{CNI_FIELD(struct entry, "protocol", STRING, protocol)},
		{CNI_FIELD(struct entry, "hostIP", STRING, host_ip)},
	};
	_cleanup_entry_ struct entry x = {0};
	struct portmap_conf *c = arg;
	struct port_mapping m = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, &x, e);

	if (r >= 0)
		r = take_entry(&x, at, &m, e);
	if (r >= 0 && c->n == PORT_MAPPINGS_MAX)
		r = json_err(at, e, "more than %d port mappings of one container",
			     PORT_MAPPINGS_MAX);
	if (r < 0)
		return r;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = m;
	return 0;
}

static int cmp_place(const void *a, const void *b)
{
	const struct port_mapping *x = a, *y = b;

	if (x->protocol != y->protocol)
		return (int) x->protocol - (int) y->protocol;
	if (x->host_port != y->host_port)
		return (int) x->host_port - (int) y->host_port;
	if (x->host_ip.family != y->host_ip.family)
		return x->host_ip.family - y->host_ip.family;
	return ip_is_set(&x->host_ip) ? memcmp(x->host_ip.b, y->host_ip.b, sizeof x->host_ip.b) : 0;
}

/* What is said twice is done once; one place cannot lead to two ports. */
static int unite(struct portmap_conf *c, const struct json_at *at, struct err *e)
{
	size_t n = 0;

	if (c->n)
		qsort(c->list, c->n, sizeof *c->list, cmp_place);
	for (size_t i = 0; i < c->n; i++) {
		const struct port_mapping *m = &c->list[i], *last = n ? &c->list[n - 1] : NULL;

		if (!last || cmp_place(last, m)) {
			c->list[n++] = *m;
			continue;
		}
		if (last->container_port != m->container_port)
			return json_err(at, e, "port %u/%s of the host leads to two ports, %u and %u",
					m->host_port, port_protocol_name(m->protocol),
					last->container_port, m->container_port);
	}
	c->n = n;
	return 0;
}

/* --- the whole --- */

static const char *check_backend(const char *value)
{
	return !*value || !strcmp(value, "nftables") || !strcmp(value, "iptables")
		       ? NULL
		       : "unknown backend";
}

struct keys {
	bool snat, snat_given, masq_all, mark_given;
	int64_t mark_bit;
	char *backend, *mark_chain; /* owned */
	char **conditions[2]; /* IPv4, IPv6; strv, owned */
};

static void keys_done(struct keys *k)
{
	free(k->backend);
	free(k->mark_chain);
	strv_free(k->conditions[0]);
	strv_free(k->conditions[1]);
}
#define _cleanup_keys_ __attribute__((cleanup(keys_done)))

/* Who says which language is to be spoken is held to it, as by the reference plugin. */
static int check_language(const struct keys *k, const char *key, const char *language, struct err *e)
{
	if (!k->backend || !*k->backend || !strcmp(k->backend, language))
		return 0;
	return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
		       "%s backend was requested but configuration contains %s-specific options [%s]",
		       k->backend, language, key);
}

static int decode_conditions(const struct keys *k, struct portmap_conf *c, struct err *e)
{
	static const char *const names[] = {"conditionsV4", "conditionsV6"};
	static const int families[] = {AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
		r = conditions_parse(k->conditions[i], families[i], &c->conditions[i], e);
		if (r < 0)
			r = cni_bad_config(err_ctx(e, r, "%s", names[i]), e);
		else if (c->conditions[i].text)
			r = check_language(k, names[i],
					   conditions_are_for_iptables(k->conditions[i])
						   ? "iptables"
						   : "nftables",
					   e);
	}
	return r;
}

/*
 * Who marks what is to be masqueraded, a bit or a chain of somebody else's, does not matter: no mark is
 * needed, and any will do.
 */
static int check_keys(const struct keys *k, struct err *e)
{
	if (!k->mark_chain)
		return 0;
	if (k->mark_given)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "cannot specify externalSetMarkChain and markMasqBit");
	return check_language(k, "externalSetMarkChain", "iptables", e);
}

static int decode_mappings(const struct cni_request *rq, struct portmap_conf *c, struct err *e)
{
	static const struct json_at at_rc = {.key = "runtimeConfig"},
				    at = {.up = &at_rc, .key = "portMappings"};
	const cJSON *list = cni_request_get(rq, "runtimeConfig", "portMappings");
	int r = list && !cJSON_IsNull(list) ? json_each(list, &at, add_mapping, c, e) : 0;

	if (r >= 0)
		r = unite(c, &at, e);
	return cni_bad_config(r, e);
}

int portmap_conf_decode(const struct cni_request *rq, struct portmap_conf *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct keys, "snat", BOOL, snat),
		 .present = offsetof(struct keys, snat_given)},
		{CNI_FIELD(struct keys, "masqAll", BOOL, masq_all)},
		{CNI_FIELD(struct keys, "markMasqBit", I64, mark_bit), .min = 0, .max = 31,
		 .present = offsetof(struct keys, mark_given)},
		{CNI_FIELD(struct keys, "backend", STRING, backend), .check = check_backend},
		{CNI_FIELD(struct keys, "externalSetMarkChain", STRING, mark_chain)},
		{CNI_FIELD(struct keys, "conditionsV4", STRV, conditions[0])},
		{CNI_FIELD(struct keys, "conditionsV6", STRV, conditions[1])},
	};
	_cleanup_keys_ struct keys k = {0};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), &k, e);

	if (r >= 0)
		r = check_keys(&k, e);
	if (r >= 0)
		r = decode_conditions(&k, ret, e);
	ret->snat = k.snat || !k.snat_given;
	ret->masq_all = k.masq_all && ret->snat;
	return r < 0 ? r : decode_mappings(rq, ret, e);
}
