#include "stage1/net/attachment.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage1/net/cached.h"
#include "stage1/net/pin.h"
#include "stage1/net/plugin.h"

void attachment_done(struct attachment *a)
{
	cni_network_done(&a->network);
	free(a->ifname);
	free(a->args);
	free(a->netns);
	free(a->pin);
	strv_free(a->path);
	cJSON_Delete(a->result);
	cJSON_Delete(a->caps);
	*a = (struct attachment) {0};
}

static void forget(const struct attachment *a, int pod_fd, const char *uuid)
{
	_cleanup_free_ char *record = cached_name(a, uuid);

	cached_forget(record, pod_fd);
}

static void set(cJSON *o, const char *key, cJSON *value)
{
	if (json_get(o, key))
		cJSON_ReplaceItemInObjectCaseSensitive(o, key, value);
	else
		cJSON_AddItemToObject(o, key, value);
}

/* Of the arguments that there are, those that the plugin says it takes. */
static void add_capabilities(const struct attachment *a, const cJSON *plugin, cJSON *conf)
{
	const cJSON *takes = json_get(plugin, "capabilities");
	cJSON *config = NULL;

	for (const cJSON *c = a->caps ? a->caps->child : NULL; c; c = c->next) {
		if (!cJSON_IsTrue(json_get(takes, c->string)))
			continue;
		if (!config)
			config = cJSON_AddObjectToObject(conf, "runtimeConfig");
		cJSON_AddItemToObject(config, c->string, cJSON_Duplicate(c, true));
	}
}

/*
 * What one plugin gets on its input: its own object, name and version overwritten, the result so
 * far.
 */
static cJSON *plugin_conf(const struct attachment *a, const cJSON *plugin, const cJSON *prev)
{
	cJSON *conf = cJSON_Duplicate(plugin, true);

	set(conf, "cniVersion", cJSON_CreateString(a->network.version));
	set(conf, "name", cJSON_CreateString(a->network.name));
	cJSON_DeleteItemFromObjectCaseSensitive(conf, "runtimeConfig");
	cJSON_DeleteItemFromObjectCaseSensitive(conf, "prevResult");
	add_capabilities(a, plugin, conf);
	if (prev)
		set(conf, "prevResult", cJSON_Duplicate(prev, true));
	return conf;
}

static struct cni_call call_of(const struct attachment *a, const char *command, const char *uuid,
			       const char *netns)
{
	return (struct cni_call) {.command = command,
				  .container_id = uuid,
				  .netns = netns,
				  .ifname = a->ifname,
				  .args = a->args,
				  .path = a->path};
}

static int run_plugin(const struct attachment *a, const struct cni_call *call, const cJSON *plugin,
		      const cJSON *prev, cJSON **ret, struct err *e)
{
	_cleanup_json_ cJSON *conf = plugin_conf(a, plugin, prev);

	return cni_plugin_run(call, json_get_str(plugin, "type"), conf, ret, e);
}

static int add_chain(struct attachment *a, const char *uuid, struct err *e)
{
	struct cni_call call = call_of(a, "ADD", uuid, a->netns);

	for (const cJSON *p = json_get(a->network.list, "plugins")->child; p; p = p->next) {
		cJSON *result;
		int r = run_plugin(a, &call, p, a->result, &result, e);

		if (r < 0)
			return r;
		/*
		 * A result that does not say is of the configuration's version; the next plugin has
		 * to know.
		 */
		if (!json_get(result, "cniVersion"))
			cJSON_AddStringToObject(result, "cniVersion", a->network.version);
		cJSON_Delete(a->result);
		a->result = result;
	}
	return 0;
}

/* Plugins that are not ours get a namespace that stays; recorded before it is mounted. */
static int begin_add(struct attachment *a, int pod_fd, const char *uuid, struct err *e)
{
	_cleanup_free_ char *netns = NULL;
	int r;

	if (net_pin_wanted(a->network.list, a->path, a->netns)) {
		netns = a->netns;
		a->pin = net_pin_name(uuid, a->index);
		a->netns = xstrdup(a->pin);
	}
	r = cached_write(a, pod_fd, uuid, e);
	return r < 0 || !netns ? r : net_pin_make(a->pin, netns, e);
}

