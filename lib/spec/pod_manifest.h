/*
 * PodManifest of the appc specification 0.8.11, decoded strictly.
 */
#pragma once

#include "spec/app.h"

enum volume_kind { VOLUME_HOST, VOLUME_EMPTY };

struct volume {
	char *name;
	enum volume_kind kind;
	char *source;	/* host: absolute path */
	bool read_only, read_only_given; /* given: whatever a mount point says */
	bool recursive; /* host; default true */
	bool recursive_given; /* a flavour may have another default */
	int64_t mode, uid, gid; /* empty: 0755, 0, 0 */
};

struct pod_mount {
	char *volume; /* name of a pod volume; also set (to app_volume's name) when app_volume is */
	char *path;   /* absolute, in the app's root */
	struct volume *app_volume; /* or NULL */
};

struct runtime_app {
	char *name;	/* AC Name, unique in the pod */
	char *image_id; /* whole */
	char *image_name; /* may be NULL */
	struct nameval_list image_labels;
	struct app *app; /* NULL: the image's own */
	bool read_only_root;
	struct pod_mount *mounts;
	size_t n_mounts;
	struct nameval_list annotations;
};

struct pod_port {
	char *name, *host_ip; /* host_ip may be NULL */
	int64_t host_port, pod_port; /* pod_port -1: absent */
	struct app_port *port; /* the whole "podPort" as read, or NULL; pod_port is its number */
};

struct pod_manifest {
	char *ac_version;
	struct runtime_app *apps;
	size_t n_apps;
	struct volume *volumes;
	size_t n_volumes;
	struct isolator_list isolators;
	struct nameval_list annotations, user_annotations, user_labels;
	struct pod_port *ports;
	size_t n_ports;
};

/* "pod manifest: apps[1].mounts[0].volume: ..." */
struct pod_manifest *pod_manifest_parse(const char *text, size_t len, struct err *e);
/* The manifest as JSON, acKind and acVersion included. */
cJSON *pod_manifest_encode(const struct pod_manifest *m);
void pod_manifest_free(struct pod_manifest *m);
DEFINE_CLEANUP(struct pod_manifest *, pod_manifest_free)
#define _cleanup_pod_manifest_ __attribute__((cleanup(cleanup_pod_manifest_free)))
const struct volume *pod_manifest_volume(const struct pod_manifest *m, const char *name);
const struct runtime_app *pod_manifest_app(const struct pod_manifest *m, const char *name);
void volume_done(struct volume *v);
void pod_port_done(struct pod_port *p);
/* "name,kind=host,source=/x,readOnly=true" (the command line's form) -> volume. */
int volume_parse(const char *text, struct volume *ret, struct err *e);
