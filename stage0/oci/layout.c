#include "stage0/oci/layout.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "stage0/oci/attached.h"

#define NAMED_MAX 12 /* names that a message lists */
#define REFERRERS_MAX 256 /* entries that are read for one question */
#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"

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

int layout_read(const void *from, layout_reader read, struct oci_document *index, struct err *e)
{
	_cleanup_free_ char *version = NULL;
	size_t len;
	int r = read(from, LAYOUT_FILE, LAYOUT_FILE_MAX, &version, &len, e);

	if (r == 0)
		r = layout_check_version(version, len, e);
	if (r == 0)
		r = read(from, LAYOUT_INDEX, OCI_DOCUMENT_MAX, &index->data, &index->len, e);
	return r == 0 ? layout_check_index(index->data, index->len, e) : r;
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

/* A signature of an image, that has its entry because otherwise nobody would find it. */
static bool is_attached(const struct oci_descriptor *d)
{
	const char *name = nameval_get(&d->annotations, ANNOTATION_REF_NAME);

	return name ? attached_is_tag(name) : attached_is_signature(d->artifact_type);
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

		if (!is_image(d) || is_attached(d))
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

/* --- what refers to an image --- */

struct cJSON *layout_encode(const struct oci_descriptor *d)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "mediaType", d->media_type);
	cJSON_AddStringToObject(o, "digest", d->digest);
	json_add_int(o, "size", d->size);
	if (d->artifact_type)
		cJSON_AddStringToObject(o, "artifactType", d->artifact_type);
	if (d->annotations.n)
		cJSON_AddItemToObject(o, "annotations", nameval_encode_map(&d->annotations));
	return o;
}

/* 1, 0, or -errno: of an entry that says what kind of artifact it is. */
static int refers_to(struct source *s, const struct oci_descriptor *d, const char *digest, struct err *e)
{
	_cleanup_oci_document_ struct oci_document doc = {0};
	_cleanup_oci_manifest_ struct oci_manifest *m = NULL;
	int r = s->ops->document(s, d, &doc, e);

	if (r < 0)
		return r;
	m = oci_manifest_parse(doc.data, doc.len, e);
	return m ? str_eq(m->subject, digest) : -EINVAL;
}

static int list_referrers(struct source *s, const struct oci_index *x, const char *digest, const char *artifact_type,
			  cJSON *manifests, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];
		int r;

		if (!d->artifact_type || oci_media_kind(d->media_type) != OCI_MEDIA_MANIFEST ||
		    (artifact_type && strcmp(d->artifact_type, artifact_type)))
			continue;
		if (n++ == REFERRERS_MAX)
			return err_set(e, E2BIG, "more than %d artifacts", REFERRERS_MAX);
		r = refers_to(s, d, digest, e);
		if (r < 0)
			return r;
		if (r == 1)
			cJSON_AddItemToArray(manifests, layout_encode(d));
	}
	return 0;
}

int layout_referrers(struct source *s, const struct oci_document *index, const char *digest, const char *artifact_type,
		     struct oci_document *ret, struct err *e)
{
	_cleanup_oci_index_ struct oci_index *x = oci_index_parse(index->data, index->len, e);
	_cleanup_json_ cJSON *list = cJSON_CreateObject();
	struct oci_document doc = {0};
	int r;

	cJSON_AddNumberToObject(list, "schemaVersion", 2);
	cJSON_AddStringToObject(list, "mediaType", MEDIA_INDEX);
	r = x ? list_referrers(s, x, digest, artifact_type, cJSON_AddArrayToObject(list, "manifests"), e) : -EINVAL;
	if (r < 0)
		return err_ctx(e, r, LAYOUT_INDEX);
	doc.data = json_print(list, false);
	doc.len = strlen(doc.data);
	doc.media_type = xstrdup(MEDIA_INDEX);
	r = oci_document_hash(s->g, &doc, NULL, "referrers", e);
	if (r < 0)
		oci_document_done(&doc);
	else
		*ret = doc;
	return r;
}
