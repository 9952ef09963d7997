#include "stage0/render/render.h"

#include <errno.h>

#include "base/str.h"
#include "stage0/store/store.h"

int render_tree_of(const struct gantry *g, int store, const char *id, const struct image_manifest *m,
		   char **ret_tree_id, struct err *e)
{
	(void) g;
	(void) store;
	if (render_is_needed(m))
		return err_set(e, ENOTSUP, "image dependencies are not supported yet");
	*ret_tree_id = xstrdup(id);
	return 0;
}

int render_tree(const struct gantry *g, int store, const char *id, char **ret_tree_id, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(store, id, &text, &len, e);

	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	if (!m)
		return err_ctx(e, -EINVAL, "image %s", id);
	return render_tree_of(g, store, id, m, ret_tree_id, e);
}
