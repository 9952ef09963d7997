#include "cni-plugins/host-local/conf.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

void host_local_conf_done(struct host_local_conf *c)
{
	for (size_t i = 0; i < c->n_sets; i++)
		free(c->sets[i].list);
	free(c->sets);
	free(c->wanted);
	free(c->data_dir);
	free(c->resolv_conf);
	cni_result_done(&c->routes);
	*c = (struct host_local_conf) {0};
}

static int decode_ip(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0 || !*s)
		return r;
	return ip_parse(s, field) < 0 ? json_err(at, e, "%s: not an IP address", q(s)) : 0;
}

static int decode_subnet(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return cidr_parse(s, field) < 0 ? json_err(at, e, "%s: not a network", q(s)) : 0;
}

static int decode_range_keys(const cJSON *j, const struct json_at *at, struct range *r,
			     struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct range, "subnet", CALL, subnet), .decode = decode_subnet},
		{CNI_FIELD(struct range, "rangeStart", CALL, start), .decode = decode_ip},
		{CNI_FIELD(struct range, "rangeEnd", CALL, end), .decode = decode_ip},
		{CNI_FIELD(struct range, "gateway", CALL, gw), .decode = decode_ip},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, r, e);
}

static int complete(struct range *range, const struct json_at *at, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;

	return range_complete(range, &why) < 0 ? json_err(at, e, "%s", err_text(&why)) : 0;
}

static int add_range(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct range_set *set = arg;
	struct range range = {0};
	int r = decode_range_keys(j, at, &range, e);

	if (r >= 0)
		r = complete(&range, at, e);
	if (r < 0)
		return r;
	set->list = xgrow(set->list, set->n, sizeof *set->list);
	set->list[set->n++] = range;
	return 0;
}

static struct range_set *new_set(struct host_local_conf *c)
{
	c->sets = xgrow(c->sets, c->n_sets, sizeof *c->sets);
	c->sets[c->n_sets] = (struct range_set) {0};
	return &c->sets[c->n_sets++];
}

static int add_set(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct range_set *set = new_set(arg);
	int r = json_each(j, at, add_range, set, e);

	if (r < 0)
		return r;
	return range_set_check(set, &why) < 0 ? json_err(at, e, "%s", err_text(&why)) : 0;
}

static int decode_sets(const cJSON *list, const struct json_at *at, struct host_local_conf *c,
		       struct err *e)
{
	return list && !cJSON_IsNull(list) ? json_each(list, at, add_set, c, e) : 0;
}

/* Ranges of the runtime come first, then the one of the old form, then the list. */
static int decode_ranges(const struct cni_request *rq, const cJSON *ipam, struct host_local_conf *c,
			 struct err *e)
{
	struct json_at at_ipam = {.key = "ipam"}, at_ranges = {.up = &at_ipam, .key = "ranges"};
	struct json_at at_rc = {.key = "runtimeConfig"},
		       at_rc_ranges = {.up = &at_rc, .key = "ipRanges"};
	struct range legacy = {0};
	int r = decode_sets(cni_request_get(rq, "runtimeConfig", "ipRanges"), &at_rc_ranges, c, e);

	if (r >= 0)
		r = decode_range_keys(ipam, &at_ipam, &legacy, e);
	if (r >= 0 && ip_is_set(&legacy.subnet.ip)) {
		struct range_set *set = new_set(c);

		set->list = xmemdup(&legacy, sizeof legacy);
		set->n = 1;
		r = complete(set->list, &at_ipam, e);
	}
	if (r >= 0)
		r = decode_sets(json_get(ipam, "ranges"), &at_ranges, c, e);
	return r;
}

static int check_sets(const struct cni_request *rq, const struct host_local_conf *c, struct err *e)
{
	size_t count[2] = {0};

	if (!c->n_sets)
		return err_set(e, EINVAL, "ipam: no IP ranges specified");
	for (size_t i = 0; i < c->n_sets; i++) {
		count[c->sets[i].list[0].start.family == AF_INET6]++;
		for (size_t j = 0; j < i; j++)
			if (range_set_overlaps(&c->sets[i], &c->sets[j]))
				return err_set(e, EINVAL, "ipam: range set %zu overlaps with %zu",
					       j, i);
	}
	if (rq->version < CNI_0_3_0 && (count[0] > 1 || count[1] > 1))
		return err_set(
			e, EINVAL,
			"ipam: CNI version %s does not support more than 1 address per family",
			cni_version_text(rq->version));
	return 0;
}

