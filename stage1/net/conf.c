#include "stage1/net/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"

/* Oldest first; an absent cniVersion means the first one. */
static const char *const supported[] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
					"0.4.0", "1.0.0", "1.1.0"};

static const char *const built_in[] = {
	"{\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"1.0.0\",\"1.1.0\"],\"name\":\"default\",\"plugins\":[{\"type\":\"ptp\",\"ipMasq\":true,"
	"\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/run/gantry/networks\","
	"\"subnet\":\"172.16.28.0/24\",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}}]}",
	"{\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"1.0.0\",\"1.1.0\"],\"name\":\"default-restricted\",\"plugins\":[{\"type\":\"ptp\","
	"\"ipMasq\":false,\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/run/gantry/networks\","
	"\"subnet\":\"172.31.0.0/16\"}}]}",
};

bool cni_name_is_valid(const char *s)
{
	for (const char *p = s; *p; p++) {
		bool alnum = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9');

		if (!alnum && (p == s || !strchr("_.-", *p)))
			return false;
	}
	return *s;
}

/* One to three dotted numbers. */
static bool version_parts(const char *s, uint64_t parts[3])
{
	_cleanup_strv_ char **v = strv_split(s, '.');

	memset(parts, 0, 3 * sizeof *parts);
	if (strv_len(v) > 3)
		return false;
	for (size_t i = 0; v[i]; i++)
		if (parse_u64(v[i], 1000000, &parts[i]) < 0)
			return false;
	return true;
}

int cni_version_cmp(const char *a, const char *b)
{
	uint64_t x[3], y[3];

	(void) version_parts(a, x);
	(void) version_parts(b, y);
	for (int i = 0; i < 3; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static bool is_supported(const char *version)
{
	for (size_t i = 0; i < ELEMENTSOF(supported); i++)
		if (cni_version_cmp(version, supported[i]) == 0)
			return true;
	return false;
}

/* The highest of `version` and those seen before that we know. */
static int consider_version(const char *version, const char **best, struct err *e)
{
	uint64_t parts[3];

	if (!version_parts(version, parts))
		return err_set(e, EINVAL, "cniVersion %s: not a version", q(version));
	if (is_supported(version) && (!*best || cni_version_cmp(version, *best) > 0))
		*best = version;
	return 0;
}

/*
 * cniVersion and, since 1.1, cniVersions. When only newer ones are listed, the plugin is left to
 * say so.
 */
static int negotiate(const cJSON *conf, char **ret, struct err *e)
{
	const cJSON *one = json_get(conf, "cniVersion"), *many = json_get(conf, "cniVersions");
	const char *best = NULL, *own = supported[0];
	int r = 0;

	if (one && !cJSON_IsString(one))
		return err_set(e, EINVAL, "cniVersion: expected string");
	if (one && *one->valuestring)
		own = one->valuestring;
	r = consider_version(own, &best, e);
	if (many && !cJSON_IsArray(many))
		return err_set(e, EINVAL, "cniVersions: expected array");
	for (const cJSON *v = many ? many->child : NULL; v && r == 0; v = v->next) {
		if (!cJSON_IsString(v))
			return err_set(e, EINVAL, "cniVersions: expected strings");
		r = consider_version(v->valuestring, &best, e);
	}
	if (r == 0)
		*ret = xstrdup(best ? best : own);
	return r;
}

static int check_plugins(const cJSON *list, struct err *e)
{
	const cJSON *plugins = json_get(list, "plugins");
	size_t i = 0;

	if (!cJSON_IsArray(plugins))
		return err_set(e, EINVAL, "plugins: expected array");
	if (!plugins->child)
		return err_set(e, EINVAL, "no plugins in list");
	for (const cJSON *p = plugins->child; p; p = p->next, i++) {
		const char *type = json_get_str(p, "type");

		if (!type || !*type)
			return err_set(e, EINVAL, "plugins[%zu]: no type", i);
		/* It becomes a file name (CVE-2021-20206). */
		if (!cni_name_is_valid(type))
			return err_set(e, EINVAL, "plugins[%zu].type: %s is no plugin name", i,
				       q(type));
	}
	return 0;
}

/* The old form, a file with one plugin, becomes a list of one. */
static cJSON *list_of_one(cJSON *conf)
{
	cJSON *list = cJSON_CreateObject(), *plugins;
	static const char *const shared[] = {"cniVersion", "cniVersions", "name"};

	for (size_t i = 0; i < ELEMENTSOF(shared); i++) {
		const cJSON *value = json_get(conf, shared[i]);

		if (value)
			cJSON_AddItemToObject(list, shared[i], cJSON_Duplicate(value, true));
	}
	plugins = cJSON_AddArrayToObject(list, "plugins");
	cJSON_AddItemToArray(plugins, conf);
	return list;
}

static int take_list(cJSON *list, struct cni_network *ret, struct err *e)
{
	const char *name = json_get_str(list, "name");
	int r;

	if (!name || !cni_name_is_valid(name))
		return err_set(e, EINVAL, "name: %s is no network name", q(name ? name : ""));
	r = check_plugins(list, e);
	if (r == 0)
		r = negotiate(list, &ret->version, e);
	if (r < 0)
		return r;
	ret->name = xstrdup(name);
	ret->list = list;
	return 0;
}

bool cni_is_true(const cJSON *j)
{
	/* libcni takes the words as well. */
	return cJSON_IsTrue(j) || (cJSON_IsString(j) && !strcasecmp(j->valuestring, "true"));
}

int cni_network_parse(const char *text, size_t len, struct cni_network *ret, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, e);
	int r;

	*ret = (struct cni_network) {0};
	if (!j)
		return -EINVAL;
	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "expected object");
	if (!json_get(j, "plugins") && json_get(j, "type"))
		j = list_of_one(j);
	r = take_list(j, ret, e);
	if (r == 0)
		j = NULL;
	return r;
}

