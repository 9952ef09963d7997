/*
 * Isolation of bridges in a table of iptables: what came from one leaves by no other (STAGE-1 sees where
 * it comes from, STAGE-2 where it goes), and where it is asked for not by the same one either.
 */
#pragma once

#include "sys/nft_rule.h"

#define ISOLATION_STAGE_1 "CNI-ISOLATION-STAGE-1"
#define ISOLATION_STAGE_2 "CNI-ISOLATION-STAGE-2"

struct isolation {
	const struct nft_table *table;
	const char *bridge;
	bool neighbours; /* also from the bridge to itself */
};
/* Put the chains and those of the bridge's rules that are missing. */
int isolation_put(const struct isolation *i, struct nl *nl, struct nl_batch *b, struct err *e);
/* The chain that lacks a rule of the bridge; NULL: none does. */
int isolation_missing(const struct isolation *i, struct nl *nl, const char **ret, struct err *e);
