#include "stage1/net/cached.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/net/pin.h"

#define KIND "cniCacheV1"
#define OWN "gantry" /* the member that libcni does not know */
#define FILE_MAX (10u << 20) /* of our own: 65535 port mappings are 5 MiB */
#define INDEX_MAX 1000

char *cached_name(const struct attachment *a, const char *uuid)
{
	return xasprintf("%s-%s-%s", a->network.name, uuid, a->ifname);
}

/* --- text --- */

/* "K=V;K2=V2" as pairs. */
static void add_args(cJSON *o, const char *args)
{
	_cleanup_strv_ char **words = *args ? strv_split(args, ';') : NULL;
	cJSON *pairs = words ? cJSON_AddArrayToObject(o, "cniArgs") : NULL;

	for (char **w = words; w && *w; w++) {
		size_t len = strcspn(*w, "=");
		_cleanup_free_ char *key = xstrndup(*w, len);
		cJSON *pair = cJSON_CreateArray();

		cJSON_AddItemToArray(pair, cJSON_CreateString(key));
		cJSON_AddItemToArray(pair, cJSON_CreateString(*w + len + ((*w)[len] == '=')));
		cJSON_AddItemToArray(pairs, pair);
	}
}

static void add_own(cJSON *o, const struct attachment *a)
{
	cJSON *own = cJSON_AddObjectToObject(o, OWN);
	cJSON *path = cJSON_AddArrayToObject(own, "cniPath");

	for (char **d = a->path; d && *d; d++)
		cJSON_AddItemToArray(path, cJSON_CreateString(*d));
	cJSON_AddStringToObject(own, "cniVersion", a->network.version);
}

char *cached_encode(const struct attachment *a, const char *uuid)
{
	_cleanup_free_ char *list = json_print(a->network.list, false),
			    *config = base64_encode(list, strlen(list));
	_cleanup_json_ cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "kind", KIND);
	cJSON_AddStringToObject(o, "containerId", uuid);
	cJSON_AddStringToObject(o, "config", config);
	cJSON_AddStringToObject(o, "ifName", a->ifname);
	cJSON_AddStringToObject(o, "networkName", a->network.name);
	cJSON_AddStringToObject(o, "netns", a->netns);
	add_args(o, a->args);
	/* Not copied: they may be megabytes. */
	if (a->caps)
		cJSON_AddItemReferenceToObject(o, "capabilityArgs", a->caps);
	if (a->result)
		cJSON_AddItemReferenceToObject(o, "result", a->result);
	add_own(o, a);
	return json_print(o, false);
}

static int bad(const char *key, struct err *e)
{
	return err_set(e, EINVAL, "%s: missing, or not as it was written", key);
}

static int take_string(const cJSON *o, const char *key, char **ret, struct err *e)
{
	const char *s = json_get_str(o, key);

	if (!s)
		return bad(key, e);
	*ret = xstrdup(s);
	return 0;
}

static int take_config(const cJSON *o, struct attachment *a, struct err *e)
{
	const char *config = json_get_str(o, "config"), *name = json_get_str(o, "networkName");
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (!config || base64_decode(config, &text, &len) < 0)
		return bad("config", e);
	r = cni_network_parse(text, len, &a->network, e);
	if (r < 0)
		return err_ctx(e, r, "config");
	return name && !strcmp(name, a->network.name) ? 0 : bad("networkName", e);
}

static int take_args(const cJSON *o, struct attachment *a, struct err *e)
{
	const cJSON *pairs = json_get(o, "cniArgs");
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (const cJSON *p = cJSON_IsArray(pairs) ? pairs->child : NULL; p; p = p->next) {
		const cJSON *key = cJSON_IsArray(p) ? p->child : NULL, *value = key ? key->next : NULL;

		if (!cJSON_IsString(key) || !cJSON_IsString(value))
			return bad("cniArgs", e);
		strbuf_addf(&sb, "%s%s=%s", sb.len ? ";" : "", key->valuestring, value->valuestring);
	}
	a->args = sb.len ? strbuf_take(&sb) : xstrdup("");
	return 0;
}

