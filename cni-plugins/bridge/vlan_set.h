/* A set of VLAN ids, as `vlanTrunk` gives them: [{"id": 7}, {"minID": 100, "maxID": 199}]. */
#pragma once

#include "base/json.h"

#define VLAN_ID_MAX 4094 /* IEEE 802.1Q: 0 says "none", 4095 is reserved */

struct vlan_set {
	bool given; /* the key is there, be it empty */
	uint64_t bits[64];
};

/* A json_field's decode. */
int vlan_set_decode(const cJSON *value, const struct json_at *at, void *set, struct err *e);
/* The first run of ids from *first on, in *first and *last; false: none. */
bool vlan_set_next(const struct vlan_set *s, unsigned *first, unsigned *last);
bool vlan_set_has(const struct vlan_set *s, unsigned id);
