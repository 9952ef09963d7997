#include "stage0/oci/layout.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define NAMED_MAX 12 /* names that a message lists */

int layout_check_version(const char *text, size_t len, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, len, LAYOUT_FILE_MAX, e);
	const char *version = j ? json_get_str(j, "imageLayoutVersion") : NULL;

	if (!j)
		return err_ctx(e, -EINVAL, LAYOUT_FILE);
	if (!version || !str_starts(version, "1."))
		return err_set(e, ENOTSUP, LAYOUT_FILE ": unknown version %s of image layouts", q(version));
	return 0;
}

int layout_check_index(const char *text, size_t len, struct err *e)
{
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	int r = oci_document_kind(NULL, text, len, &kind, e);

	if (r == 0 && kind != OCI_MEDIA_INDEX)
		r = err_set(e, EINVAL, "it is no index");
	return r < 0 ? err_ctx(e, r, LAYOUT_INDEX) : 0;
}

char *layout_blob_path(const char *digest)
{
	char *path = xasprintf(LAYOUT_BLOBS "/%s", digest);

	*strchr(path, ':') = '/';
	return path;
}

static bool is_image(const struct oci_descriptor *d)
{
	enum oci_media kind = oci_media_kind(d->media_type);

	return kind == OCI_MEDIA_MANIFEST || kind == OCI_MEDIA_INDEX;
}

static const char *const name_annotations[] = {ANNOTATION_REF_NAME, ANNOTATION_WHOLE_NAME};

static bool has_name(const struct oci_descriptor *d, const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(name_annotations); i++)
		if (str_eq(nameval_get(&d->annotations, name_annotations[i]), name))
			return true;
	return false;
}

const char *layout_name(const struct oci_descriptor *d)
{
	const char *whole = nameval_get(&d->annotations, name_annotations[1]);

	return whole ? whole : nameval_get(&d->annotations, name_annotations[0]);
}

static char *list_names(const struct oci_index *x)
{
	struct strbuf sb = STRBUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < x->n_manifests; i++) {
		const char *name = nameval_get(&x->manifests[i].annotations, ANNOTATION_REF_NAME);

		if (name && n++ < NAMED_MAX)
			strbuf_addf(&sb, "%s%s", sb.len ? ", " : "", q(name));
	}
	if (n > NAMED_MAX)
		strbuf_addf(&sb, " and %zu more", n - NAMED_MAX);
	if (!n)
		strbuf_adds(&sb, "none");
	return strbuf_take(&sb);
}

static int find_only(const struct oci_index *x, const struct oci_descriptor **ret, struct err *e)
{
	const struct oci_descriptor *only = NULL;
	_cleanup_free_ char *names = NULL;
	size_t n = 0, named = 0;

	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];

		if (!is_image(d))
			continue;
		n++;
		named += nameval_get(&d->annotations, ANNOTATION_REF_NAME) != NULL;
		only = d;
	}
	if (!n)
		return err_set(e, ENOENT, "there is no image in it");
	*ret = only;
	if (n == 1)
		return 0;
	/* Without names they are one image for several machines. */
	if (!named)
		return 1;
	names = list_names(x);
	return err_set(e, ENOTUNIQ, "there are several images in it, and one must be named: %s", names);
}

int layout_find(const struct oci_index *x, const char *name, const struct oci_descriptor **ret, struct err *e)
{
	const struct oci_descriptor *found = NULL;
	_cleanup_free_ char *names = NULL;

	if (!name)
		return find_only(x, ret, e);
	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];

		if (!is_image(d) || !has_name(d, name))
			continue;
		if (found && strcmp(found->digest, d->digest))
			return err_set(e, ENOTUNIQ, "there are several images named %s in it", q(name));
		found = d;
	}
	if (found) {
		*ret = found;
		return 0;
	}
	names = list_names(x);
	return err_set(e, ENOENT, "there is no image named %s in it; there is: %s", q(name), names);
}
