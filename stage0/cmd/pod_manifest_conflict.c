#include "stage0/cmd/pod_manifest_conflict.h"

#include <errno.h>
#include <string.h>

int pod_manifest_conflict(const struct pod_request *req, struct err *e)
{
	if (!req->pod_manifest)
		return req->n_apps ? 0 : err_set(e, EINVAL, "must provide at least one image or specify the pod manifest");
	if (req->n_apps || req->volumes || req->mounts || req->inherit_env || req->set_env || req->set_env_file ||
	    (req->pull_policy && strcmp(req->pull_policy, "new")))
		return err_set(e, EINVAL, "conflicting flags set with --pod-manifest (see --help)");
	return 0;
}
