#include "cni-plugins/skel/keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"

/* In the order of strcasecmp(). */
static const char *const known[] = {
	"address", "addresses", "addSourceHints", "advmss", "aliases", "allmulti", "args",
	"backend", "bandwidth", "bcqueuelen", "bridge", "capabilities", "cni", "cniVersion",
	"conditionsV4", "conditionsV6", "containerID", "containerPort", "daemonSocketPath",
	"dataDir", "device", "deviceID", "disableContainerInterface", "dns", "domain",
	"domainName", "dst", "egressBurst", "egressRate", "enabledad", "externalSetMarkChain",
	"firewalldZone", "forceAddress", "fromArg", "gateway", "gateways", "group", "gw",
	"hairpinMode", "hostIP", "hostPort", "hwaddr", "id", "ifname", "ingressBurst",
	"ingressPolicy", "ingressRate", "interface", "interfaces", "ip", "ip4", "ip6", "ipam",
	"ipMasq", "ipMasqBackend", "ipRanges", "ips", "iptablesAdminChainName",
	"isDefaultGateway", "isGateway", "kernelpath", "linkInContainer", "mac", "macspoofchk",
	"markMasqBit", "masqAll", "master", "maxID", "minID", "mode", "mtu", "multiQueue",
	"name", "nameservers", "option", "options", "owner", "pciBusID", "pciID",
	"portIsolation", "portMappings", "preserveDefaultVlan", "prevResult", "priority",
	"promisc", "promiscMode", "protocol", "provide", "rangeEnd", "ranges", "rangeStart",
	"request", "resolvConf", "routes", "runtimeConfig", "sandbox", "scope", "search",
	"selinuxContext", "skipDefault", "snat", "socketPath", "subnet", "sysctl", "table",
	"txQLen", "type", "value", "vlan", "vlanId", "vlanTrunk", "vrfname",
};

static const char *const data[] = {"aliases", "capabilities", "labels", "sysctl"};

static int cmp(const void *key, const void *entry)
{
	return strcasecmp(key, *(const char *const *) entry);
}

static const char *find(const char *key)
{
	const char *const *k = bsearch(key, known, ELEMENTSOF(known), sizeof *known, cmp);

	return k ? *k : NULL;
}

static bool is_data(const char *key)
{
	for (size_t i = 0; i < ELEMENTSOF(data); i++)
		if (!strcmp(data[i], key))
			return true;
	return false;
}

/* The depth is the parser's to bound (JSON_DEPTH_MAX). */
void cni_keys_fold(cJSON *conf)
{
	for (cJSON *c = conf->child; c; c = c->next) {
		const char *name = c->string ? find(c->string) : NULL;

		if (name && strcmp(name, c->string) && !json_get(conf, name)) {
			free(c->string);
			c->string = xstrdup(name);
		}
		if (c->child && !(c->string && is_data(c->string)))
			cni_keys_fold(c);
	}
}
