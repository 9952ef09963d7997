/*
 * One layer, from its source to its places in the store.
 */
#pragma once

#include <stdatomic.h>

#include "spec/oci.h"
#include "stage0/oci/source.h"
#include "stage0/store/layer.h"

struct layer_import {
	const struct gantry *g;
	int store;
	struct source *src;	       /* NULL: from the blob that is in the store */
	const struct oci_descriptor *descriptor; /* or NULL */
	const struct store_layer *layer;
	_Atomic uint64_t *arrived;     /* told how many bytes are there, or NULL */
	bool quiet;		       /* no lines of downloads */
	/* How many bytes the files of the image's layers have that are there; the layer's are added. NULL: nobody counts. */
	_Atomic uint64_t *unpacked;
	uint64_t unpacked_max;	       /* of all of them */
};

/*
 * Whatever of it is missing; somebody else who is at it is waited for.  The size, the digest and
 * the diff id are right afterwards, or it is an error, which names them.
 */
int layer_import(const struct layer_import *in, struct err *e);
