/*
 * Where OCI images come from: one table row (struct source_ops) for each kind of place.  A source
 * hands out bytes; what they are worth is decided by whoever asked, by their digest.
 */
#pragma once

#include <stdbool.h>

#include "spec/oci.h"
#include "stage0/image/download.h"
#include "stage0/oci/digest.h"

struct gantry;
struct source;

/* A manifest, an index, a configuration, a signature: a small document as a whole. */
struct oci_document {
	char *data; /* NUL-terminated besides */
	size_t len;
	char *media_type; /* as the source says, may be NULL: the document's own counts */
	char *digest;	  /* of these bytes, computed here, "sha256:..." */
	char id[IMAGE_ID_LEN + 1]; /* the same, "sha512-...": what names an image by its manifest */
};
void oci_document_done(struct oci_document *d);
/*
 * Compute the digest and the id; `want`: the digest that the bytes must have, of either kind, or NULL.
 * -EBADMSG "WHAT: its digest is ..., not ...".
 */
int oci_document_hash(const struct gantry *g, struct oci_document *d, const char *want, const char *what,
		      struct err *e);
#define _cleanup_oci_document_ __attribute__((cleanup(oci_document_done)))

/* A blob on its way.  Either a range of a file, or a pipe of a download. */
struct blob_stream {
	int fd;		   /* owned */
	int64_t offset;	   /* file: where the range begins; pipe: of the blob's first byte that comes */
	int64_t length;	   /* of the whole blob, or -1 */
	struct download download; /* pipe: fd is download.pipe; to be finished by download_finish() */
	bool is_download;
};
void blob_stream_done(struct blob_stream *b);
#define _cleanup_blob_stream_ __attribute__((cleanup(blob_stream_done)))

struct source_ops {
	const char *transport; /* "docker", "oci", "docker-archive": for messages, and in policies */
	/*
	 * The document behind a tag or a digest, or (layouts, archives) NULL: the only one.  With a
	 * digest its bytes have it, or it is an error.  -ENOENT: there is none of that name.
	 */
	int (*manifest)(struct source *s, const char *reference, struct oci_document *ret, struct err *e);
	/* A blob that is a small document: its size and its digest are right, or it is an error. */
	int (*document)(struct source *s, const struct oci_descriptor *d, struct oci_document *ret, struct err *e);
	/*
	 * A large one, from byte `from` on where the source can do that (offset tells); may be called
	 * while others are open.  The bytes are not checked.
	 */
	int (*blob)(struct source *s, const struct oci_descriptor *d, int64_t from, struct blob_stream *ret,
		    struct err *e);
	/*
	 * Documents that refer to this digest (OCI 1.1 referrers, or the tag by its scheme): an index
	 * that may be empty, all pages of it.  Those of `artifact_type` are wanted (NULL: all); others may
	 * be among them.  NULL: the source has none.
	 */
	int (*referrers)(struct source *s, const char *digest, const char *artifact_type, struct oci_document *ret,
			 struct err *e);
	/*
	 * End what waits for the next question: the caller is about to fork, and to wait for all of its
	 * children.  May be NULL.
	 */
	void (*rest)(struct source *s);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	const struct gantry *g;
	int store;   /* for temporary files; borrowed */
	char *shown; /* the source and the name in it, for messages and records */
	char *named; /* what layouts and archives call the image that manifest() gave, or NULL */
	char *path;  /* of a layout or an archive: where what was opened really is; else NULL */
};

static inline void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}
static inline void cleanup_source(struct source **s)
{
	source_close(*s);
}
#define _cleanup_source_ __attribute__((cleanup(cleanup_source)))

/*
 * Set `path` to where the open directory or file is: that is what the operator's rules are asked about, not a
 * path by which something else may be found by then. -ESTALE: it is nowhere any more.
 */
int source_note_path(struct source *s, int fd, struct err *e);

struct oci_ref;
/* source_registry.c, source_layout.c, source_archive.c; source.c chooses by the reference. */
int source_open(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret, struct err *e);
int source_open_registry(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret,
			 struct err *e);
int source_open_layout(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret,
		       struct err *e);
int source_open_archive(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret,
			struct err *e);
