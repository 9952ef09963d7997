/*
 * References to OCI images on a command line.
 *
 *	docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST]	a registry; oci:// and docker: are the same
 *	oci:PATH[:REF]			an image layout, a directory or a tar (oci-archive: too)
 *	docker-archive:PATH[:REF]	what `docker save` writes; REF may be @N, the Nth image from 0
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum oci_transport { OCI_REGISTRY, OCI_LAYOUT, OCI_ARCHIVE, DOCKER_ARCHIVE };

struct oci_ref {
	enum oci_transport transport;
	char *text;	  /* as written */
	char *registry;	  /* REGISTRY: "docker.io", "localhost:5000"; else NULL */
	char *repository; /* REGISTRY: "library/busybox" */
	char *path;	  /* the others: of the directory or the file */
	char *tag;	  /* REGISTRY: a tag, "latest" where nothing is given; NULL with a digest alone.
			   * others: the name in it, or NULL: the only one */
	char *digest;	  /* or NULL; it wins over the tag */
};

#define OCI_DEFAULT_REGISTRY "docker.io" /* of names without one */

/* Whether a registry, HOST[:PORT], is OCI_DEFAULT_REGISTRY by whatever name: references say that one. */
bool oci_registry_is_docker(const char *name, size_t len);
/* Whether the word is such a reference at all. */
bool oci_ref_is(const char *text);
/* -EINVAL: upper case, no such grammar; default_registry: for names without one. */
int oci_ref_parse(const char *text, const char *default_registry, struct oci_ref *ret, struct err *e);
/* Whether `tag` is no name but the place of an image in the archive: "@0". */
static inline bool oci_ref_is_numbered(const struct oci_ref *ref)
{
	return ref->transport == DOCKER_ARCHIVE && ref->tag && ref->tag[0] == '@';
}
/* "docker.io/library/busybox:latest", "/path:name", and "@sha256:..."; owned by the caller. */
char *oci_ref_print(const struct oci_ref *ref);
void oci_ref_done(struct oci_ref *ref);
#define _cleanup_oci_ref_ __attribute__((cleanup(oci_ref_done)))
