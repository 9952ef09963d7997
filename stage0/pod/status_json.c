/*
 * Pods as JSON, with the member names of rkt. Empty members are left out, as Go's omitempty does.
 * Every key is a literal, which is not copied: lists are long.
 */
#include <string.h>

#include "stage0/pod/status.h"

static void add_string(cJSON *o, const char *key, const char *value)
{
	if (value && *value)
		cJSON_AddItemToObjectCS(o, key, cJSON_CreateString(value));
}

static void add_int(cJSON *o, const char *key, int64_t value)
{
	char text[24];

	(void) snprintf(text, sizeof text, "%lld", (long long) value);
	if (value)
		cJSON_AddItemToObjectCS(o, key, cJSON_CreateRaw(text));
}

static void add_map(cJSON *o, const char *key, const struct nameval_list *l)
{
	if (l->n)
		cJSON_AddItemToObjectCS(o, key, nameval_encode_map(l));
}

static cJSON *mounts_json(const struct pod_status *s, const struct runtime_app *ra)
{
	cJSON *mounts = cJSON_CreateArray();

	for (size_t i = 0; i < ra->n_mounts; i++) {
		const struct pod_mount *m = &ra->mounts[i];
		const struct volume *v =
			m->app_volume ? m->app_volume : pod_manifest_volume(s->manifest, m->volume);
		cJSON *o = cJSON_CreateObject();

		add_string(o, "name", m->volume);
		add_string(o, "container_path", m->path);
		/* Both even when they say nothing: rkt leaves no member of a mount out. */
		cJSON_AddStringToObject(o, "host_path", v && v->source ? v->source : "");
		cJSON_AddBoolToObject(o, "read_only", v && v->read_only);
		cJSON_AddItemToArray(mounts, o);
	}
	return mounts;
}

static cJSON *app_json(const struct pod_status *s, const struct app_status *a)
{
	static const char *const states[] = {"unknown", "created", "running", "exited"};
	cJSON *o = cJSON_CreateObject();

	add_string(o, "name", a->app->name);
	add_string(o, "state", states[a->state]);
	add_int(o, "created_at", a->created_ns);
	add_int(o, "started_at", a->started_ns);
	add_int(o, "finished_at", a->finished_ns);
	if (a->exit_code >= 0)
		cJSON_AddNumberToObject(o, "exit_code", a->exit_code);
	if (a->health) {
		if (strcmp(a->health, "none"))
			add_string(o, "health", a->health);
		cJSON_AddBoolToObject(o, "ready", a->ready);
		cJSON_AddNumberToObject(o, "restarts", (double) a->restarts);
	}
	add_string(o, "image_id", a->app->image_id);
	if (a->app->n_mounts)
		cJSON_AddItemToObjectCS(o, "mounts", mounts_json(s, a->app));
	if (a->app->app) {
		add_map(o, "user_annotations", &a->app->app->user_annotations);
		add_map(o, "user_labels", &a->app->app->user_labels);
	}
	return o;
}

cJSON *pod_status_json(const struct pod *p, const struct pod_status *s)
{
	cJSON *o = cJSON_CreateObject();

	add_string(o, "name", p->uuid);
	add_string(o, "pod_name", s->name);
	add_string(o, "state", pod_state_name(p->state));
	if (cJSON_IsArray(s->net_info) && s->net_info->child)
		cJSON_AddItemToObjectCS(o, "networks", cJSON_Duplicate(s->net_info, true));
	if (s->n_apps) {
		cJSON *names = cJSON_CreateArray(), *apps = cJSON_CreateArray();

		for (size_t i = 0; i < s->n_apps; i++) {
			cJSON_AddItemToArray(names, cJSON_CreateString(s->apps[i].app->name));
			cJSON_AddItemToArray(apps, app_json(s, &s->apps[i]));
		}
		cJSON_AddItemToObjectCS(o, "app_names", names);
		cJSON_AddItemToObjectCS(o, "apps", apps);
	}
	add_int(o, "created_at", s->created_ns / 1000000000);
	add_int(o, "started_at", s->started_ns / 1000000000);
	if (s->manifest) {
		add_map(o, "user_annotations", &s->manifest->user_annotations);
		add_map(o, "user_labels", &s->manifest->user_labels);
	}
	return o;
}
