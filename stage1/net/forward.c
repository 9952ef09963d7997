#include "stage1/net/forward.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/*
 * One message of a fixed form, on the way of every pod: asked without the library that lib/sys has
 * for netlink, which would have to be loaded and bound for this alone.
 */
struct attribute {
	struct nlattr head;
	char value[16];
};
struct question {
	struct nlmsghdr head;
	struct nfgenmsg family;
	struct attribute table, chain;
};

static const struct filter {
	uint8_t family;
	const char *table, *chain;
} filters[] = {
	{NFPROTO_IPV4, "filter", "FORWARD"},		/* iptables-nft */
	{NFPROTO_INET, "firewalld", "filter_FORWARD"},
};

static struct attribute text(uint16_t type, const char *value)
{
	struct attribute a = {.head = {.nla_len = sizeof a, .nla_type = type}};

	memcpy(a.value, value, strlen(value));
	return a;
}

/* The answer is the chain, or an error; the kernel has it ready when send() returns. */
static bool have_chain(int fd, const struct filter *f)
{
	const struct question ask = {
		.head = {.nlmsg_len = sizeof ask,
			 .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
			 .nlmsg_flags = NLM_F_REQUEST},
		.family = {.nfgen_family = f->family, .version = NFNETLINK_V0},
		.table = text(NFTA_CHAIN_TABLE, f->table),
		.chain = text(NFTA_CHAIN_NAME, f->chain),
	};
	union {
		struct nlmsghdr head;
		char space[4096];
	} answer;
	ssize_t n;

	if (send(fd, &ask, sizeof ask, 0) != (ssize_t) sizeof ask)
		return false;
	n = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
	return n >= (ssize_t) sizeof answer.head && answer.head.nlmsg_type != NLMSG_ERROR;
}

/* A kernel without nftables has no such rules; those of iptables-legacy: sys/legacy_filter.h. */
static bool host_filters(void)
{
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	for (size_t i = 0; fd >= 0 && i < ELEMENTSOF(filters); i++)
		if (have_chain(fd, &filters[i]))
			return true;
	return false;
}

void net_forward_add(cJSON *list)
{
	cJSON *plugin;

	if (!host_filters())
		return;
	plugin = cJSON_CreateObject();
	cJSON_AddStringToObject(plugin, "type", "firewall");
	cJSON_AddItemToArray(json_get(list, "plugins"), plugin);
}
