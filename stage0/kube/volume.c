/*
 * Volumes: emptyDir, hostPath, configMap.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/kube/internal.h"

static struct volume *add_volume(struct pod_request *req, const char *name, enum volume_kind kind)
{
	struct volume *v;

	req->more_volumes = xgrow(req->more_volumes, req->n_more_volumes, sizeof *req->more_volumes);
	v = &req->more_volumes[req->n_more_volumes++];
	*v = (struct volume) {.name = xstrdup(name), .kind = kind, .recursive = true, .mode = 0755};
	return v;
}

/* --- emptyDir --- */

struct empty {
	char *medium;
};

static int empty_dir(const char *name, const cJSON *j, const struct json_at *at, int64_t fs_group,
		     struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "medium", .type = JSON_F_STRING, .offset = offsetof(struct empty, medium)},
	};
	struct empty d = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &d, e);
	struct volume *v;

	if (r == 0 && d.medium && *d.medium)
		r = json_err(at, e, "medium %s is not supported", q(d.medium));
	free(d.medium);
	if (r < 0)
		return r;
	v = add_volume(req, name, VOLUME_EMPTY);
	v->mode = fs_group >= 0 ? 02777 : 0777;
	v->gid = fs_group >= 0 ? fs_group : 0;
	return 0;
}

/* --- hostPath --- */

struct host_path {
	char *path, *type;
};

static const struct host_type {
	const char *word;
	mode_t format; /* 0: whatever it is */
	bool create;
} host_types[] = {
	{"", 0, false},		       {"Directory", S_IFDIR, false},  {"DirectoryOrCreate", S_IFDIR, true},
	{"File", S_IFREG, false},      {"FileOrCreate", S_IFREG, true}, {"Socket", S_IFSOCK, false},
	{"CharDevice", S_IFCHR, false}, {"BlockDevice", S_IFBLK, false},
};

static int check_format(const char *path, const struct host_type *t, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "hostPath %s", q(path));
	if (t->format && (st.st_mode & S_IFMT) != t->format)
		return err_set(e, EINVAL, "hostPath: %s is no %s", q(path), t->word);
	return 0;
}

static int make_path(const char *path, const struct host_type *t, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;

	if (t->format == S_IFDIR && mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", q(path));
	if (t->format == S_IFREG) {
		fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
		if (fd < 0)
			return err_sys(e, "create %s", q(path));
	}
	/* Somebody may have made another thing meanwhile. */
	return check_format(path, t, e);
}

static const struct host_type *creating(mode_t format)
{
	for (size_t i = 0; i < ELEMENTSOF(host_types); i++)
		if (host_types[i].create && host_types[i].format == format)
			return &host_types[i];
	return NULL;
}

int kube_make_paths(const struct kube_run *run, struct err *e)
{
	int r = 0;

	for (char **p = run->dirs; r == 0 && p && *p; p++)
		r = make_path(*p, creating(S_IFDIR), e);
	for (char **p = run->files; r == 0 && p && *p; p++)
		r = make_path(*p, creating(S_IFREG), e);
	return r;
}

/* The type is a promise about the host: what is there is checked now, what is to be made waits (kube.h). */
static int check_host(const struct host_path *h, struct kube_run *run, const struct json_at *at, struct err *e)
{
	const char *word = h->type ? h->type : "";
	const struct host_type *t = NULL;
	struct stat st;

	for (size_t i = 0; i < ELEMENTSOF(host_types); i++)
		if (!strcmp(host_types[i].word, word))
			t = &host_types[i];
	if (!t)
		return json_err(at, e, "type %s is not known", q(word));
	if (t->create)
		strv_add(t->format == S_IFDIR ? &run->dirs : &run->files, h->path);
	if (t->create && stat(h->path, &st) < 0 && errno == ENOENT)
		return 0;
	if (stat(h->path, &st) < 0)
		return err_sys(e, "hostPath %s", q(h->path));
	if (t->format && (st.st_mode & S_IFMT) != t->format)
		return json_err(at, e, "%s is no %s", q(h->path), word);
	return 0;
}

static int host_path(const char *name, const cJSON *j, const struct json_at *at, struct kube_run *run,
		     struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "path", .type = JSON_F_STRING, .offset = offsetof(struct host_path, path), .required = true,
		 .check = ac_absolute_path_check},
		{.key = "type", .type = JSON_F_STRING, .offset = offsetof(struct host_path, type)},
	};
	struct host_path h = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &h, e);

	if (r == 0)
		r = check_host(&h, run, at, e);
	if (r == 0)
		add_volume(req, name, VOLUME_HOST)->source = take_ptr(h.path);
	free(h.path);
	free(h.type);
	return r;
}

/* --- configMap --- */

struct config {
	char *name;
	int64_t mode;
	bool optional;
	const cJSON *items;
};

struct item {
	char *key, *path;
	int64_t mode;
};

/* One name: what stands in a ConfigMap does not choose directories. */
static const char *check_file(const char *s)
{
	if (!*s || !strcmp(s, ".") || !strcmp(s, "..") || strchr(s, '/') || strlen(s) > 255)
		return "must be a file's name, without directories";
	return NULL;
}

