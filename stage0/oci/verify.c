#include "stage0/oci/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/path_escape.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/image/kept.h"
#include "stage0/oci/image.h"
#include "stage0/oci/layer_tree.h"
#include "stage0/oci/pull.h"
#include "stage0/oci/stack.h"
#include "stage0/store/layer.h"
#include "stage0/worker/worker.h"

#define LAYER_MS (1800 * 1000)

struct subject {
	const struct gantry *g;
	int store;
	const struct store_layer *layer;
};

static int damaged(const char *what, const char *have, const char *want, struct err *e)
{
	return err_set(e, EBADMSG,
		       "the layer in the store is damaged (remove the image, and fetch it again): its %s is %s, "
		       "not %s",
		       what, have, want);
}

static int check_answer(const struct store_layer *l, struct worker *w, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = worker_finish(w, LAYER_MS, &rec, e);
	const char *digest, *diff_id;

	if (r < 0)
		return r;
	digest = record_get(&rec, "digest");
	diff_id = record_get(&rec, "diffid");
	if (!digest || oci_digest_check(digest) || !diff_id || oci_digest_check(diff_id))
		return err_set(e, EPROTO, "image unpack gave a malformed answer");
	if (strcmp(digest, l->digest))
		return damaged("digest", digest, l->digest, e);
	return strcmp(diff_id, l->diff_id) ? damaged("diff id", diff_id, l->diff_id, e) : 0;
}

static int unpack(const struct subject *s, int dir, char **ret_lists, struct err *e)
{
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_fd_ int blob = store_layer_blob(s->store, s->layer->digest, e), progress = -EBADF;
	bool sha512 = str_starts(s->layer->digest, "sha512:");
	char *words[] = {"layer", sha512 ? "sha512" : NULL, NULL};
	int r;

	if (blob < 0)
		return blob;
	progress = kept_progress(blob, e);
	if (progress < 0)
		return progress;

	const struct fd_name names[] = {{"blob", blob}, {"progress", progress}, {"tree", dir}};
	const struct worker_text job = {.name = "unpack", .words = words, .fds = names, .n = ELEMENTSOF(names),
					.out = "lists", .limit = LAYER_LISTS_MAX};

	r = worker_start_text(s->g, &job, &w, ret_lists, NULL, e);
	return r < 0 ? r : check_answer(s->layer, &w, e);
}

/*
 * A directory that the layer has no entry for has the time of when it was unpacked: that of the tree which
 * is kept is as good.
 */
static void copy_time(int kept, int fresh, const char *path)
{
	unsigned how = PATH_NO_LINKS | PATH_NO_XDEV;
	_cleanup_fd_ int from = path_open_beneath(kept, path, O_RDONLY | O_DIRECTORY, 0, how),
			 to = path_open_beneath(fresh, path, O_RDONLY | O_DIRECTORY, 0, how);
	struct stat st;

	if (from >= 0 && to >= 0 && fstat(from, &st) == 0)
		(void) futimens(to, (struct timespec[]) {st.st_atim, st.st_mtim});
}

static int copy_times(const struct subject *s, int fresh_dir, char *lists, struct err *e)
{
	_cleanup_fd_ int kept = store_tree_open(s->store, s->layer->tree_id, e), fresh = -EBADF;

	if (kept < 0)
		return kept;
	fresh = openat(fresh_dir, TREE_ROOTFS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fresh < 0)
		return err_sys(e, "open " TREE_ROOTFS);
	for (char *line = lists, *end; *line; line = end) {
		_cleanup_free_ char *path = NULL;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		path = str_starts(line, "implied ") ? path_unescape(strchr(line, ' ') + 1) : NULL;
		if (path)
			copy_time(kept, fresh, path);
	}
	return 0;
}

