#include "cni-plugins/dhcp/frame.h"

#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>

#define TTL 64

/* RFC 1071. */
static uint32_t add_up(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t) p[0] << 8 | p[1];
	return len ? sum + ((uint32_t) p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~sum;
}

/* Over the pseudo header (RFC 768), header and data; `len` is that of both. */
static uint16_t udp_sum(const struct iphdr *ip, const void *udp, size_t len)
{
	uint32_t sum = add_up(0, &ip->saddr, 8) + IPPROTO_UDP + (uint32_t) len;

	return fold(add_up(sum, udp, len));
}

void frame_build(struct frame *f, struct in_addr from, struct in_addr to, const void *data,
		 size_t len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t) (FRAME_HEADERS + len)),
		.frag_off = htons(IP_DF),
		.ttl = TTL,
		.protocol = IPPROTO_UDP,
		.saddr = from.s_addr,
		.daddr = to.s_addr,
	};
	struct udphdr udp = {
		.source = htons(DHCP_CLIENT_PORT),
		.dest = htons(DHCP_SERVER_PORT),
		.len = htons((uint16_t) (sizeof udp + len)),
	};
	uint16_t sum;

	ip.check = htons(fold(add_up(0, &ip, sizeof ip)));
	memcpy(f->data, &ip, sizeof ip);
	memcpy(f->data + sizeof ip, &udp, sizeof udp);
	memcpy(f->data + FRAME_HEADERS, data, len);
	f->len = FRAME_HEADERS + len;
	sum = udp_sum(&ip, f->data + sizeof ip, sizeof udp + len);
	/* Zero would say that there is none. */
	udp.check = htons(sum ? sum : 0xffff);
	memcpy(f->data + sizeof ip, &udp, sizeof udp);
}

int frame_parse(const uint8_t *data, size_t len, bool summed, const uint8_t **ret, size_t *ret_len)
{
	struct udphdr udp;
	struct iphdr ip;
	size_t head, total, n;

	if (len < sizeof ip)
		return -EBADMSG;
	memcpy(&ip, data, sizeof ip);
	head = (size_t) ip.ihl * 4;
	total = ntohs(ip.tot_len);
	/* A short frame is padded; what lies behind the packet is nobody's. */
	if (ip.version != 4 || head < sizeof ip || total < head + sizeof udp || total > len ||
	    ip.protocol != IPPROTO_UDP || (ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK)) ||
	    fold(add_up(0, data, head)))
		return -EBADMSG;
	memcpy(&udp, data + head, sizeof udp);
	n = ntohs(udp.len);
	if (n < sizeof udp || n > total - head || ntohs(udp.source) != DHCP_SERVER_PORT ||
	    ntohs(udp.dest) != DHCP_CLIENT_PORT ||
	    (summed && udp.check && udp_sum(&ip, data + head, n)))
		return -EBADMSG;
	*ret = data + head + sizeof udp;
	*ret_len = n - sizeof udp;
	return 0;
}
