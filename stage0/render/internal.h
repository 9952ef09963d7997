/*
 * Private to stage0/render.
 */
#pragma once

#include "base/str.h"
#include "stage0/render/render.h"
#include "stage0/store/store.h"

/* A diamond on a diamond doubles them: an image must not ask for millions. */
#define RENDER_LAYERS_MAX 1024
#define RENDER_DEPTH_MAX 64	     /* of dependencies */
#define RENDER_LISTS_MAX (64u << 20) /* bytes of all white lists together */

/* --- whitelist.c: sorted sets of paths, relative to the root --- */
struct path_list {
	bool some; /* false: every path */
	char **v;
	size_t n;
};

/* The paths of a pathWhitelist: without '/' at both ends, each once. */
void path_list_read(char *const *white, struct path_list *ret);
/* The same with every directory on the way to them. */
void path_list_read_parents(char *const *white, struct path_list *ret);
/* What is in both. */
void path_list_both(const struct path_list *a, const struct path_list *b, struct path_list *ret);
size_t path_list_bytes(const struct path_list *l);
void path_list_done(struct path_list *l);
/* Whether the sorted vector of n has the path. */
bool paths_have(char *const *v, size_t n, const char *path);

/* --- recipe.c --- */
/* The layers as bytes, which name the tree. */
char *recipe_write(const struct render_layer *layers, size_t n, size_t *ret_len);
/* Its hash: the id of the tree. */
int recipe_tree_id(const struct gantry *g, int store, const char *recipe, size_t len, char **ret_id,
		   struct err *e);
/* The tree that was made by this recipe for this image last time, if it is still there: 1, 0. */
int recipe_find_known(int store, const char *image_id, const char *recipe, size_t len,
		      char **ret_id);
void recipe_note(int store, const char *image_id, const char *tree_id);

/* --- merge.c --- */
/* Put the layers together in the empty directory `to`, the last of them on top. */
int merge_layers(int store, const struct render_layer *layers, size_t n, int to, struct err *e);

/* --- render.c --- */
/* Make DIR/rootfs of the layers; their own trees are unpacked again where they are not there. */
int render_into(const struct gantry *g, int store, const struct render_layer *layers, size_t n,
		int dir, struct err *e);
