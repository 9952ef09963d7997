/* Indexes, and docker's manifest lists. */
#include <errno.h>
#include <stddef.h>

#include "spec/oci_internal.h"

static int decode_manifests(const cJSON *j, const struct json_at *at, void *index, struct err *e)
{
	struct oci_index *x = index;

	/* The document's size is the bound. */
	return oci_descriptors_decode(j, at, OCI_DOCUMENT_MAX, &x->manifests, &x->n_manifests, e);
}

struct oci_index *oci_index_parse(const char *data, size_t len, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "manifests", .type = JSON_F_CALL, .required = true, .decode = decode_manifests},
	};
	_cleanup_oci_index_ struct oci_index *x = xcalloc(1, sizeof *x);
	_cleanup_json_ cJSON *j = json_parse(data, len, OCI_DOCUMENT_MAX, e);

	if (!j || json_decode(j, JSON_TOP, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, x, e) < 0) {
		err_ctx(e, e ? -e->code : 0, "image index");
		return NULL;
	}
	return take_ptr(x);
}

void oci_index_free(struct oci_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n_manifests; i++)
		oci_descriptor_done(&x->manifests[i]);
	free(x->manifests);
	free(x);
}
