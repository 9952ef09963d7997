/* Image manifests: one configuration, and layers. */
#include <errno.h>
#include <stddef.h>

#include "base/str.h"
#include "spec/oci_internal.h"

static int decode_layers(const cJSON *j, const struct json_at *at, void *manifest, struct err *e)
{
	struct oci_manifest *m = manifest;

	return oci_descriptors_decode(j, at, OCI_LAYERS_MAX, &m->layers, &m->n_layers, e);
}

static int decode_subject(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct oci_descriptor d = {0};
	int r = oci_descriptor_decode(j, at, &d, e);

	if (r == 0)
		*(char **) field = take_ptr(d.digest);
	oci_descriptor_done(&d);
	return r;
}

#define AT(member) .offset = offsetof(struct oci_manifest, member)

static const struct json_field manifest_fields[] = {
	{.key = "mediaType", .type = JSON_F_STRING, AT(media_type)},
	{.key = "artifactType", .type = JSON_F_STRING, AT(artifact_type)},
	{.key = "config", .type = JSON_F_CALL, AT(config), .required = true, .decode = oci_descriptor_decode},
	{.key = "layers", .type = JSON_F_CALL, .required = true, .decode = decode_layers},
	{.key = "annotations", .type = JSON_F_CALL, AT(annotations), .decode = string_map_decode},
	{.key = "subject", .type = JSON_F_CALL, AT(subject), .decode = decode_subject},
};

struct oci_manifest *oci_manifest_parse(const char *data, size_t len, struct err *e)
{
	_cleanup_oci_manifest_ struct oci_manifest *m = xcalloc(1, sizeof *m);
	_cleanup_json_ cJSON *j = json_parse(data, len, OCI_DOCUMENT_MAX, e);

	if (!j || json_decode(j, JSON_TOP, manifest_fields, ELEMENTSOF(manifest_fields), JSON_ALLOW_UNKNOWN, m,
			      e) < 0) {
		err_ctx(e, e ? -e->code : 0, "image manifest");
		return NULL;
	}
	return take_ptr(m);
}

int oci_manifest_check_image(const struct oci_manifest *m, struct err *e)
{
	if (oci_media_kind(m->config.media_type) != OCI_MEDIA_CONFIG)
		return err_set(e, ENOTSUP, "an artifact of type %s, and no image",
			       q(m->artifact_type ? m->artifact_type : m->config.media_type));
	for (size_t i = 0; i < m->n_layers; i++)
		if (oci_media_kind(m->layers[i].media_type) != OCI_MEDIA_LAYER)
			return err_set(e, ENOTSUP, "layer %zu is no tar archive: unknown media type %s", i + 1,
				       q(m->layers[i].media_type));
	if (!m->n_layers)
		return err_set(e, EINVAL, "the image has no layers");
	return 0;
}

void oci_manifest_free(struct oci_manifest *m)
{
	if (!m)
		return;
	free(m->media_type);
	free(m->artifact_type);
	oci_descriptor_done(&m->config);
	for (size_t i = 0; i < m->n_layers; i++)
		oci_descriptor_done(&m->layers[i]);
	free(m->layers);
	nameval_done(&m->annotations);
	free(m->subject);
	free(m);
}
