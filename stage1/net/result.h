/*
 * What CNI results of all versions tell: addresses, and DNS.
 */
#pragma once

#include "base/json.h"
#include "stage1/net/net.h"

/* Addresses "A/LEN" (strv, appended). 0.1 and 0.2 have ip4 and ip6, later versions ips. */
int cni_result_addresses(const cJSON *result, char ***ret, struct err *e);
/* Gateways of the addresses (strv, appended): what is none is left out. */
void cni_result_gateways(const cJSON *result, char ***ret);
/* Take DNS over if the result has name servers and ret has none yet. */
void cni_result_dns(const cJSON *result, const char *network, struct net_result *ret);
