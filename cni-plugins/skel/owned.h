/*
 * Elements of nftables sets that belong to attachments: what masquerading and port mapping have in
 * common.
 *
 * One table for each network and purpose, made by its first attachment and removed with its last.
 * Its rules are static; attaching adds elements, which costs the same with one pod as with a
 * thousand.  An element's comment names its owner, "CONTAINERID IFNAME", so that DEL needs neither
 * addresses nor the namespace (plugins#810), and GC knows whose it is.  Every change is one
 * transaction of netlink messages; no tool is executed.
 *
 * A lock (shared to add, exclusive to remove) keeps the last DEL from taking the table away under an
 * ADD.
 */
#pragma once

#include "base/lock.h"
#include "cni-plugins/skel/request.h"
#include "sys/nft_rule.h"

#define OWNED_LOCK_DIR "/run/gantry"

/* What one attachment wants in a set. */
struct owned_element {
	char set[NFT_NAME_MAX];
	struct nft_element el;
	char name[CIDR_TEXT_MAX + 16]; /* "10.1.2.3/24": for messages */
};

/* What there is of a table, while the missing rest is put into a transaction. */
struct owned_build {
	struct nl_batch *b;
	const struct nft_table *table;
	char **sets;  /* names; those which build() puts are added to it */
	char **rules; /* comments of the rules of all chains */
	uint32_t next_id;
	const void *arg;
};
/* Whether the rule with this comment is there. */
bool owned_has_rule(const struct owned_build *o, const char *comment);
/* Put the set unless it is there; its id in the transaction. */
uint32_t owned_put_set(struct owned_build *o, const struct nft_set *set);

struct owned_kind {
	const char *what;   /* "masquerading": for messages */
	int family;	    /* of the table: NFPROTO_INET, NFPROTO_BRIDGE */
	const char *prefix; /* of the table's name; the network's follows */
	const char *lock;   /* a file in OWNED_LOCK_DIR */
	const char *const *chains; /* ended by NULL */
	/* Whose element stands where ours is to be: false: an old one's, ours replaces it. */
	bool conflict;
	/* Everything that the elements need and that is not there. */
	void (*build)(struct owned_build *o);
	/*
	 * How many rules are in the chain or lead to it, at least, when build() has nothing to do.  It is
	 * asked at every ADD, lest elements are added to sets that no rule looks at since somebody
	 * flushed them.  0: nothing to ask.
	 */
	unsigned (*uses)(const char *chain, const void *arg);
};

/*
 * Put the attachment's elements, and whatever table, sets and rules they need: all or nothing.  `arg` is for
 * build() and uses().
 */
int owned_add(const struct owned_kind *kind, const struct cni_request *rq,
	      const struct owned_element *list, size_t n, const void *arg, struct err *e);
/*
 * Everything of this attachment; nothing is success.  *late becomes the socket that was used: its
 * closing waits for the kernel to have freed what was removed (13 ms), so the caller closes it when
 * all other work, which waits for the same thing, is done.
 */
int owned_del(const struct owned_kind *kind, const struct cni_request *rq, struct nl *late,
	      struct err *e);
/* Everything of the network that is not of a valid attachment. */
int owned_gc(const struct owned_kind *kind, const struct cni_request *rq, struct nl *late,
	     struct err *e);
/* The elements are there and ours, and so is every rule of `rules` (strv of comments). */
int owned_check(const struct owned_kind *kind, const struct cni_request *rq,
		const struct owned_element *list, size_t n, char *const *rules, struct err *e);
