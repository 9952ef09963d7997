#include "cni-plugins/dhcp/terms.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

#define DOMAIN_MAX 253
#define SCOPE_LINK 253 /* RT_SCOPE_LINK */
/* An exchange in less than this would only be a load. */
#define T1_MIN 1

/* A single host's: RFC 1122, section 3.2.1.3. */
static bool is_host_address(struct in_addr a)
{
	uint32_t v = ntohl(a.s_addr);

	return v >> 24 != 0 && v >> 24 != 127 && v >> 28 < 0xe;
}

static struct ip to_ip(const void *p)
{
	struct ip ip = {.family = AF_INET};

	memcpy(ip.b, p, 4);
	return ip;
}

static bool is_host(const struct ip *ip)
{
	struct in_addr a;

	memcpy(&a, ip->b, sizeof a);
	return is_host_address(a);
}

/* RFC 2131, section 4.4.5: half, and seven eighths. */
static void decode_times(const struct dhcp_message *m, struct terms *t)
{
	uint32_t v;

	t->t1 = t->t2 = TERMS_FOREVER;
	if (t->lease == TERMS_FOREVER)
		return;
	t->t2 = t->lease - t->lease / 8;
	if (dhcp_get_u32(m, DHCP_OPT_T2, &v) && v && v <= t->lease)
		t->t2 = v;
	t->t1 = t->lease / 2 < t->t2 ? t->lease / 2 : t->t2;
	if (dhcp_get_u32(m, DHCP_OPT_T1, &v) && v && v <= t->t2)
		t->t1 = v;
	if (t->t1 < T1_MIN)
		t->t1 = T1_MIN;
	if (t->t2 < t->t1)
		t->t2 = t->t1;
}

int terms_decode(const struct dhcp_message *m, struct terms *ret, struct err *e)
{
	*ret = (struct terms) {.addr = m->yiaddr};
	if (!is_host_address(ret->addr))
		return err_set(e, CNI_CODE(CNI_OTHER), "DHCP server grants no usable address");
	if (!dhcp_get_addr(m, DHCP_OPT_SERVER, &ret->server) || !is_host_address(ret->server))
		return err_set(e, CNI_CODE(CNI_OTHER), "DHCP server does not say who it is");
	if (!dhcp_get_u32(m, DHCP_OPT_LEASE_TIME, &ret->lease) || !ret->lease)
		return err_set(e, CNI_CODE(CNI_OTHER), "DHCP server grants no lease time");
	decode_times(m, ret);
	return 0;
}

/* Ones, then zeros: -1 for anything else. */
static int mask_prefix(uint32_t mask)
{
	int n;

	if (mask == UINT32_MAX)
		return 32;
	n = __builtin_clz(~mask);
	return mask == (n ? UINT32_MAX << (32 - n) : 0) ? n : -1;
}

static struct cni_route *add_route(struct cni_result *res, const struct cidr *dst,
				   const struct ip *gw, const struct terms_wish *w)
{
	struct cni_route *r;

	if (w->skip_gateway && dst->prefix == 0)
		return NULL;
	r = cni_result_add_route(res, dst);
	r->gw = *gw;
	r->priority = w->priority;
	return r;
}

/*
 * RFC 3442: length, as many bytes of the destination as that needs, router.  False when the option
 * is not of this form: then it is as if it were not there.
 */
static bool classless_routes(const uint8_t *p, size_t len, const struct terms_wish *w,
			     struct cni_result *res, bool *on_link)
{
	while (len) {
		size_t n = (size_t) (*p + 7) / 8;
		struct cidr dst = {.prefix = *p};
		uint8_t b[4] = {0};
		struct cni_route *r;
		struct ip gw;

		if (*p > 32 || len < 1 + n + 4)
			return false;
		memcpy(b, p + 1, n);
		dst.ip = to_ip(b);
		dst = cidr_network(&dst);
		gw = to_ip(p + 1 + n);
		if (!memcmp(gw.b, "\0\0\0", 4)) {
			/* Reached without a router. */
			*on_link = true;
			r = add_route(res, &dst, &(struct ip) {0}, w);
			if (r)
				r->scope = SCOPE_LINK;
		} else if (is_host(&gw)) {
			(void) add_route(res, &dst, &gw, w);
		} else {
			return false;
		}
		p += 1 + n + 4;
		len -= 1 + n + 4;
	}
	return true;
}

