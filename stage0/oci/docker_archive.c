/*
 * What `docker save` writes: manifest.json has, for each image, its configuration, its names and its
 * layers, as names of files.  A layer's digest stands nowhere; one that is not compressed has its diff
 * id for a digest, and others have it in their file's name.  Either way it is checked when it is read.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/oci/archive.h"
#include "stage0/oci/ref.h"

#define MANIFEST_JSON "manifest.json"
#define OCI "application/vnd.oci.image."
#define HEX_LEN 64

struct saved {
	char *config;
	char **tags, **layers;
};

struct saved_list {
	struct saved *v;
	size_t n;
};

static void saved_done(struct saved_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].config);
		strv_free(l->v[i].tags);
		strv_free(l->v[i].layers);
	}
	free(l->v);
}

static int decode_saved(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
#define AT(member) .offset = offsetof(struct saved, member)
	static const struct json_field fields[] = {
		{.key = "Config", .type = JSON_F_STRING, AT(config), .required = true},
		{.key = "RepoTags", .type = JSON_F_STRV, AT(tags)},
		{.key = "Layers", .type = JSON_F_STRV, AT(layers), .required = true},
	};
#undef AT
	struct saved_list *l = arg;

	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n] = (struct saved) {0};
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, &l->v[l->n++], e);
}

static int read_saved(const struct archive *a, struct saved_list *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *j = NULL;
	size_t len;
	int r = archive_read(a, MANIFEST_JSON, OCI_DOCUMENT_MAX, &text, &len, e);

	if (r == -ENOENT && archive_index_find(&a->index, "repositories"))
		return err_set(e, ENOTSUP, "docker before 1.10 wrote it, without " MANIFEST_JSON);
	if (r < 0)
		return r;
	j = json_parse(text, len, OCI_DOCUMENT_MAX, e);
	r = j ? json_each(j, JSON_TOP, decode_saved, ret, e) : -EINVAL;
	return r < 0 ? err_ctx(e, r, MANIFEST_JSON) : 0;
}

/* --- which image --- */

/* "busybox" and "docker.io/library/busybox:latest" are one name. */
static char *whole_name(const char *name)
{
	_cleanup_free_ char *word = xasprintf("docker://%s", name);
	_cleanup_oci_ref_ struct oci_ref ref = {0};

	return oci_ref_parse(word, OCI_DEFAULT_REGISTRY, &ref, NULL) < 0 ? xstrdup(name) : oci_ref_print(&ref);
}

static bool has_tag(const struct saved *s, const char *name)
{
	_cleanup_free_ char *want = whole_name(name);

	for (char **tag = s->tags; tag && *tag; tag++) {
		_cleanup_free_ char *have = whole_name(*tag);

		if (!strcmp(want, have))
			return true;
	}
	return false;
}

static char *list_tags(const struct saved_list *l)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < l->n; i++)
		for (char **tag = l->v[i].tags; tag && *tag && sb.len < 512; tag++)
			strbuf_addf(&sb, "%s%s", sb.len ? ", " : "", q(*tag));
	if (!sb.len)
		strbuf_adds(&sb, "none");
	return strbuf_take(&sb);
}

/* "@1", as skopeo has it; no name of an image begins so. */
static const struct saved *choose_numbered(const struct saved_list *l, const char *word, struct err *e)
{
	uint64_t i;

	if (parse_u64(word + 1, UINT64_MAX, &i) < 0) {
		err_set(e, EINVAL, "%s: expected @ and a number from 0", q(word));
		return NULL;
	}
	if (i < l->n)
		return &l->v[i];
	err_set(e, ENOENT, "there is no image %s in it; the last one is @%zu", word, l->n - 1);
	return NULL;
}

static const struct saved *choose(const struct saved_list *l, const char *name, struct err *e)
{
	_cleanup_free_ char *tags = list_tags(l);

	if (!l->n) {
		err_set(e, ENOENT, "there is no image in it");
		return NULL;
	}
	if (name && *name == '@')
		return choose_numbered(l, name, e);
	if (!name && l->n == 1)
		return &l->v[0];
	if (!name) {
		err_set(e, ENOTUNIQ, "there are several images in it, and one must be named: %s (or by its place: @0)", tags);
		return NULL;
	}
	for (size_t i = 0; i < l->n; i++)
		if (has_tag(&l->v[i], name))
			return &l->v[i];
	err_set(e, ENOENT, "there is no image named %s in it; there is: %s", q(name), tags);
	return NULL;
}

/* --- a manifest for it --- */

static const struct archive_entry *find(const struct archive *a, const char *name, struct err *e)
{
	const struct archive_entry *entry = archive_index_find(&a->index, name);

	if (!entry)
		err_set(e, ENOENT, "there is no %s in the archive, which " MANIFEST_JSON " names", q(name));
	return entry;
}