void cni_network_done(struct cni_network *n)
{
	free(n->name);
	free(n->file);
	free(n->version);
	cJSON_Delete(n->list);
	*n = (struct cni_network) {0};
}

void cni_networks_done(struct cni_networks *l)
{
	for (size_t i = 0; i < l->n; i++)
		cni_network_done(&l->v[i]);
	free(l->v);
	*l = (struct cni_networks) {0};
}

const struct cni_network *cni_network_find(const struct cni_networks *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

/* What the operator named must be there, and be a directory. */
static int check_dir(const char *path, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "networks of %s", q(path)) : 0;
}

static int list_files(const char *dir, char *const *suffixes, char ***ret, struct err *e)
{
	_cleanup_dir_ DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "open %s", dir);
	while ((de = readdir(d)))
		for (char *const *s = suffixes; *s; s++)
			if (str_ends(de->d_name, *s) && de->d_name[0] != '.' &&
			    de->d_type != DT_DIR)
				strv_add(ret, de->d_name);
	strv_sort(*ret);
	return 0;
}

/* Specification 1.1: the .conf files of DIR/NAME, one plugin each, follow the inlined ones. */
static int add_folder(const char *dir, const char *name, cJSON *list, struct err *e)
{
	static char *const suffixes[] = {(char *) ".conf", NULL};
	_cleanup_free_ char *folder = path_join(dir, name);
	_cleanup_strv_ char **files = NULL;
	cJSON *plugins = json_get(list, "plugins");
	int r = list_files(folder, suffixes, &files, e);

	for (char **f = files; f && *f && r == 0; f++) {
		_cleanup_free_ char *path = path_join(folder, *f), *text = NULL;
		cJSON *plugin;
		size_t len;

		r = file_read_at(AT_FDCWD, path, JSON_MANIFEST_MAX, &text, &len, e);
		if (r < 0)
			return r;
		plugin = json_parse(text, len, JSON_MANIFEST_MAX, e);
		if (!plugin)
			return err_ctx(e, -EINVAL, "%s", path);
		if (!plugins)
			plugins = cJSON_AddArrayToObject(list, "plugins");
		cJSON_AddItemToArray(plugins, plugin);
	}
	return r;
}

static int load_file(const char *dir, const char *file, struct cni_network *ret, struct err *e)
{
	_cleanup_free_ char *path = path_join(dir, file), *text = NULL, *whole = NULL;
	_cleanup_json_ cJSON *j = NULL;
	const char *name;
	size_t len;
	int r = file_read_at(AT_FDCWD, path, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	if (str_ends(file, ".conflist")) {
		j = json_parse(text, len, JSON_MANIFEST_MAX, e);
		if (!j)
			return err_ctx(e, -EINVAL, "%s", path);
		name = json_get_str(j, "name");
		if (name && cni_name_is_valid(name) &&
		    !cni_is_true(json_get(j, "loadOnlyInlinedPlugins")))
			r = add_folder(dir, name, j, e);
		if (r < 0)
			return r;
		whole = json_print(j, false);
	}
	r = cni_network_parse(whole ? whole : text, whole ? strlen(whole) : len, ret, e);
	if (r < 0)
		return err_ctx(e, r, "%s", path);
	ret->file = take_ptr(path);
	return 0;
}

static void add_network(struct cni_networks *l, struct cni_network n)
{
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = n;
}

/* Within one directory a .conflist wins over a .conf of the same name; else the first file does. */
static int load_kind(const char *dir, char *const *suffixes, struct cni_networks *l, struct err *e)
{
	_cleanup_strv_ char **files = NULL;
	int r = list_files(dir, suffixes, &files, e);

	for (char **f = files; f && *f && r == 0; f++) {
		struct cni_network n = {0};

		r = load_file(dir, *f, &n, e);
		if (r == 0 && cni_network_find(l, n.name)) {
			log_warning("%s: not used, network %s is the one of %s", n.file, q(n.name),
				    cni_network_find(l, n.name)->file);
			cni_network_done(&n);
		} else if (r == 0) {
			add_network(l, n);
		}
	}
	return r;
}

static int by_file(const void *a, const void *b)
{
	const struct cni_network *x = a, *y = b;

	return strcmp(path_last(x->file), path_last(y->file));
}

static int load_dir(const char *dir, struct cni_networks *l, struct err *e)
{
	static char *const lists[] = {(char *) ".conflist", NULL};
	static char *const singles[] = {(char *) ".conf", (char *) ".json", NULL};
	size_t before = l->n;
	int r = load_kind(dir, lists, l, e);

	if (r == 0)
		r = load_kind(dir, singles, l, e);
	if (r == 0 && l->n > before)
		qsort(l->v + before, l->n - before, sizeof *l->v, by_file);
	return r;
}

int cni_networks_load(const char *dir, char *const *more, struct cni_networks *ret, struct err *e)
{
	struct cni_networks l = {0};
	int r = load_dir(dir, &l, e);

	for (char *const *d = more; d && *d && r == 0; d++)
		r = check_dir(*d, e) < 0 ? -ENOENT : load_dir(*d, &l, e);
	for (size_t i = 0; i < ELEMENTSOF(built_in) && r == 0; i++) {
		struct cni_network n;

		r = cni_network_parse(built_in[i], strlen(built_in[i]), &n, e);
		if (r == 0 && cni_network_find(&l, n.name))
			cni_network_done(&n);
		else if (r == 0)
			add_network(&l, n);
	}
	if (r < 0) {
		cni_networks_done(&l);
		return r;
	}
	*ret = l;
	return 0;
}
