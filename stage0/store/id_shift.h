/*
 * Owners of files that are copied between a tree, whose ids are a pod's, and a pod's own directory, where those ids
 * are what they are on the host. Whatever of a file names an id is changed: owner, group, access lists (acl(5)), and the
 * root that file capabilities count for (capabilities(7), namespaced file capabilities).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "contract/id_map.h"

struct id_shift {
	struct id_map map; /* count 0: nothing is changed */
	enum { ID_SHIFT_TO_HOST, ID_SHIFT_TO_POD } to;
};

/* -ERANGE: the id is none of the pod's. `s` may be NULL: nothing is changed. */
int id_shift(const struct id_shift *s, uint32_t id, uint32_t *ret);
/*
 * The value of an extended attribute, in `value`, which has room for ID_SHIFT_GROWTH bytes more. -ERANGE; -EINVAL: what
 * the value is cannot be told.
 */
#define ID_SHIFT_GROWTH 4
int id_shift_xattr(const struct id_shift *s, const char *name, uint8_t *value, size_t *len);