static int add_file(const struct kube_docs *docs, struct pod_request *req, const char *volume, const char *name,
		    const char *content, int64_t mode, const struct json_at *at, struct err *e)
{
	int r = kube_take_room(docs, strlen(content), at, e);

	if (r < 0)
		return r;
	req->files = xgrow(req->files, req->n_files, sizeof *req->files);
	req->files[req->n_files++] = (struct volume_file) {
		.volume = xstrdup(volume), .name = xstrdup(name), .content = xstrdup(content), .mode = (mode_t) mode};
	return 0;
}

static int add_item(const struct kube_docs *docs, const cJSON *map, const cJSON *j, const struct json_at *at,
		    const char *volume, const struct config *c, struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "key", .type = JSON_F_STRING, .offset = offsetof(struct item, key), .required = true},
		{.key = "path", .type = JSON_F_STRING, .offset = offsetof(struct item, path), .required = true,
		 .check = check_file},
		{.key = "mode", .type = JSON_F_I64, .offset = offsetof(struct item, mode), .max = 0777},
	};
	struct item it = {.mode = c->mode};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &it, e);
	const char *content = r == 0 ? json_get_str(json_get(map, "data"), it.key) : NULL;

	if (r == 0 && !content && !c->optional)
		r = json_err(at, e, "the ConfigMap has no key %s", q(it.key));
	if (content)
		r = add_file(docs, req, volume, it.path, content, it.mode, at, e);
	free(it.key);
	free(it.path);
	return r;
}

static int add_files(const struct kube_docs *docs, const cJSON *map, const struct json_at *at, const char *volume,
		     const struct config *c, struct pod_request *req, struct err *e)
{
	const struct json_at items_at = {.up = at, .key = "items"};
	const cJSON *data = json_get(map, "data");
	size_t i = 0;
	int r = 0;

	if (c->items && json_is_array(c->items, &items_at, e) < 0)
		return -EINVAL;
	for (const cJSON *item = c->items ? c->items->child : NULL; item; item = item->next, i++)
		if (add_item(docs, map, item, &(struct json_at) {&items_at, NULL, i}, volume, c, req, e) < 0)
			return -EINVAL;
	for (const cJSON *pair = c->items || !data ? NULL : data->child; r == 0 && pair; pair = pair->next)
		r = add_file(docs, req, volume, pair->string, pair->valuestring ? pair->valuestring : "", c->mode, at,
			     e);
	return r;
}

static int config_map(const struct kube_docs *docs, const char *name, const cJSON *j, const struct json_at *at,
		      struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct config, name), .required = true},
		{.key = "defaultMode", .type = JSON_F_I64, .offset = offsetof(struct config, mode), .max = 0777},
		{.key = "optional", .type = JSON_F_BOOL, .offset = offsetof(struct config, optional)},
		{.key = "items", .type = JSON_F_CALL, .offset = offsetof(struct config, items), .decode = kube_keep},
	};
	struct config c = {.mode = 0644};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e);
	const cJSON *map = r == 0 ? kube_map(docs, c.name) : NULL;

	if (r == 0 && !map && !c.optional)
		r = json_err(at, e, "no ConfigMap %s (see --configmap)", q(c.name));
	if (r == 0) {
		struct volume *v = add_volume(req, name, VOLUME_EMPTY);

		v->read_only = v->read_only_given = true;
		r = add_files(docs, map, at, name, &c, req, e);
	}
	free(c.name);
	return r;
}

/* --- all of them --- */

struct one {
	char *name;
	const cJSON *empty, *host, *config;
};

static int add_one(const struct kube_docs *docs, const cJSON *j, const struct json_at *at, int64_t fs_group,
		   struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct one, name), .required = true,
		 .check = ac_name_check},
		{.key = "emptyDir", .type = JSON_F_CALL, .offset = offsetof(struct one, empty), .decode = kube_keep},
		{.key = "hostPath", .type = JSON_F_CALL, .offset = offsetof(struct one, host), .decode = kube_keep},
		{.key = "configMap", .type = JSON_F_CALL, .offset = offsetof(struct one, config),
		 .decode = kube_keep},
	};
	const struct json_at empty_at = {.up = at, .key = "emptyDir"}, host_at = {.up = at, .key = "hostPath"},
			     config_at = {.up = at, .key = "configMap"};
	struct one o = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &o, e);

	for (size_t i = 0; r == 0 && i < req->n_more_volumes; i++)
		if (!strcmp(req->more_volumes[i].name, o.name))
			r = json_err(at, e, "volume %s is there twice", q(o.name));
	if (r == 0 && !!o.empty + !!o.host + !!o.config != 1)
		r = json_err(at, e, "volume %s: expected one of emptyDir, hostPath, configMap", q(o.name));
	if (r == 0 && o.empty)
		r = empty_dir(o.name, o.empty, &empty_at, fs_group, req, e);
	if (r == 0 && o.host)
		r = host_path(o.name, o.host, &host_at, docs->run, req, e);
	if (r == 0 && o.config)
		r = config_map(docs, o.name, o.config, &config_at, req, e);
	free(o.name);
	return r;
}

int kube_volumes(const struct kube_docs *docs, const cJSON *j, const struct json_at *at, int64_t fs_group,
		 struct pod_request *req, struct err *e)
{
	size_t i = 0;
	int r = j ? json_is_array(j, at, e) : 0;

	for (const cJSON *v = j && r == 0 ? j->child : NULL; r == 0 && v; v = v->next, i++)
		r = add_one(docs, v, &(struct json_at) {at, NULL, i}, fs_group, req, e);
	return r;
}
