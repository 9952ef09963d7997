#include "stage0/pod/brief.h"

#include <string.h>

#include "base/record.h"
#include "stage0/pod/manifest.h"

#define VERSION "1"

static void add_map(struct strbuf *sb, const char *name_key, const char *value_key,
		    const struct nameval_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		record_add(sb, name_key, l->v[i].name);
		record_add(sb, value_key, l->v[i].value);
	}
}

static void add_maps(struct strbuf *sb, const struct nameval_list *annotations,
		     const struct nameval_list *labels)
{
	add_map(sb, "annotation", "is", annotations);
	add_map(sb, "label", "is", labels);
}

static void add_mount(struct strbuf *sb, const struct pod_manifest *m,
		      const struct pod_mount *mount)
{
	const struct volume *v =
		mount->app_volume ? mount->app_volume : pod_manifest_volume(m, mount->volume);

	record_add(sb, "mount", mount->volume);
	record_add(sb, "path", mount->path);
	if (v && v->source)
		record_add(sb, "source", v->source);
	if (v && v->read_only)
		record_add(sb, "read-only", "1");
}

static void add_app(struct strbuf *sb, const struct pod_manifest *m, const struct runtime_app *ra,
		    const struct image_manifest *image)
{
	const char *version = nameval_get(&image->labels, "version");
	const struct app *app = ra->app;

	record_add(sb, "app", ra->name);
	record_add(sb, "id", ra->image_id);
	record_add(sb, "image", image->name);
	if (version)
		record_add(sb, "version", version);
	for (size_t i = 0; i < ra->n_mounts; i++)
		add_mount(sb, m, &ra->mounts[i]);
	if (app)
		add_maps(sb, &app->user_annotations, &app->user_labels);
}

void brief_encode(const char *name, const struct pod_manifest *m, const struct pod_image *images,
		  struct strbuf *sb)
{
	record_add(sb, "version", VERSION);
	if (name)
		record_add(sb, "name", name);
	add_maps(sb, &m->user_annotations, &m->user_labels);
	for (size_t i = 0; i < m->n_apps; i++)
		add_app(sb, m, &m->apps[i], images[i].manifest);
}

/* Where the next entry belongs. */
struct draft {
	struct pod_manifest *m;
	struct runtime_app *app; /* NULL: the pod's own */
	struct volume *volume;	 /* of the mount that is being read */
	struct nameval_list *map;
	const char *name; /* of the map, whose value follows */
	char *pod_name;
	bool details; /* maps and mounts are wanted */
};

static void begin_app(struct draft *d, const char *name)
{
	struct pod_manifest *m = d->m;

	m->apps = xgrow(m->apps, m->n_apps, sizeof *m->apps);
	d->app = &m->apps[m->n_apps++];
	*d->app = (struct runtime_app) {.name = xstrdup(name)};
	if (d->details)
		d->app->app = xcalloc(1, sizeof *d->app->app);
	d->volume = NULL;
}

static void begin_mount(struct draft *d, const char *volume)
{
	struct runtime_app *a = d->app;

	d->volume = xcalloc(1, sizeof *d->volume);
	a->mounts = xgrow(a->mounts, a->n_mounts, sizeof *a->mounts);
	a->mounts[a->n_mounts++] = (struct pod_mount) {.volume = xstrdup(volume),
						       .app_volume = d->volume};
}

/* The maps of the app that is being read, or of the pod. */
static bool take_map(struct draft *d, const char *key, const char *value)
{
	struct app *app = d->app ? d->app->app : NULL;

	if (!strcmp(key, "annotation"))
		d->map = app ? &app->user_annotations : &d->m->user_annotations;
	else if (!strcmp(key, "label"))
		d->map = app ? &app->user_labels : &d->m->user_labels;
	else
		return false;
	d->name = value;
	return true;
}

static bool take_once(char **field, const char *value)
{
	if (*field)
		return false;
	*field = xstrdup(value);
	return true;
}

static bool take_mount(struct draft *d, const char *key, const char *value)
{
	struct runtime_app *a = d->app;

	if (!strcmp(key, "path"))
		return take_once(&a->mounts[a->n_mounts - 1].path, value);
	if (!strcmp(key, "source"))
		return take_once(&d->volume->source, value);
	if (strcmp(key, "read-only"))
		return false;
	d->volume->read_only = true;
	return true;
}

static bool take_app(struct draft *d, const char *key, const char *value)
{
	struct runtime_app *a = d->app;

	if (!strcmp(key, "id"))
		return take_once(&a->image_id, value);
	if (!strcmp(key, "image"))
		return take_once(&a->image_name, value);
	if (!strcmp(key, "version"))
		nameval_set(&a->image_labels, key, value);
	else if (!strcmp(key, "mount"))
		begin_mount(d, value);
	else
		return d->volume && take_mount(d, key, value);
	return true;
}

/* false: not what we write. */
static bool take(struct draft *d, const char *key, const char *value)
{
	if (!strcmp(key, "is")) {
		if (!d->name)
			return false;
		nameval_set(d->map, d->name, value);
		d->name = NULL;
		return true;
	}
	if (!strcmp(key, "app")) {
		begin_app(d, value);
		return true;
	}
	if (take_map(d, key, value))
		return true;
	if (d->app)
		return take_app(d, key, value);
	return !strcmp(key, "name") && take_once(&d->pod_name, value);
}

static bool is_whole(const struct pod_manifest *m)
{
	for (size_t i = 0; i < m->n_apps; i++)
		if (!m->apps[i].image_id || !m->apps[i].image_name)
			return false;
	return m->n_apps;
}

/* The rest that only a pod object of JSON shows. */
static bool is_detail(const char *key)
{
	static const char *const details[] = {"mount", "path",	     "source", "read-only",
					      "label", "annotation", "is"};

	for (size_t i = 0; i < ELEMENTSOF(details); i++)
		if (!strcmp(key, details[i]))
			return true;
	return false;
}

/* One "key=value" of the record, at `pos`; -1 at its end, or when it is none. */
static ssize_t next_entry(char *data, size_t len, size_t pos, char **key, char **value)
{
	size_t n = pos < len ? strnlen(data + pos, len - pos) : 0;
	char *eq = n && pos + n < len ? memchr(data + pos, '=', n) : NULL;

	if (!eq)
		return -1;
	*eq = '\0';
	*key = data + pos;
	*value = eq + 1;
	return (ssize_t) (pos + n + 1);
}

struct pod_manifest *brief_decode(char *data, size_t len, bool details, char **ret_name)
{
	_cleanup_pod_manifest_ struct pod_manifest *m = NULL;
	_cleanup_free_ char *name = NULL;
	struct draft d = {.details = details};
	char *key, *value;
	ssize_t pos = next_entry(data, len, 0, &key, &value);
	bool fine = true;

	if (pos < 0 || strcmp(key, "version") || strcmp(value, VERSION))
		return NULL;
	d.m = m = xcalloc(1, sizeof *m);
	while (fine && (size_t) pos < len) {
		pos = next_entry(data, len, (size_t) pos, &key, &value);
		fine = pos >= 0 && ((!details && is_detail(key)) || take(&d, key, value));
	}
	name = d.pod_name;
	if (!fine || !is_whole(m))
		return NULL;
	*ret_name = take_ptr(name);
	return take_ptr(m);
}
