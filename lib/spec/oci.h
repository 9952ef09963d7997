/*
 * Documents of the OCI image specification (1.1) and of docker's schema 2: descriptors, indexes,
 * image manifests and image configurations.  Decoded from bytes whose digest was checked; unknown
 * members are left alone, as the specification demands, and wrong ones are errors named by their
 * JSON path.  The bytes are what has the digest: keep them, never write a struct back over them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/nameval.h"

#define OCI_DOCUMENT_MAX (4u << 20) /* bytes of a manifest, an index or a configuration */
#define OCI_LAYERS_MAX 500	    /* OVL_MAX_STACK of the kernel's overlayfs */

/* "sha256:" and 64 lower-case hex digits, or "sha512:" and 128; NULL when fine (CVE-2024-3727). */
const char *oci_digest_check(const char *s);
#define OCI_DIGEST_MAX (7 + 128)

enum oci_media {
	OCI_MEDIA_UNKNOWN,
	OCI_MEDIA_INDEX,    /* OCI index, docker manifest list */
	OCI_MEDIA_MANIFEST, /* OCI manifest, docker schema 2 */
	OCI_MEDIA_CONFIG,   /* OCI or docker configuration of an image */
	OCI_MEDIA_LAYER,    /* a tar, plain, gzip or zstd, foreign ones as well: the bytes tell */
	OCI_MEDIA_SCHEMA1,  /* docker's first: known, to be refused by name */
};
enum oci_media oci_media_kind(const char *media_type);

struct oci_platform {
	char *os, *architecture, *variant, *os_version; /* Go's names; may be NULL */
};

struct oci_descriptor {
	char *media_type; /* as written; never NULL */
	char *digest;	  /* checked by oci_digest_check() */
	int64_t size;	  /* >= 0 */
	struct oci_platform platform;
	struct nameval_list annotations;
	char *artifact_type; /* or NULL */
};
void oci_descriptor_done(struct oci_descriptor *d);

struct oci_index {
	struct oci_descriptor *manifests;
	size_t n_manifests;
};

struct oci_manifest {
	char *media_type; /* its own, or that with which it came */
	char *artifact_type; /* or NULL */
	struct oci_descriptor config;
	struct oci_descriptor *layers; /* bottom first */
	size_t n_layers;
	struct nameval_list annotations;
	char *subject; /* digest, or NULL */
};

struct oci_healthcheck {
	char **test; /* NULL: inherit; {"NONE"}; {"CMD", ...}; {"CMD-SHELL", text} */
	int64_t interval_ns, timeout_ns, start_period_ns; /* 0: the default */
	int64_t retries;
};

struct oci_config {
	struct oci_platform platform;
	char *created, *author; /* or NULL */
	char *user;		/* "" when not given */
	char **env, **entrypoint, **cmd; /* strv, may be NULL */
	char *working_dir, *stop_signal; /* or NULL */
	char **volumes, **exposed_ports; /* strv; "/data", "80/tcp", "5000-5010/udp" */
	struct nameval_list labels;
	struct oci_healthcheck *healthcheck; /* or NULL */
	char **diff_ids; /* bottom first */
};

/* What the bytes are, by the media type they came with and what stands in them; both must agree,
 * and nothing may be two things at once (CVE-2021-41190).  -ENOTSUP names what is known and not
 * supported (schema 1, other media types).  OCI_MEDIA_INDEX or OCI_MEDIA_MANIFEST. */
int oci_document_kind(const char *media_type, const char *data, size_t len, enum oci_media *ret, struct err *e);

struct oci_index *oci_index_parse(const char *data, size_t len, struct err *e);
struct oci_manifest *oci_manifest_parse(const char *data, size_t len, struct err *e);
struct oci_config *oci_config_parse(const char *data, size_t len, struct err *e);
/*
 * Whether it is an image that can be run: -ENOTSUP names what it is else (the manifest of a signature
 * or of another artifact is read by the same parser).
 */
int oci_manifest_check_image(const struct oci_manifest *m, struct err *e);
void oci_index_free(struct oci_index *i);
void oci_manifest_free(struct oci_manifest *m);
void oci_config_free(struct oci_config *c);
DEFINE_CLEANUP(struct oci_index *, oci_index_free)
DEFINE_CLEANUP(struct oci_manifest *, oci_manifest_free)
DEFINE_CLEANUP(struct oci_config *, oci_config_free)
#define _cleanup_oci_index_ __attribute__((cleanup(cleanup_oci_index_free)))
#define _cleanup_oci_manifest_ __attribute__((cleanup(cleanup_oci_manifest_free)))
#define _cleanup_oci_config_ __attribute__((cleanup(cleanup_oci_config_free)))

/*
 * The manifest of an index for this machine: the first in the index's order whose os and
 * architecture fit and whose variant is the newest that is not above the machine's; those of
 * platform unknown/unknown are no images.  NULL with a message that lists what there is.
 */
const struct oci_descriptor *oci_index_choose(const struct oci_index *i, const struct oci_platform *machine,
					      struct err *e);
