#include "sys/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"

int ip_parse(const char *s, struct ip *ret)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct ip ip = {0};

	if (inet_pton(AF_INET, s, ip.b) == 1) {
		ip.family = AF_INET;
	} else if (inet_pton(AF_INET6, s, ip.b) == 1) {
		ip.family = AF_INET6;
		if (!memcmp(ip.b, mapped, sizeof mapped)) {
			ip.family = AF_INET;
			memmove(ip.b, ip.b + 12, 4);
			memset(ip.b + 4, 0, 12);
		}
	} else {
		return -EINVAL;
	}
	*ret = ip;
	return 0;
}

int cidr_parse(const char *s, struct cidr *ret)
{
	const char *slash = strchr(s, '/');
	char addr[IP_TEXT_MAX];
	struct cidr c;
	uint64_t len;

	if (!slash || (size_t) (slash - s) >= sizeof addr)
		return -EINVAL;
	memcpy(addr, s, (size_t) (slash - s));
	addr[slash - s] = '\0';
	if (ip_parse(addr, &c.ip) < 0)
		return -EINVAL;
	/* A mapped address would leave the length's meaning open. */
	if (c.ip.family == AF_INET && strchr(addr, ':'))
		return -EINVAL;
	if (parse_u64(slash + 1, ip_bits(&c.ip), &len) < 0)
		return -EINVAL;
	c.prefix = (unsigned) len;
	*ret = c;
	return 0;
}

const char *ip_text(const struct ip *ip, char buf[static IP_TEXT_MAX])
{
	if (!ip_is_set(ip) || !inet_ntop(ip->family, ip->b, buf, IP_TEXT_MAX))
		(void) snprintf(buf, IP_TEXT_MAX, "(none)");
	return buf;
}

const char *cidr_text(const struct cidr *c, char buf[static CIDR_TEXT_MAX])
{
	char ip[IP_TEXT_MAX];

	(void) snprintf(buf, CIDR_TEXT_MAX, "%s/%u", ip_text(&c->ip, ip), c->prefix & 0xff);
	return buf;
}

size_t ip_size(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

unsigned ip_bits(const struct ip *ip)
{
	return ip->family == AF_INET ? 32 : 128;
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, ip_size(a));
}

bool ip_next(struct ip *ip)
{
	struct ip n = *ip;

	for (size_t i = ip_size(ip); i-- > 0;)
		if (++n.b[i]) {
			*ip = n;
			return true;
		}
	return false;
}

bool ip_prev(struct ip *ip)
{
	struct ip n = *ip;

	for (size_t i = ip_size(ip); i-- > 0;)
		if (n.b[i]--) {
			*ip = n;
			return true;
		}
	return false;
}

struct cidr cidr_host(const struct ip *ip)
{
	return (struct cidr) {.ip = *ip, .prefix = ip_bits(ip)};
}

/* Set the host bits of every byte to those of `fill`. */
static struct ip with_host_bits(const struct cidr *c, unsigned char fill)
{
	struct ip ip = c->ip;

	for (unsigned i = 0; i < ip_size(&ip); i++) {
		unsigned net = c->prefix > i * 8 ? c->prefix - i * 8 : 0;
		unsigned char mask = net >= 8 ? 0 : (unsigned char) (0xff >> net);

		ip.b[i] = (unsigned char) ((ip.b[i] & ~mask) | (fill & mask));
	}
	return ip;
}

struct cidr cidr_network(const struct cidr *c)
{
	return (struct cidr) {.ip = with_host_bits(c, 0), .prefix = c->prefix};
}

struct ip cidr_first(const struct cidr *c)
{
	return with_host_bits(c, 0);
}

struct ip cidr_last(const struct cidr *c)
{
	return with_host_bits(c, 0xff);
}

bool cidr_contains(const struct cidr *c, const struct ip *ip)
{
	struct cidr other = {.ip = *ip, .prefix = c->prefix};
	struct ip a, b;

	if (c->ip.family != ip->family)
		return false;
	a = cidr_first(c);
	b = cidr_first(&other);
	return ip_eq(&a, &b);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return a->prefix <= b->prefix ? cidr_contains(a, &b->ip) : cidr_contains(b, &a->ip);
}

bool cidr_eq(const struct cidr *a, const struct cidr *b)
{
	return a->prefix == b->prefix && ip_eq(&a->ip, &b->ip);
}
