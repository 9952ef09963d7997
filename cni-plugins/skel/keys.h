/*
 * The spelling of keys.  The reference plugins take "ipmasq" for "ipMasq" (Go's encoding/json ignores
 * the case of member names), and configurations that live from that are around: here such a key would
 * be one that belongs to somebody else, and be passed over without a word.
 */
#pragma once

#include <cjson/cJSON.h>

/*
 * Every member that differs from one we know by case only gets the name we know, unless that is there
 * as well.  Objects whose keys are data (sysctl, capabilities, aliases, labels) stay as they are.
 */
void cni_keys_fold(cJSON *conf);
