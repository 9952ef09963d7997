#include "spec/pod_manifest.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/app_port.h"
#include "spec/image_id.h"
#include "spec/unique.h"
#include "spec/volume.h"

/* --- apps ------------------------------------------------------------------------------------- */

static int decode_app_volume(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct volume **ret = field, v;
	int r = volume_decode(j, at, &v, e);

	if (r < 0)
		return r;
	*ret = xmemdup(&v, sizeof v);
	return 0;
}

#define AT(member) .offset = offsetof(struct pod_mount, member)

static int decode_mount(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "volume", .type = JSON_F_STRING, AT(volume), .required = true, .check = ac_name_check},
		{.key = "path",
		 .type = JSON_F_STRING,
		 AT(path),
		 .required = true,
		 .check = ac_absolute_path_check},
		{.key = "appVolume", .type = JSON_F_CALL, AT(app_volume), .decode = decode_app_volume},
	};
	struct runtime_app *a = arg;
	struct pod_mount *m;
	int r;

	a->mounts = xgrow(a->mounts, a->n_mounts, sizeof *a->mounts);
	m = &a->mounts[a->n_mounts++];
	*m = (struct pod_mount) {0};
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, m, e);
	if (r < 0)
		return r;
	if (m->app_volume) {
		/* appc "pods": it overrides the look-up by name. */
		free(m->volume);
		m->volume = xstrdup(m->app_volume->name);
	}
	return 0;
}

#undef AT
#define AT(member) .offset = offsetof(struct runtime_app, member)

static int decode_mounts(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	return json_each(j, at, decode_mount, app, e);
}

/* The object "image" has its fields in the app's struct. */
static int decode_image(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "id", .type = JSON_F_STRING, AT(image_id), .required = true, .check = image_id_check},
		{.key = "name", .type = JSON_F_STRING, AT(image_name), .check = ac_identifier_check},
		{.key = "labels", .type = JSON_F_CALL, AT(image_labels), .decode = labels_decode},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, app, e);
}

static int decode_runtime_app(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, AT(name), .required = true, .check = ac_name_check},
		{.key = "image", .type = JSON_F_CALL, .required = true, .decode = decode_image},
		{.key = "app", .type = JSON_F_CALL, AT(app), .decode = app_decode},
		{.key = "readOnlyRootFS", .type = JSON_F_BOOL, AT(read_only_root)},
		{.key = "mounts", .type = JSON_F_CALL, .decode = decode_mounts},
		{.key = "annotations", .type = JSON_F_CALL, AT(annotations), .decode = annotations_decode},
	};
	struct pod_manifest *m = arg;
	struct runtime_app *a;

	m->apps = xgrow(m->apps, m->n_apps, sizeof *m->apps);
	a = &m->apps[m->n_apps++];
	*a = (struct runtime_app) {0};
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, a, e);
}

static int decode_apps(const cJSON *j, const struct json_at *at, void *manifest, struct err *e)
{
	struct pod_manifest *m = manifest;
	int r = json_each(j, at, decode_runtime_app, m, e);

	if (r < 0)
		return r;
	if (!m->n_apps)
		return json_err(at, e, "pod must contain at least one application");
	return unique_members(j, at, "name", e);
}

/* --- volumes and ports ------------------------------------------------------------------------ */

static int decode_volume(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct pod_manifest *m = arg;
	int r;

	m->volumes = xgrow(m->volumes, m->n_volumes, sizeof *m->volumes);
	r = volume_decode(j, at, &m->volumes[m->n_volumes], e);
	if (r < 0)
		return r;
	m->n_volumes++;
	return 0;
}

static int decode_volumes(const cJSON *j, const struct json_at *at, void *manifest, struct err *e)
{
	int r = json_each(j, at, decode_volume, manifest, e);

	return r < 0 ? r : unique_members(j, at, "name", e);
}

static const char *check_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1 ? NULL : "not an IPv4 address";
}

static int decode_pod_port(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct app_port **ret = field;

	*ret = xcalloc(1, sizeof **ret);
	return app_port_decode(j, at, *ret, e);
}

#undef AT
#define AT(member) .offset = offsetof(struct pod_port, member)

