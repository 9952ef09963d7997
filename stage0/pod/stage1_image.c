/*
 * A stage1 that is an image in the store.
 */
#include <errno.h>

#include "contract/layout.h"
#include "stage0/context.h"
#include "stage0/pod/stage1.h"
#include "stage0/render/render.h"
#include "stage0/store/store.h"

int stage1_from_store(const struct gantry *g, int store, struct stage1 *s, struct err *e)
{
	size_t len;
	int r = store_manifest(store, s->image_id, &s->manifest, &len, e);

	if (r == 0)
		r = render_tree(g, store, s->image_id, &s->tree_id, e);
	if (r < 0)
		return err_ctx(e, r, "stage1 %s", s->image_id);
	/* The pod records it: absolute, whatever directory its programs are called from. */
	s->dir = xasprintf("%s/" DATA_CAS_TREE "/%s", g->data_dir, s->tree_id);
	r = stage1_take_manifest(s->manifest, len, s, e);
	if (r == 0)
		r = stage1_check(s, e);
	if (r < 0)
		return err_ctx(e, r, "stage1 %s", s->image_id);
	store_touch(store, s->image_id);
	return 0;
}
