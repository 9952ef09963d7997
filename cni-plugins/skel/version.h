/* Versions of the CNI specification that the plugins speak, in order. */
#pragma once

#include <cjson/cJSON.h>

#include "base/err.h"

enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSION_MAX_,
};
#define CNI_LATEST CNI_1_1_0

const char *cni_version_text(enum cni_version v);
/*
 * CNI_DECODE when it is not one to three dotted numbers, CNI_INCOMPATIBLE_VERSION when we do not
 * speak it.
 */
int cni_version_parse(const char *s, enum cni_version *ret, struct err *e);
/* All of them from `since` on, as a JSON array. */
cJSON *cni_version_list(enum cni_version since);
