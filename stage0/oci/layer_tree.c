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

#define OPAQUE_ATTRIBUTE "trusted.overlay.opaque" /* kernel: Documentation/filesystems/overlayfs.rst */

static int make_opaque(int rootfs, const char *path)
{
	_cleanup_fd_ int fd =
		path_open_beneath(rootfs, path, O_RDONLY | O_DIRECTORY, 0, PATH_NO_LINKS | PATH_NO_XDEV);

	if (fd < 0)
		return fd;
	return fsetxattr(fd, OPAQUE_ATTRIBUTE, "y", 1, 0) < 0 ? -errno : 0;
}

static int take_line(int rootfs, const char *line, struct strbuf *implied, struct err *e)
{
	bool opaque = str_starts(line, "opaque ");
	const char *text = strchr(line, ' ');
	_cleanup_free_ char *path = NULL;
	int r;

	if (!text || (!opaque && !str_starts(line, "implied ")))
		return err_set(e, EPROTO, "image unpack gave a malformed list");
	path = path_unescape(text + 1);
	if (!path || !*path || *path == '/')
		return err_set(e, EPROTO, "image unpack gave a malformed path");
	if (!opaque) {
		strbuf_addf(implied, "%s\n", text + 1);
		return 0;
	}
	r = make_opaque(rootfs, path);
	return r < 0 ? err_sysr(e, r, "make %s opaque", q(path)) : 0;
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
