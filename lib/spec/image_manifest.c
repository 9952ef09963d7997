#include "spec/image_manifest.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/image_id.h"

static int decode_dependency(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
#define AT(member) .offset = offsetof(struct dependency, member)
	static const struct json_field fields[] = {
		{.key = "imageName",
		 .type = JSON_F_STRING,
		 AT(image_name),
		 .required = true,
		 .check = ac_identifier_check},
		{.key = "imageID", .type = JSON_F_STRING, AT(image_id), .check = image_id_check},
		{.key = "labels", .type = JSON_F_CALL, AT(labels), .decode = labels_decode},
		{.key = "size", .type = JSON_F_I64, AT(size), .max = (int64_t) 1 << 53},
	};
#undef AT
	struct image_manifest *m = arg;
	struct dependency *d;

	m->dependencies = xgrow(m->dependencies, m->n_dependencies, sizeof *m->dependencies);
	d = &m->dependencies[m->n_dependencies++];
	*d = (struct dependency) {.size = -1};
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, d, e);
}

static int decode_dependencies(const cJSON *j, const struct json_at *at, void *manifest, struct err *e)
{
	return json_each(j, at, decode_dependency, manifest, e);
}

/* acKind is a constant: checked, not kept. */
static int decode_kind(const cJSON *j, const struct json_at *at, void *field _unused_, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return strcmp(s, "ImageManifest") ? json_err(at, e, "%s: not \"ImageManifest\"", q(s)) : 0;
}

#define AT(member) .offset = offsetof(struct image_manifest, member)

static const struct json_field manifest_fields[] = {
	{.key = "acKind", .type = JSON_F_CALL, .required = true, .decode = decode_kind},
	{.key = "acVersion", .type = JSON_F_STRING, AT(ac_version), .required = true, .check = ac_version_check},
	{.key = "name", .type = JSON_F_STRING, AT(name), .required = true, .check = ac_identifier_check},
	{.key = "labels", .type = JSON_F_CALL, AT(labels), .decode = labels_decode},
	{.key = "app", .type = JSON_F_CALL, AT(app), .decode = app_decode},
	{.key = "dependencies", .type = JSON_F_CALL, .decode = decode_dependencies},
	{.key = "pathWhitelist", .type = JSON_F_STRV, AT(path_whitelist), .check = ac_absolute_path_check},
	{.key = "annotations", .type = JSON_F_CALL, AT(annotations), .decode = annotations_decode},
};

struct image_manifest *image_manifest_parse(const char *text, size_t len, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = xcalloc(1, sizeof *m);
	_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, e);

	if (!j || json_decode(j, JSON_TOP, manifest_fields, ELEMENTSOF(manifest_fields), JSON_REFUSE_UNKNOWN, m,
			      e) < 0) {
		err_ctx(e, e ? -e->code : 0, "image manifest");
		return NULL;
	}
	return take_ptr(m);
}

void image_manifest_free(struct image_manifest *m)
{
	if (!m)
		return;
	free(m->ac_version);
	free(m->name);
	nameval_done(&m->labels);
	nameval_done(&m->annotations);
	app_free(m->app);
	for (size_t i = 0; i < m->n_dependencies; i++) {
		free(m->dependencies[i].image_name);
		free(m->dependencies[i].image_id);
		nameval_done(&m->dependencies[i].labels);
	}
	free(m->dependencies);
	strv_free(m->path_whitelist);
	free(m);
}
