/* Conditions as expressions of a rule. */
#pragma once

#include "cni-plugins/portmap/condition.h"
#include "sys/nft_rule.h"

/* Those of the k-th of conditions_rules(). */
void conditions_put(struct nft_rule *r, const struct conditions *c, size_t k);
