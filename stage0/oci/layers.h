/*
 * Layers into the store: several at a time, each in one pass while it arrives.
 *
 *	source --> blob --> worker: both digests, inflate, unpack --> tree
 *
 * Before it is called TMP/image/layers of the caller's temporary directory must be there: it keeps gc from
 * what is found to be in the store already (stage0/store/layer.h).
 */
#pragma once

#include "spec/oci.h"
#include "stage0/oci/source.h"

struct store_layers;

/*
 * Everything of the manifest that is not in the store yet: afterwards each layer has its blob and (for
 * root) its tree.  A layer that somebody else is fetching is waited for.  diff_ids: as many as layers.
 * The first error stops the others and names the layer.
 */
int layers_fetch(const struct gantry *g, int store, struct source *src, const struct oci_manifest *m,
		 char *const *diff_ids, struct err *e);
/* The same as rows of the file cas/image/ID/layers, for that file. */
int layers_of_manifest(const struct oci_manifest *m, char *const *diff_ids, struct store_layers *ret, struct err *e);
/*
 * The trees of an OCI image that are not there, from the blobs that are: after gc took what no pod used,
 * or when the image was fetched by somebody who is not root.  Cheap when all are there.
 * -ENOENT: the image is none of OCI's.
 */
int layers_make_trees(const struct gantry *g, int store, const char *image_id, struct err *e);
