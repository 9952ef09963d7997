/*
 * Symbolic links of a layer in the way of a later entry.
 *
 * All readers of layers follow them inside the root, so there are layers that need it.  The name
 * without links is worked out here, and then the directory is opened by that name with links refused:
 * what was overlooked here is an error there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/layer_internal.h"

#define LINKS_MAX 40 /* path_resolution(7) */

struct walk {
	char done[PATH_MAX]; /* no links in it */
	char todo[PATH_MAX];
	unsigned links;
};

static int too_long(struct err *e)
{
	return err_set(e, ENAMETOOLONG, "path too long");
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	*(slash ? slash : w->done) = '\0';
}

static int go_down(struct walk *w, const char *name, struct err *e)
{
	size_t n = strlen(w->done), len = strlen(name);

	if (n + len + 2 > sizeof w->done)
		return too_long(e);
	if (n)
		w->done[n++] = '/';
	memcpy(w->done + n, name, len + 1);
	return 0;
}

/* What is in the link comes before what is left. */
static int follow(struct walk *w, const char *target, struct err *e)
{
	size_t len = strlen(target), left = strlen(w->todo);

	if (++w->links > LINKS_MAX)
		return err_set(e, ELOOP, "too many symbolic links are in the way");
	if (len + left + 2 > sizeof w->todo)
		return too_long(e);
	memmove(w->todo + len + 1, w->todo, left + 1);
	memcpy(w->todo, target, len);
	w->todo[len] = '/';
	if (*target == '/')
		w->done[0] = '\0';
	return 0;
}

static int step(struct walk *w, int root, const char *name, struct err *e)
{
	_cleanup_fd_ int dir = -EBADF;
	char target[PATH_MAX];
	ssize_t n = -1;

	if (!strcmp(name, ".."))
		go_up(w);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	/* Where nothing is, or no directory, there is no link: that is somebody else's to say. */
	dir = path_open_beneath(root, *w->done ? w->done : ".", O_PATH | O_DIRECTORY, 0,
				PATH_NO_LINKS | PATH_NO_XDEV);
	if (dir >= 0)
		n = readlinkat(dir, name, target, sizeof target - 1);
	if (n < 0)
		return go_down(w, name, e);
	target[n] = '\0';
	return follow(w, target, e);
}

int layer_resolve(int root, unsigned max_depth, char *path, struct err *e)
{
	struct walk w = {.links = 0};
	int r = 0;

	memcpy(w.todo, path, strlen(path) + 1);
	while (r == 0 && *w.todo) {
		size_t len = strcspn(w.todo, "/");
		char name[PATH_MAX];

		memcpy(name, w.todo, len);
		name[len] = '\0';
		len += w.todo[len] == '/';
		memmove(w.todo, w.todo + len, strlen(w.todo + len) + 1);
		r = step(&w, root, name, e);
	}
	return r < 0 ? r : policy_clean(w.done, max_depth, path, e);
}
