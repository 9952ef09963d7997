/*
 * conditionsV4, conditionsV6: what a packet must be like for the mappings to hold for it.
 *
 * The reference plugin hands these words to iptables(8) or nft(8); here the forms that mappings are
 * restricted by in practice are understood, in both languages, and every other word is refused: left
 * out it would open what it was to close.
 */
#pragma once

#include <net/if.h>
#include <stddef.h>

#include "base/err.h"
#include "sys/ip.h"

enum condition_field {
	CONDITION_SOURCE,
	CONDITION_DESTINATION,
	CONDITION_SOURCE_TYPE,
	CONDITION_DESTINATION_TYPE,
	CONDITION_INPUT,
	CONDITION_OUTPUT,
	CONDITION_PROTOCOL,
	CONDITION_SOURCE_PORT,
	CONDITION_DESTINATION_PORT,
	CONDITION_STATE,
	CONDITION_MARK,
};

struct condition_value {
	struct cidr net;     /* addresses */
	char link[IFNAMSIZ]; /* interfaces */
	bool prefix;	     /* every interface whose name begins so */
	/*
	 * Ports: from, to.  Marks: value, mask.  Types of addresses (RTN_*), protocols and states (bits
	 * as nf_conntrack has them): low.
	 */
	uint32_t low, high;
};

struct condition {
	enum condition_field field;
	bool not;			/* none of the values; else: one of them */
	struct condition_value *values; /* owned */
	size_t n;
};

/* All of them hold. */
struct conditions {
	struct condition *list; /* owned */
	size_t n;
	char *text; /* as it was written; owned; NULL: no conditions */
};
void conditions_done(struct conditions *c);

/* More comparisons than these fit into no rule, and no more rules are made of lists of values. */
#define CONDITIONS_MAX_VALUES 12
#define CONDITIONS_MAX_RULES 64

/* Is this iptables' language ("-d", "!")?  Else it is that of nft(8). */
bool conditions_are_for_iptables(char *const *words);
/* -EINVAL, naming the word, for what is not understood.  The family's addresses only. */
int conditions_parse(char *const *words, int family, struct conditions *ret, struct err *e);
/*
 * A rule's expressions are a conjunction: lists of values become several rules, of which this is how
 * many (one when there are no conditions).
 */
size_t conditions_rules(const struct conditions *c);

/* --- for the two languages, condition_iptables.c and condition_nft.c --- */
int conditions_parse_iptables(char *const *words, int family, struct conditions *ret,
			      struct err *e);
int conditions_parse_nft(char *const *words, int family, struct conditions *ret, struct err *e);
struct condition *conditions_new(struct conditions *c, enum condition_field field, bool not);
/*
 * One value: NULL, or why it is none.  range: what stands between two ports; any: what ends an
 * interface's name that is only a beginning.
 */
struct condition_syntax {
	char range, any;
	int family;
};
const char *condition_add_value(struct condition *c, const struct condition_syntax *syntax,
				const char *text);
