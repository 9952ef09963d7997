/*
 * An image layout in a tar file, and what `docker save` writes.  The jailed worker tells what lies where;
 * parts are then read in place, and a compressed archive is inflated once, into a file of the store's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/image/kept.h"
#include "stage0/oci/archive.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/ref.h"

static struct archive *archive_of(struct source *s)
{
	return (struct archive *) s; /* base is the first member */
}

/* --- parts --- */

static int read_range(int fd, uint64_t offset, char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, buf + done, len - done, (off_t) (offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t) n;
	}
	return 0;
}

static int read_entry(const struct archive *a, const struct archive_entry *entry, const char *name, size_t limit,
		      char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	int r;

	if (entry->size > limit)
		return err_set(e, EFBIG, "%s is larger than %zu bytes", q(name), limit);
	data = xmalloc(entry->size + 1);
	r = read_range(a->file, entry->offset, data, entry->size);
	if (r < 0)
		return err_sysr(e, r, "read %s", q(name));
	data[entry->size] = '\0';
	*ret = take_ptr(data);
	*ret_len = entry->size;
	return 0;
}

int archive_read(const struct archive *a, const char *name, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	const struct archive_entry *entry = archive_index_find(&a->index, name);

	if (!entry)
		return err_set(e, ENOENT, "there is no %s in the archive", q(name));
	return read_entry(a, entry, name, limit, ret, ret_len, e);
}

ssize_t archive_peek(const struct archive *a, const struct archive_entry *entry, void *buf, size_t n)
{
	size_t len = entry->size < n ? entry->size : n;
	int r = read_range(a->file, entry->offset, buf, len);

	return r < 0 ? r : (ssize_t) len;
}

int archive_stream(const struct archive *a, const struct archive_entry *entry, const struct oci_descriptor *d,
		   int64_t from, struct blob_stream *ret, struct err *e)
{
	char path[32];
	int fd;

	if ((int64_t) entry->size != d->size)
		return err_set(e, EBADMSG, "%s has %llu bytes, not %lld", d->digest, (unsigned long long) entry->size,
			       (long long) d->size);
	/* With an offset of its own: several layers are read at a time. */
	(void) snprintf(path, sizeof path, "/proc/self/fd/%d", a->file);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the archive again");
	*ret = (struct blob_stream) {
		.fd = fd,
		.offset = (int64_t) entry->offset + from,
		.length = d->size,
		.download = DOWNLOAD_INIT,
	};
	return 0;
}

static const struct archive_entry *find_blob(const struct archive *a, const char *digest)
{
	_cleanup_free_ char *path = layout_blob_path(digest);

	for (size_t i = 0; i < a->n_parts; i++)
		if (!strcmp(a->parts[i].digest, digest))
			return a->parts[i].entry;
	return a->n_parts ? NULL : archive_index_find(&a->index, path);
}

/* --- the source --- */

static int by_digest(struct source *s, const char *digest, int64_t size, struct oci_document *ret, struct err *e)
{
	const struct archive *a = archive_of(s);
	const struct archive_entry *entry = find_blob(a, digest);
	struct oci_document doc = {0};
	int r;

	if (!entry)
		return err_set(e, ENOENT, "there is no %s in the archive", digest);
	if (size >= 0 && (uint64_t) size != entry->size)
		return err_set(e, EBADMSG, "%s has %llu bytes, not %lld", digest, (unsigned long long) entry->size,
			       (long long) size);
	r = read_entry(a, entry, digest, OCI_DOCUMENT_MAX, &doc.data, &doc.len, e);
	if (r == 0)
		r = oci_document_hash(s->g, &doc, digest, digest, e);
	if (r < 0)
		oci_document_done(&doc);
	else
		*ret = doc;
	return r;
}

static int document(struct source *s, const struct oci_descriptor *d, struct oci_document *ret, struct err *e)
{
	int r = by_digest(s, d->digest, d->size, ret, e);

	if (r == 0)
		ret->media_type = xstrdup(d->media_type);
	return r;
}

static int give_top(struct source *s, struct oci_document *ret, struct err *e)
{
	const struct oci_document *top = &archive_of(s)->top;

	*ret = (struct oci_document) {.data = xmemdup(top->data, top->len + 1), .len = top->len};
	return oci_document_hash(s->g, ret, NULL, "manifest", e);
}

static int layout_manifest(struct source *s, const char *reference, struct oci_document *ret, struct err *e)
{
	const struct oci_document *top = &archive_of(s)->top;
	_cleanup_oci_index_ struct oci_index *x = NULL;
	const struct oci_descriptor *d;
	int r;

	if (reference && !oci_digest_check(reference))
		return by_digest(s, reference, -1, ret, e);
	x = oci_index_parse(top->data, top->len, e);
	if (!x)
		return err_ctx(e, -EINVAL, LAYOUT_INDEX);
	r = layout_find(x, reference, &d, e);
	if (r < 0)
		return err_ctx(e, r, "archive %s", q(s->shown));
	if (r == 0 && !s->named)
		s->named = xstrdup_null(layout_name(d));
	return r == 0 ? document(s, d, ret, e) : give_top(s, ret, e);
}

