/*
 * Which pods are registered, and what is told of each: the metadata service's memory, with a file
 * for each pod and each app below the service's directory, so that a restart loses nothing.
 *
 *	UUID		flat record: token, data-dir (where the pod lies; may be missing), manifest
 *	UUID.APP	flat record: manifest (of the app's image)
 *	hmac-key	64 random bytes
 *
 * Files are written before the answer to who registers, and replaced by rename.  One process, one
 * thread; what the getters return is borrowed until the next change.
 */
#pragma once

#include <errno.h>

#include "contract/metadata.h"
#include "spec/image_manifest.h"
#include "spec/pod_manifest.h"
#include "spec/uuid.h"

#define REGISTRY_PODS_MAX 16384
#define REGISTRY_BYTES_MAX (256u << 20) /* of manifests */
#define REGISTRY_KEY_LEN 64

struct registered_app {
	char *name;
	char *image_id;
	char *manifest; /* the image's, as it was registered; NULL: not registered yet */
	size_t len;
	char *annotations; /* JSON: the image's with the pod's for this app over them */
};

struct registered_pod {
	char uuid[UUID_LEN + 1];
	char token[METADATA_TOKEN_LEN + 1];
	char *data_dir; /* may be NULL */
	struct pod_manifest *parsed;
	char *manifest;
	size_t len;
	char *annotations; /* JSON */
	struct registered_app *apps;
	size_t n_apps;
};

struct registry {
	int dir; /* the service's directory, -EBADF: nothing is kept */
	struct registered_pod **v;
	size_t n, bytes;
	unsigned char key[REGISTRY_KEY_LEN];
};
#define REGISTRY_INIT                                                                              \
	{                                                                                          \
		.dir = -EBADF                                                                      \
	}

/*
 * In the directory, as root, before anything is read into memory: forget the pods that are gone,
 * wherever they lay.
 */
int registry_prune(int dir, struct err *e);
/* Read what is kept in reg->dir; makes the key when there is none. A damaged file is taken away. */
int registry_load(struct registry *reg, struct err *e);
void registry_done(struct registry *reg);
#define _cleanup_registry_ __attribute__((cleanup(registry_done)))

/*
 * -EINVAL: a bad manifest; -ENOENT: no such pod or app; -ENOSPC: too much. Registering again
 * replaces, with the apps.
 */
int registry_put_pod(struct registry *reg, const char *uuid, const char *token,
		     const char *data_dir, const char *manifest, size_t len, struct err *e);
int registry_put_app(struct registry *reg, const char *uuid, const char *app, const char *manifest,
		     size_t len, struct err *e);
/* -ENOENT when it was not there. */
int registry_remove(struct registry *reg, const char *uuid);

/* Takes as long for every token of the right length. */
const struct registered_pod *registry_by_token(const struct registry *reg, const char *token);
const struct registered_app *registered_app(const struct registered_pod *p, const char *name);
