#include "stage1/run/tree.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/fd_limit.h"

struct tree *tree_new(char **layers)
{
	struct tree *t = xcalloc(1, sizeof *t);

	t->layers = layers;
	t->n = strv_len(layers);
	return t;
}

const char *tree_top(const struct tree *t)
{
	return t->layers[t->n - 1];
}

/* So many may be kept open between two looks. */
#define KEPT_MAX 64

static int open_root(struct tree *t, int pod, struct err *e)
{
	return t->root.n ? 0 : stack_open(pod, t->layers, &t->root, e);
}

static void close_root(struct tree *t)
{
	if (t->n > KEPT_MAX)
		stack_dir_done(&t->root);
}

/* One directory needs no rules: the kernel walks. */
static int find(struct tree *t, const char *path, struct stack_node *ret)
{
	int fd;

	if (t->n > 1)
		return stack_find(&t->root, path, ret);
	*ret = (struct stack_node) STACK_NODE_INIT;
	fd = path_open_beneath(t->root.fds[0], path, O_RDONLY | O_DIRECTORY, 0, PATH_IN_ROOT);
	if (fd >= 0)
		return stack_node_of(fd, ret);
	if (fd != -ENOTDIR)
		return fd;
	/* A name on the way may be no directory as well as the last one. */
	fd = path_open_beneath(t->root.fds[0], path, O_PATH, 0, PATH_IN_ROOT);
	if (fd < 0)
		return fd;
	fd = fd_close(fd);
	ret->st.st_mode = S_IFREG;
	return 0;
}

int tree_look(struct tree *t, int pod, const char *path, enum tree_has *ret, struct err *e)
{
	_cleanup_fd_limit_ struct fd_limit limit = t->n > KEPT_MAX ? fd_limit_raise() : (struct fd_limit) {0};
	_cleanup_stack_node_ struct stack_node node = STACK_NODE_INIT;
	int r = open_root(t, pod, e);

	if (r < 0)
		return r;
	if (find(t, path, &node) < 0)
		*ret = TREE_NOTHING;
	else if (!node.dir.n)
		*ret = TREE_OTHER;
	else
		*ret = stack_dir_is_empty(&node.dir) ? TREE_EMPTY_DIR : TREE_DIR;
	close_root(t);
	return 0;
}

int tree_find_dir(struct tree *t, int pod, const char *path, struct stack_node *ret, struct err *e)
{
	int r = open_root(t, pod, e);

	if (r < 0)
		return r;
	r = find(t, path, ret);
	close_root(t);
	return r == 0 && !ret->dir.n ? -ENOTDIR : r;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	stack_dir_done(&t->root);
	strv_free(t->layers);
	free(t);
}