static int make_fresh(void *arg, const struct store_tmp *tmp, struct err *e)
{
	_cleanup_free_ char *lists = NULL;
	_cleanup_fd_ int dir = -EBADF;
	int r;

	if (mkdirat(tmp->dir, "fresh", 0700) < 0)
		return err_sys(e, "mkdir fresh");
	dir = openat(tmp->dir, "fresh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open fresh");
	r = unpack(arg, dir, &lists, e);
	if (r == 0)
		r = layer_tree_finish(dir, lists, e);
	return r < 0 ? r : copy_times(arg, dir, lists, e);
}

static int verify_layers(const struct gantry *g, int store, const struct store_layers *l, enum verify *ret,
			 void (*report)(const char *tree_id, const char *why), struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct subject s = {.g = g, .store = store, .layer = &l->v[i]};
		const struct verify_tree t = {
			.tree_id = l->v[i].tree_id, .make = make_fresh, .arg = &s, .report = report};

		r = verify_tree(store, &t, ret, e);
	}
	return r;
}

struct layer_ids {
	int store;
	char **v;
};

static int make_attrs(void *arg, const struct store_tmp *tmp, struct err *e)
{
	const struct layer_ids *ids = arg;
	_cleanup_fd_ int dir = -EBADF;

	if (mkdirat(tmp->dir, "fresh", 0700) < 0)
		return err_sys(e, "mkdir fresh");
	dir = openat(tmp->dir, "fresh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? err_sys(e, "open fresh") : oci_stack_write_attrs(ids->store, ids->v, dir, e);
}

/* Made of the layers' trees, which are right by now. */
static int verify_attrs(int store, const char *id, const struct store_layers *l, enum verify *ret,
			void (*report)(const char *tree_id, const char *why), struct err *e)
{
	_cleanup_free_ char *tree_id = xasprintf(TREE_ID_ATTRS "%s", id);
	_cleanup_fd_ int tree = store_tree_open(store, tree_id, NULL);
	struct layer_ids ids = {.store = store};
	const struct verify_tree t = {.tree_id = tree_id, .make = make_attrs, .arg = &ids, .report = report};
	int r;

	/* The next start makes it. */
	if (tree < 0 || *ret == VERIFY_NOT_RENDERED)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		strv_add(&ids.v, l->v[i].tree_id);
	r = verify_tree(store, &t, ret, e);
	strv_free(ids.v);
	return r;
}

/* The layers' file is a copy of what the two documents say. */
static int check_documents(const struct gantry *g, int store, const char *id, const struct store_layers *l,
			   struct err *e)
{
	_cleanup_source_ struct source *s = NULL;
	_cleanup_oci_pull_ struct oci_pull p = {0};
	int r = source_open_store(g, store, id, &s, e);

	if (r == 0)
		r = s->ops->manifest(s, NULL, &p.top, e);
	if (r == 0)
		r = oci_pull_manifest(s, &p, e);
	if (r == 0)
		r = oci_pull_config(s, &p, e);
	if (r < 0)
		return r;
	if (l->n != p.manifest->n_layers)
		return err_set(e, EBADMSG, "image %s: " IMAGE_LAYERS " does not fit the manifest", id);
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].digest, p.manifest->layers[i].digest) ||
		    strcmp(l->v[i].diff_id, p.config->diff_ids[i]))
			return err_set(e, EBADMSG, "image %s: " IMAGE_LAYERS " does not fit the manifest", id);
	return 0;
}

int oci_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
	       void (*report)(const char *tree_id, const char *why), struct err *e)
{
	/* Nobody takes a tree away meanwhile. */
	_cleanup_fd_ int use = store_lock_use(store, LOCK_SHARED, true, e);
	_cleanup_store_layers_ struct store_layers l = {0};
	int r = use < 0 ? use : store_layers(store, id, &l, e);

	*ret = VERIFY_NOT_RENDERED;
	if (r == 0)
		r = check_documents(g, store, id, &l, e);
	if (r == 0)
		r = verify_layers(g, store, &l, ret, report, e);
	return r < 0 ? r : verify_attrs(store, id, &l, ret, report, e);
}
