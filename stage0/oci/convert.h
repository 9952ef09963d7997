/*
 * The configuration of an OCI image as an appc image manifest: what the rest of gantry runs.  The rules
 * are docker2aci's where it had one (names of annotations, ports and volumes); what appc has no word for
 * becomes an isolator of gantry's own.  Documentation/oci.md lists them.
 */
#pragma once

#include "spec/oci.h"
#include "stage0/oci/naming.h"

struct conversion {
	const struct oci_config *config;
	const struct oci_naming *name;
	const char *config_digest, *manifest_digest; /* "sha256:..." */
};

/* The text of the manifest, which image_manifest_parse() takes; NULL with a message. */
char *oci_convert(const struct conversion *in, struct err *e);

/*
 * Whether the image is for this machine, as far as its configuration says: NULL, or "OS/ARCH" of what it
 * is for.  Owned by the caller.
 */
char *oci_config_foreign(const struct oci_config *c, const struct oci_platform *machine);
