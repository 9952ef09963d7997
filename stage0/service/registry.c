#include "stage0/service/registry.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/service/registry_file.h"

static void app_done(struct registered_app *a)
{
	free(a->name);
	free(a->image_id);
	free(a->manifest);
	free(a->annotations);
}

static void pod_free(struct registered_pod *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_apps; i++)
		app_done(&p->apps[i]);
	free(p->apps);
	free(p->data_dir);
	free(p->manifest);
	free(p->annotations);
	pod_manifest_free(p->parsed);
	free(p);
}
DEFINE_CLEANUP(struct registered_pod *, pod_free)
#define _cleanup_registered_pod_ __attribute__((cleanup(cleanup_pod_free)))

void registry_done(struct registry *reg)
{
	for (size_t i = 0; i < reg->n; i++)
		pod_free(reg->v[i]);
	free(reg->v);
	explicit_bzero(reg->key, sizeof reg->key);
	*reg = (struct registry) {.dir = fd_close(reg->dir)};
}

static char *annotations_text(const struct nameval_list *l)
{
	_cleanup_json_ cJSON *j = nameval_encode_list(l);

	return json_print(j, false);
}

/*
 * As they stand in the manifest; null where it has none: whoever compares the two, as the
 * conformance suite of the specification does, tells that from an empty list.
 */
static char *pod_annotations(const char *manifest, size_t len)
{
	_cleanup_json_ cJSON *j = json_parse(manifest, len, JSON_MANIFEST_MAX, NULL);
	const cJSON *annotations = json_get(j, "annotations");

	return annotations ? json_print(annotations, false) : xstrdup("null");
}

static size_t find(const struct registry *reg, const char *uuid)
{
	size_t i = 0;

	while (i < reg->n && strcmp(reg->v[i]->uuid, uuid))
		i++;
	return i;
}

static size_t bytes_of(const struct registered_pod *p)
{
	size_t sum = p->len;

	for (size_t i = 0; i < p->n_apps; i++)
		sum += p->apps[i].len;
	return sum;
}

static int pod_new(const char *uuid, const char *token, const char *data_dir, const char *manifest,
		   size_t len, struct registered_pod **ret, struct err *e)
{
	_cleanup_registered_pod_ struct registered_pod *p = xcalloc(1, sizeof *p);

	p->parsed = pod_manifest_parse(manifest, len, e);
	if (!p->parsed)
		return -EINVAL;
	memcpy(p->uuid, uuid, sizeof p->uuid);
	memcpy(p->token, token, sizeof p->token);
	p->data_dir = xstrdup_null(data_dir);
	p->manifest = xstrndup(manifest, len);
	p->len = len;
	p->annotations = pod_annotations(manifest, len);
	p->apps = xcalloc(p->parsed->n_apps + 1, sizeof *p->apps);
	for (; p->n_apps < p->parsed->n_apps; p->n_apps++) {
		p->apps[p->n_apps].name = xstrdup(p->parsed->apps[p->n_apps].name);
		p->apps[p->n_apps].image_id = xstrdup(p->parsed->apps[p->n_apps].image_id);
	}
	*ret = take_ptr(p);
	return 0;
}

int registry_put_pod(struct registry *reg, const char *uuid, const char *token,
		     const char *data_dir, const char *manifest, size_t len, struct err *e)
{
	_cleanup_registered_pod_ struct registered_pod *p = NULL;
	int r = metadata_token_check(token, e);

	if (r == 0)
		r = pod_new(uuid, token, data_dir, manifest, len, &p, e);
	if (r < 0)
		return r;
	(void) registry_remove(reg, uuid);
	if (reg->n >= REGISTRY_PODS_MAX || reg->bytes + len > REGISTRY_BYTES_MAX)
		return err_set(e, ENOSPC, "too many pods are registered");
	r = registry_file_put_pod(reg->dir, p, e);
	if (r < 0)
		return r;
	reg->v = xgrow(reg->v, reg->n, sizeof *reg->v);
	reg->bytes += len;
	reg->v[reg->n++] = take_ptr(p);
	return 0;
}

/* The image's annotations, with those of the pod manifest over them (appc: the pod's win). */
static char *merged(const struct image_manifest *m, const struct runtime_app *app)
{
	struct nameval_list all = {0};
	char *text;

	nameval_copy(&all, &m->annotations);
	for (size_t i = 0; i < app->annotations.n; i++)
		nameval_set(&all, app->annotations.v[i].name, app->annotations.v[i].value);
	text = annotations_text(&all);
	nameval_done(&all);
	return text;
}

int registry_put_app(struct registry *reg, const char *uuid, const char *app, const char *manifest,
		     size_t len, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	size_t at = find(reg, uuid), i = 0;
	struct registered_pod *p = at < reg->n ? reg->v[at] : NULL;
	struct registered_app *a;
	int r;

	if (!p)
		return err_set(e, ENOENT, "pod %s is not registered", uuid);
	while (i < p->n_apps && strcmp(p->apps[i].name, app))
		i++;
	if (i == p->n_apps)
		return err_set(e, ENOENT, "pod %s has no app %s", uuid, app);
	a = &p->apps[i];
	m = image_manifest_parse(manifest, len, e);
	if (!m)
		return -EINVAL;
	if (reg->bytes - a->len + len > REGISTRY_BYTES_MAX)
		return err_set(e, ENOSPC, "too many pods are registered");
	r = registry_file_put_app(reg->dir, uuid, app, manifest, len, e);
	if (r < 0)
		return r;
	reg->bytes = reg->bytes - a->len + len;
	free(a->manifest);
	free(a->annotations);
	a->manifest = xstrndup(manifest, len);
	a->len = len;
	a->annotations = merged(m, &p->parsed->apps[i]);
	return 0;
}

int registry_remove(struct registry *reg, const char *uuid)
{
	size_t at = find(reg, uuid);
	struct registered_pod *p;

	if (at == reg->n)
		return -ENOENT;
	p = reg->v[at];
	registry_file_remove(reg->dir, p);
	reg->bytes -= bytes_of(p);
	pod_free(p);
	reg->v[at] = reg->v[--reg->n];
	return 0;
}

/* No early end at the first digit that differs: how long it takes tells nothing of a token. */
static bool same_token(const char *a, const char *b)
{
	unsigned char differs = 0;

	for (size_t i = 0; i < METADATA_TOKEN_LEN; i++)
		differs |= (unsigned char) (a[i] ^ b[i]);
	return !differs;
}

const struct registered_pod *registry_by_token(const struct registry *reg, const char *token)
{
	const struct registered_pod *found = NULL;

	if (strlen(token) != METADATA_TOKEN_LEN)
		return NULL;
	for (size_t i = 0; i < reg->n; i++)
		if (same_token(reg->v[i]->token, token))
			found = reg->v[i];
	return found;
}

const struct registered_app *registered_app(const struct registered_pod *p, const char *name)
{
	for (size_t i = 0; i < p->n_apps; i++)
		if (!strcmp(p->apps[i].name, name) && p->apps[i].manifest)
			return &p->apps[i];
	return NULL;
}
