/*
 * What nobody owns, or nobody has used for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/record.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"
#include "stage0/store/layer.h"
#include "stage0/store/partial.h"

#define PARTIAL_AGE_NS (24LL * 3600 * 1000000000)

/* --- what is left of work --- */

int store_tmp_sweep(int store, struct err *e)
{
	_cleanup_strv_ char **names = store_names_in(store, DATA_CAS_TMP);
	_cleanup_fd_ int parent =
		openat(store, DATA_CAS_TMP, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	for (size_t i = 0, n = strv_len(names); parent >= 0 && i < n; i++) {
		_cleanup_fd_ int lock = lock_dir_at(parent, names[i], LOCK_EXCLUSIVE, false, NULL);
		int one;

		if (lock < 0 && lock != -ENOTDIR)
			continue;
		one = path_remove_tree(parent, names[i], r < 0 ? NULL : e);
		if (one < 0 && r == 0)
			r = err_ctx(e, one, "%s", DATA_CAS_TMP);
	}
	return r;
}

/* A clock that jumped back makes nothing old. */
static bool is_older(const struct timespec *since, int64_t grace_ns)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return false;
	return (now.tv_sec - since->tv_sec) * 1000000000LL + (now.tv_nsec - since->tv_nsec) >=
	       grace_ns;
}

/* What is known of a URL whose image is gone is of no use. */
static void gc_remote(int dir, const char *name)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_fd_ int store = -EBADF;
	const char *id;
	char *data;
	size_t len;

	/* What is no such file is somebody else's. */
	if (file_read_at(dir, name, RECORD_MAX, &data, &len, NULL) < 0 ||
	    record_parse(&rec, data, len, UINT_MAX, NULL) < 0)
		return;
	id = record_get(&rec, "id");
	store = openat(dir, "../..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (id && store >= 0 && (image_id_check(id) || store_has(store, id) == 0))
		(void) unlinkat(dir, name, 0);
}

/* A part of a download that nobody went on with, or nobody could. */
static void gc_partial(int dir, const char *name)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (faccessat(fd, PARTIAL_STATE, F_OK, 0) == 0 && !is_older(&st.st_mtim, PARTIAL_AGE_NS)) ||
	    lock_fd(fd, LOCK_EXCLUSIVE, false) < 0)
		return;
	(void) path_remove_tree(dir, name, NULL);
}

void store_gc_downloads(int store)
{
	static const struct {
		const char *dir;
		void (*fn)(int dir, const char *name);
	} kinds[] = {{STORE_REMOTE, gc_remote}, {STORE_PARTIAL, gc_partial}};

	for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
		_cleanup_fd_ int dir = openat(store, kinds[k].dir,
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		_cleanup_strv_ char **names = dir < 0 ? NULL : store_names_in(store, kinds[k].dir);

		for (size_t i = 0, n = strv_len(names); i < n; i++)
			kinds[k].fn(dir, names[i]);
	}
}

/* --- trees --- */

static bool is_old(int store, const char *where, const char *name, int64_t grace_ns)
{
	_cleanup_free_ char *path = path_join(where, name);
	struct stat st;

	/* ctime is when it got its name. */
	return fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       is_older(&st.st_ctim, grace_ns);
}

static bool is_old_blob(int store, const char *name, const void *grace_ns)
{
	return is_old(store, STORE_BLOB, name, *(const int64_t *) grace_ns);
}

/* No image is made of it, or it was made of images that are gone. */
static bool is_orphan(int store, const struct store_layer_uses *uses, const char *id)
{
	if (str_starts(id, TREE_ID_LAYER))
		return !store_layer_uses_tree(uses, id);
	if (str_starts(id, TREE_ID_ATTRS))
		return store_has(store, id + strlen(TREE_ID_ATTRS)) == 0;
	return store_tree_is_orphan(store, id);
}

/*
 * Trees that no pod names, into the locked temporary directory: those whose images are gone, or, if
 * `all`, every one: what is wanted again is made again.
 */
static int gc_trees(int store, bool all, int64_t grace_ns, const struct store_layer_uses *uses,
		    const struct store_tmp *tmp, store_gone gone, struct err *e)
{
	_cleanup_strv_ char **trees = NULL, **used = NULL;
	int r = store_tree_ids(store, &trees, e);

	if (r == 0)
		r = store_trees_in_use(store, &used, e);
	for (size_t i = 0, n = strv_len(trees); r == 0 && i < n; i++) {
		const char *id = trees[i];

		if (strv_has(used, id) || store_layer_claims_tree(uses, id) ||
		    (!all && (!is_orphan(store, uses, id) ||
			      !is_old(store, DATA_CAS_TREE, id, grace_ns))))
			continue;
		r = store_take_away(store, DATA_CAS_TREE, id, tmp, id, e);
		if (r == 0 && !image_id_check(id))
			store_set_tree_size(store, id, 0);
		if (r == 0 && gone)
			gone("tree", id);
	}
	return r;
}

/* Trees, and the blobs of layers that no image has. */
static int gc_content(int store, bool all, int64_t grace_ns, const struct store_tmp *tmp,
		      store_gone gone, struct err *e)
{
	_cleanup_fd_ int lock = store_lock_use(store, LOCK_EXCLUSIVE, true, e);
	struct store_layer_uses uses = {0};
	int r = lock < 0 ? lock : store_layer_uses(store, &uses, e);

	if (r == 0)
		r = gc_trees(store, all, grace_ns, &uses, tmp, gone, e);
	if (r == 0)
		r = store_gc_blobs(store, is_old_blob, &grace_ns, &uses, tmp, gone, e);
	store_layer_uses_done(&uses);
	return r;
}

static int sweep(int store, bool all, int64_t grace_ns, store_gone gone, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	int r, r2;

	r = store_tmp_sweep(store, e);
	r2 = store_tmp_new(store, &tmp, r < 0 ? NULL : e);
	if (r2 == 0)
		r2 = gc_content(store, all, grace_ns, &tmp, gone, r < 0 ? NULL : e);
	store_tmp_done(store, &tmp);
	store_gc_downloads(store);
	return r < 0 ? r : r2;
}

static bool has_store(int store)
{
	return faccessat(store, DATA_CAS_TMP, F_OK, AT_EACCESS) == 0 || errno != ENOENT;
}

int store_gc(int store, int64_t grace_ns, struct err *e)
{
	return has_store(store) ? sweep(store, false, grace_ns, NULL, e) : 0;
}

/* --- images --- */

static int gc_images(int store, int64_t grace_ns, store_gone gone, struct err *e)
{
	_cleanup_strv_ char **used = NULL;
	struct store_list l = {0};
	int r = store_images_in_use(store, &used, e);

	if (r == 0)
		r = store_list(store, &l, e);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct timespec since = {l.v[i].last_used_ns / 1000000000,
					 l.v[i].last_used_ns % 1000000000};

		if (!is_older(&since, grace_ns) || strv_has(used, l.v[i].id))
			continue;
		r = store_remove(store, l.v[i].id, e);
		if (r == 0)
			gone("image", l.v[i].id);
		if (r == -ENOENT) /* somebody else took it */
			r = 0;
	}
	store_list_done(&l);
	return r;
}

int store_gc_unused(int store, int64_t grace_ns, store_gone gone, struct err *e)
{
	int r, r2;

	if (!has_store(store))
		return 0;
	r = sweep(store, true, 0, gone, e);
	r2 = gc_images(store, grace_ns, gone, r < 0 ? NULL : e);
	return r < 0 ? r : r2;
}
