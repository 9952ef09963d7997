/*
 * What of an app's root its image brings: one directory, or the layers of an OCI image.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "sys/stack.h"

struct tree {
	/* Relative to the pod directory, the bottom first.  The last one says what the root itself is like. */
	char **layers;
	size_t n;
	struct stack_dir root; /* open, once somebody has looked */
};

/* Owns the paths from now on. */
struct tree *tree_new(char **layers);
/* The one whose root has the attributes of the image's root. */
const char *tree_top(const struct tree *t);

enum tree_has { TREE_NOTHING, TREE_EMPTY_DIR, TREE_DIR, TREE_OTHER };
/*
 * What the image has at a path, as the app will see it: links stay inside.  A path that leads nowhere is
 * TREE_NOTHING; an error: the image itself cannot be looked at.
 */
int tree_look(struct tree *t, int pod, const char *path, enum tree_has *ret, struct err *e);
/* A directory of the image, in each layer that has it; -ENOENT, -ENOTDIR as of open(2) without a message. */
int tree_find_dir(struct tree *t, int pod, const char *path, struct stack_node *ret, struct err *e);
void tree_free(struct tree *t);
