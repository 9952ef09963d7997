/* A pod manifest's other life: written as JSON, freed. */
#include "spec/app_port.h"
#include "spec/pod_manifest.h"
#include "spec/volume.h"

#define AC_VERSION "0.8.11"

static cJSON *encode_image(const struct runtime_app *a)
{
	cJSON *o = cJSON_CreateObject();

	if (a->image_name)
		cJSON_AddStringToObject(o, "name", a->image_name);
	cJSON_AddStringToObject(o, "id", a->image_id);
	if (a->image_labels.n)
		cJSON_AddItemToObject(o, "labels", nameval_encode_list(&a->image_labels));
	return o;
}

static cJSON *encode_mounts(const struct runtime_app *a)
{
	cJSON *v = cJSON_CreateArray();

	for (size_t i = 0; i < a->n_mounts; i++) {
		const struct pod_mount *m = &a->mounts[i];
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "volume", m->volume ? m->volume : m->app_volume->name);
		cJSON_AddStringToObject(o, "path", m->path);
		if (m->app_volume)
			cJSON_AddItemToObject(o, "appVolume", volume_encode(m->app_volume));
		cJSON_AddItemToArray(v, o);
	}
	return v;
}

static cJSON *encode_app(const struct runtime_app *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", a->name);
	cJSON_AddItemToObject(o, "image", encode_image(a));
	if (a->app)
		cJSON_AddItemToObject(o, "app", app_encode(a->app));
	if (a->read_only_root)
		cJSON_AddBoolToObject(o, "readOnlyRootFS", true);
	if (a->n_mounts)
		cJSON_AddItemToObject(o, "mounts", encode_mounts(a));
	if (a->annotations.n)
		cJSON_AddItemToObject(o, "annotations", nameval_encode_list(&a->annotations));
	return o;
}

/* A podPort that was set by number alone still has to be a whole object. */
static cJSON *encode_pod_port(const struct pod_port *p)
{
	char protocol[] = "tcp";
	struct app_port port = {.name = p->name, .protocol = protocol, .port = p->pod_port, .count = 1};

	return app_port_encode(p->port ? p->port : &port);
}

static cJSON *encode_port(const struct pod_port *p)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", p->name);
	cJSON_AddNumberToObject(o, "hostPort", (double) p->host_port);
	if (p->host_ip)
		cJSON_AddStringToObject(o, "hostIP", p->host_ip);
	if (p->port || p->pod_port > 0)
		cJSON_AddItemToObject(o, "podPort", encode_pod_port(p));
	return o;
}

static void encode_lists(const struct pod_manifest *m, cJSON *o)
{
	cJSON *v = cJSON_AddArrayToObject(o, "apps");

	for (size_t i = 0; i < m->n_apps; i++)
		cJSON_AddItemToArray(v, encode_app(&m->apps[i]));
	if (m->n_volumes) {
		v = cJSON_AddArrayToObject(o, "volumes");
		for (size_t i = 0; i < m->n_volumes; i++)
			cJSON_AddItemToArray(v, volume_encode(&m->volumes[i]));
	}
	if (m->n_ports) {
		v = cJSON_AddArrayToObject(o, "ports");
		for (size_t i = 0; i < m->n_ports; i++)
			cJSON_AddItemToArray(v, encode_port(&m->ports[i]));
	}
}

cJSON *pod_manifest_encode(const struct pod_manifest *m)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "acVersion", m->ac_version ? m->ac_version : AC_VERSION);
	cJSON_AddStringToObject(o, "acKind", "PodManifest");
	encode_lists(m, o);
	if (m->isolators.n)
		cJSON_AddItemToObject(o, "isolators", isolators_encode(&m->isolators));
	if (m->annotations.n)
		cJSON_AddItemToObject(o, "annotations", nameval_encode_list(&m->annotations));
	if (m->user_annotations.n)
		cJSON_AddItemToObject(o, "userAnnotations", nameval_encode_map(&m->user_annotations));
	if (m->user_labels.n)
		cJSON_AddItemToObject(o, "userLabels", nameval_encode_map(&m->user_labels));
	return o;
}

static void runtime_app_done(struct runtime_app *a)
{
	free(a->name);
	free(a->image_id);
	free(a->image_name);
	nameval_done(&a->image_labels);
	app_free(a->app);
	for (size_t i = 0; i < a->n_mounts; i++) {
		free(a->mounts[i].volume);
		free(a->mounts[i].path);
		if (a->mounts[i].app_volume)
			volume_done(a->mounts[i].app_volume);
		free(a->mounts[i].app_volume);
	}
	free(a->mounts);
	nameval_done(&a->annotations);
}

void pod_port_done(struct pod_port *p)
{
	free(p->name);
	free(p->host_ip);
	if (p->port)
		app_port_done(p->port);
	free(p->port);
}

void pod_manifest_free(struct pod_manifest *m)
{
	if (!m)
		return;
	free(m->ac_version);
	for (size_t i = 0; i < m->n_apps; i++)
		runtime_app_done(&m->apps[i]);
	free(m->apps);
	for (size_t i = 0; i < m->n_volumes; i++)
		volume_done(&m->volumes[i]);
	free(m->volumes);
	isolators_done(&m->isolators);
	nameval_done(&m->annotations);
	nameval_done(&m->user_annotations);
	nameval_done(&m->user_labels);
	for (size_t i = 0; i < m->n_ports; i++)
		pod_port_done(&m->ports[i]);
	free(m->ports);
	free(m);
}