static void take_own(const cJSON *own, struct attachment *a)
{
	const cJSON *path = json_get(own, "cniPath");
	const char *version = json_get_str(own, "cniVersion");

	for (const cJSON *d = cJSON_IsArray(path) ? path->child : NULL; d; d = d->next)
		if (cJSON_IsString(d))
			strv_add(&a->path, d->valuestring);
	/* The one of the ADD, whatever we would choose today. */
	if (version) {
		free(a->network.version);
		a->network.version = xstrdup(version);
	}
}

static int take(cJSON *o, struct attachment *a, struct err *e)
{
	const char *kind = json_get_str(o, "kind");
	int r = kind && !strcmp(kind, KIND) ? 0 : bad("kind", e);

	if (r == 0)
		r = take_config(o, a, e);
	if (r == 0)
		r = take_string(o, "ifName", &a->ifname, e);
	if (r == 0)
		r = take_string(o, "netns", &a->netns, e);
	if (r == 0)
		r = take_args(o, a, e);
	if (r < 0)
		return r;
	take_own(json_get(o, OWN), a);
	if (net_pin_is_ours(a->netns))
		a->pin = xstrdup(a->netns);
	a->caps = cJSON_DetachItemFromObjectCaseSensitive(o, "capabilityArgs");
	a->result = cJSON_DetachItemFromObjectCaseSensitive(o, "result");
	return 0;
}

int cached_decode(const char *text, size_t len, struct attachment *ret, struct err *e)
{
	_cleanup_json_ cJSON *o = json_parse(text, len, FILE_MAX, e);
	struct attachment a = {0};
	int r = o ? take(o, &a, e) : -EINVAL;

	if (r < 0)
		attachment_done(&a);
	else
		*ret = a;
	return r;
}

/* --- files --- */

static char *path_of(const char *file)
{
	return xasprintf(POD_NET_RESULTS "/%s", file);
}

int cached_write(const struct attachment *a, int pod_fd, const char *uuid, struct err *e)
{
	_cleanup_free_ char *text = cached_encode(a, uuid), *file = cached_name(a, uuid),
			    *path = path_of(file);

	if (mkdirat(pod_fd, POD_NET, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir " POD_NET);
	if (mkdirat(pod_fd, POD_NET_RESULTS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir " POD_NET_RESULTS);
	return file_write_at(pod_fd, path, text, strlen(text), 0600, FILE_FAST, e);
}

int cached_read(const char *file, int pod_fd, struct attachment *ret, struct err *e)
{
	_cleanup_free_ char *path = path_of(file), *text = NULL;
	size_t len;
	int r = file_read_at(pod_fd, path, FILE_MAX, &text, &len, e);

	if (r < 0)
		return r;
	/* Nothing, or zeros: what the namespace held is gone with the power. */
	if (!*text)
		return -ENOENT;
	r = cached_decode(text, len, ret, e);
	return r < 0 ? err_ctx(e, r, "%s", path) : 0;
}

void cached_forget(const char *file, int pod_fd)
{
	_cleanup_free_ char *path = path_of(file);

	(void) unlinkat(pod_fd, path, 0);
	/* Succeed when this was the last one. */
	(void) unlinkat(pod_fd, POD_NET_RESULTS, AT_REMOVEDIR);
	(void) unlinkat(pod_fd, POD_NET, AT_REMOVEDIR);
}

/* The number of "...-ethN"; false for whatever else lies there. */
static bool index_of(const char *file, uint64_t *ret)
{
	const char *last = strrchr(file, '-');

	return *file != '.' && last && str_starts(last, "-eth") &&
	       parse_u64(last + 4, INDEX_MAX, ret) == 0;
}

static void insert(char ***v, size_t *n, const char *file)
{
	uint64_t index, other;
	size_t at;

	if (!index_of(file, &index))
		return;
	strv_push_n(v, n, xstrdup(file));
	for (at = *n - 1; at > 0 && index_of((*v)[at - 1], &other) && other < index; at--) {
		char *up = (*v)[at];

		(*v)[at] = (*v)[at - 1];
		(*v)[at - 1] = up;
	}
}

int cached_list(int pod_fd, char ***ret, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	int fd = openat(pod_fd, POD_NET_RESULTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;
	size_t n = 0;

	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open " POD_NET_RESULTS);
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read " POD_NET_RESULTS);
	}
	while ((de = readdir(d)))
		insert(ret, &n, de->d_name);
	return 0;
}
