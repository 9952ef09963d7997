/*
 * Kubernetes' Pod as a pod manifest: `gantry run --pod-manifest pod.yaml`.
 *
 * A file holds one Pod (v1), in YAML or JSON, and any number of ConfigMaps, which can be in files of
 * their own (--configmap).  What a member asks for is done, or it is refused by its name; only what
 * clusters write into a Pod for themselves (status, metadata.uid ...) means nothing here.
 *
 * Images are words as on the command line, plain names are docker's: "nginx:1.25" is docker://nginx:1.25.
 */
#pragma once

#include "stage0/cli/apps.h"

struct gantry;

/* What is for the run and not for the pod's manifest. */
struct kube_run {
	bool host_network;
	bool host_dns; /* the host's resolv.conf */
	char *hostname; /* or NULL */
	char **dirs, **files; /* of the host, to be made where they are missing */
};
void kube_run_done(struct kube_run *run);
/* Make them: when all else of the Pod was accepted, since nobody takes them away again. */
int kube_make_paths(const struct kube_run *run, struct err *e);

/*
 * Read req->pod_manifest: the text goes to req->manifest_text, and if it is Kubernetes', its apps,
 * volumes and so on are added to req, whose pod_manifest is forgotten.  *ret_is: whether it was.
 */
int kube_expand(const struct gantry *g, struct pod_request *req, struct kube_run *run, bool *ret_is, struct err *e);

/* The same from documents (a JSON array), without a file: pure. */
int kube_convert(const char *json, size_t len, struct pod_request *req, struct kube_run *run, struct err *e);
