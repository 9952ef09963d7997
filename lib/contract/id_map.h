/*
 * Which ids of the host a pod's ids are (user_namespaces(7)): id 0 of the pod is `shift`, and so on up.
 * As text, "SHIFT:COUNT": an option of stage1's run, and the content of private-users-prepared.
 */
#pragma once

#include <stdint.h>

struct id_map {
	uint32_t shift, count; /* count 0: the pod's ids are the host's */
};

#define ID_MAP_TEXT_MAX 24

/*
 * Decimal, nothing before and behind, one id at least, none beyond the last that there is
 * (UINT32_MAX means "none" to the kernel), and not the host's root.  -EINVAL, -ERANGE: *ret is unchanged.
 */
int id_map_parse(const char *text, struct id_map *ret);
/* The other direction; returns buf. */
const char *id_map_text(const struct id_map *m, char buf[ID_MAP_TEXT_MAX]);
