#include "stage0/oci/layer_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/path_escape.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/store/layer.h"

/*
 * What overlayfs is to know of a directory (kernel: Documentation/filesystems/overlayfs.rst, fs/overlayfs/inode.c).
 * In one that is merged with nothing it looks for whiteouts, so as not to list them, only where the second is;
 * without a value it means that nothing more is known.
 */
static const struct mark {
	const char *word, *attribute, *value;
} marks[] = {
	{"opaque", "trusted.overlay.opaque", "y"},
	{"hiding", "trusted.overlay.origin", ""},
};

static int set_mark(int rootfs, const char *path, const struct mark *m)
{
	_cleanup_fd_ int fd =
		path_open_beneath(rootfs, path, O_RDONLY | O_DIRECTORY, 0, PATH_NO_LINKS | PATH_NO_XDEV);

	if (fd < 0)
		return fd;
	return fsetxattr(fd, m->attribute, m->value, strlen(m->value), 0) < 0 ? -errno : 0;
}

static int take_line(int rootfs, char *line, struct strbuf *implied, struct err *e)
{
	char *text = strchr(line, ' ');
	_cleanup_free_ char *path = NULL;
	size_t i = 0;
	int r;

	if (text)
		*text++ = '\0';
	while (i < ELEMENTSOF(marks) && !str_eq(line, marks[i].word))
		i++;
	if (!text || (i == ELEMENTSOF(marks) && !str_eq(line, "implied")))
		return err_set(e, EPROTO, "image unpack gave a malformed list");
	path = path_unescape(text);
	if (!path || !*path || *path == '/')
		return err_set(e, EPROTO, "image unpack gave a malformed path");
	if (i == ELEMENTSOF(marks)) {
		strbuf_addf(implied, "%s\n", text);
		return 0;
	}
	r = set_mark(rootfs, path, &marks[i]);
	return r < 0 ? err_sysr(e, r, "mark %s as %s", q(path), line) : 0;
}

int layer_tree_finish(int tree, const char *lists, struct err *e)
{
	_cleanup_fd_ int rootfs = openat(tree, TREE_ROOTFS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_strbuf_ struct strbuf implied = STRBUF_INIT;

	if (rootfs < 0)
		return err_sys(e, "open " TREE_ROOTFS);
	while (*lists) {
		size_t n = strcspn(lists, "\n");
		_cleanup_free_ char *line = xstrndup(lists, n);
		int r = take_line(rootfs, line, &implied, e);

		if (r < 0)
			return r;
		lists += n + (lists[n] == '\n');
	}
	return implied.len ? file_write_at(tree, TREE_IMPLIED, implied.buf, implied.len, 0640, FILE_FAST, e) : 0;
}
