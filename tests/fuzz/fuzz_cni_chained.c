/*
 * What chained plugins (portmap, bandwidth, tuning, firewall) and static make of a configuration: CNI_ARGS
 * (first line), then the configuration.  What they accept keeps their promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/bandwidth/conf.h"
#include "cni-plugins/firewall/conf.h"
#include "cni-plugins/portmap/conf.h"
#include "cni-plugins/static/static_ipam.h"
#include "cni-plugins/tuning/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

/* What fits into a rule, and says something. */
static void conditions(const struct conditions *c, int family)
{
	size_t comparisons = 0;

	must(conditions_rules(c) >= 1 && conditions_rules(c) <= CONDITIONS_MAX_RULES);
	must(c->text || !c->n);
	for (size_t i = 0; i < c->n; i++) {
		const struct condition *x = &c->list[i];

		must(x->n);
		comparisons += x->not ? x->n : 1;
		for (size_t k = 0; k < x->n; k++) {
			must(!x->values[k].net.ip.family || x->values[k].net.ip.family == family);
			must(strnlen(x->values[k].link, IFNAMSIZ) < IFNAMSIZ);
		}
	}
	must(comparisons <= CONDITIONS_MAX_VALUES);
}

static void portmap(const struct cni_request *rq)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (portmap_conf_decode(rq, &c, &e) < 0) {
		must(e.msg);
		return;
	}
	for (size_t i = 0; i < c.n; i++) {
		const struct port_mapping *m = &c.list[i];

		must(m->host_port && m->container_port && port_protocol_name(m->protocol));
		must(port_mapping_has(m, AF_INET) || port_mapping_has(m, AF_INET6));
	}
	conditions(&c.conditions[0], AF_INET);
	conditions(&c.conditions[1], AF_INET6);
}

static void bandwidth(const struct cni_request *rq)
{
	struct bandwidth_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (bandwidth_conf_decode(rq, &c, &e) < 0) {
		must(e.msg);
		return;
	}
	must(!c.ingress_rate == !c.ingress_burst && !c.egress_rate == !c.egress_burst);
	must(c.ingress_rate >= 0 && c.ingress_burst / 8 < UINT32_MAX);
	must(c.egress_rate >= 0 && c.egress_burst / 8 < UINT32_MAX);
}

static void tuning(const struct cni_request *rq)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (tuning_conf_decode(rq, &c, &e) < 0) {
		must(e.msg);
		return;
	}
	must(c.data_dir && *c.data_dir);
	for (size_t i = 0; i < c.n_sysctls; i++)
		must(str_starts(c.sysctls[i].path, "net/") && !strstr(c.sysctls[i].path, "/../") &&
		     !strstr(c.sysctls[i].path, "//") && c.sysctls[i].value);
	cJSON_Delete(tuning_link_encode(&c.link));
}

static void firewall(const struct cni_request *rq)
{
	_cleanup_firewall_conf_ struct firewall_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (firewall_conf_decode(rq, &c, &e) < 0)
		must(e.msg);
	else
		must(c.admin_chain && *c.admin_chain && strlen(c.admin_chain) <= 28);
}

static void addresses(const struct cni_request *rq)
{
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (static_plugin.add(rq, &res, &e) < 0) {
		must(e.msg);
		return;
	}
	for (size_t i = 0; i < res.n_ips; i++)
		must(ip_is_set(&res.ips[i].addr.ip) && res.ips[i].addr.prefix <= ip_bits(&res.ips[i].addr.ip));
	cJSON_Delete(cni_result_encode(&res, rq->version));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *eol = size ? memchr(data, '\n', size) : NULL;
	size_t skip = eol ? (size_t) (eol - data) + 1 : 0;
	_cleanup_free_ char *args = xstrndup((const char *) data, eol ? skip - 1 : 0);
	struct cni_env env = {.command = "ADD", .container_id = "c", .netns = "/n", .ifname = "eth0", .args = args,
			      .path = "/p"};
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	char *copy = xmalloc(size - skip + 1);

	if (size > skip)
		memcpy(copy, data + skip, size - skip);
	copy[size - skip] = '\0';
	if (cni_request_parse(&rq, &env, copy, size - skip, &e) < 0)
		return 0;
	portmap(&rq);
	bandwidth(&rq);
	tuning(&rq);
	firewall(&rq);
	addresses(&rq);
	return 0;
}
