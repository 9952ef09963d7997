/*
 * IP addresses and networks as values: parse, print, step, compare.  IPv4 and IPv6 alike; an
 * IPv4-mapped IPv6 address ("::ffff:a.b.c.d") is read as the IPv4 address it stands for.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#define IP_TEXT_MAX INET6_ADDRSTRLEN
#define CIDR_TEXT_MAX (INET6_ADDRSTRLEN + 4)

struct ip {
	int family;	     /* AF_INET, AF_INET6; 0: none */
	unsigned char b[16]; /* network order; the first 4 for IPv4 */
};

struct cidr {
	struct ip ip; /* may have host bits: an interface's address with its network's length */
	unsigned prefix;
};

/* -EINVAL unless the whole text is one address. */
int ip_parse(const char *s, struct ip *ret);
/* "ADDRESS/LENGTH". */
int cidr_parse(const char *s, struct cidr *ret);
/* Canonical text (RFC 5952) in buf, which is returned. */
const char *ip_text(const struct ip *ip, char buf[static IP_TEXT_MAX]);
const char *cidr_text(const struct cidr *c, char buf[static CIDR_TEXT_MAX]);

static inline bool ip_is_set(const struct ip *ip)
{
	return ip->family != 0;
}
/* 4 or 16 bytes. */
size_t ip_size(const struct ip *ip);
/* 32 or 128. */
unsigned ip_bits(const struct ip *ip);
/* Order by family, then by value. */
int ip_cmp(const struct ip *a, const struct ip *b);
static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}
/* The neighbour above or below; false (and unchanged) at the end of the family's space. */
bool ip_next(struct ip *ip);
bool ip_prev(struct ip *ip);

/* The whole address as a network: /32 or /128. */
struct cidr cidr_host(const struct ip *ip);
/* The network: host bits cleared. */
struct cidr cidr_network(const struct cidr *c);
/* The lowest and the highest address of the network. */
struct ip cidr_first(const struct cidr *c);
struct ip cidr_last(const struct cidr *c);
bool cidr_contains(const struct cidr *c, const struct ip *ip);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
/* Same address and same length. */
bool cidr_eq(const struct cidr *a, const struct cidr *b);
