#include "stage0/oci/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/image_id.h"
#include "stage0/oci/layers.h"
#include "stage0/oci/stack_internal.h"
#include "stage0/render/render.h"
#include "stage0/store/layer.h"
#include "sys/stack.h"

/* Of the root, where overlayfs does not look for it. */
static bool hides_all_below(int store, const char *tree_id)
{
	_cleanup_free_ char *tree = store_tree_path(tree_id), *mark = xasprintf("%s/" STACK_OPAQUE_MARK, tree);
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d/%s", store, tree);
	char value[2];

	return (lgetxattr(path, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y') ||
	       faccessat(store, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

char **stack_of_layers(int store, char *const *layers)
{
	char **ids = NULL;
	size_t first = strv_len(layers);

	while (first > 1 && !hides_all_below(store, layers[first - 1]))
		first--;
	first -= first > 0;
	/*
	 * A layer that comes twice counts where it is highest: there it covers all that it brings, and hides
	 * all that it hides, and overlayfs refuses one directory in two places (-ELOOP).
	 */
	for (size_t i = first; layers[i]; i++)
		if (!strv_has(layers + i + 1, layers[i]))
			strv_add(&ids, layers[i]);
	return ids;
}

bool oci_stack_is(int store, const char *image_id)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" IMAGE_LAYERS, image_id);

	return faccessat(store, path, F_OK, 0) == 0;
}

static bool has_tree(int store, const char *tree_id)
{
	_cleanup_fd_ int fd = store_tree_open(store, tree_id, NULL);

	return fd >= 0;
}

static int add_attrs(const struct gantry *g, int store, const char *image_id, char ***ids, struct err *e)
{
	_cleanup_free_ char *attrs = xasprintf(TREE_ID_ATTRS "%s", image_id), *made = NULL;
	int r;

	if (has_tree(store, attrs)) {
		strv_push(ids, take_ptr(attrs));
		return 0;
	}
	r = oci_stack_make_attrs(g, store, image_id, *ids, &made, e);
	if (r == 0 && made)
		strv_push(ids, take_ptr(made));
	return r;
}

static int stack_of_image(const struct gantry *g, int store, const char *image_id, const struct store_layers *l,
			  char ***ret, struct err *e)
{
	_cleanup_strv_ char **layers = NULL, **ids = NULL;
	int r = layers_make_trees(g, store, image_id, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n; i++)
		strv_add(&layers, l->v[i].tree_id);
	if (!layers)
		return err_set(e, EINVAL, "image %s has no layers", image_id);
	ids = stack_of_layers(store, layers);
	r = add_attrs(g, store, image_id, &ids, e);
	if (r == 0 && strv_len(ids) > TREE_STACK_MAX)
		r = err_set(e, E2BIG, "image %s: a stack of %zu layers, which is more than %d", image_id, strv_len(ids),
			    TREE_STACK_MAX);
	if (r == 0)
		*ret = take_ptr(ids);
	return r;
}

int oci_stack_of(const struct gantry *g, int store, const char *image_id, const struct image_manifest *m, char ***ret,
		 struct err *e)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	char *tree;
	int r = store_layers(store, image_id, &l, &why);

	if (r == 0)
		return stack_of_image(g, store, image_id, &l, ret, e);
	if (r != -ENOENT)
		return err_move(e, &why);
	r = m ? render_tree_of(g, store, image_id, m, &tree, e) : render_tree(g, store, image_id, &tree, e);
	if (r < 0)
		return r;
	*ret = NULL;
	strv_push(ret, tree);
	return 0;
}
