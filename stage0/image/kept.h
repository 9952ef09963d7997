/*
 * What can be done again with the archive that the store keeps: its tree is a cache of it.
 *
 * All of it is the unpack worker's; gantry itself never reads the archive.
 */
#pragma once

#include "base/err.h"
#include "spec/image_id.h"
#include "stage0/store/store.h"

struct gantry;
struct signature;

#define IMAGE_SIGNATURE "signature" /* in cas/image/ID: the one that was good when the image came */

/*
 * Unpack the archive into TMP/NAME, where NAME/rootfs then is, and check that it still hashes to
 * the image's id: -EBADMSG if it does not.
 */
int kept_unpack(const struct gantry *g, int store, const char *id, const struct store_tmp *tmp,
		const char *name, struct err *e);
/* Make sure that the image's own tree is there: gc may have taken it. Cheap when it is. */
int kept_tree(const struct gantry *g, int store, const char *id, struct err *e);
/* The uncompressed archive into the open file, checked against the id: -EBADMSG. */
int kept_inflate(const struct gantry *g, int store, const char *id, int out, struct err *e);
/* For a worker that reads a file which is there as a whole: what it is told (worker/arriving.h). */
int kept_progress(int blob, struct err *e);
/* Any compressed file, as far as unpack knows the kind, into the open file `out`. */
int kept_inflate_file(const struct gantry *g, int store, int file, int out, struct err *e);
/* The SHA-512 of some bytes in the form of an id. */
int kept_digest(const struct gantry *g, int store, const char *data, size_t len,
		char ret[IMAGE_ID_LEN + 1], struct err *e);
/* Check an archive that is there as a whole: the signer (owned by the caller). */
int kept_check_blob(const struct gantry *g, const struct signature *sig, int blob,
		    const char *image_name, char **ret_signer, struct err *e);
/*
 * The archive in the store with the signature that it came with, and the keys that are trusted
 * today.
 */
int kept_check_signature(const struct gantry *g, int store, const char *id, char **ret_signer,
			 struct err *e);
/* Keep the signature beside the image, for that; best effort. */
void kept_note_signature(int store, const char *id, const struct signature *sig);