static void add_part(struct archive *a, const char *digest, const struct archive_entry *entry)
{
	a->parts = xgrow(a->parts, a->n_parts, sizeof *a->parts);
	a->parts[a->n_parts++] = (struct archive_part) {xstrdup(digest), entry};
}

static cJSON *encode(const char *media_type, const char *digest, const struct archive_entry *entry)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "mediaType", media_type);
	json_add_int(o, "size", (int64_t) entry->size);
	cJSON_AddStringToObject(o, "digest", digest);
	return o;
}

/* ".../<64 digits>.tar.gz", "sha256:<64 digits>.tar.gz": who wrote it knew the digest. */
static char *digest_in_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i + HEX_LEN <= len; i++) {
		size_t n = strspn(name + i, "0123456789abcdef");

		if (n == HEX_LEN)
			return xasprintf("sha256:%.*s", HEX_LEN, name + i);
		i += n;
	}
	return NULL;
}

/* The bytes tell how it is compressed, if it is. */
static int layer_kind(const struct archive *a, const struct archive_entry *entry, const char *name,
		      const char **ret_media_type, struct err *e)
{
	unsigned char head[4] = {0};
	ssize_t n = archive_peek(a, entry, head, sizeof head);

	if (n < 0)
		return err_sysr(e, (int) n, "read %s", q(name));
	if (head[0] == 0x1f && head[1] == 0x8b)
		*ret_media_type = OCI "layer.v1.tar+gzip";
	else if (!memcmp(head, "\x28\xb5\x2f\xfd", 4))
		*ret_media_type = OCI "layer.v1.tar+zstd";
	else
		*ret_media_type = OCI "layer.v1.tar";
	return 0;
}

static int add_layer(struct archive *a, const char *name, const char *diff_id, cJSON *layers, struct err *e)
{
	const struct archive_entry *entry = find(a, name, e);
	_cleanup_free_ char *digest = NULL;
	const char *media_type = NULL;
	int r = entry ? layer_kind(a, entry, name, &media_type, e) : -ENOENT;

	if (r < 0)
		return r;
	digest = str_ends(media_type, ".tar") ? xstrdup(diff_id) : digest_in_name(path_last(entry->name));
	if (!digest)
		return err_set(e, ENOTSUP, "layer %s is compressed, and its digest stands nowhere", q(name));
	add_part(a, digest, entry);
	cJSON_AddItemToArray(layers, encode(media_type, digest, entry));
	return 0;
}

static int make_manifest(struct archive *a, const struct saved *s, const char *config_digest, char *const *diff_ids,
			 struct err *e)
{
	_cleanup_json_ cJSON *j = cJSON_CreateObject();
	cJSON *layers;
	int r = 0;

	cJSON_AddNumberToObject(j, "schemaVersion", 2);
	cJSON_AddStringToObject(j, "mediaType", OCI "manifest.v1+json");
	cJSON_AddItemToObject(j, "config", encode(OCI "config.v1+json", config_digest, a->parts[0].entry));
	layers = cJSON_AddArrayToObject(j, "layers");
	for (size_t i = 0; r == 0 && s->layers && s->layers[i]; i++)
		r = add_layer(a, s->layers[i], diff_ids[i], layers, e);
	if (r < 0)
		return r;
	a->top.data = json_print(j, false);
	a->top.len = strlen(a->top.data);
	return 0;
}

static int read_config(struct archive *a, const struct saved *s, struct oci_config **ret, char **ret_digest,
		       struct err *e)
{
	const struct archive_entry *entry = find(a, s->config, e);
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r = entry ? archive_read(a, s->config, OCI_DOCUMENT_MAX, &doc.data, &doc.len, e) : -ENOENT;

	if (r == 0)
		r = oci_document_hash(a->base.g, &doc, NULL, "image configuration", e);
	if (r < 0)
		return r;
	*ret = oci_config_parse(doc.data, doc.len, e);
	if (!*ret)
		return -EINVAL;
	*ret_digest = xstrdup(doc.digest);
	add_part(a, doc.digest, entry);
	return 0;
}

int docker_archive_read(struct archive *a, const char *name, struct err *e)
{
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_free_ char *digest = NULL;
	struct saved_list l = {0};
	const struct saved *s;
	int r = read_saved(a, &l, e);

	s = r == 0 ? choose(&l, name, e) : NULL;
	if (r == 0 && !s)
		r = -ENOENT;
	if (r == 0)
		r = read_config(a, s, &config, &digest, e);
	if (r == 0 && strv_len(config->diff_ids) != strv_len(s->layers))
		r = err_set(e, EBADMSG, MANIFEST_JSON ": %zu layers, and %zu diff_ids in the configuration",
			    strv_len(s->layers), strv_len(config->diff_ids));
	if (r == 0)
		r = make_manifest(a, s, digest, config->diff_ids, e);
	if (r == 0 && s->tags)
		a->base.named = xstrdup(s->tags[0]);
	saved_done(&l);
	return r;
}
