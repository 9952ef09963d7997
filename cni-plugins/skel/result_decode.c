/*
 * JSON -> struct cni_result. Everything here comes from another program: bounded, typed, named by
 * its path.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/result.h"

static int decode_ip(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	/* "" is how some plugins spell "none". */
	if (!*s)
		return 0;
	return ip_parse(s, field) < 0 ? json_err(at, e, "%s: not an IP address", q(s)) : 0;
}

static int decode_cidr(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return cidr_parse(s, field) < 0
		       ? json_err(at, e, "%s: not an address with a prefix length", q(s))
		       : 0;
}

int cni_dns_decode(const cJSON *j, const struct json_at *at, void *dns, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct cni_dns, "nameservers", STRV, nameservers)},
		{CNI_FIELD(struct cni_dns, "domain", STRING, domain)},
		{CNI_FIELD(struct cni_dns, "search", STRV, search)},
		{CNI_FIELD(struct cni_dns, "options", STRV, options)},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, dns, e);
}

static int decode_interface(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct cni_interface, "name", STRING, name), .required = true},
		{CNI_FIELD(struct cni_interface, "mac", STRING, mac)},
		{CNI_FIELD(struct cni_interface, "sandbox", STRING, sandbox)},
		{CNI_FIELD(struct cni_interface, "mtu", I64, mtu), .min = 0, .max = INT32_MAX},
		{CNI_FIELD(struct cni_interface, "socketPath", STRING, socket_path)},
		{CNI_FIELD(struct cni_interface, "pciID", STRING, pci_id)},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN,
			   cni_result_add_interface(arg, NULL, NULL, NULL), e);
}

static int decode_address(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct cni_address, "address", CALL, addr), .required = true,
		 .decode = decode_cidr},
		{CNI_FIELD(struct cni_address, "gateway", CALL, gw), .decode = decode_ip},
		{CNI_FIELD(struct cni_address, "interface", I64, interface), .min = -1,
		 .max = INT32_MAX},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN,
			   cni_result_add_ip(arg, &(struct cidr) {0}), e);
}

int cni_route_decode(const cJSON *j, const struct json_at *at, void *result, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct cni_route, "dst", CALL, dst), .required = true,
		 .decode = decode_cidr},
		{CNI_FIELD(struct cni_route, "gw", CALL, gw), .decode = decode_ip},
		{CNI_FIELD(struct cni_route, "mtu", I64, mtu), .min = 0, .max = INT32_MAX},
		{CNI_FIELD(struct cni_route, "advmss", I64, advmss), .min = 0, .max = INT32_MAX},
		{CNI_FIELD(struct cni_route, "priority", I64, priority), .min = 0,
		 .max = UINT32_MAX},
		{CNI_FIELD(struct cni_route, "table", I64, table), .min = 0, .max = UINT32_MAX},
		{CNI_FIELD(struct cni_route, "scope", I64, scope), .min = 0, .max = 255},
	};
	struct cni_route *route = cni_result_add_route(result, &(struct cidr) {0});
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, route, e);

	if (r < 0)
		return r;
	if (ip_is_set(&route->gw) && route->gw.family != route->dst.ip.family)
		return json_err(at, e, "gateway and destination are of different families");
	return 0;
}

struct list {
	const char *key;
	int (*decode)(const cJSON *, const struct json_at *, void *, struct err *);
};

static int decode_lists(const cJSON *j, const struct json_at *at, struct cni_result *ret,
			struct err *e)
{
	static const struct list lists[] = {
		{"interfaces", decode_interface},
		{"ips", decode_address},
		{"routes", cni_route_decode},
	};

	for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
		struct json_at here = {.up = at, .key = lists[i].key};
		const cJSON *list = json_get(j, lists[i].key);
		int r = list && !cJSON_IsNull(list)
				? json_each(list, &here, lists[i].decode, ret, e)
				: 0;

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ret->n_ips; i++)
		if (ret->ips[i].interface >= (int64_t) ret->n_interfaces && ret->n_interfaces)
			return json_err(at, e, "ips[%zu].interface: there is no interface %lld", i,
					(long long) ret->ips[i].interface);
	return 0;
}

/* 0.1.0 and 0.2.0: {"ip4": {"ip", "gateway", "routes"}, "ip6": ...}. */
static int decode_family(const cJSON *j, const struct json_at *at, const char *key,
			 struct cni_result *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct cni_address, "ip", CALL, addr), .required = true,
		 .decode = decode_cidr},
		{CNI_FIELD(struct cni_address, "gateway", CALL, gw), .decode = decode_ip},
	};
	struct json_at here = {.up = at, .key = key}, routes = {.up = &here, .key = "routes"};
	const cJSON *o = json_get(j, key), *list;
	int r;

	if (!o || cJSON_IsNull(o))
		return 0;
	r = json_decode(o, &here, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN,
			cni_result_add_ip(ret, &(struct cidr) {0}), e);
	if (r < 0)
		return r;
	list = json_get(o, "routes");
	return list && !cJSON_IsNull(list) ? json_each(list, &routes, cni_route_decode, ret, e) : 0;
}

static int decode_body(const cJSON *j, const struct json_at *at, enum cni_version v,
		       struct cni_result *ret, struct err *e)
{
	struct json_at here = {.up = at, .key = "dns"};
	const cJSON *dns = json_get(j, "dns");
	int r;

	if (v >= CNI_0_3_0) {
		r = decode_lists(j, at, ret, e);
	} else {
		r = decode_family(j, at, "ip4", ret, e);
		if (r >= 0)
			r = decode_family(j, at, "ip6", ret, e);
	}
	if (r < 0 || !dns || cJSON_IsNull(dns))
		return r;
	return cni_dns_decode(dns, &here, &ret->dns, e);
}

int cni_result_decode(const cJSON *j, const struct json_at *at, enum cni_version fallback,
		      struct cni_result *ret, struct err *e)
{
	_cleanup_cni_result_ struct cni_result result = CNI_RESULT_INIT;
	const char *text = json_get_str(j, "cniVersion");
	enum cni_version v = fallback;
	int r = json_is_object(j, at, e);

	if (r >= 0 && text && *text)
		r = cni_version_parse(text, &v, e);
	if (r >= 0)
		r = decode_body(j, at, v, &result, e);
	if (r == -EINVAL && e)
		e->code = CNI_CODE(CNI_DECODE);
	if (r < 0)
		return r == -EINVAL ? -CNI_CODE(CNI_DECODE) : r;
	*ret = result;
	result = (struct cni_result) CNI_RESULT_INIT;
	return 0;
}
