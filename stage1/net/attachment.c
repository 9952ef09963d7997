#include "stage1/net/attachment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/record.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/net/pin.h"
#include "stage1/net/plugin.h"

#define FILE_MAX (8u << 20) /* of our own: 65535 port mappings are 5 MiB */

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

static char *file_name(unsigned index, const char *suffix)
{
	return xasprintf(POD_NET "/%u.%s", index, suffix);
}

static int write_state(const struct attachment *a, int pod_fd, const char *phase, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *file = file_name(a->index, "state");

	record_begin(&sb, 1);
	record_add(&sb, "name", a->network.name);
	if (a->network.file)
		record_add(&sb, "file", a->network.file);
	record_add(&sb, "cni-version", a->network.version);
	record_add(&sb, "ifname", a->ifname);
	record_add(&sb, "args", a->args);
	for (char **d = a->path; d && *d; d++)
		record_add(&sb, "path", *d);
	record_add(&sb, "netns", a->netns);
	if (a->pin)
		record_add(&sb, "pin", a->pin);
	record_add(&sb, "phase", phase);
	return file_write_at(pod_fd, file, sb.buf, sb.len, 0600, FILE_FAST, e);
}

static int write_json(const struct attachment *a, int pod_fd, const char *suffix, const cJSON *j,
		      struct err *e)
{
	_cleanup_free_ char *file = file_name(a->index, suffix), *text = json_print(j, false);

	return file_write_at(pod_fd, file, text, strlen(text), 0600, FILE_FAST, e);
}

/* Before the first plugin runs: what is recorded is taken back, whatever happens next. */
static int record_begin_add(const struct attachment *a, int pod_fd, struct err *e)
{
	_cleanup_free_ char *file = file_name(a->index, "conf"),
			    *text = json_print(a->network.list, false);
	int r;

	if (mkdirat(pod_fd, POD_NET, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir " POD_NET);
	r = file_write_at(pod_fd, file, text, strlen(text), 0600, FILE_FAST, e);
	if (r == 0 && a->caps)
		r = write_json(a, pod_fd, "caps", a->caps, e);
	return r < 0 ? r : write_state(a, pod_fd, "adding", e);
}

static void forget(const struct attachment *a, int pod_fd)
{
	static const char *const suffixes[] = {"result", "conf", "caps", "state"};

	/* The state last: while it is there, gc comes back. */
	for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
		_cleanup_free_ char *file = file_name(a->index, suffixes[i]);

		(void) unlinkat(pod_fd, file, 0);
	}
	/* Succeeds when this was the last one. */
	(void) unlinkat(pod_fd, POD_NET, AT_REMOVEDIR);
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
	r = record_begin_add(a, pod_fd, e);
	return r < 0 || !netns ? r : net_pin_make(a->pin, netns, e);
}

int attachment_add(struct attachment *a, int pod_fd, const char *uuid, struct err *e)
{
	int r = begin_add(a, pod_fd, uuid, e);

	if (r < 0) {
		/* No plugin has run. */
		if (!a->pin || net_pin_remove(a->pin, NULL) == 0)
			forget(a, pod_fd);
		return err_ctx(e, r, "failed to setup network %s", q(a->network.name));
	}
	r = add_chain(a, uuid, e);
	if (r == 0)
		r = write_json(a, pod_fd, "result", a->result, e);
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
	forget(a, pod_fd);
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

static int read_state(struct attachment *a, int pod_fd, char **version, struct err *e)
{
	_cleanup_free_ char *file = file_name(a->index, "state"), *text = NULL;
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *key, *value;
	size_t len;
	int r = file_read_at(pod_fd, file, RECORD_MAX, &text, &len, e);

	if (r == 0)
		r = record_parse(&rec, take_ptr(text), len, 1, e);
	if (r < 0)
		return r;
	while (record_next(&rec, &key, &value)) {
		if (!strcmp(key, "ifname"))
			a->ifname = xstrdup(value);
		else if (!strcmp(key, "args"))
			a->args = xstrdup(value);
		else if (!strcmp(key, "netns"))
			a->netns = xstrdup(value);
		else if (!strcmp(key, "pin"))
			a->pin = xstrdup(value);
		else if (!strcmp(key, "path"))
			strv_add(&a->path, value);
		else if (!strcmp(key, "cni-version") && !*version)
			*version = xstrdup(value);
	}
	if (!a->ifname || !a->args || !a->netns)
		return err_set(e, EINVAL, "%s: not complete", file);
	return 0;
}

/* NULL when there is none, or half of one. */
static cJSON *read_json(const struct attachment *a, int pod_fd, const char *suffix)
{
	_cleanup_free_ char *file = file_name(a->index, suffix), *text = NULL;
	size_t len;

	if (file_read_at(pod_fd, file, FILE_MAX, &text, &len, NULL) < 0)
		return NULL;
	return json_parse(text, len, FILE_MAX, NULL);
}

/*
 * A power cut can leave an empty file behind a rename that was not synced.  The namespace is gone
 * then, and DEL by container id and interface name releases what lies on the disk.
 */
static void state_after_power_cut(struct attachment *a)
{
	if (!a->ifname)
		a->ifname = xasprintf("eth%u", a->index);
	if (!a->args)
		a->args = xstrdup("");
	if (!a->netns)
		a->netns = xstrdup("");
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

int attachment_load(struct attachment *ret, int pod_fd, unsigned index, struct err *e)
{
	_cleanup_free_ char *file = file_name(index, "conf"), *text = NULL, *version = NULL;
	struct attachment a = {.index = index};
	size_t len = 0;
	int r = read_state(&a, pod_fd, &version, e);

	if (r == -EINVAL) {
		state_after_power_cut(&a);
		r = 0;
	}
	if (r == 0)
		r = file_read_at(pod_fd, file, JSON_MANIFEST_MAX, &text, &len, e);
	/* No configuration: it went in the middle of forget(), after DEL, or no plugin ever ran. */
	if (r == -ENOENT || (r == 0 && !len)) {
		forget(&a, pod_fd);
		r = -ENOENT;
	}
	if (r == 0)
		r = cni_network_parse(text, len, &a.network, e);
	if (r < 0) {
		attachment_done(&a);
		return r;
	}
	/* The one of the ADD, whatever we would choose today. */
	if (version) {
		free(a.network.version);
		a.network.version = take_ptr(version);
	}
	add_present_path(&a);
	/*
	 * Without a result (a killed ADD) DEL goes on without prevResult, as the specification has
	 * it.
	 */
	a.result = read_json(&a, pod_fd, "result");
	a.caps = read_json(&a, pod_fd, "caps");
	*ret = a;
	return 0;
}

int attachments_recorded(int pod_fd, unsigned **ret, size_t *ret_n, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(pod_fd, POD_NET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret = NULL;
	*ret_n = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open " POD_NET);
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read " POD_NET);
	}
	while ((de = readdir(d))) {
		_cleanup_free_ char *number = xstrndup(de->d_name, strcspn(de->d_name, "."));
		uint64_t index;
		size_t at;

		if (!str_ends(de->d_name, ".state") || parse_u64(number, 1000, &index) < 0)
			continue;
		*ret = xgrow(*ret, *ret_n, sizeof **ret);
		for (at = *ret_n; at > 0 && (*ret)[at - 1] < index; at--)
			(*ret)[at] = (*ret)[at - 1];
		(*ret)[at] = (unsigned) index;
		++*ret_n;
	}
	return 0;
}
