#include "stage0/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/context.h"
#include "stage0/store/modes.h"

/*
 * For every directory of the store: what it is for members of the group (modes.h). The last one is
 * made last.
 */
static const struct {
	const char *path;
	mode_t mode;
} layout[] = {
	{STORE_CAS, 02770},    {DATA_CAS_IMAGE, 02770}, {DATA_CAS_TREE, 02700},
	{DATA_CAS_TMP, 02770}, {STORE_REMOTE, 02770},	{STORE_PARTIAL, 02770},
	{STORE_BLOB, 02770},   {DATA_LOCKS, 02770},
};

/* Members that fetch hold it shared; it is empty. */
static void make_lock_file(int data)
{
	_cleanup_fd_ int fd =
		openat(data, DATA_PREPARE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	struct stat st;

	if (fd >= 0 && fstatat(data, DATA_LOCKS, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mode & S_ISGID)
		(void) fchmod(fd, 0660);
}

static int make_layout(const struct gantry *g, int data, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(layout); i++) {
		int r = modes_mkdir(g, data, layout[i].path, layout[i].mode);

		if (r == -EROFS)
			return 0;
		if (r < 0)
			return err_sysr(e, r, "mkdir %s", layout[i].path);
	}
	make_lock_file(data);
	return 0;
}

int store_open(const struct gantry *g, struct err *e)
{
	_cleanup_fd_ int fd = modes_data_dir(g, e);
	int r;

	if (fd < 0)
		return fd;
	/* Each start comes by here: one question instead of one for each directory. */
	if (faccessat(fd, DATA_LOCKS, F_OK, AT_EACCESS) == 0)
		return take_fd(fd);
	r = make_layout(g, fd, e);
	if (r < 0)
		return err_ctx(e, r, "data directory %s", g->data_dir);
	return take_fd(fd);
}

/* Somebody tidied up: what is missing of the layout is made again, like its neighbours. */
static int mend_layout(int store, const char *path)
{
	if (str_eq(path, STORE_CAS))
		return mkdirat(store, path, 0700) < 0 && errno != EEXIST ? -errno : 0;
	if (faccessat(store, STORE_CAS, F_OK, 0) < 0)
		(void) mkdirat(store, STORE_CAS, 0700);
	return str_eq(path, DATA_CAS_TREE)
		       ? (mkdirat(store, path, 0700) < 0 && errno != EEXIST ? -errno : 0)
		       : modes_mkdir_like(store, path, STORE_CAS);
}

int store_dir(int store, const char *path, struct err *e)
{
	int fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && mend_layout(store, path) >= 0)
		fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

int store_open_existing(const struct gantry *g, struct err *e)
{
	_cleanup_fd_ int fd = g->data_fd >= 0 ? fd_copy(g->data_fd)
					      : open(g->data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "data directory %s", g->data_dir);
	if (faccessat(fd, DATA_CAS_IMAGE, F_OK, AT_EACCESS) < 0)
		return err_sys(e, "store %s/%s", g->data_dir, DATA_CAS_IMAGE);
	return take_fd(fd);
}

int store_image_dir(int store, const char *id, struct err *e)
{
	_cleanup_free_ char *path = path_join(DATA_CAS_IMAGE, id);
	int fd;

	if (image_id_check(id))
		return err_set(e, EINVAL, "%s: %s", q(id), image_id_check(id));
	fd = openat(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "image %s is not in the store", id);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

int store_has(int store, const char *id)
{
	_cleanup_fd_ int fd = store_image_dir(store, id, NULL);

	if (fd == -ENOENT)
		return 0;
	return fd < 0 ? fd : 1;
}

int store_manifest(int store, const char *id, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int dir = store_image_dir(store, id, e);
	int r;

	if (dir < 0)
		return dir;
	r = file_read_at(dir, MANIFEST_FILE, JSON_MANIFEST_MAX, ret, ret_len, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

int store_blob_open(int store, const char *id, struct err *e)
{
	_cleanup_fd_ int dir = store_image_dir(store, id, e);
	int fd;

	if (dir < 0)
		return dir;
	fd = openat(dir, BLOB_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open blob of image %s", id) : fd;
}

char *store_tree_path(const char *id)
{
	return xasprintf("%s/%s/%s", DATA_CAS_TREE, id, TREE_ROOTFS);
}

int store_tree_open(int store, const char *id, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (tree_id_check(id))
		return err_set(e, EINVAL, "%s: %s", q(id), tree_id_check(id));
	path = store_tree_path(id);
	fd = openat(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "tree of image %s", id) : fd;
}

int store_lock_use(int store, enum lock_kind kind, bool wait, struct err *e)
{
	int fd = lock_file_at(store, DATA_PREPARE_LOCK, kind, wait, e);

	if (fd != -ENOENT || modes_mkdir_like(store, DATA_LOCKS, STORE_CAS) < 0)
		return fd;
	make_lock_file(store);
	return lock_file_at(store, DATA_PREPARE_LOCK, kind, wait, e);
}

static int read_ids(int store, const char *where, const char *(*check)(const char *), char ***ret,
		    struct err *e)
{
	_cleanup_strv_ char **ids = NULL;
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	size_t n = 0;
	int fd = store_dir(store, where, e);

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read %s", where);
	}
	/*
	 * Not strv_add(): with thousands it would look for the end each time. There is always room
	 * for one more.
	 */
	ids = xgrow(NULL, 0, sizeof *ids);
	ids[0] = NULL;
	while ((errno = 0, de = readdir(d)))
		if (!check(de->d_name)) {
			ids = xgrow(ids, n + 1, sizeof *ids);
			ids[n++] = xstrdup(de->d_name);
			ids[n] = NULL;
		}
	if (errno)
		return err_sys(e, "read %s", where);
	*ret = take_ptr(ids);
	return 0;
}

int store_ids(int store, const char *where, char ***ret, struct err *e)
{
	return read_ids(store, where, image_id_check, ret, e);
}

int store_tree_ids(int store, char ***ret, struct err *e)
{
	return read_ids(store, DATA_CAS_TREE, tree_id_check, ret, e);
}
