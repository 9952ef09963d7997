/*
 * Links that sit on another one (macvlan, ipvlan, vlan), or on nothing (dummy, vrf): one request
 * makes them, in the namespace in which they are to live.
 */
#pragma once

#include "sys/link.h"

/* The attribute of IFLA_INFO_DATA that says what this one is for; number 1 in every kind. */
enum link_value { LINK_VALUE_NONE, LINK_VALUE_U16, LINK_VALUE_U32 };

struct link_child {
	const char *name, *kind;
	int parent;		  /* index in the socket's namespace; 0: none */
	unsigned mtu;		  /* 0: the kernel's choice */
	const unsigned char *mac; /* NULL: the kernel's choice */
	int netns;		  /* descriptor of where it is born; < 0: the socket's own */
	enum link_value value_type;
	unsigned value;	      /* macvlan and ipvlan mode, VLAN id, VRF table */
	unsigned bc_queue_len; /* macvlan: IFLA_MACVLAN_BC_QUEUE_LEN; 0: the kernel's choice */
};
void link_put_child(struct nl_batch *b, const struct link_child *c);

/* Words of configurations for modes and the kernel's numbers for them; ended by a NULL word. */
struct link_mode {
	const char *word;
	unsigned value;
};
extern const struct link_mode link_macvlan_modes[], link_ipvlan_modes[];
/* NULL: unknown. */
const struct link_mode *link_mode_find(const struct link_mode *modes, const char *word);

/*
 * The link by which the default route leaves: IPv4's before IPv6's, the lowest metric; -ENOENT when
 * there is none.
 */
int link_of_default_route(struct nl *nl, struct link *ret, struct err *e);
