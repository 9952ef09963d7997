#include "stage0/worker/pack_patch.h"

#include <errno.h>
#include <string.h>

#include "stage0/worker/untar_internal.h"

static int copy_data(struct tar *t, struct tar_writer *w, struct err *e)
{
	const uint8_t *data;
	uint64_t offset;
	size_t len;
	int r;

	while ((r = tar_data(t, &data, &len, &offset, e)) > 0) {
		r = tar_write_data(w, data, len, e);
		if (r < 0)
			break;
	}
	return r;
}

/* The same name in the one form in which names are written here. */
static int copy_entry(struct tar *t, struct tar_writer *w, const struct pack_options *o,
		      const struct tar_entry *entry, struct err *e)
{
	char path[PATH_MAX], link[PATH_MAX];
	_cleanup_free_ char *whole = NULL, *target = NULL;
	struct tar_entry out = *entry;
	int where = policy_place(entry->path, o->depth, path, e), r;

	if (where < 0 || where == PLACE_TOP)
		return where < 0 ? where : 0;
	if (where == PLACE_MANIFEST) {
		out.path = (char[]) {"manifest"};
		out.size = o->manifest_len;
		out.is_sparse = false;
		r = tar_write_entry(w, &out, e);
		return r < 0 ? r : tar_write_data(w, o->manifest, o->manifest_len, e);
	}
	out.path = whole = xasprintf("rootfs%s%s", *path ? "/" : "", path);
	if (entry->type == TAR_HARDLINK) {
		r = policy_hard_link(entry->link, o->depth, link, e);
		if (r < 0)
			return r;
		out.link = target = xasprintf("rootfs/%s", link);
	}
	r = tar_write_entry(w, &out, e);
	return r < 0 ? r : copy_data(t, w, e);
}

int pack_patch(struct tar *t, struct tar_writer *w, const struct pack_options *o, struct err *e)
{
	const struct tar_entry *entry;
	int r;

	while ((r = tar_next(t, &entry, e)) > 0) {
		r = copy_entry(t, w, o, entry, e);
		if (r < 0)
			return err_ctx(e, r, "%s", q(entry->path));
	}
	return r < 0 ? r : tar_write_end(w, e);
}
