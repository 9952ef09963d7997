/*
 * Listing the store, and what a user wrote to an id.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "contract/layout.h"
#include "spec/image_manifest.h"
#include "stage0/image/image.h"
#include "stage0/oci/naming.h"
#include "stage0/store/internal.h"

static int by_import_time(const void *a, const void *b)
{
	const struct store_info *x = a, *y = b;

	if (x->import_time_ns != y->import_time_ns)
		return x->import_time_ns < y->import_time_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

int store_list(int store, struct store_list *ret, struct err *e)
{
	_cleanup_strv_ char **ids = NULL;
	_cleanup_fd_ int images = -EBADF;
	struct store_list l = {0};
	int r = store_ids(store, DATA_CAS_IMAGE, &ids, e);

	if (r < 0)
		return r;
	images = openat(store, DATA_CAS_IMAGE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (images < 0)
		return err_sys(e, "open %s", DATA_CAS_IMAGE);
	for (char **id = ids; *id; id++) {
		_cleanup_err_ struct err why = ERR_INIT;

		l.v = xgrow(l.v, l.n, sizeof *l.v);
		r = store_info_at(images, *id, &l.v[l.n], &why);
		/* One may be removed meanwhile; one that is broken must not hide all others. */
		if (r < 0 && r != -ENOENT)
			log_warning("%s", err_text(&why));
		l.n += r == 0;
	}
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_import_time);
	*ret = l;
	return 0;
}

void store_list_done(struct store_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		store_info_done(&l->v[i]);
	free(l->v);
	*l = (struct store_list) {0};
}

static int find_id(int store, const char *ref, char **ret_id, struct err *e)
{
	_cleanup_strv_ char **ids = NULL;
	const char *bad = image_id_prefix_check(ref), *found = NULL;
	int r;

	if (bad)
		return err_set(e, EINVAL, "%s: %s", q(ref), bad);
	if (!image_id_check(ref) && store_has(store, ref) == 1) {
		*ret_id = xstrdup(ref);
		return 0;
	}
	r = store_ids(store, DATA_CAS_IMAGE, &ids, e);
	if (r < 0)
		return r;
	for (char **id = ids; *id; id++) {
		if (!str_starts(*id, ref))
			continue;
		if (found)
			return err_set(e, ENOTUNIQ, "ambiguous image ID %s", q(ref));
		found = *id;
	}
	if (!found)
		return err_set(e, ENOENT, "no image IDs found for %s", q(ref));
	*ret_id = xstrdup(found);
	return 0;
}

/* Every label that was asked for is there with this value. */
static int has_labels(int store, const struct store_info *info, const struct nameval_list *want,
		      struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	/* The usual question needs no look at the manifest. */
	if (want->n == 0 || (want->n == 1 && !strcmp(want->v[0].name, "version")))
		return want->n == 0 || str_eq(info->version, want->v[0].value);
	r = store_manifest(store, info->id, &text, &len, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	if (!m)
		return err_ctx(e, -EINVAL, "image %s", info->id);
	for (size_t i = 0; i < want->n; i++)
		if (!str_eq(nameval_get(&m->labels, want->v[i].name), want->v[i].value))
			return 0;
	return 1;
}

/* The best of the list: 1 with *ret, 0, -errno. */
static int find_in_list(int store, const struct store_list *l, const char *name,
			const struct nameval_list *labels, const struct store_info **ret,
			struct err *e)
{
	bool any_version = !nameval_get(labels, "version");
	const struct store_info *best = NULL;
	int r = 0;

	/* In order of import, so that the newest is what is left; "latest" goes before all. */
	for (size_t i = 0; r >= 0 && i < l->n; i++) {
		if (!str_eq(l->v[i].name, name))
			continue;
		if (any_version && best && str_eq(best->version, "latest") &&
		    !str_eq(l->v[i].version, "latest"))
			continue;
		r = has_labels(store, &l->v[i], labels, e);
		if (r > 0)
			best = &l->v[i];
	}
	if (r < 0)
		return r;
	*ret = best;
	return best ? 1 : 0;
}

static int find_name(int store, const struct image_ref *ref, char **ret_id, struct err *e)
{
	const struct store_info *best;
	struct store_list l = {0};
	int r = store_list(store, &l, e);

	if (r == 0)
		r = find_in_list(store, &l, ref->location, &ref->labels, &best, e);
	if (r > 0)
		*ret_id = xstrdup(best->id);
	else if (r == 0)
		r = err_set(e, ENOENT, "no image %s in the store", q(ref->text));
	store_list_done(&l);
	return r < 0 ? r : 0;
}

/* An id in a manifest pins the bytes; the name beside it must still be true. */
static int find_pinned(int store, const struct dependency *d, char **ret_id, struct err *e)
{
	struct store_info info = {0};
	int r = store_info(store, d->image_id, &info, e), fits;

	if (r < 0)
		return err_ctx(e, r, "dependency %s", d->image_name);
	fits = str_eq(info.name, d->image_name) ? has_labels(store, &info, &d->labels, e) : 0;
	if (fits > 0)
		*ret_id = xstrdup(info.id);
	else if (fits == 0)
		r = err_set(e, EINVAL, "dependency %s: image %s is %s%s%s, which does not fit",
			    d->image_name, info.id, info.name, info.version ? ":" : "",
			    info.version ? q(info.version) : "");
	store_info_done(&info);
	return fits < 0 ? fits : r;
}

int store_find_dependency(int store, const struct store_list *images, const struct dependency *d,
			  char **ret_id, struct err *e)
{
	const struct store_info *best;
	struct store_list own = {0};
	int r = 0;

	if (d->image_id)
		return find_pinned(store, d, ret_id, e);
	if (!images)
		r = store_list(store, &own, e);
	if (r == 0)
		r = find_in_list(store, images ? images : &own, d->image_name, &d->labels, &best,
				 e);
	if (r > 0)
		*ret_id = xstrdup(best->id);
	else if (r == 0)
		r = err_set(e, ENOENT, "dependency %s is not in the store", d->image_name);
	store_list_done(&own);
	return r < 0 ? r : 0;
}

/* docker://NAME:TAG and its kin: by what it is called in the store. */
static int find_oci(int store, const char *text, char **ret_id, struct err *e)
{
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_oci_naming_ struct oci_naming name = {0};
	_cleanup_image_ref_ struct image_ref want = {0};
	int r = oci_ref_parse(text, OCI_DEFAULT_REGISTRY, &ref, e);

	if (r == 0 && ref.digest)
		return err_set(e, EINVAL, "%s: in the store an image is found by its tag or its id", q(text));
	if (r < 0)
		return r;
	oci_naming_of(&ref, &name);
	want = (struct image_ref) {.text = xstrdup(text), .location = xstrdup(name.identifier)};
	if (name.tag)
		nameval_set(&want.labels, "version", name.tag);
	return find_name(store, &want, ret_id, e);
}

int store_find(int store, const char *ref, char **ret_id, struct err *e)
{
	_cleanup_image_ref_ struct image_ref parsed = {0};
	int r;

	if (!*ref)
		return err_set(e, EINVAL, "image name cannot be empty");
	if (str_starts(ref, IMAGE_ID_PREFIX))
		return find_id(store, ref, ret_id, e);
	if (oci_ref_is(ref))
		return find_oci(store, ref, ret_id, e);
	r = image_ref_parse_name(ref, &parsed, e);
	return r < 0 ? r : find_name(store, &parsed, ret_id, e);
}