static int docker_manifest(struct source *s, const char *reference, struct oci_document *ret, struct err *e)
{
	int r = give_top(s, ret, e);

	/* Which image it is was decided when the archive was opened. */
	if (r == 0 && reference && !oci_digest_check(reference) && strcmp(reference, ret->digest))
		r = err_set(e, ENOENT, "the image's digest is %s, not %s", ret->digest, reference);
	return r;
}

static int blob(struct source *s, const struct oci_descriptor *d, int64_t from, struct blob_stream *ret, struct err *e)
{
	const struct archive_entry *entry = find_blob(archive_of(s), d->digest);

	if (!entry)
		return err_set(e, ENOENT, "there is no %s in the archive", d->digest);
	return archive_stream(archive_of(s), entry, d, from, ret, e);
}

static int referrers(struct source *s, const char *digest, const char *artifact_type, struct oci_document *ret,
		     struct err *e)
{
	return layout_referrers(s, &archive_of(s)->top, digest, artifact_type, ret, e);
}

static void close_archive(struct source *s)
{
	struct archive *a = archive_of(s);

	(void) fd_close(a->file);
	store_tmp_done(s->store, &a->tmp);
	archive_index_done(&a->index);
	oci_document_done(&a->top);
	for (size_t i = 0; i < a->n_parts; i++)
		free(a->parts[i].digest);
	free(a->parts);
	free(s->shown);
	free(s->named);
	free(s->path);
	free(a);
}

static const struct source_ops layout_ops = {
	.transport = "oci-archive",
	.manifest = layout_manifest,
	.document = document,
	.blob = blob,
	.referrers = referrers,
	.close = close_archive,
};
static const struct source_ops docker_ops = {
	.transport = "docker-archive",
	.manifest = docker_manifest,
	.document = document,
	.blob = blob,
	.close = close_archive,
};

/* --- opening --- */

static int open_file(struct archive *a, const char *path, struct err *e)
{
	struct stat st;

	a->file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (a->file < 0 || fstat(a->file, &st) < 0)
		return err_sys(e, "open");
	return S_ISREG(st.st_mode) ? source_note_path(&a->base, a->file, e) :
				     err_set(e, EINVAL, "it is no regular file");
}

static bool is_compressed(int fd)
{
	static const struct {
		const char *bytes;
		size_t n;
	} magics[] = {{"\x1f\x8b", 2}, {"\x28\xb5\x2f\xfd", 4}, {"\xfd" "7zXZ", 5}, {"BZh", 3}};
	char head[8] = {0};

	if (pread(fd, head, sizeof head, 0) < 4)
		return false;
	for (size_t i = 0; i < ELEMENTSOF(magics); i++)
		if (!memcmp(head, magics[i].bytes, magics[i].n))
			return true;
	return false;
}

/* Its parts cannot be read in place: once through the worker, into a file that goes with the source. */
static int inflate(struct archive *a, struct err *e)
{
	_cleanup_fd_ int out = -EBADF;
	int r = store_tmp_new(a->base.store, &a->tmp, e);

	if (r < 0)
		return r;
	out = openat(a->tmp.dir, "archive", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(e, "create a temporary file");
	r = kept_inflate_file(a->base.g, a->base.store, a->file, out, e);
	if (r < 0)
		return r;
	(void) fd_close(a->file);
	a->file = take_fd(out);
	return 0;
}

static int read_part(const void *archive, const char *name, size_t limit, char **ret, size_t *ret_len,
		     struct err *e)
{
	return archive_read(archive, name, limit, ret, ret_len, e);
}

int source_open_archive(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret,
			struct err *e)
{
	struct archive *a = xcalloc(1, sizeof *a);
	bool docker = ref->transport == DOCKER_ARCHIVE;
	int r;

	a->base = (struct source) {.ops = docker ? &docker_ops : &layout_ops, .g = g, .store = store};
	a->base.shown = oci_ref_print(ref);
	a->tmp = (struct store_tmp) STORE_TMP_INIT;
	r = open_file(a, ref->path, e);
	if (r == 0 && is_compressed(a->file))
		r = inflate(a, e);
	if (r == 0)
		r = archive_index_make(g, a->file, &a->index, e);
	if (r == 0)
		r = docker ? docker_archive_read(a, ref->tag, e) : layout_read(a, read_part, &a->top, e);
	if (r < 0) {
		err_ctx(e, r, "archive %s", q(ref->path));
		close_archive(&a->base);
		return r;
	}
	*ret = &a->base;
	return 0;
}
