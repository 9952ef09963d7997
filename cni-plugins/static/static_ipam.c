/*
 * static: the addresses that the configuration or the runtime names.  No state, so nothing to release
 * and nobody who looks for two containers with one address.
 *
 * ipam.addresses, then CNI_ARGS IP and GATEWAY added to them; args.cni.ips replaces all of these, and
 * runtimeConfig.ips everything before it.
 */
#include "cni-plugins/static/static_ipam.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

static int bad_gateway(const struct json_at *at, const char *text, struct err *e)
{
	return json_err(at, e, "invalid gateway %s", q(text));
}

static int add_text(struct cni_result *r, const char *text, struct cni_address **ret)
{
	struct cidr c;

	if (cidr_parse(text, &c) < 0)
		return -EINVAL;
	*ret = cni_result_add_ip(r, &c);
	return 0;
}

static int add_address(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	const char *address = json_get_str(j, "address"), *gw = json_get_str(j, "gateway");
	struct cni_address *a;

	if (!address)
		return json_err(at, e, "address: missing");
	if (add_text(arg, address, &a) < 0)
		return json_err(at, e, "address %s: not an address with its network's length",
				q(address));
	if (gw && *gw && ip_parse(gw, &a->gw) < 0)
		return bad_gateway(at, gw, e);
	return 0;
}

/* An element of args.cni.ips or runtimeConfig.ips. */
static int add_wanted(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct cni_address *a;
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return add_text(arg, s, &a) < 0
		       ? json_err(at, e, "%s: not an address with its network's length", q(s))
		       : 0;
}

/* The runtime's list, where it says something, stands for all that came before. */
static int replace(const cJSON *list, const struct json_at *at, struct cni_result *r, struct err *e)
{
	if (!list || cJSON_IsNull(list) || (cJSON_IsArray(list) && !list->child))
		return 0;
	r->n_ips = 0;
	return json_each(list, at, add_wanted, r, e);
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n && strchr(" \t", s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int bad_arg(struct err *e, const char *name, const char *value)
{
	return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_ARGS: %s: %s is not valid", name, q(value));
}

/*
 * CNI_ARGS: IP=ADDRESS/LENGTH[,...] with GATEWAY=ADDRESS[,...], which goes to those of these whose networks
 * it is in; the configuration's own addresses have their own gateways.
 */
static int add_args(const struct cni_request *rq, struct cni_result *res, struct err *e)
{
	_cleanup_free_ char *ip = NULL, *gateway = NULL;
	struct cni_arg known[] = {
		{"IP", &ip}, {"GATEWAY", &gateway}, {"MAC", NULL}};
	_cleanup_strv_ char **ips = NULL, **gateways = NULL;
	size_t first = res->n_ips;
	struct cni_address *a;
	struct ip gw;
	int r = cni_args_parse(rq->args, known, ELEMENTSOF(known), e);

	if (r < 0)
		return r;
	ips = ip && *ip ? strv_split(ip, ',') : NULL;
	for (char **s = ips; s && *s; s++)
		if (add_text(res, trim(*s), &a) < 0)
			return bad_arg(e, "IP", *s);
	gateways = gateway && *gateway ? strv_split(gateway, ',') : NULL;
	for (char **s = gateways; s && *s; s++) {
		if (ip_parse(trim(*s), &gw) < 0)
			return bad_arg(e, "GATEWAY", *s);
		for (size_t i = first; i < res->n_ips; i++)
			if (cidr_contains(&res->ips[i].addr, &gw))
				res->ips[i].gw = gw;
	}
	return 0;
}

static int decode_lists(const struct cni_request *rq, const cJSON *ipam, struct cni_result *res,
			struct err *e)
{
	static const struct json_at at_ipam = {.key = "ipam"}, at_args = {.key = "args"},
				    at_rc = {.key = "runtimeConfig"};
	static const struct json_at at_addresses = {.up = &at_ipam, .key = "addresses"},
				    at_routes = {.up = &at_ipam, .key = "routes"},
				    at_cni = {.up = &at_args, .key = "cni"},
				    at_args_ips = {.up = &at_cni, .key = "ips"},
				    at_rc_ips = {.up = &at_rc, .key = "ips"},
				    at_dns = {.up = &at_ipam, .key = "dns"};
	const cJSON *addresses = json_get(ipam, "addresses"), *routes = json_get(ipam, "routes");
	const cJSON *dns = json_get(ipam, "dns");
	int r = 0;

	if (addresses && !cJSON_IsNull(addresses))
		r = json_each(addresses, &at_addresses, add_address, res, e);
	if (r >= 0)
		r = add_args(rq, res, e);
	if (r >= 0)
		r = replace(json_get(cni_request_get(rq, "args", "cni"), "ips"), &at_args_ips, res,
			    e);
	if (r >= 0)
		r = replace(cni_request_get(rq, "runtimeConfig", "ips"), &at_rc_ips, res, e);
	if (r >= 0 && routes && !cJSON_IsNull(routes))
		r = json_each(routes, &at_routes, cni_route_decode, res, e);
	if (r >= 0 && dns && !cJSON_IsNull(dns))
		r = cni_dns_decode(dns, &at_dns, &res->dns, e);
	return r;
}

/* 0.1.0 and 0.2.0 have room for one address of each family. */
static int check_version(const struct cni_request *rq, const struct cni_result *res, struct err *e)
{
	size_t count[2] = {0};

	for (size_t i = 0; i < res->n_ips; i++)
		count[res->ips[i].addr.ip.family == AF_INET6]++;
	if (rq->version < CNI_0_3_0 && (count[0] > 1 || count[1] > 1))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "CNI version %s does not support more than 1 address per family",
			       cni_version_text(rq->version));
	return 0;
}

static int decode(const struct cni_request *rq, struct cni_result *res, struct err *e)
{
	const cJSON *ipam = json_get(rq->conf, "ipam");
	int r;

	if (!cJSON_IsObject(ipam))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "IPAM config missing 'ipam' key");
	r = cni_bad_config(decode_lists(rq, ipam, res, e), e);
	return r < 0 ? r : check_version(rq, res, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	return decode(rq, ret, e);
}

static int del(const struct cni_request *rq _unused_, struct err *e _unused_)
{
	return 0;
}

/* Each configured address is in prevResult, with its gateway. */
static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_cni_result_ struct cni_result want = CNI_RESULT_INIT;
	char text[CIDR_TEXT_MAX];
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = decode(rq, &want, e);
	for (size_t i = 0; r >= 0 && i < want.n_ips; i++) {
		const struct cni_address *a = &want.ips[i];
		size_t j = 0;

		while (j < rq->prev.n_ips && !(cidr_eq(&rq->prev.ips[j].addr, &a->addr) &&
					       (!ip_is_set(&a->gw) ||
						ip_eq(&rq->prev.ips[j].gw, &a->gw))))
			j++;
		if (j == rq->prev.n_ips)
			r = err_set(e, CNI_CODE(CNI_OTHER),
				    "static: failed to find address %s on prevResult",
				    cidr_text(&a->addr, text));
	}
	return r;
}

static int gc(const struct cni_request *rq _unused_, struct err *e _unused_)
{
	return 0;
}

static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_cni_result_ struct cni_result ignored = CNI_RESULT_INIT;

	return decode(rq, &ignored, e);
}

const struct cni_plugin static_plugin = {
	.name = "static",
	.add = add,
	.del = del,
	.check = check,
	.gc = gc,
	.status = status,
};
