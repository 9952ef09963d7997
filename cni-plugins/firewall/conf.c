#include "cni-plugins/firewall/conf.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

#define ADMIN_CHAIN "CNI-ADMIN"
#define CHAIN_NAME_MAX 28 /* of iptables */

void firewall_conf_done(struct firewall_conf *c)
{
	free(c->admin_chain);
	*c = (struct firewall_conf) {0};
}

/*
 * All backends are done over netlink, in whatever tables there are, so the word decides nothing but
 * whether firewalld's zone matters; one that the reference plugin does not know leaves the choice
 * to it.
 */
static int check_zone(const char *backend, const char *zone, struct err *e)
{
	if (!zone || !*zone || !strcmp(zone, "trusted") || !backend || strcmp(backend, "firewalld"))
		return 0;
	return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
		       "firewalldZone: %s: only the zone trusted is supported", q(zone));
}

static const char *check_chain(const char *value)
{
	if (strlen(value) > CHAIN_NAME_MAX)
		return "longer than 28 characters";
	for (const char *c = value; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '!' || *c == '-')
			if (c == value || *c != '-')
				return "not a chain's name";
	return NULL;
}

struct keys {
	char *backend, *zone, *admin_chain, *ingress; /* owned */
};

static void keys_done(struct keys *k)
{
	free(k->backend);
	free(k->zone);
	free(k->admin_chain);
	free(k->ingress);
}
#define _cleanup_keys_ __attribute__((cleanup(keys_done)))

static int take_ingress(const char *word, struct firewall_conf *c, struct err *e)
{
	static const char *const words[] = {
		[INGRESS_OPEN] = "open",
		[INGRESS_SAME_BRIDGE] = "same-bridge",
		[INGRESS_ISOLATED] = "isolated",
	};

	for (size_t i = 0; word && *word && i < ELEMENTSOF(words); i++)
		if (!strcmp(word, words[i])) {
			c->ingress = (enum ingress_policy) i;
			return 0;
		}
	return !word || !*word ? 0
			       : err_set(e, CNI_CODE(CNI_BAD_CONFIG),
					 "unsupported ingress policy: %s", q(word));
}

int firewall_conf_decode(const struct cni_request *rq, struct firewall_conf *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct keys, "backend", STRING, backend)},
		{CNI_FIELD(struct keys, "firewalldZone", STRING, zone)},
		{CNI_FIELD(struct keys, "iptablesAdminChainName", STRING, admin_chain),
		 .check = check_chain},
		{CNI_FIELD(struct keys, "ingressPolicy", STRING, ingress)},
	};
	_cleanup_keys_ struct keys k = {0};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), &k, e);

	if (r >= 0)
		r = check_zone(k.backend, k.zone, e);
	if (r < 0)
		return r;
	if (k.admin_chain && *k.admin_chain)
		ret->admin_chain = take_ptr(k.admin_chain);
	else
		ret->admin_chain = xstrdup(ADMIN_CHAIN);
	return take_ingress(k.ingress, ret, e);
}
