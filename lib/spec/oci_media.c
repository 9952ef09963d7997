/* Media types, and what a document is. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/str.h"
#include "spec/oci.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

static const struct {
	const char *text;
	enum oci_media kind;
} known[] = {
	{OCI "index.v1+json", OCI_MEDIA_INDEX},
	{DOCKER "distribution.manifest.list.v2+json", OCI_MEDIA_INDEX},
	{OCI "manifest.v1+json", OCI_MEDIA_MANIFEST},
	{DOCKER "distribution.manifest.v2+json", OCI_MEDIA_MANIFEST},
	{OCI "config.v1+json", OCI_MEDIA_CONFIG},
	{DOCKER "container.image.v1+json", OCI_MEDIA_CONFIG},
	{OCI "layer.v1.tar", OCI_MEDIA_LAYER},
	{OCI "layer.v1.tar+gzip", OCI_MEDIA_LAYER},
	{OCI "layer.v1.tar+zstd", OCI_MEDIA_LAYER},
	{OCI "layer.nondistributable.v1.tar", OCI_MEDIA_LAYER},
	{OCI "layer.nondistributable.v1.tar+gzip", OCI_MEDIA_LAYER},
	{OCI "layer.nondistributable.v1.tar+zstd", OCI_MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar", OCI_MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar.gzip", OCI_MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar.zstd", OCI_MEDIA_LAYER},
	{DOCKER "image.rootfs.foreign.diff.tar", OCI_MEDIA_LAYER},
	{DOCKER "image.rootfs.foreign.diff.tar.gzip", OCI_MEDIA_LAYER},
	{DOCKER "distribution.manifest.v1+json", OCI_MEDIA_SCHEMA1},
	{DOCKER "distribution.manifest.v1+prettyjws", OCI_MEDIA_SCHEMA1},
};

enum oci_media oci_media_kind(const char *media_type)
{
	/* RFC 9110 section 8.3.1: parameters follow, and types are compared without regard to case. */
	size_t len = strcspn(media_type, "; \t");

	for (size_t i = 0; i < ELEMENTSOF(known); i++)
		if (strlen(known[i].text) == len && !strncasecmp(known[i].text, media_type, len))
			return known[i].kind;
	return OCI_MEDIA_UNKNOWN;
}

/* What servers say who do not know what they serve. */
static bool is_generic(const char *media_type)
{
	static const char *const words[] = {"application/json", "application/octet-stream", "text/plain", "text/html"};
	size_t len = strcspn(media_type, "; \t");

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (strlen(words[i]) == len && !strncasecmp(words[i], media_type, len))
			return true;
	return !len;
}

/*
 * Members that say what a document is.  Who reads JSON as Go does takes "Layers" for "layers": one
 * that is there in another case makes two readings of one digest.
 */
static int check_case(const cJSON *j, struct err *e)
{
	static const char *const keys[] = {"schemaVersion", "mediaType", "manifests", "layers",
					   "config", "fsLayers"};

	for (const cJSON *c = j->child; c; c = c->next)
		for (size_t i = 0; i < ELEMENTSOF(keys); i++)
			if (!strcasecmp(c->string, keys[i]) && strcmp(c->string, keys[i]))
				return json_err(JSON_TOP, e, "member %s is not written %s", q(c->string), keys[i]);
	return 0;
}

/* By its members alone. */
static int shape_of(const cJSON *j, enum oci_media *ret, struct err *e)
{
	const cJSON *version = json_get(j, "schemaVersion");
	bool index = json_get(j, "manifests"), manifest = json_get(j, "layers") || json_get(j, "config");
	bool schema1 = json_get(j, "fsLayers");

	if (index + manifest + schema1 > 1)
		return json_err(JSON_TOP, e,
				"more than one kind of document at once (manifests, layers or config, fsLayers)");
	if (schema1 || (cJSON_IsNumber(version) && version->valuedouble == 1))
		*ret = OCI_MEDIA_SCHEMA1;
	else if (!cJSON_IsNumber(version) || version->valuedouble != 2)
		return json_err(JSON_TOP, e, "schemaVersion is not 2");
	else if (index || manifest)
		*ret = index ? OCI_MEDIA_INDEX : OCI_MEDIA_MANIFEST;
	else
		return json_err(JSON_TOP, e, "neither an index nor a manifest: there are no manifests and no layers");
	return 0;
}

static int check_type(const char *media_type, const char *whence, enum oci_media shape, struct err *e)
{
	enum oci_media kind = oci_media_kind(media_type);

	if (kind == shape)
		return 0;
	if (kind == OCI_MEDIA_UNKNOWN)
		return err_set(e, ENOTSUP, "unknown media type %s of a manifest", q(media_type));
	return err_set(e, EINVAL, "%s %s does not fit what the document holds", whence, q(media_type));
}

int oci_document_kind(const char *media_type, const char *data, size_t len, enum oci_media *ret, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(data, len, OCI_DOCUMENT_MAX, e);
	enum oci_media shape = OCI_MEDIA_UNKNOWN;
	const cJSON *own;
	int r;

	if (!j)
		return -EINVAL;
	r = json_is_object(j, JSON_TOP, e);
	if (r == 0)
		r = check_case(j, e);
	if (r == 0)
		r = shape_of(j, &shape, e);
	if (r < 0)
		return r;
	if (shape == OCI_MEDIA_SCHEMA1 || (media_type && oci_media_kind(media_type) == OCI_MEDIA_SCHEMA1))
		return err_set(e, ENOTSUP, "docker's first format of manifests (schema 1) is not supported");
	own = json_get(j, "mediaType");
	if (own && !cJSON_IsNull(own)) {
		const char *text;

		r = json_str(own, &(struct json_at) {.key = "mediaType"}, &text, e);
		if (r == 0)
			r = check_type(text, "mediaType", shape, e);
	}
	if (r == 0 && media_type && !is_generic(media_type))
		r = check_type(media_type, "the media type", shape, e);
	if (r == 0)
		*ret = shape;
	return r;
}