int attachment_add(struct attachment *a, int pod_fd, const char *uuid, struct err *e)
{
	int r = begin_add(a, pod_fd, uuid, e);

	if (r < 0) {
		/* No plugin has run. */
		if (!a->pin || net_pin_remove(a->pin, NULL) == 0)
			forget(a, pod_fd, uuid);
		return err_ctx(e, r, "failed to setup network %s", q(a->network.name));
	}
	r = add_chain(a, uuid, e);
	if (r == 0)
		r = cached_write(a, pod_fd, uuid, e);
	if (r == 0)
		return 0;
	/*
	 * The specification leaves the clean-up of a failed ADD to the runtime; if that fails too,
	 * gc tries again.
	 */
	cJSON_Delete(a->result);
	a->result = NULL;
	(void) attachment_del(a, pod_fd, uuid, a->netns, NULL);
	return err_ctx(e, r, "failed to setup network %s", q(a->network.name));
}

/*
 * The last plugin first; the first failure stops, since a later plugin may build on an earlier
 * one's work.
 */
static int del_chain(const struct attachment *a, const char *uuid, const char *netns, struct err *e)
{
	const cJSON *plugins = json_get(a->network.list, "plugins");
	const cJSON *prev = cni_version_cmp(a->network.version, "0.4.0") >= 0 ? a->result : NULL;
	struct cni_call call = call_of(a, "DEL", uuid, netns);
	_cleanup_free_ char *args = NULL;

	/*
	 * The pod's namespace ends right after this and takes its links along: our plugins need not
	 * wait for the kernel to remove them (30 ms); others are told not to mind the word.
	 */
	if (*netns) {
		args = xasprintf("%s%sIgnoreUnknown=1;NetnsEnding=1", a->args, *a->args ? ";" : "");
		call.args = args;
	}
	for (int i = cJSON_GetArraySize(plugins) - 1; i >= 0; i--) {
		int r = run_plugin(a, &call, cJSON_GetArrayItem(plugins, i), prev, NULL, e);

		if (r < 0)
			return r;
	}
	return 0;
}

int attachment_del(struct attachment *a, int pod_fd, const char *uuid, const char *netns,
		   struct err *e)
{
	bool pinned = a->pin && net_pin_is_there(a->pin);
	int r = del_chain(a, uuid, pinned ? a->pin : netns, e);

	if (r == 0 && a->pin)
		r = net_pin_remove(a->pin, e);
	if (r < 0)
		return err_ctx(e, r, "failed to remove network %s", q(a->network.name));
	forget(a, pod_fd, uuid);
	return 0;
}

int attachment_check(const struct attachment *a, const char *uuid, bool repair, struct err *e)
{
	struct cni_call call = call_of(a, "CHECK", uuid, a->netns);
	_cleanup_free_ char *args = NULL;
	int r = 0;

	if (cni_version_cmp(a->network.version, "0.4.0") < 0 ||
	    cni_is_true(json_get(a->network.list, "disableCheck")))
		return 0;
	if (!a->result)
		return err_set(e, ENOENT, "network %s (%s): nothing is recorded of its ADD",
			       q(a->network.name), a->ifname);
	if (repair) {
		args = xasprintf("%s%sIgnoreUnknown=1;Repair=1", a->args, *a->args ? ";" : "");
		call.args = args;
	}
	for (const cJSON *p = json_get(a->network.list, "plugins")->child; p && r == 0; p = p->next)
		r = run_plugin(a, &call, p, a->result, NULL, e);
	return r < 0 ? err_ctx(e, r, "network %s (%s)", q(a->network.name), a->ifname) : 0;
}

/*
 * Plugins are looked for where they were at ADD; after an update of ours or theirs that may be
 * elsewhere.
 */
static void add_present_path(struct attachment *a)
{
	_cleanup_strv_ char **now = cni_plugin_path();

	for (char **d = now; d && *d; d++)
		if (!strv_has(a->path, *d))
			strv_add(&a->path, *d);
}

int attachment_load(struct attachment *ret, int pod_fd, const char *record, struct err *e)
{
	int r = cached_read(record, pod_fd, ret, e);

	if (r == -ENOENT)
		cached_forget(record, pod_fd);
	if (r < 0)
		return r;
	/*
	 * Without a result (a killed ADD) DEL goes on without prevResult, as the specification has
	 * it.
	 */
	add_present_path(ret);
	return 0;
}
