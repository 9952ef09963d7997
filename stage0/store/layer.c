#include "stage0/store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/parse.h"
#include "contract/layout.h"
#include "spec/oci.h"
#include "stage0/store/internal.h"

/* --- the list --- */

void store_layers_done(struct store_layers *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].digest);
		free(l->v[i].diff_id);
		free(l->v[i].tree_id);
		free(l->v[i].media_type);
	}
	free(l->v);
	*l = (struct store_layers) {0};
}

int store_layers_add(struct store_layers *l, const char *digest, int64_t size, const char *diff_id,
		     const char *media_type, struct err *e)
{
	if (oci_digest_check(digest))
		return err_set(e, EINVAL, "layer %s: %s", q(digest), oci_digest_check(digest));
	if (oci_digest_check(diff_id))
		return err_set(e, EINVAL, "diff id %s: %s", q(diff_id), oci_digest_check(diff_id));
	if (!str_starts(diff_id, "sha256:"))
		return err_set(e, ENOTSUP, "diff id %s: only SHA-256 is supported", q(diff_id));
	if (size < 0 || strchr(media_type, '\n'))
		return err_set(e, EINVAL, "layer %s: malformed size or media type", digest);
	if (l->n >= OCI_LAYERS_MAX)
		return err_set(e, E2BIG, "more than %d layers", OCI_LAYERS_MAX);
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = (struct store_layer) {
		.digest = xstrdup(digest),
		.size = size,
		.diff_id = xstrdup(diff_id),
		.tree_id = xasprintf(TREE_ID_LAYER "%s", diff_id + strlen("sha256:")),
		.media_type = xstrdup(media_type),
	};
	return 0;
}

char *store_layers_print(const struct store_layers *l)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < l->n; i++)
		strbuf_addf(&sb, "%s %lld %s %s %s\n", l->v[i].digest, (long long) l->v[i].size,
			    l->v[i].diff_id, l->v[i].tree_id, l->v[i].media_type);
	return strbuf_take(&sb);
}

/* The next word of a line that ends with a space; NULL when there is none. */
static char *word(char **p)
{
	char *start = *p, *space = strchr(start, ' ');

	if (!space)
		return NULL;
	*space = '\0';
	*p = space + 1;
	return start;
}

static int parse_line(char *line, struct store_layers *l, struct err *e)
{
	char *digest = word(&line), *size = digest ? word(&line) : NULL;
	char *diff_id = size ? word(&line) : NULL, *tree_id = diff_id ? word(&line) : NULL;
	int64_t bytes;
	int r;

	if (!tree_id || parse_i64(size, 0, INT64_MAX, &bytes) < 0)
		return err_set(e, EINVAL, "malformed line");
	r = store_layers_add(l, digest, bytes, diff_id, line, e);
	if (r == 0 && strcmp(l->v[l->n - 1].tree_id, tree_id))
		r = err_set(e, EINVAL, "tree %s does not fit %s", q(tree_id), diff_id);
	return r;
}

int store_layers_parse(const char *text, struct store_layers *ret, struct err *e)
{
	_cleanup_strv_ char **lines = strv_split(text, '\n');
	struct store_layers l = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && lines[i]; i++) {
		if (!lines[i + 1] && !*lines[i]) /* behind the last line feed */
			break;
		r = lines[i + 1] ? parse_line(lines[i], &l, e) : err_set(e, EINVAL, "cut short");
	}
	if (r < 0)
		store_layers_done(&l);
	else
		*ret = l;
	return r;
}

int store_layers(int store, const char *id, struct store_layers *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" IMAGE_LAYERS, id), *text = NULL;
	size_t len;
	int r;

	if (image_id_check(id))
		return err_set(e, EINVAL, "%s: %s", q(id), image_id_check(id));
	r = file_read_at(store, path, LAYERS_FILE_MAX, &text, &len, e);
	if (r == 0)
		r = store_layers_parse(text, ret, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

int64_t store_layers_size(const struct store_layers *l)
{
	int64_t sum = 0;

	for (size_t i = 0; i < l->n; i++) {
		size_t j = 0;

		while (j < i && strcmp(l->v[j].digest, l->v[i].digest))
			j++;
		if (j == i && l->v[i].size <= INT64_MAX - sum)
			sum += l->v[i].size;
	}
	return sum;
}

/* --- what is there --- */

char *store_blob_name(const char *digest)
{
	char *name = xstrdup(digest);

	*strchr(name, ':') = '-';
	return name;
}

int store_layer_blob(int store, const char *digest, struct err *e)
{
	_cleanup_free_ char *name = NULL, *path = NULL;
	int fd;

	if (oci_digest_check(digest))
		return err_set(e, EINVAL, "%s: %s", q(digest), oci_digest_check(digest));
	name = store_blob_name(digest);
	path = xasprintf(STORE_BLOB "/%s/" BLOB_FILE, name);
	fd = openat(store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open layer %s", digest) : fd;
}

uint64_t store_layer_unpacked(int store, const struct store_layer *l)
{
	_cleanup_free_ char *name = store_blob_name(l->digest);
	_cleanup_free_ char *path = xasprintf(STORE_BLOB "/%s/" BLOB_UNPACKED, name), *text = NULL;
	uint64_t size = (uint64_t) l->size, noted;

	if (file_read_line_at(store, path, &text, NULL) == 0 && parse_u64(text, INT64_MAX, &noted) == 0 && noted > size)
		size = noted;
	return size;
}

unsigned store_layer_state(int store, const struct store_layer *l)
{
	_cleanup_fd_ int blob = store_layer_blob(store, l->digest, NULL);
	_cleanup_fd_ int tree = store_tree_open(store, l->tree_id, NULL);
	_cleanup_free_ char *name = store_blob_name(l->digest);
	_cleanup_free_ char *path = xasprintf(STORE_BLOB "/%s/" BLOB_DIFF_ID, name), *diff_id = NULL;

	if (blob >= 0)
		(void) file_read_line_at(store, path, &diff_id, NULL);
	return (blob >= 0 && str_eq(diff_id, l->diff_id) ? LAYER_HAS_BLOB : 0) |
	       (tree >= 0 ? LAYER_HAS_TREE : 0);
}
