#include "sys/stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define LINKS_MAX 40 /* MAXSYMLINKS of path_resolution(7) */
#define DEPTH_MAX 2048

void stack_dir_done(struct stack_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		(void) fd_close(d->fds[i]);
	free(d->fds);
	free(d->layer);
	*d = (struct stack_dir) {0};
}

void stack_node_done(struct stack_node *n)
{
	stack_dir_done(&n->dir);
}

static void push(struct stack_dir *d, int fd, unsigned layer)
{
	d->fds = xgrow(d->fds, d->n, sizeof *d->fds);
	d->layer = xgrow(d->layer, d->n, sizeof *d->layer);
	d->fds[d->n] = fd;
	d->layer[d->n++] = layer;
}

int stack_open(int dirfd, char *const *layers, struct stack_dir *ret, struct err *e)
{
	*ret = (struct stack_dir) {0};
	for (size_t i = strv_len(layers); i-- > 0;) {
		int fd = openat(dirfd, layers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0) {
			int r = err_sys(e, "open the image's tree %s", layers[i]);

			stack_dir_done(ret);
			return r;
		}
		push(ret, fd, (unsigned) i);
	}
	return 0;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISSOCK(st->st_mode) || (S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0));
}

static bool is_opaque(int fd)
{
	char value[2];

	return (fgetxattr(fd, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y') ||
	       faccessat(fd, STACK_OPAQUE_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One layer's word on the name. 1: lower ones have nothing more to say. */
static int ask(const struct stack_dir *d, size_t i, const char *name, struct stack_node *ret)
{
	struct stat st;
	int fd;

	if (fstatat(d->fds[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode)) {
		if (!ret->dir.n && !is_whiteout(&st)) {
			ret->st = st;
			ret->layer = d->layer[i];
			ret->parent = d->fds[i];
		}
		return 1;
	}
	fd = openat(d->fds[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ret->dir.n) {
		ret->st = st;
		ret->layer = d->layer[i];
	}
	push(&ret->dir, fd, d->layer[i]);
	return i + 1 < d->n && is_opaque(fd);
}

int stack_child(const struct stack_dir *d, const char *name, struct stack_node *ret)
{
	int r = 0;

	*ret = (struct stack_node) STACK_NODE_INIT;
	for (size_t i = 0; r == 0 && i < d->n; i++)
		r = ask(d, i, name, ret);
	if (r < 0) {
		stack_node_done(ret);
		return r;
	}
	return ret->dir.n || ret->parent >= 0 ? 0 : -ENOENT;
}

/* Where a walk is: the directories that led here, so that ".." has one to go back to. */
struct walk {
	const struct stack_dir *root;
	struct stack_dir *below; /* one for each step from the root */
	size_t n;
	char *text;	  /* owned */
	const char *rest; /* what of it is still to be walked */
	unsigned links;
};

static const struct stack_dir *here(const struct walk *w)
{
	return w->n ? &w->below[w->n - 1] : w->root;
}

static void up(struct walk *w)
{
	if (w->n)
		stack_dir_done(&w->below[--w->n]);
}

static int down(struct walk *w, struct stack_node *node)
{
	if (w->n == DEPTH_MAX)
		return -ELOOP;
	w->below = xgrow(w->below, w->n, sizeof *w->below);
	w->below[w->n++] = node->dir;
	node->dir = (struct stack_dir) {0};
	return 0;
}

static int follow(struct walk *w, const struct stack_node *node, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(node->parent, name, target, sizeof target - 1);
	char *next;

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	target[n] = '\0';
	while (target[0] == '/' && w->n)
		up(w);
	next = xasprintf("%s%s", target, w->rest);
	free(w->text);
	w->rest = w->text = next;
	return strlen(next) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* 1: *ret is what was looked for. */
static int step(struct walk *w, const char *name, struct stack_node *ret)
{
	int r;

	if (str_eq(name, "."))
		return 0;
	if (str_eq(name, "..")) {
		up(w);
		return 0;
	}
	r = stack_child(here(w), name, ret);
	if (r < 0)
		return r;
	if (S_ISLNK(ret->st.st_mode))
		return follow(w, ret, name);
	if (!ret->dir.n)
		return w->rest[0] ? -ENOTDIR : 1;
	r = w->rest[strspn(w->rest, "/")] ? down(w, ret) : 1;
	if (r < 0)
		stack_node_done(ret);
	return r;
}

/* Where the path ended in "..", or was "/": the directory once more, by descriptors of its own. */
static int copy_here(const struct walk *w, struct stack_node *ret)
{
	const struct stack_dir *d = here(w);

	*ret = (struct stack_node) STACK_NODE_INIT;
	for (size_t i = 0; i < d->n; i++) {
		int fd = fd_copy(d->fds[i]);

		if (fd < 0) {
			stack_node_done(ret);
			return fd;
		}
		push(&ret->dir, fd, d->layer[i]);
	}
	ret->layer = d->layer[0];
	if (fstat(d->fds[0], &ret->st) < 0) {
		stack_node_done(ret);
		return -errno;
	}
	return 0;
}

int stack_find(const struct stack_dir *root, const char *path, struct stack_node *ret)
{
	struct walk w = {.root = root, .text = xstrdup(path)};
	int r = 0;

	*ret = (struct stack_node) STACK_NODE_INIT;
	w.rest = w.text;
	while (r == 0) {
		const char *from = w.rest + strspn(w.rest, "/");
		_cleanup_free_ char *name = xstrndup(from, strcspn(from, "/"));

		w.rest = from + strlen(name);
		if (!name[0])
			break;
		r = step(&w, name, ret);
	}
	if (r == 0)
		r = copy_here(&w, ret);
	while (w.n)
		up(&w);
	free(w.below);
	free(w.text);
	/* Where it lay is closed. */
	ret->parent = -EBADF;
	return r < 0 ? r : 0;
}

int stack_node_of(int fd, struct stack_node *ret)
{
	*ret = (struct stack_node) STACK_NODE_INIT;
	push(&ret->dir, fd, 0);
	if (fstat(fd, &ret->st) == 0)
		return 0;
	stack_node_done(ret);
	return -errno;
}

static bool has_entries(int fd)
{
	DIR *d;
	struct dirent *de;
	bool some = false;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		(void) fd_close(copy);
		return true;
	}
	while (!some && (de = readdir(d)))
		some = !str_eq(de->d_name, ".") && !str_eq(de->d_name, "..");
	(void) closedir(d);
	return some;
}

bool stack_dir_is_empty(const struct stack_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (has_entries(d->fds[i]))
			return false;
	return true;
}
