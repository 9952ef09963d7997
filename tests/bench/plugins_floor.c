/*
 * plugins_floor.c - what the kernel takes for the link of one container, and nothing else.
 *
 * A veth pair whose far end is made in the container's namespace, an address and up inside, up outside; the
 * host's end is a port of a bridge ("floor-port") or has a route to the address ("floor-route").  The messages
 * are written down, not computed: what the plugins do more, look, lease and answer, is theirs.
 */
#include "plugins_floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BRIDGE "floor0"

struct message {
	_Alignas(8) char buf[1024];
	struct nlmsghdr *h;
};

static void begin(struct message *m, uint16_t type, uint16_t flags, const void *head, size_t len)
{
	memset(m->buf, 0, sizeof m->buf);
	m->h = (struct nlmsghdr *)(void *)m->buf;
	m->h->nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	m->h->nlmsg_type = type;
	m->h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(NLMSG_DATA(m->h), head, len);
}

static struct rtattr *put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)(m->buf + NLMSG_ALIGN(m->h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	m->h->nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->h->nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void end(struct message *m, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(m->buf + m->h->nlmsg_len - (char *)nest);
}

/* 0 or an errno value. */
static int talk(int fd, const struct message *m)
{
	_Alignas(8) char answer[1024];
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)answer;

	if (send(fd, m->buf, m->h->nlmsg_len, 0) < 0 || recv(fd, answer, sizeof answer, 0) < 0)
		return errno;
	return h->nlmsg_type == NLMSG_ERROR ? -((struct nlmsgerr *)NLMSG_DATA(h))->error : EPROTO;
}

static int up(int fd, unsigned link)
{
	struct ifinfomsg head = {.ifi_index = (int)link, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct message m;

	begin(&m, RTM_NEWLINK, 0, &head, sizeof head);
	return talk(fd, &m);
}

static int make_bridge(int fd)
{
	struct ifinfomsg head = {0};
	struct rtattr *info;
	struct message m;
	int r;

	if (if_nametoindex(BRIDGE))
		return 0;
	begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
	put(&m, IFLA_IFNAME, BRIDGE, sizeof BRIDGE);
	info = put(&m, IFLA_LINKINFO, NULL, 0);
	put(&m, IFLA_INFO_KIND, "bridge", 6);
	end(&m, info);
	r = talk(fd, &m);
	return r ? r : up(fd, if_nametoindex(BRIDGE));
}

static int make_pair(int fd, const char *name, unsigned bridge, int netns)
{
	struct ifinfomsg head = {0};
	struct rtattr *info, *data, *peer;
	struct message m;

	begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
	put(&m, IFLA_IFNAME, name, strlen(name) + 1);
	if (bridge)
		put(&m, IFLA_MASTER, &bridge, sizeof bridge);
	info = put(&m, IFLA_LINKINFO, NULL, 0);
	put(&m, IFLA_INFO_KIND, "veth", 4);
	data = put(&m, IFLA_INFO_DATA, NULL, 0);
	peer = put(&m, VETH_INFO_PEER, &head, sizeof head);
	put(&m, IFLA_IFNAME, "eth0", 5);
	put(&m, IFLA_NET_NS_FD, &netns, sizeof netns);
	end(&m, peer);
	end(&m, data);
	end(&m, info);
	return talk(fd, &m);
}

static int address(int fd, unsigned link, uint32_t ip)
{
	struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = link};
	struct message m;

	begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
	put(&m, IFA_LOCAL, &ip, sizeof ip);
	return talk(fd, &m);
}

static int route(int fd, unsigned link, uint32_t ip)
{
	struct rtmsg head = {
		.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
	};
	struct message m;

	begin(&m, RTM_NEWROUTE, NLM_F_CREATE, &head, sizeof head);
	put(&m, RTA_DST, &ip, sizeof ip);
	put(&m, RTA_OIF, &link, sizeof link);
	return talk(fd, &m);
}

static int inside_socket(int netns)
{
	return setns(netns, CLONE_NEWNET) < 0 ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static int attach(bool port, int netns, int number)
{
	uint32_t ip = htonl(0x0a630000u + (uint32_t)number);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), inside, r;
	unsigned outer, inner;
	char name[IFNAMSIZ];

	snprintf(name, sizeof name, "floor%d", number);
	r = port ? make_bridge(fd) : 0;
	if (!r)
		r = make_pair(fd, name, port ? if_nametoindex(BRIDGE) : 0, netns);
	outer = if_nametoindex(name);
	if (!r)
		r = up(fd, outer);
	if (!r && !port)
		r = route(fd, outer, ip);
	inside = inside_socket(netns);
	inner = if_nametoindex("eth0");
	if (!r)
		r = address(inside, inner, ip);
	return r ? r : up(inside, inner);
}

static int detach(int netns)
{
	int inside = inside_socket(netns);
	struct ifinfomsg head = {.ifi_index = (int)if_nametoindex("eth0")};
	struct message m;

	begin(&m, RTM_DELLINK, 0, &head, sizeof head);
	return talk(inside, &m);
}

int plugins_floor(const char *type, bool add, int netns, int number)
{
	return add ? attach(!strcmp(type, "floor-port"), netns, number) : detach(netns);
}
