/*
 * What an OCI image is called in the store, beside ACIs: from the reference that it was fetched by.
 */
#pragma once

#include "stage0/oci/ref.h"

struct oci_naming {
	char *registry;	  /* "docker.io"; NULL: it comes from a layout or an archive that does not say */
	char *repository; /* "library/busybox" */
	char *tag;	  /* or NULL */
	char *identifier; /* both as an AC Identifier: "docker.io/library/busybox" */
	char *original;	  /* what the user wrote, without "docker://" */
};

/*
 * The name in a layout or an archive often is a whole reference: it is taken at its word then.  Else the
 * directory's or file's own name is the repository.
 */
void oci_naming_of(const struct oci_ref *ref, struct oci_naming *ret);
void oci_naming_done(struct oci_naming *n);
#define _cleanup_oci_naming_ __attribute__((cleanup(oci_naming_done)))
