/*
 * From a reference to the documents of one image: index, manifest, configuration; each checked by the
 * digest that the one before has of it.
 */
#pragma once

#include "stage0/oci/ref.h"
#include "stage0/oci/source.h"

#define OCI_PULL_NESTED_MAX 8 /* indexes inside an index */

struct oci_pull {
	struct oci_document top;	/* what the reference led to */
	struct oci_document document;	/* the image's manifest; without data: top is it */
	struct oci_document between[OCI_PULL_NESTED_MAX]; /* indexes on the way from top to it */
	size_t n_between;
	struct oci_document config_document;
	struct oci_manifest *manifest;
	struct oci_config *config;
};
void oci_pull_done(struct oci_pull *p);
#define _cleanup_oci_pull_ __attribute__((cleanup(oci_pull_done)))

/* What the reference leads to: `top`. */
int oci_pull_top(struct source *s, const struct oci_ref *ref, struct oci_pull *p, struct err *e);
/* From there to the manifest for this machine, through indexes: `document`, `manifest`. */
int oci_pull_manifest(struct source *s, struct oci_pull *p, struct err *e);
/* `config_document`, `config`; as many diff ids as there are layers. */
int oci_pull_config(struct source *s, struct oci_pull *p, struct err *e);
/* Whether it can run here: -EINVAL for another os, a warning for another processor. */
int oci_pull_check_platform(const struct source *s, const struct oci_pull *p, struct err *e);
/* The manifest's document. */
const struct oci_document *oci_pull_document(const struct oci_pull *p);