/* "10.1.2.3" or "10.1.2.3/24", of which the length is the subnet's business. */
static int add_wanted(struct host_local_conf *c, const char *s)
{
	struct cidr cidr;

	if (strchr(s, '/') ? cidr_parse(s, &cidr) < 0 : ip_parse(s, &cidr.ip) < 0)
		return -EINVAL;
	/* A runtime may say it in two places. */
	for (size_t i = 0; i < c->n_wanted; i++)
		if (ip_eq(&c->wanted[i], &cidr.ip))
			return 0;
	c->wanted = xgrow(c->wanted, c->n_wanted, sizeof *c->wanted);
	c->wanted[c->n_wanted++] = cidr.ip;
	return 0;
}

static int decode_wanted(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return add_wanted(arg, s) < 0 ? json_err(at, e, "%s: not an IP address", q(s)) : 0;
}

/* All three places count: CNI_ARGS IP, args.cni.ips, runtimeConfig.ips. */
static int decode_all_wanted(const struct cni_request *rq, struct host_local_conf *c, struct err *e)
{
	struct json_at at_args = {.key = "args"}, at_cni = {.up = &at_args, .key = "cni"};
	struct json_at at_ips = {.up = &at_cni, .key = "ips"};
	struct json_at at_rc = {.key = "runtimeConfig"}, at_rc_ips = {.up = &at_rc, .key = "ips"};
	const cJSON *cni = cni_request_get(rq, "args", "cni"), *ips = json_get(cni, "ips");
	_cleanup_free_ char *ip = NULL;
	struct cni_arg known[] = {
		{"IP", &ip}, {"GATEWAY", NULL}, {"MAC", NULL}};
	int r = cni_args_parse(rq->args, known, ELEMENTSOF(known), e);

	if (r < 0)
		return r;
	if (ip && *ip && add_wanted(c, ip) < 0)
		return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_ARGS: IP: %s is not an IP address",
			       q(ip));
	if (ips && !cJSON_IsNull(ips))
		r = json_each(ips, &at_ips, decode_wanted, c, e);
	ips = cni_request_get(rq, "runtimeConfig", "ips");
	if (r >= 0 && ips && !cJSON_IsNull(ips))
		r = json_each(ips, &at_rc_ips, decode_wanted, c, e);
	return r;
}

static int decode_dir(const struct cni_request *rq, struct host_local_conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct host_local_conf, "dataDir", STRING, data_dir)},
		{CNI_FIELD(struct host_local_conf, "resolvConf", STRING, resolv_conf)},
	};
	static const struct json_at at = {.key = "ipam"};
	const cJSON *ipam = json_get(rq->conf, "ipam");
	int r;

	if (!cJSON_IsObject(ipam))
		return err_set(e, EINVAL, "IPAM config missing 'ipam' key");
	r = json_decode(ipam, &at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, c, e);
	if (r >= 0 && (!c->data_dir || !*c->data_dir)) {
		free(c->data_dir);
		c->data_dir = xstrdup(HOST_LOCAL_DIR);
	}
	return r;
}

static int decode_rest(const struct cni_request *rq, struct host_local_conf *c, struct err *e)
{
	struct json_at at_ipam = {.key = "ipam"}, at_routes = {.up = &at_ipam, .key = "routes"};
	const cJSON *ipam = json_get(rq->conf, "ipam"), *routes = json_get(ipam, "routes");
	int r = decode_ranges(rq, ipam, c, e);

	if (r >= 0)
		r = check_sets(rq, c, e);
	if (r >= 0 && routes && !cJSON_IsNull(routes))
		r = json_each(routes, &at_routes, cni_route_decode, &c->routes, e);
	return r < 0 ? r : decode_all_wanted(rq, c, e);
}

int host_local_conf_dir(const struct cni_request *rq, struct host_local_conf *ret, struct err *e)
{
	return cni_bad_config(decode_dir(rq, ret, e), e);
}

int host_local_conf_decode(const struct cni_request *rq, struct host_local_conf *ret, struct err *e)
{
	int r = decode_dir(rq, ret, e);

	if (r >= 0)
		r = decode_rest(rq, ret, e);
	return cni_bad_config(r, e);
}
