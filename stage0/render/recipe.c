/*
 * The name of a rendered tree.  The recipe lies beside the tree (cas/tree/ID/recipe), and the id of
 * the tree that an image had last time beside the image (cas/image/ID/tree): when the recipe is
 * still what is wanted, nothing needs to be hashed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/record.h"
#include "contract/layout.h"
#include "stage0/image/kept.h"
#include "stage0/render/internal.h"

#define RECIPE_VERSION 1

char *recipe_write(const struct render_layer *layers, size_t n, size_t *ret_len)
{
	struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, RECIPE_VERSION);
	for (size_t i = 0; i < n; i++) {
		record_add(&sb, "layer", layers[i].id);
		if (layers[i].some_files)
			record_add(&sb, "files", "some");
		for (size_t j = 0; j < strv_len(layers[i].files); j++)
			record_add(&sb, "file", layers[i].files[j]);
		if (layers[i].some_dirs)
			record_add(&sb, "dirs", "some");
		for (size_t j = 0; j < strv_len(layers[i].dirs); j++)
			record_add(&sb, "dir", layers[i].dirs[j]);
	}
	*ret_len = sb.len;
	return strbuf_take(&sb);
}

int recipe_tree_id(const struct gantry *g, int store, const char *recipe, size_t len, char **ret_id,
		   struct err *e)
{
	char id[IMAGE_ID_LEN + 1];
	int r = kept_digest(g, store, recipe, len, id, e);

	if (r == 0)
		*ret_id = xasprintf(TREE_ID_RENDERED "%s", id);
	return r;
}

static bool has_recipe(int store, const char *tree_id, const char *recipe, size_t len)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_TREE "/%s/" TREE_RECIPE, tree_id);
	_cleanup_free_ char *there = NULL;
	size_t there_len;

	return file_read_at(store, path, len + 1, &there, &there_len, NULL) == 0 &&
	       there_len == len && !memcmp(there, recipe, len);
}

int recipe_find_known(int store, const char *image_id, const char *recipe, size_t len,
		      char **ret_id)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" IMAGE_TREE, image_id);
	_cleanup_free_ char *id = NULL;

	if (file_read_line_at(store, path, &id, NULL) < 0 || tree_id_check(id) ||
	    !has_recipe(store, id, recipe, len))
		return 0;
	*ret_id = take_ptr(id);
	return 1;
}

/* Best effort: without it the recipe is hashed again. */
void recipe_note(int store, const char *image_id, const char *tree_id)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" IMAGE_TREE, image_id);

	(void) file_write_at(store, path, tree_id, strlen(tree_id), 0640, FILE_FAST, NULL);
}
