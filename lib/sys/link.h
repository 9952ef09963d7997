/*
 * Network links over netlink: look up, create, change, delete.
 *
 * The link_put_*() functions add one request to a batch; nothing happens before nl_run().
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys/netlink.h"

#define LINK_MAC_LEN 6
#define LINK_MAC_TEXT 18
#define LINK_ALIAS_MAX 256 /* IFALIASZ */

struct link {
	int index; /* 0: none */
	int peer;  /* IFLA_LINK: for a veth the other end's index, in the other end's namespace */
	int master;
	unsigned flags, mtu, promiscuity, tx_queue_len;
	uint8_t operstate;
	bool has_mac;
	unsigned char mac[LINK_MAC_LEN];
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "bridge"; empty for hardware */
	/* What the kind's first attribute says: macvlan or ipvlan mode, VLAN id, VRF table. */
	unsigned kind_value;
	bool vlan_filtering; /* a bridge that tells VLANs apart */
	char alias[LINK_ALIAS_MAX];
};

/* Decode an RTM_NEWLINK answer. */
void link_decode(const struct nlmsghdr *h, struct link *ret);
/* An nl_answer_fn: arg is a struct link, filled by the batch's link_put_get(). */
void link_answer(const struct nlmsghdr *h, size_t index, void *arg);
/* -ENODEV when there is none. */
int link_get(struct nl *nl, const char *name, struct link *ret, struct err *e);
int link_get_index(struct nl *nl, int index, struct link *ret, struct err *e);
/* All links of one kind (NULL: any), with that master (0: any). */
int link_list(struct nl *nl, const char *kind, int master, struct link **ret, size_t *ret_n,
	      struct err *e);
/* Delete and wait for it (30 to 40 ms in the kernel); a link that is gone is success. */
int link_del(struct nl *nl, int index, struct err *e);

void link_put_get(struct nl_batch *b, const char *name);

struct link_veth {
	const char *name;
	unsigned char mac[LINK_MAC_LEN];
	unsigned mtu; /* 0: the kernel's choice */
	int master;   /* 0: none */
	/*
	 * The far end is born in the namespace `peer_netns` (descriptor): it never shows up here.
	 */
	const char *peer_name;
	unsigned char peer_mac[LINK_MAC_LEN];
	int peer_netns;
};
void link_put_veth(struct nl_batch *b, const struct link_veth *v);
/*
 * The address is set with the creation, which pins it: a bridge without one of its own follows
 * its ports'.  vlans: with VLAN filtering.
 */
void link_put_bridge(struct nl_batch *b, const char *name, const unsigned char mac[LINK_MAC_LEN],
		     unsigned mtu, bool vlans);

struct link_change {
	const char *name;	  /* for messages; and to find it, where its index is not known */
	unsigned flags, mask;	  /* IFF_UP, IFF_PROMISC, IFF_ALLMULTI */
	unsigned mtu;		  /* 0: as it is */
	bool set_tx_queue_len;
	unsigned tx_queue_len;
	const char *new_name; /* NULL: as it is; only of a link that is down, in older kernels */
	int master;	      /* index; 0: as it is, < 0: none */
	int netns;	      /* descriptor + 1 of where it goes; 0: it stays */
	const unsigned char *mac; /* NULL: as it is */
	const char *alias;	  /* NULL: as it is */
	bool arp_notify; /* tell the neighbours when an address comes up (ip-sysctl, arp_notify) */
};
/* index 0: of the link c->name, which an earlier message of the batch may make; it is not renamed then. */
void link_put_change(struct nl_batch *b, int index, const struct link_change *c);
/* Attributes of a bridge's port. */
void link_put_port(struct nl_batch *b, int index, bool hairpin, bool isolated);

/* Locally administered and random. */
int link_random_mac(unsigned char mac[LINK_MAC_LEN]);
const char *link_mac_text(const unsigned char mac[LINK_MAC_LEN], char buf[static LINK_MAC_TEXT]);
/* "aa:bb:cc:dd:ee:ff" in any case. */
int link_mac_parse(const char *s, unsigned char mac[LINK_MAC_LEN]);
/*
 * A name the kernel takes (dev_valid_name) and that is one path component: NULL, or what is wrong
 * with it.
 */
const char *link_name_check(const char *name);
