#include "cni-plugins/dhcp/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cni-plugins/dhcp/frame.h"
#include "cni-plugins/skel/code.h"
#include "sys/link.h"

/* RFC 791: more fragments, and the offset of this one. */
#define IS_FRAGMENT 0x3fff

void place_close(struct place *p)
{
	p->netns = fd_close(p->netns);
}

static int find_link(const struct cni_request *rq, struct nl *nl, struct link *l, struct err *e)
{
	int r = link_get(nl, rq->ifname, l, e);

	if (r == -ENODEV)
		return err_set(e, CNI_CODE(CNI_OTHER), "error looking up %s: no such link",
			       q(rq->ifname));
	if (r >= 0 && (!l->has_mac || (l->flags & IFF_LOOPBACK)))
		return err_set(e, CNI_CODE(CNI_OTHER), "link %s has no Ethernet address for DHCP",
			       q(rq->ifname));
	return r;
}

static int set_up(struct nl *nl, int link, const char *name, bool up, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change c = {.name = name, .flags = up ? IFF_UP : 0, .mask = IFF_UP};

	link_put_change(&b, link, &c);
	return nl_run(nl, &b, NULL, NULL, e);
}

static int note_netns(struct place *p, struct netns *ns, struct err *e)
{
	struct stat st;

	if (fstat(ns->fd, &st) < 0)
		return err_sys(e, "look at the network namespace");
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	p->netns = take_fd(ns->fd);
	return 0;
}

int place_open(const struct cni_request *rq, struct place *p, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link l;
	int r = netns_open(rq, &ns, e);

	if (r >= 0)
		r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = find_link(rq, &inside, &l, e);
	if (r >= 0 && !(l.flags & IFF_UP))
		r = set_up(&inside, l.index, rq->ifname, true, e);
	if (r < 0)
		return r;
	p->link = l.index;
	memcpy(p->mac, l.mac, sizeof p->mac);
	return note_netns(p, &ns, e);
}

int place_reopen(const struct cni_request *rq, struct place *p, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct place now = *p;
	struct link l;
	int r = netns_open(rq, &ns, e);

	if (r >= 0)
		r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = find_link(rq, &inside, &l, e);
	if (r >= 0)
		r = note_netns(&now, &ns, e);
	if (r < 0)
		return r;
	if (now.dev != p->dev || now.ino != p->ino || l.index != p->link ||
	    memcmp(l.mac, p->mac, sizeof p->mac) != 0) {
		place_close(&now);
		return err_set(e, ENOENT, "%s in %s is not the link that it was", q(rq->ifname),
			       q(rq->netns));
	}
	*p = now;
	return 0;
}

static int enter(const struct place *p, struct netns *ns, struct err *e)
{
	ns->fd = fd_copy(p->netns);
	ns->self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return ns->fd < 0 || ns->self < 0 ? err_sys(e, "open /proc/self/ns/net") : 0;
}

int place_netlink(const struct place *p, struct nl *nl, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	int r = enter(p, &ns, e);

	return r < 0 ? r : netns_socket(&ns, nl, e);
}

bool place_is_there(const struct cni_request *rq, const struct place *p)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct stat st;
	struct link l;

	return stat(rq->netns, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino &&
	       place_netlink(p, &inside, NULL) >= 0 &&
	       link_get_index(&inside, p->link, &l, NULL) >= 0;
}

int place_down(const struct place *p, const char *ifname, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	int r = place_netlink(p, &inside, e);

	return r < 0 ? r : set_up(&inside, p->link, ifname, false, e);
}

/* IPv4, UDP, no fragment, to a client's port; the packet begins with the header of IP. */
static int attach_filter(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct iphdr, protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct iphdr, frag_off)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IS_FRAGMENT, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static const struct sock_fprog prog = {ELEMENTSOF(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}

/* The filter is there before the binding lets anything in. */
static int open_packet(const struct place *p, struct err *e)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = p->link,
	};
	_cleanup_fd_ int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0 || attach_filter(fd) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *) &sll, sizeof sll) < 0)
		return err_sys(e, "open a packet socket");
	return take_fd(fd);
}

int place_socket(const struct place *p, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	int r = enter(p, &ns, e);

	if (r >= 0)
		r = netns_enter(&ns, e);
	if (r < 0)
		return r;
	r = open_packet(p, e);
	netns_leave(&ns);
	return r;
}
