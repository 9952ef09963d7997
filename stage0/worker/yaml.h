/*
 * YAML to JSON: the documents of a text as one JSON array.
 *
 * YAML 1.1 as Kubernetes' tools read it: plain words are null, booleans (yes and on as well), numbers
 * or else strings.  What could mean two things, or grow, is refused: anchors and aliases, merge keys,
 * tags but those of the core, keys that are no strings, a key twice in one mapping.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define YAML_INPUT_MAX (1u << 20)
#define YAML_OUTPUT_MAX (4u << 20)
#define YAML_DEPTH_MAX 64

/* -EINVAL "line 3, column 5: ...". */
int yaml_to_json(const char *text, size_t len, struct strbuf *ret, struct err *e);
