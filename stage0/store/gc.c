/*
 * Taking things out of the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"

/* Directories below `fd`, as a strv; a directory that is not there has none. */
static char **names_in(int dirfd, const char *path)
{
	char **names = NULL;
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return NULL;
	}
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			strv_add(&names, de->d_name);
	return names;
}

static void add_pod_trees(int pod, char ***ret)
{
	_cleanup_strv_ char **apps = names_in(pod, POD_APPSINFO);

	for (size_t i = 0; i < strv_len(apps); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s/%s", POD_APPSINFO, apps[i], APP_TREE_ID);
		_cleanup_free_ char *id = NULL;

		if (file_read_line_at(pod, path, &id, NULL) >= 0)
			strv_push(ret, take_ptr(id));
	}
}

int store_trees_in_use(int store, char ***ret, struct err *e)
{
	static const char *const phases[] = {"prepare", "prepared", "run", "exited-garbage"};
	char **ids = NULL;

	for (size_t p = 0; p < ELEMENTSOF(phases); p++) {
		_cleanup_free_ char *phase = path_join(DATA_PODS, phases[p]);
		_cleanup_strv_ char **pods = names_in(store, phase);

		for (size_t i = 0; i < strv_len(pods); i++) {
			_cleanup_free_ char *path = path_join(phase, pods[i]);
			_cleanup_fd_ int pod = openat(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			/* Pods move from left to right in the table: one that went on is met again. */
			if (pod < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
				strv_free(ids);
				return err_sys(e, "pod %s", path);
			}
			if (pod >= 0)
				add_pod_trees(pod, &ids);
		}
	}
	*ret = ids;
	return 0;
}

/* Take cas/KIND/ID away from under its name; the rest of the removal nobody waits for. */
static int take_away(int store, const char *where, const char *id, const struct store_tmp *tmp, const char *as,
		     struct err *e)
{
	_cleanup_fd_ int dir = openat(store, where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "open %s", where);
	if (renameat(dir, id, tmp->dir, as) < 0)
		return err_sys(e, "remove %s/%s", where, id);
	return file_sync_dir(dir, e);
}

static int remove_tree_if_unused(int store, const char *id, const struct store_tmp *tmp)
{
	_cleanup_fd_ int lock = store_lock_use(store, LOCK_EXCLUSIVE, false, NULL);
	_cleanup_strv_ char **used = NULL;
	int r;

	if (lock < 0)
		return lock;
	r = store_trees_in_use(store, &used, NULL);
	/* Somebody may have fetched it again since the image went. */
	if (r < 0 || strv_has(used, id) || store_has(store, id) != 0)
		return r;
	return take_away(store, DATA_CAS_TREE, id, tmp, "tree", NULL);
}

int store_remove(int store, const char *id, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	_cleanup_fd_ int dir = store_image_dir(store, id, e);
	int r = dir < 0 ? dir : store_tmp_new(store, &tmp, e);

	if (r < 0)
		return r;
	r = take_away(store, DATA_CAS_IMAGE, id, &tmp, "image", e);
	if (r == 0)
		(void) remove_tree_if_unused(store, id, &tmp);
	store_tmp_done(store, &tmp);
	return r;
}

int store_tmp_sweep(int store, struct err *e)
{
	_cleanup_strv_ char **names = names_in(store, DATA_CAS_TMP);
	_cleanup_fd_ int parent = openat(store, DATA_CAS_TMP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	for (size_t i = 0; parent >= 0 && i < strv_len(names); i++) {
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

static bool is_older(int store, const char *id, int64_t grace_ns)
{
	_cleanup_free_ char *path = path_join(DATA_CAS_TREE, id);
	struct timespec now;
	struct stat st;

	/* ctime is when it got its name. A clock that jumped back makes nothing old. */
	if (fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return false;
	return (now.tv_sec - st.st_ctim.tv_sec) * 1000000000LL + (now.tv_nsec - st.st_ctim.tv_nsec) >= grace_ns;
}

/* Trees that no image and no pod names: move them into the locked temporary directory. */
static int gc_trees(int store, int64_t grace_ns, const struct store_tmp *tmp, struct err *e)
{
	_cleanup_fd_ int lock = store_lock_use(store, LOCK_EXCLUSIVE, true, e);
	_cleanup_strv_ char **trees = NULL, **used = NULL;
	int r = lock < 0 ? lock : store_ids(store, DATA_CAS_TREE, &trees, e);

	if (r == 0)
		r = store_trees_in_use(store, &used, e);
	for (size_t i = 0; r == 0 && i < strv_len(trees); i++) {
		if (strv_has(used, trees[i]) || store_has(store, trees[i]) != 0 || !is_older(store, trees[i], grace_ns))
			continue;
		r = take_away(store, DATA_CAS_TREE, trees[i], tmp, trees[i], e);
	}
	return r;
}

int store_gc(int store, int64_t grace_ns, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	int r, r2;

	if (faccessat(store, DATA_CAS_TMP, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	r = store_tmp_sweep(store, e);
	r2 = store_tmp_new(store, &tmp, r < 0 ? NULL : e);
	if (r2 == 0)
		r2 = gc_trees(store, grace_ns, &tmp, r < 0 ? NULL : e);
	store_tmp_done(store, &tmp);
	return r < 0 ? r : r2;
}
