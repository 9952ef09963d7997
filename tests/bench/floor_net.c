/*
 * floor_net.c - loopback, and a veth pair as a point-to-point network makes it.
 *
 * Each batch is one message to the kernel with several requests in it (netlink(7)); the far end of
 * the pair is created in the pod's namespace at once, not moved there, and nobody deletes it: the
 * namespace takes it along.
 */
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATEWAY 0xac1c0001u /* 172.28.0.1 */
#define POD_IF 2	    /* the first link made in a fresh namespace */

struct batch {
	_Alignas(8) char buf[2048];
	size_t len;
	uint32_t requests;
};

void floor_loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		floor_die("lo up");
	close(fd);
}

int floor_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		floor_die("netlink");
	return fd;
}

static struct nlmsghdr *request(struct batch *b, uint16_t type, uint16_t flags, const void *head,
				size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->buf + b->len);

	*h = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		.nlmsg_seq = ++b->requests,
	};
	memcpy(NLMSG_DATA(h), head, len);
	return h;
}

static struct rtattr *attr(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	h->nlmsg_len = (uint32_t)(NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void nest_end(const struct nlmsghdr *h, struct rtattr *a)
{
	a->rta_len = (uint16_t)((const char *)h + h->nlmsg_len - (char *)a);
}

static void request_end(struct batch *b, const struct nlmsghdr *h)
{
	b->len += NLMSG_ALIGN(h->nlmsg_len);
}

static void add_address(struct batch *b, int link, uint32_t address, unsigned char prefix)
{
	struct ifaddrmsg head = {
		.ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = (unsigned)link,
	};
	struct nlmsghdr *h = request(b, RTM_NEWADDR, NLM_F_CREATE, &head, sizeof(head));

	attr(h, IFA_LOCAL, &address, sizeof(address));
	attr(h, IFA_ADDRESS, &address, sizeof(address));
	request_end(b, h);
}

static void link_up(struct batch *b, int link)
{
	struct ifinfomsg head = { .ifi_index = link, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	request_end(b, request(b, RTM_NEWLINK, 0, &head, sizeof(head)));
}

/* To one address ("to", a /32) or, with to = 0, to everywhere through "gateway". */
static void add_route(struct batch *b, int link, uint32_t to, uint32_t gateway)
{
	struct rtmsg head = {
		.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
		.rtm_dst_len = to ? 32 : 0,
	};
	struct nlmsghdr *h = request(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &head,
				     sizeof(head));

	if (to)
		attr(h, RTA_DST, &to, sizeof(to));
	if (gateway)
		attr(h, RTA_GATEWAY, &gateway, sizeof(gateway));
	attr(h, RTA_OIF, &link, sizeof(link));
	request_end(b, h);
}

/* Send all requests and take every acknowledgement; the first error ends the program. */
static void batch_run(int fd, struct batch *b, const char *what)
{
	_Alignas(8) char reply[4096];
	uint32_t acks = 0;

	if (send(fd, b->buf, b->len, 0) < 0)
		floor_die(what);
	while (acks < b->requests) {
		ssize_t n = recv(fd, reply, sizeof(reply), 0);
		unsigned left = n < 0 ? 0 : (unsigned)n;
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)reply;

		if (n <= 0)
			floor_die(what);
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error) {
				errno = -e->error;
				floor_die(what);
			}
			acks++;
		}
	}
}

static void add_pair(struct batch *b, const char *name, int ns)
{
	struct ifinfomsg head = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, peer = { 0 };
	struct nlmsghdr *h = request(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head,
				     sizeof(head));
	struct rtattr *info, *data, *far;

	attr(h, IFLA_IFNAME, name, strlen(name) + 1);
	info = attr(h, IFLA_LINKINFO, NULL, 0);
	attr(h, IFLA_INFO_KIND, "veth", 4);
	data = attr(h, IFLA_INFO_DATA, NULL, 0);
	far = attr(h, VETH_INFO_PEER, &peer, sizeof(peer));
	attr(h, IFLA_IFNAME, "eth0", 5);
	attr(h, IFLA_NET_NS_FD, &ns, sizeof(ns));
	nest_end(h, far);
	nest_end(h, data);
	nest_end(h, info);
	request_end(b, h);
}

/* The host end's index, asked for in the namespace of the socket and not in the caller's. */
static int link_index(int fd, const char *name)
{
	_Alignas(8) char reply[4096];
	struct batch b = { .len = 0 };
	struct ifinfomsg head = { 0 };
	struct nlmsghdr *h = request(&b, RTM_GETLINK, 0, &head, sizeof(head));

	h->nlmsg_flags = NLM_F_REQUEST;
	attr(h, IFLA_IFNAME, name, strlen(name) + 1);
	request_end(&b, h);
	if (send(fd, b.buf, b.len, 0) < 0 || recv(fd, reply, sizeof(reply), 0) < 0)
		floor_die(name);
	h = (struct nlmsghdr *)(void *)reply;
	if (h->nlmsg_type != RTM_NEWLINK)
		floor_die(name);
	return ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

void floor_veth(int host, int id)
{
	uint32_t gateway = htonl(GATEWAY), address = htonl(GATEWAY + 1 + (unsigned)id % 60000);
	struct batch pair = { .len = 0 }, near = { .len = 0 }, far = { .len = 0 };
	int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), inside, link;
	char name[IFNAMSIZ];

	if (ns < 0)
		floor_die("ns/net");
	(void)snprintf(name, sizeof(name), "floor%d", id);
	add_pair(&pair, name, ns);
	batch_run(host, &pair, "veth");
	link = link_index(host, name);
	add_address(&near, link, gateway, 32);
	add_route(&near, link, address, 0);
	batch_run(host, &near, "host end");

	inside = floor_netlink();
	add_address(&far, POD_IF, address, 16);
	link_up(&far, POD_IF);
	add_route(&far, POD_IF, 0, gateway);
	batch_run(inside, &far, "pod end");
	close(inside);
	close(ns);
}
