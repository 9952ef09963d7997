/*
 * Several layers in one directory, from the top down: who comes first has a name, and who comes
 * later puts in what is missing.  So nothing is ever replaced, and nothing is written through: a
 * link that an upper layer has in the place of a directory of a lower one is met with O_NOFOLLOW,
 * and that directory is left out with all that is in it.
 *
 * Files are linked, not copied: the layers are read-only to everybody, and pods write to an
 * overlay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "stage0/render/internal.h"
#include "stage0/store/tree_copy.h"

#define MERGE_DEPTH_MAX 256 /* the unpacker admits fewer */

struct merge {
	const struct render_layer *layer;
	size_t n_files, n_dirs;
	/* of the directory that is being read, below the root; empty or ends in '/' */
	struct strbuf path;
};

/* Appends the name to the path: whoever asks restores the length. */
static bool is_wanted(struct merge *m, const char *name, bool is_dir)
{
	const struct render_layer *l = m->layer;
	size_t len = m->path.len;
	bool wanted;

	if (!(is_dir ? l->some_dirs : l->some_files))
		return true;
	strbuf_adds(&m->path, name);
	wanted = is_dir ? paths_have(l->dirs, m->n_dirs, m->path.buf)
			: paths_have(l->files, m->n_files, m->path.buf);
	m->path.len = len;
	m->path.buf[len] = '\0';
	return wanted;
}

/* 1: it is there now, 0: an upper layer has something of that name. */
static int link_node(int from, int to, const char *name)
{
	struct stat st;
	int r;

	if (linkat(from, name, to, name, 0) == 0)
		return 1;
	if (errno == EEXIST)
		return 0;
	/*
	 * A file can have too many names, or be on a file system that knows one only: a copy will
	 * do.
	 */
	if (errno != EMLINK && errno != EXDEV && errno != EPERM && errno != EOPNOTSUPP)
		return -errno;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = tree_copy_node(from, to, name, &st);
	return r == -EEXIST ? 0 : r < 0 ? r : 1;
}

static int merge_dir(struct merge *m, int from, int to, bool is_new, int depth, struct err *e);

/* 1: it was made, 0: it was there, or something else is. */
static int merge_subdir(struct merge *m, int from_dir, int to_dir, const char *name, int depth,
			struct err *e)
{
	_cleanup_fd_ int from = -EBADF, to = -EBADF;
	bool is_new = mkdirat(to_dir, name, 0700) == 0;
	size_t len = m->path.len;
	int r;

	if (!is_new && errno != EEXIST)
		return err_sys(e, "mkdir %s", q(name));
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0 && !is_new && (errno == ENOTDIR || errno == ELOOP))
		return 0;
	from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0 || from < 0)
		return err_sys(e, "open %s", q(name));
	strbuf_addf(&m->path, "%s/", name);
	r = merge_dir(m, from, to, is_new, depth + 1, e);
	m->path.len = len;
	m->path.buf[len] = '\0';
	return r < 0 ? r : is_new;
}

static int merge_entry(struct merge *m, int from, int to, const struct dirent *de, int depth,
		       struct err *e)
{
	bool is_dir = de->d_type == DT_DIR;
	struct stat st;
	int r;

	if (de->d_type == DT_UNKNOWN) {
		if (fstatat(from, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "%s%s", m->path.buf ? m->path.buf : "", de->d_name);
		is_dir = S_ISDIR(st.st_mode);
	}
	if (!is_wanted(m, de->d_name, is_dir))
		return 0;
	if (is_dir)
		return merge_subdir(m, from, to, de->d_name, depth, e);
	r = link_node(from, to, de->d_name);
	return r < 0 ? err_sysr(e, r, "link %s%s", m->path.buf ? m->path.buf : "", de->d_name) : r;
}

/* How many entries were put into `to`. */
static int merge_entries(struct merge *m, int from, int to, int depth, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	int fd = fd_copy(from), added = 0;
	struct dirent *de;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read directory /%s", m->path.buf ? m->path.buf : "");
	}
	while ((errno = 0, de = readdir(d))) {
		int r = 0;

		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = merge_entry(m, from, to, de, depth, e);
		if (r < 0)
			return r;
		added |= r;
	}
	return errno ? err_sys(e, "read directory /%s", m->path.buf ? m->path.buf : "") : added;
}

/* The attributes of a directory are those of the topmost layer that has it. */
static int merge_dir(struct merge *m, int from, int to, bool is_new, int depth, struct err *e)
{
	struct stat st;
	int r;

	if (depth > MERGE_DEPTH_MAX)
		return err_set(e, ELOOP, "%s: too deep", q(m->path.buf));
	if (fstat(is_new ? from : to, &st) < 0)
		return err_sys(e, "/%s", m->path.buf ? m->path.buf : "");
	r = merge_entries(m, from, to, depth, e);
	if (r < 0)
		return r;
	if (is_new) {
		r = tree_copy_attributes(from, to, &st);
	} else if (r > 0) {
		struct timespec times[2] = {st.st_atim, st.st_mtim};

		r = futimens(to, times) < 0 ? -errno : 0;
	}
	return r < 0 ? err_sysr(e, r, "attributes of /%s", m->path.buf ? m->path.buf : "") : 0;
}

static int merge_layer(int store, const struct render_layer *layer, int to, bool is_top,
		       struct err *e)
{
	_cleanup_fd_ int tree = store_tree_open(store, layer->id, e), from = -EBADF;
	struct merge m = {
		.layer = layer,
		.n_files = strv_len(layer->files),
		.n_dirs = strv_len(layer->dirs),
	};
	int r;

	if (tree < 0)
		return tree;
	from = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return err_sys(e, "tree of image %s", layer->id);
	r = merge_dir(&m, from, to, is_top, 0, e);
	strbuf_done(&m.path);
	return r < 0 ? err_ctx(e, r, "layer %s", layer->id) : 0;
}

static bool is_same(const struct render_layer *a, const struct render_layer *b)
{
	if (strcmp(a->id, b->id) || a->some_files != b->some_files ||
	    a->some_dirs != b->some_dirs || strv_len(a->files) != strv_len(b->files) ||
	    strv_len(a->dirs) != strv_len(b->dirs))
		return false;
	for (size_t i = 0; a->files[i]; i++)
		if (strcmp(a->files[i], b->files[i]))
			return false;
	for (size_t i = 0; a->dirs[i]; i++)
		if (strcmp(a->dirs[i], b->dirs[i]))
			return false;
	return true;
}

int merge_layers(int store, const struct render_layer *layers, size_t n, int to, struct err *e)
{
	_cleanup_fd_ int root = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open the new tree");
	for (size_t i = n; i-- > 0;) {
		size_t above = i + 1;
		int r;

		/* Seen before with the same lists: it has nothing to add. */
		while (above < n && !is_same(&layers[above], &layers[i]))
			above++;
		if (above < n)
			continue;
		r = merge_layer(store, &layers[i], root, i == n - 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}
