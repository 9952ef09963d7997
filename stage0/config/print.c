/*
 * Everything that is configured, merged, as rkt prints it: one entry for each host and registry.
 */
#include "stage0/config/internal.h"
#include "stage0/config/print.h"

#define HIDDEN "(hidden)"

static cJSON *new_entry(cJSON *list, const char *kind)
{
	cJSON *entry = cJSON_CreateObject();

	(void) cJSON_AddStringToObject(entry, "rktVersion", "v1");
	(void) cJSON_AddStringToObject(entry, "rktKind", kind);
	(void) cJSON_AddItemToArray(list, entry);
	return entry;
}

static void add_names(cJSON *entry, const char *key, const char *name)
{
	cJSON *names = cJSON_AddArrayToObject(entry, key);

	(void) cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

static void add_secret(cJSON *to, const char *key, const char *value, bool show)
{
	(void) cJSON_AddStringToObject(to, key, show ? value : HIDDEN);
}

static void add_word(cJSON *to, const char *key, const char *value)
{
	if (value)
		(void) cJSON_AddStringToObject(to, key, value);
}

static void add_auth(cJSON *list, const struct auth *a, bool show)
{
	static const char *const types[] = {
		[AUTH_BASIC] = "basic",
		[AUTH_OAUTH] = "oauth",
		[AUTH_AWS] = "aws",
	};
	cJSON *entry = new_entry(list, "auth"), *c;

	add_names(entry, "domains", a->domain);
	add_word(entry, "type", types[a->type]);
	c = cJSON_AddObjectToObject(entry, "credentials");
	switch (a->type) {
	case AUTH_BASIC:
		add_word(c, "user", a->user);
		add_secret(c, "password", a->password, show);
		break;
	case AUTH_OAUTH:
		add_secret(c, "token", a->token, show);
		break;
	case AUTH_AWS:
		add_word(c, "accessKeyID", a->access_key_id);
		add_secret(c, "secretAccessKey", a->secret_key, show);
		add_word(c, "awsRegion", a->region);
		break;
	}
}

static void add_docker(cJSON *list, const struct docker_auth *a, bool show)
{
	cJSON *entry = new_entry(list, "dockerAuth"), *c;

	add_names(entry, "registries", a->registry);
	c = cJSON_AddObjectToObject(entry, "credentials");
	add_word(c, "user", a->user);
	add_secret(c, "password", a->password, show);
}

static void add_paths(cJSON *list, const struct config_paths *p)
{
	cJSON *entry;

	if (!p->data && !p->stage1_images)
		return;
	entry = new_entry(list, "paths");
	add_word(entry, "data", p->data);
	add_word(entry, "stage1-images", p->stage1_images);
}

static void add_stage1(cJSON *list, const struct config_stage1 *s)
{
	cJSON *entry;

	if (!s->name && !s->location)
		return;
	entry = new_entry(list, "stage1");
	add_word(entry, "name", s->name);
	add_word(entry, "version", s->version);
	add_word(entry, "location", s->location);
}

static void add_registry(cJSON *list, const struct registry_conf *c)
{
	cJSON *entry = new_entry(list, "registries"), *mirrors;

	add_word(entry, "registry", c->registry);
	if (c->is_default)
		(void) cJSON_AddTrueToObject(entry, "default");
	mirrors = strv_len(c->mirrors) ? cJSON_AddArrayToObject(entry, "mirrors") : NULL;
	for (size_t i = 0; mirrors && c->mirrors[i]; i++)
		(void) cJSON_AddItemToArray(mirrors, cJSON_CreateString(c->mirrors[i]));
	if (c->insecure)
		(void) cJSON_AddTrueToObject(entry, "insecure");
	add_word(entry, "ca", c->ca);
}

cJSON *config_print(const struct gantry *g, bool show, struct err *e)
{
	_cleanup_auth_ struct auth_list auth = AUTH_LIST_INIT;
	_cleanup_docker_auth_ struct docker_auth_list docker = DOCKER_AUTH_LIST_INIT;
	_cleanup_config_paths_ struct config_paths paths = CONFIG_PATHS_INIT;
	_cleanup_config_stage1_ struct config_stage1 stage1 = CONFIG_STAGE1_INIT;
	_cleanup_registry_confs_ struct registry_conf_list registries = REGISTRY_CONF_LIST_INIT;
	cJSON *all, *list;
	int r = config_load_auth(g, &auth, e);

	if (r == 0)
		r = config_load_docker_auth(g, &docker, e);
	if (r == 0)
		r = config_load_paths(g, &paths, e);
	if (r == 0)
		r = config_load_stage1(g, &stage1, e);
	if (r == 0)
		r = config_load_registries(g, &registries, e);
	if (r < 0)
		return NULL;
	all = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(all, "stage0");
	for (size_t i = 0; i < auth.n; i++)
		add_auth(list, &auth.v[i], show);
	for (size_t i = 0; i < docker.n; i++)
		add_docker(list, &docker.v[i], show);
	add_paths(list, &paths);
	add_stage1(list, &stage1);
	for (size_t i = 0; i < registries.n; i++)
		add_registry(list, &registries.v[i]);
	return all;
}
