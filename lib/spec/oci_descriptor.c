/* Descriptors: what a blob is, how large, and its digest. */
#include <stddef.h>

#include "base/json_check.h"
#include "base/str.h"
#include "spec/oci_internal.h"

#define SIZE_MAX_VALUE ((int64_t) 1 << 53)

int oci_descriptor_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
#define AT(member) .offset = offsetof(struct oci_descriptor, member)
	/* "urls" and "data" are not looked at: bytes come from where the document came from (CVE-2020-15157). */
	static const struct json_field fields[] = {
		{.key = "mediaType", .type = JSON_F_STRING, AT(media_type), .required = true,
		 .check = json_check_not_empty},
		{.key = "digest", .type = JSON_F_STRING, AT(digest), .required = true, .check = oci_digest_check},
		{.key = "size", .type = JSON_F_I64, AT(size), .required = true, .max = SIZE_MAX_VALUE},
		{.key = "platform", .type = JSON_F_CALL, AT(platform), .decode = oci_platform_decode},
		{.key = "annotations", .type = JSON_F_CALL, AT(annotations), .decode = string_map_decode},
		{.key = "artifactType", .type = JSON_F_STRING, AT(artifact_type)},
	};
#undef AT

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, field, e);
}

int oci_descriptors_decode(const cJSON *j, const struct json_at *at, size_t max, struct oci_descriptor **ret,
			   size_t *ret_n, struct err *e)
{
	int r = json_is_array(j, at, e);
	size_t n, i = 0;

	if (r < 0)
		return r;
	n = (size_t) cJSON_GetArraySize(j);
	if (n > max)
		return json_err(at, e, "more than %zu", max);
	*ret = xcalloc(n ? n : 1, sizeof **ret);
	*ret_n = n;
	for (const cJSON *c = j->child; c && r == 0; c = c->next, i++)
		r = oci_descriptor_decode(c, &(struct json_at) {.up = at, .index = i}, &(*ret)[i], e);
	return r;
}

void oci_descriptor_done(struct oci_descriptor *d)
{
	free(d->media_type);
	free(d->digest);
	free(d->artifact_type);
	oci_platform_done(&d->platform);
	nameval_done(&d->annotations);
	*d = (struct oci_descriptor) {0};
}
