#include "stage0/worker/pack_file.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/worker/tar_internal.h"
#include "stage0/worker/untar_internal.h"

#define NAMES_MAX 65536 /* listxattr(2): XATTR_LIST_MAX */
#define BUFFER (256u << 10)
#define HOLES_MIN (64u << 10) /* fewer bytes of holes are written as zeros */

/* --- attributes --- */

static int add_xattr(int fd, const char *name, const struct id_shift *users, struct tar_entry *entry, struct err *e)
{
	uint8_t value[65536 + ID_SHIFT_GROWTH]; /* XATTR_SIZE_MAX */
	int wanted = policy_xattr(entry, name, e), r;
	size_t len;
	ssize_t n;

	if (wanted <= 0)
		return wanted;
	n = fgetxattr(fd, name, value, sizeof value - ID_SHIFT_GROWTH);
	if (n < 0)
		return err_sys(e, "extended attribute %s", q(name));
	len = (size_t) n;
	r = id_shift_xattr(users, name, value, &len);
	if (r < 0)
		return err_set(e, -r, "extended attribute %s names an id that is none of the pod's", q(name));
	return tar_xattr_add(&entry->xattrs, &entry->n_xattrs, xstrdup(name),
			     xmemdup(value, len), len, false, e);
}

int pack_file_xattrs(int fd, const struct id_shift *users, struct tar_entry *entry, struct err *e)
{
	char buf[NAMES_MAX];
	_cleanup_strv_ char **names = NULL;
	ssize_t n = flistxattr(fd, buf, sizeof buf);
	int r = 0;

	if (n < 0)
		return errno == ENOTSUP ? 0 : err_sys(e, "extended attributes");
	for (const char *p = buf; p < buf + n; p += strlen(p) + 1)
		strv_add(&names, p);
	if (names)
		strv_sort(names);
	for (char **name = names; r == 0 && name && *name; name++)
		r = add_xattr(fd, *name, users, entry, e);
	return r;
}

/* --- data --- */

/* The pieces between the holes; none when the file has no holes that matter. */
static int find_pieces(int fd, const struct stat *st, struct tar_entry *entry, struct err *e)
{
	off_t at = 0, size = st->st_size;
	uint64_t data = 0;

	if ((uint64_t) st->st_blocks * 512 + HOLES_MIN > (uint64_t) size)
		return 0;
	while (at < size) {
		off_t from = lseek(fd, at, SEEK_DATA), to;
		int r;

		if (from < 0 && errno == ENXIO) /* a hole up to the end */
			break;
		to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			return err_sys(e, "look for holes");
		if (to > size)
			to = size;
		if (entry->n_pieces >= TAR_SPARSE_MAX - 1)
			break;
		r = tar_piece_add(&entry->pieces, &entry->n_pieces, (uint64_t) from,
				  (uint64_t) (to - from), e);
		if (r < 0)
			return r;
		data += (uint64_t) (to - from);
		at = to;
	}
	if (entry->n_pieces < TAR_SPARSE_MAX - 1 && data + HOLES_MIN <= (uint64_t) size) {
		entry->is_sparse = true;
		return 0;
	}
	free(entry->pieces);
	entry->pieces = NULL;
	entry->n_pieces = 0;
	return 0;
}

static int copy(struct tar_writer *w, int fd, uint64_t offset, uint64_t len, struct err *e)
{
	char buf[BUFFER];

	while (len) {
		ssize_t n = pread(fd, buf, len < BUFFER ? (size_t) len : BUFFER, (off_t) offset);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return err_set(e, EAGAIN, "shrank while it was packed");
		r = tar_write_data(w, buf, (size_t) n, e);
		if (r < 0)
			return r;
		offset += (uint64_t) n;
		len -= (uint64_t) n;
	}
	return 0;
}

int pack_file(struct tar_writer *w, int fd, const struct stat *st, struct tar_entry *entry,
	      struct err *e)
{
	int r = find_pieces(fd, st, entry, e);

	if (r == 0)
		r = tar_write_entry(w, entry, e);
	if (r == 0 && !entry->is_sparse)
		r = copy(w, fd, 0, entry->size, e);
	for (size_t i = 0; r == 0 && entry->is_sparse && i < entry->n_pieces; i++)
		r = copy(w, fd, entry->pieces[i].offset, entry->pieces[i].len, e);
	return r;
}

void pack_file_done(struct tar_entry *entry)
{
	tar_xattrs_done(&entry->xattrs, &entry->n_xattrs);
	free(entry->pieces);
	entry->pieces = NULL;
}
