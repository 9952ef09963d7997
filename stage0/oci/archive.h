/*
 * Private to the sources in stage0/oci that are archives: images in a tar file.
 */
#pragma once

#include "stage0/oci/archive_index.h"
#include "stage0/oci/source.h"
#include "stage0/store/store.h"

struct archive {
	struct source base;
	struct store_tmp tmp; /* has the archive when it was compressed */
	int file;	      /* not compressed */
	struct archive_index index;
	struct oci_document top; /* index.json, or the manifest that is made of docker's */
	/* Of `docker save`: where what the manifest names lies. */
	struct archive_part {
		char *digest;
		const struct archive_entry *entry; /* in `index` */
	} *parts;
	size_t n_parts;
};

/* A small file of the archive; -ENOENT: it is not there. NUL-terminated besides. */
int archive_read(const struct archive *a, const char *name, size_t limit, char **ret, size_t *ret_len, struct err *e);
/* Its first bytes; less when it is shorter. */
ssize_t archive_peek(const struct archive *a, const struct archive_entry *entry, void *buf, size_t n);
/* The range of the file that is this entry. */
int archive_stream(const struct archive *a, const struct archive_entry *entry, const struct oci_descriptor *d,
		   int64_t from, struct blob_stream *ret, struct err *e);

/*
 * What `docker save` wrote: `top` becomes a manifest of the image of that name, NULL
 * meaning the only one, and `parts` what it names.
 */
int docker_archive_read(struct archive *a, const char *name, struct err *e);
