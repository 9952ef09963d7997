/*
 * Work in progress: a locked directory in cas/tmp, and how it becomes an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"
#include "stage0/store/layer.h"

#define TMP_TRIES 100

/* gc may have taken the directory between mkdir(2) and flock(2). */
static bool is_still_there(int parent, const char *name, int dir)
{
	struct stat a, b;

	return fstatat(parent, name, &a, AT_SYMLINK_NOFOLLOW) == 0 && fstat(dir, &b) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int store_tmp_new(int store, struct store_tmp *ret, struct err *e)
{
	_cleanup_fd_ int parent = store_dir(store, DATA_CAS_TMP, e);
	struct store_tmp tmp = STORE_TMP_INIT;
	uint64_t random;

	if (parent < 0)
		return parent;
	for (int i = 0; i < TMP_TRIES; i++) {
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			return err_sys(e, "getrandom");
		(void) snprintf(tmp.name, sizeof tmp.name, "%016llx", (unsigned long long) random);
		if (mkdirat(parent, tmp.name, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			return err_sys(e, "mkdir %s/%s", DATA_CAS_TMP, tmp.name);
		}
		tmp.dir = lock_dir_at(parent, tmp.name, LOCK_EXCLUSIVE, false, NULL);
		if (tmp.dir >= 0 && is_still_there(parent, tmp.name, tmp.dir)) {
			*ret = tmp;
			return 0;
		}
		tmp.dir = fd_close(tmp.dir);
	}
	return err_set(e, EBUSY, "%s: no temporary name to be had", DATA_CAS_TMP);
}

void store_tmp_done(int store, struct store_tmp *tmp)
{
	_cleanup_fd_ int parent = -EBADF;

	if (tmp->dir < 0)
		return;
	parent = openat(store, DATA_CAS_TMP, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* What cannot be removed now is gc's: it is not locked any more when we are gone. */
	if (parent >= 0)
		(void) path_remove_tree(parent, tmp->name, NULL);
	tmp->dir = fd_close(tmp->dir);
}

static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	if (file_rename_at(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/*
	 * A file system without the flag: rename(2) of a directory only ever replaces an empty one.
	 */
	return renameat(from_dir, from, to_dir, to) < 0 ? -(errno == ENOTEMPTY ? EEXIST : errno)
							: 0;
}

/*
 * Give TMP/from its name below the store, and sync the name; 1 when there is one of that name
 * already.
 */
static int publish_dir(int store, const struct store_tmp *tmp, const char *from, const char *where,
		       const char *id, struct err *e)
{
	_cleanup_fd_ int dir = store_dir(store, where, e);
	int r;

	if (dir < 0)
		return dir;
	r = rename_new(tmp->dir, from, dir, id);
	if (r == -EEXIST)
		return 1;
	if (r < 0)
		return err_sysr(e, r, "rename to %s/%s", where, id);
	return file_sync_dir(dir, e);
}

static int sync_all(const struct store_tmp *tmp, struct err *e)
{
	return syncfs(tmp->dir) < 0 ? err_sys(e, "sync %s/%s", DATA_CAS_TMP, tmp->name) : 0;
}

int store_publish_tree(int store, const struct store_tmp *tmp, const char *name,
		       const char *tree_id, struct err *e)
{
	int r = sync_all(tmp, e);

	if (r == 0)
		r = publish_dir(store, tmp, name, DATA_CAS_TREE, tree_id, e);
	return r < 0 ? r : 0;
}

int store_publish_layer(int store, const struct store_tmp *tmp, const struct store_layer *l,
			struct err *e)
{
	_cleanup_free_ char *name = store_blob_name(l->digest);
	int r = sync_all(tmp, e);

	/* The tree first: a blob without one is unpacked again, and not the other way round. */
	if (r == 0 && faccessat(tmp->dir, "tree", F_OK, 0) == 0)
		r = publish_dir(store, tmp, "tree", DATA_CAS_TREE, l->tree_id, e);
	if (r >= 0 && faccessat(tmp->dir, "layer", F_OK, 0) == 0)
		r = publish_dir(store, tmp, "layer", STORE_BLOB, name, e);
	return r < 0 ? r : 0;
}

static int write_info(int parent, const char *name, const struct store_info *info, struct err *e)
{
	_cleanup_fd_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return err_sys(e, "open %s", name);
	/* In a store with a group (modes.h) its members may remove the image. */
	if (fstat(dir, &st) == 0 && st.st_mode & S_ISGID && !(st.st_mode & S_IWGRP))
		(void) fchmod(dir, 02770);
	return info_write(dir, info, e);
}

/*
 * It was in the store: if it had no signature then and has a good one now, that is worth knowing.
 */
int store_refresh(int store, const struct store_info *info, struct err *e)
{
	_cleanup_free_ char *path = path_join(DATA_CAS_IMAGE, info->id);
	struct store_info now = *info, old = {0};
	int r = store_info(store, info->id, &old, NULL);

	if (r == 0 && !now.signer)
		now.signer = old.signer;
	if (r == 0 && !now.tree_size)
		now.tree_size = old.tree_size;
	if (r == 0)
		r = write_info(store, path, &now, e);
	store_info_done(&old);
	return r == -ENOENT ? 0 : r;
}

int store_publish(int store, struct store_tmp *tmp, const struct store_info *info, struct err *e)
{
	/* Between the two renames the tree belongs to no image and to no pod: keep gc away. */
	_cleanup_fd_ int use = store_lock_use(store, LOCK_SHARED, true, e);
	int r = use < 0 ? use : 0;

	if (r == 0 && store_has(store, info->id) == 1 && faccessat(tmp->dir, "tree", F_OK, 0) < 0)
		return store_refresh(store, info, e);
	if (r == 0)
		r = write_info(tmp->dir, "image", info, e);
	if (r == 0)
		r = sync_all(tmp, e);
	/*
	 * A tree of that name was published by somebody who had verified the same id. Who is not
	 * root has none.
	 */
	if (r == 0 && faccessat(tmp->dir, "tree", F_OK, 0) == 0)
		r = publish_dir(store, tmp, "tree", DATA_CAS_TREE, info->id, e);
	if (r >= 0)
		r = publish_dir(store, tmp, "image", DATA_CAS_IMAGE, info->id, e);
	if (r == 1)
		r = store_refresh(store, info, e);
	if (r < 0)
		return err_ctx(e, r, "image %s", info->id);
	tmp->published = true;
	return 0;
}