/* RFC 2132, section 5.8: pairs of destination and router, the length by the destination's class. */
static void classful_routes(const uint8_t *p, size_t len, const struct terms_wish *w,
			    struct cni_result *res)
{
	for (; len >= 8; p += 8, len -= 8) {
		struct cidr dst = {.ip = to_ip(p)};
		struct ip gw = to_ip(p + 4);

		dst.prefix = *p < 128 ? 8 : *p < 192 ? 16 : 24;
		dst = cidr_network(&dst);
		/* The default route is not one of them. */
		if (is_host(&dst.ip) && is_host(&gw))
			(void) add_route(res, &dst, &gw, w);
	}
}

/* The gateway is set last: routes without one would be led through it. */
static void decode_routes(const struct dhcp_message *m, const struct terms_wish *w,
			  struct cni_result *res)
{
	static const struct ip any = {.family = AF_INET};
	const struct cidr all = {.ip = any};
	bool on_link = false;
	size_t len, before = res->n_routes;
	const uint8_t *p = dhcp_get(m, DHCP_OPT_CLASSLESS_ROUTES, &len);
	struct ip gw;

	if (p && len && classless_routes(p, len, w, res, &on_link)) {
		for (size_t i = before; i < res->n_routes && !on_link; i++)
			if (res->routes[i].dst.prefix == 0)
				res->ips[0].gw = res->routes[i].gw;
		return;
	}
	res->n_routes = before;
	p = dhcp_get(m, DHCP_OPT_STATIC_ROUTES, &len);
	if (p)
		classful_routes(p, len, w, res);
	p = dhcp_get(m, DHCP_OPT_ROUTER, &len);
	if (!p || len < 4 || len % 4 || w->skip_gateway)
		return;
	gw = to_ip(p);
	if (!is_host(&gw))
		return;
	res->ips[0].gw = gw;
	(void) add_route(res, &all, &gw, w);
}

/* It may end up in a resolv.conf: letters, digits and what host names have, nothing else. */
static char *domain_name(const uint8_t *p, size_t len)
{
	while (len && !p[len - 1])
		len--;
	if (!len || len > DOMAIN_MAX || p[0] == '-' || p[0] == '.')
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z') ||
		      p[i] == '-' || p[i] == '_' || p[i] == '.'))
			return NULL;
	return xstrndup((const char *) p, len);
}

static void decode_dns(const struct dhcp_message *m, struct cni_dns *dns)
{
	char text[IP_TEXT_MAX];
	size_t len;
	const uint8_t *p = dhcp_get(m, DHCP_OPT_DNS, &len);

	for (; p && len >= 4; p += 4, len -= 4) {
		struct ip ip = to_ip(p);

		if (is_host(&ip) || ip.b[0] == 127)
			strv_add(&dns->nameservers, ip_text(&ip, text));
	}
	p = dhcp_get(m, DHCP_OPT_DOMAIN, &len);
	if (p)
		dns->domain = domain_name(p, len);
}

int terms_result(const struct dhcp_message *m, const struct terms_wish *w, struct cni_result *ret,
		 struct err *e)
{
	struct cidr addr = {.ip = to_ip(&m->yiaddr)};
	uint32_t mask;
	int prefix;

	if (!dhcp_get_u32(m, DHCP_OPT_MASK, &mask))
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "DHCP option Subnet Mask not found in DHCPACK");
	prefix = mask_prefix(mask);
	if (prefix < 1)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "DHCP option Subnet Mask in DHCPACK is no mask");
	addr.prefix = (unsigned) prefix;
	cni_result_add_ip(ret, &addr);
	decode_routes(m, w, ret);
	decode_dns(m, &ret->dns);
	return 0;
}
