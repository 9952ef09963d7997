#include "stage0/oci/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/oci/ref.h"

void blob_stream_done(struct blob_stream *b)
{
	if (b->is_download)
		download_stop(&b->download); /* its pipe is b->fd */
	else
		(void) fd_close(b->fd);
	b->fd = -EBADF;
	b->is_download = false;
}

int source_note_path(struct source *s, int fd, struct err *e)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path);
	if (n < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "%s", link);
	if (n == sizeof path)
		return err_set(e, ENAMETOOLONG, "its path is too long");
	/* proc(5): of what was removed the link says " (deleted)", which could be a name as well. */
	if (!st.st_nlink || path[0] != '/')
		return err_set(e, ESTALE, "it was removed");
	s->path = xstrndup(path, (size_t) n);
	return 0;
}

int source_open(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret, struct err *e)
{
	struct stat st;

	if (ref->transport == OCI_REGISTRY)
		return source_open_registry(g, store, ref, ret, e);
	/* "oci:" is a layout, whether it is a directory or a tar of one. */
	if (ref->transport != OCI_LAYOUT)
		return source_open_archive(g, store, ref, ret, e);
	if (stat(ref->path, &st) < 0)
		return err_sys(e, "image layout %s", q(ref->path));
	return S_ISDIR(st.st_mode) ? source_open_layout(g, store, ref, ret, e)
				   : source_open_archive(g, store, ref, ret, e);
}
