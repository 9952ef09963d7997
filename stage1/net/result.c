#include "stage1/net/result.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

/* It goes into files and on terminals: nothing but an address with its prefix length. */
static bool is_cidr(const char *s)
{
	_cleanup_free_ char *ip = xstrndup(s, strcspn(s, "/"));
	unsigned char buf[16];
	uint64_t len;
	bool v4 = inet_pton(AF_INET, ip, buf) == 1;

	if (!v4 && inet_pton(AF_INET6, ip, buf) != 1)
		return false;
	return s[strlen(ip)] == '/' && parse_u64(s + strlen(ip) + 1, v4 ? 32 : 128, &len) == 0;
}

static int add(const char *s, char ***ret, struct err *e)
{
	if (!s || !is_cidr(s))
		return err_set(e, EINVAL, "result: %s is no address with prefix length", q(s));
	strv_add(ret, s);
	return 0;
}

int cni_result_addresses(const cJSON *result, char ***ret, struct err *e)
{
	static const char *const old[] = {"ip4", "ip6"};
	const cJSON *ips = json_get(result, "ips");
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(old) && r == 0; i++) {
		const cJSON *ip = json_get(result, old[i]);

		if (cJSON_IsObject(ip))
			r = add(json_get_str(ip, "ip"), ret, e);
	}
	if (ips && !cJSON_IsArray(ips) && !cJSON_IsNull(ips))
		return err_set(e, EINVAL, "result: ips: expected array");
	for (const cJSON *ip = cJSON_IsArray(ips) ? ips->child : NULL; ip && r == 0; ip = ip->next)
		r = add(json_get_str(ip, "address"), ret, e);
	return r;
}

static void add_gateway(const cJSON *ip, char ***ret)
{
	const char *s = cJSON_IsObject(ip) ? json_get_str(ip, "gateway") : NULL;
	unsigned char buf[16];

	if (s && (inet_pton(AF_INET, s, buf) == 1 || inet_pton(AF_INET6, s, buf) == 1))
		strv_add(ret, s);
}

void cni_result_gateways(const cJSON *result, char ***ret)
{
	const cJSON *ips = json_get(result, "ips");

	add_gateway(json_get(result, "ip4"), ret);
	add_gateway(json_get(result, "ip6"), ret);
	for (const cJSON *ip = cJSON_IsArray(ips) ? ips->child : NULL; ip; ip = ip->next)
		add_gateway(ip, ret);
}

/* One word of a line of resolv.conf, and no comment. */
static bool is_word(const char *s)
{
	if (!s || !*s || *s == ';')
		return false;
	for (; *s; s++)
		if ((unsigned char) *s <= ' ' || *s == 0x7f || *s == '#')
			return false;
	return true;
}

/* Others are dropped. */
static char **words(const cJSON *array)
{
	char **v = NULL;

	for (const cJSON *c = cJSON_IsArray(array) ? array->child : NULL; c; c = c->next)
		if (cJSON_IsString(c) && is_word(c->valuestring))
			strv_add(&v, c->valuestring);
	return v;
}

void cni_result_dns(const cJSON *result, const char *network, struct net_result *ret)
{
	const cJSON *dns = json_get(result, "dns");
	const char *domain = json_get_str(dns, "domain");
	char **servers = words(json_get(dns, "nameservers"));

	if (ret->dns_network || !servers) {
		strv_free(servers);
		return;
	}
	ret->nameservers = servers;
	ret->search = words(json_get(dns, "search"));
	ret->options = words(json_get(dns, "options"));
	ret->domain = is_word(domain) ? xstrdup(domain) : NULL;
	ret->dns_network = xstrdup(network);
}