static int decode_port(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, AT(name), .required = true, .check = ac_name_check},
		{.key = "hostPort", .type = JSON_F_I64, AT(host_port), .required = true, .min = 1, .max = 65535},
		{.key = "hostIP", .type = JSON_F_STRING, AT(host_ip), .check = check_ipv4},
		{.key = "podPort", .type = JSON_F_CALL, AT(port), .decode = decode_pod_port},
	};
	struct pod_manifest *m = arg;
	struct pod_port *p;
	int r;

	m->ports = xgrow(m->ports, m->n_ports, sizeof *m->ports);
	p = &m->ports[m->n_ports++];
	*p = (struct pod_port) {.pod_port = -1};
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, p, e);
	if (r >= 0 && p->port)
		p->pod_port = p->port->port;
	return r;
}

static int decode_ports(const cJSON *j, const struct json_at *at, void *manifest, struct err *e)
{
	return json_each(j, at, decode_port, manifest, e);
}

/* --- the manifest ----------------------------------------------------------------------------- */

/* acKind is a constant: checked, not kept. */
static int decode_kind(const cJSON *j, const struct json_at *at, void *field _unused_, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	return strcmp(s, "PodManifest") ? json_err(at, e, "%s: not \"PodManifest\"", q(s)) : 0;
}

#undef AT
#define AT(member) .offset = offsetof(struct pod_manifest, member)

static const struct json_field manifest_fields[] = {
	{.key = "acKind", .type = JSON_F_CALL, .required = true, .decode = decode_kind},
	{.key = "acVersion", .type = JSON_F_STRING, AT(ac_version), .required = true, .check = ac_version_check},
	{.key = "apps", .type = JSON_F_CALL, .required = true, .decode = decode_apps},
	{.key = "volumes", .type = JSON_F_CALL, .decode = decode_volumes},
	{.key = "isolators", .type = JSON_F_CALL, AT(isolators), .decode = isolators_decode_pod},
	{.key = "annotations", .type = JSON_F_CALL, AT(annotations), .decode = annotations_decode},
	{.key = "ports", .type = JSON_F_CALL, .decode = decode_ports},
	{.key = "userAnnotations", .type = JSON_F_CALL, AT(user_annotations), .decode = string_map_decode},
	{.key = "userLabels", .type = JSON_F_CALL, AT(user_labels), .decode = string_map_decode},
};

/* What a table cannot say: mounts name volumes that stand elsewhere. */
static int check_mounts(const struct pod_manifest *m, struct err *e)
{
	struct json_at apps = {.key = "apps"};

	for (size_t i = 0; i < m->n_apps; i++) {
		struct json_at app = {.up = &apps, .index = i};
		struct json_at mounts = {.up = &app, .key = "mounts"};

		for (size_t k = 0; k < m->apps[i].n_mounts; k++) {
			const struct pod_mount *mount = &m->apps[i].mounts[k];
			struct json_at element = {.up = &mounts, .index = k};
			struct json_at here = {.up = &element, .key = "volume"};

			if (!mount->app_volume && !pod_manifest_volume(m, mount->volume))
				return json_err(&here, e, "no volume named %s", q(mount->volume));
		}
	}
	return 0;
}

struct pod_manifest *pod_manifest_parse(const char *text, size_t len, struct err *e)
{
	_cleanup_pod_manifest_ struct pod_manifest *m = xcalloc(1, sizeof *m);
	_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, e);

	if (!j ||
	    json_decode(j, JSON_TOP, manifest_fields, ELEMENTSOF(manifest_fields), JSON_REFUSE_UNKNOWN, m, e) < 0 ||
	    check_mounts(m, e) < 0) {
		err_ctx(e, e ? -e->code : 0, "pod manifest");
		return NULL;
	}
	return take_ptr(m);
}

const struct volume *pod_manifest_volume(const struct pod_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n_volumes; i++)
		if (!strcmp(m->volumes[i].name, name))
			return &m->volumes[i];
	return NULL;
}

const struct runtime_app *pod_manifest_app(const struct pod_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n_apps; i++)
		if (!strcmp(m->apps[i].name, name))
			return &m->apps[i];
	return NULL;
}
