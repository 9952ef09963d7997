#include "sys/legacy_filter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

/* Each of both has headers, structures and numbers of its own that mean the same. */
static const struct flavor {
	int family, level;
	const char *tool, *names;
	size_t target_offset, next_offset, entry_size, match_size;
	int get_info, get_entries;
} flavors[] = {
	{AF_INET, SOL_IP, "iptables-legacy", "/proc/self/net/ip_tables_names",
	 offsetof(struct ipt_entry, target_offset), offsetof(struct ipt_entry, next_offset),
	 sizeof(struct ipt_entry), sizeof(struct ipt_ip), IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES},
	{AF_INET6, SOL_IPV6, "ip6tables-legacy", "/proc/self/net/ip6_tables_names",
	 offsetof(struct ip6t_entry, target_offset), offsetof(struct ip6t_entry, next_offset),
	 sizeof(struct ip6t_entry), sizeof(struct ip6t_ip6), IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES},
};

static bool has_filter(const struct flavor *f)
{
	_cleanup_fd_ int fd = open(f->names, O_RDONLY | O_CLOEXEC);
	char text[256] = "\n";
	ssize_t n = fd < 0 ? 0 : read(fd, text + 1, sizeof text - 2);

	return n > 0 && strstr(text, "\nfilter\n");
}

/* Sizes and hooks; both families have the same layout (xt_getinfo by any name). */
static struct ipt_get_entries *read_table(const struct flavor *f, struct ipt_getinfo *info)
{
	_cleanup_fd_ int fd = socket(f->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ipt_get_entries *table;
	socklen_t len = sizeof *info;

	*info = (struct ipt_getinfo) {.name = "filter"};
	if (fd < 0 || getsockopt(fd, f->level, f->get_info, info, &len) < 0)
		return NULL;
	len = (socklen_t) (sizeof *table + info->size);
	table = xcalloc(1, len);
	(void) snprintf(table->name, sizeof table->name, "filter");
	table->size = info->size;
	if (getsockopt(fd, f->level, f->get_entries, table, &len) < 0) {
		free(table);
		return NULL;
	}
	return table;
}

struct rule {
	const unsigned char *match; /* struct ipt_ip, struct ip6t_ip6 */
	bool plain;		    /* no match of an extension */
	bool accepts, drops;
	size_t next;
};

/* The target's name is empty for verdicts: NF_DROP and NF_ACCEPT stand there as -1 - verdict. */
static bool get_rule(const struct flavor *f, const struct ipt_get_entries *table, size_t at,
		     struct rule *ret)
{
	const unsigned char *p = (const unsigned char *) table->entrytable + at;
	struct xt_standard_target t;
	uint16_t target, next;
	size_t room;

	if (at + f->entry_size > table->size)
		return false;
	memcpy(&target, p + f->target_offset, sizeof target);
	memcpy(&next, p + f->next_offset, sizeof next);
	if (!next || target + sizeof t.target > next || at + next > table->size)
		return false;
	memset(&t, 0, sizeof t);
	room = (size_t) (next - target);
	memcpy(&t, p + target, sizeof t < room ? sizeof t : room);
	*ret = (struct rule) {.match = p, .plain = target == f->entry_size, .next = at + next};
	if (!*t.target.u.user.name) {
		ret->accepts = t.verdict == -NF_ACCEPT - 1;
		ret->drops = t.verdict == -NF_DROP - 1;
	}
	ret->drops |= !strncmp(t.target.u.user.name, "REJECT", sizeof t.target.u.user.name);
	return true;
}

static bool is_for_all(const struct flavor *f, const struct rule *r)
{
	static const unsigned char zero[sizeof(struct ip6t_ip6)];

	return r->plain && !memcmp(r->match, zero, f->match_size);
}

/* -s NETWORK -j ACCEPT and nothing else; the source's address and mask lie at fixed places. */
static bool lets_through(const struct flavor *f, const struct rule *r, const struct ip *source)
{
	size_t len = f->family == AF_INET ? 4 : 16, inverse, mask;
	unsigned char any = 0;

	mask = f->family == AF_INET ? offsetof(struct ipt_ip, smsk)
				    : offsetof(struct ip6t_ip6, smsk);
	inverse = f->family == AF_INET ? offsetof(struct ipt_ip, invflags)
				       : offsetof(struct ip6t_ip6, invflags);
	if (!r->accepts || !r->plain || r->match[inverse])
		return false;
	for (size_t i = 0; i < len; i++) {
		any |= r->match[mask + i];
		if (source && (source->b[i] & r->match[mask + i]) != r->match[i])
			return false;
	}
	return source || any;
}

static bool drops(const struct flavor *f, const struct ip *source)
{
	struct ipt_getinfo info;
	_cleanup_free_ struct ipt_get_entries *table = read_table(f, &info);
	size_t at = info.hook_entry[NF_INET_FORWARD], policy = info.underflow[NF_INET_FORWARD];
	struct rule r;

	while (table && at <= policy && get_rule(f, table, at, &r)) {
		if (lets_through(f, &r, source))
			return false;
		if (r.drops && (at == policy || is_for_all(f, &r)))
			return true;
		at = r.next;
	}
	return false;
}

static const struct flavor *flavor_of(int family)
{
	return &flavors[family == AF_INET6];
}

bool legacy_filter_drops(int family, const struct ip *source)
{
	const struct flavor *f = flavor_of(family);

	return has_filter(f) && drops(f, source);
}

void legacy_filter_warn(int family, const struct ip *source)
{
	const char *tool = flavor_of(family)->tool;
	char text[IP_TEXT_MAX];

	if (legacy_filter_drops(family, source))
		log_warning("%s drops what is forwarded (table filter, chain FORWARD), and its "
			    "rules are out of reach: %s -I FORWARD -s %s -j ACCEPT, and the same "
			    "with -d, lets containers through", tool, tool, source ? ip_text(source, text) : "NETWORK");
}
