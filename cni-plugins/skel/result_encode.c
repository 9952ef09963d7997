/* struct cni_result -> JSON of a version. */
#include "base/str.h"
#include "cni-plugins/skel/result.h"

static void put_text(cJSON *o, const char *key, const char *s)
{
	if (s && *s)
		(void) cJSON_AddStringToObject(o, key, s);
}

static void put_strv(cJSON *o, const char *key, char *const *v)
{
	cJSON *list;

	if (!strv_len(v))
		return;
	list = cJSON_AddArrayToObject(o, key);
	for (; *v; v++)
		cJSON_AddItemToArray(list, cJSON_CreateString(*v));
}

static void put_number(cJSON *o, const char *key, int64_t v, int64_t absent)
{
	if (v != absent)
		(void) cJSON_AddNumberToObject(o, key, (double) v);
}

static cJSON *encode_interface(const struct cni_interface *f, enum cni_version v)
{
	cJSON *o = cJSON_CreateObject();

	(void) cJSON_AddStringToObject(o, "name", f->name ? f->name : "");
	put_text(o, "mac", f->mac);
	if (v >= CNI_1_1_0)
		put_number(o, "mtu", f->mtu, 0);
	put_text(o, "sandbox", f->sandbox);
	if (v >= CNI_1_1_0) {
		put_text(o, "socketPath", f->socket_path);
		put_text(o, "pciID", f->pci_id);
	}
	return o;
}

static void put_cidr(cJSON *o, const char *key, const struct cidr *c)
{
	char text[CIDR_TEXT_MAX];

	(void) cJSON_AddStringToObject(o, key, cidr_text(c, text));
}

static void put_ip(cJSON *o, const char *key, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (ip_is_set(ip))
		(void) cJSON_AddStringToObject(o, key, ip_text(ip, text));
}

static cJSON *encode_address(const struct cni_address *a, enum cni_version v)
{
	cJSON *o = cJSON_CreateObject();

	if (v < CNI_1_0_0)
		(void) cJSON_AddStringToObject(o, "version",
					       a->addr.ip.family == AF_INET ? "4" : "6");
	put_number(o, "interface", a->interface, -1);
	put_cidr(o, "address", &a->addr);
	put_ip(o, "gateway", &a->gw);
	return o;
}

static cJSON *encode_route(const struct cni_route *r, enum cni_version v)
{
	cJSON *o = cJSON_CreateObject();

	put_cidr(o, "dst", &r->dst);
	put_ip(o, "gw", &r->gw);
	if (v < CNI_1_1_0)
		return o;
	put_number(o, "mtu", r->mtu, 0);
	put_number(o, "advmss", r->advmss, 0);
	put_number(o, "priority", r->priority, -1);
	put_number(o, "table", r->table, -1);
	put_number(o, "scope", r->scope, -1);
	return o;
}

static void put_lists(cJSON *o, const struct cni_result *r, enum cni_version v)
{
	cJSON *list;

	if (r->n_interfaces) {
		list = cJSON_AddArrayToObject(o, "interfaces");
		for (size_t i = 0; i < r->n_interfaces; i++)
			cJSON_AddItemToArray(list, encode_interface(&r->interfaces[i], v));
	}
	if (r->n_ips) {
		list = cJSON_AddArrayToObject(o, "ips");
		for (size_t i = 0; i < r->n_ips; i++)
			cJSON_AddItemToArray(list, encode_address(&r->ips[i], v));
	}
	if (r->n_routes) {
		list = cJSON_AddArrayToObject(o, "routes");
		for (size_t i = 0; i < r->n_routes; i++)
			cJSON_AddItemToArray(list, encode_route(&r->routes[i], v));
	}
}

/* The first address of the family counts; these versions know no second. */
static void put_family(cJSON *o, const char *key, const struct cni_result *r, int family,
		       enum cni_version v)
{
	const struct cni_address *a = NULL;
	cJSON *ip, *list = NULL;

	for (size_t i = 0; i < r->n_ips && !a; i++)
		if (r->ips[i].addr.ip.family == family)
			a = &r->ips[i];
	if (!a)
		return;
	ip = cJSON_AddObjectToObject(o, key);
	put_cidr(ip, "ip", &a->addr);
	put_ip(ip, "gateway", &a->gw);
	for (size_t i = 0; i < r->n_routes; i++) {
		if (r->routes[i].dst.ip.family != family)
			continue;
		if (!list)
			list = cJSON_AddArrayToObject(ip, "routes");
		cJSON_AddItemToArray(list, encode_route(&r->routes[i], v));
	}
}

cJSON *cni_result_encode(const struct cni_result *r, enum cni_version v)
{
	cJSON *o = cJSON_CreateObject(), *dns;

	(void) cJSON_AddStringToObject(o, "cniVersion", cni_version_text(v));
	if (v >= CNI_0_3_0) {
		put_lists(o, r, v);
	} else {
		put_family(o, "ip4", r, AF_INET, v);
		put_family(o, "ip6", r, AF_INET6, v);
	}
	dns = cJSON_AddObjectToObject(o, "dns");
	put_strv(dns, "nameservers", r->dns.nameservers);
	put_text(dns, "domain", r->dns.domain);
	put_strv(dns, "search", r->dns.search);
	put_strv(dns, "options", r->dns.options);
	return o;
}
