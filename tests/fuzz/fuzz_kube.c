/* Kubernetes' documents. */
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "stage0/kube/kube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pod_request req = {0};
	struct kube_run run = {0};

	/* It makes what a hostPath says. */
	if (!memmem(data, size, "OrCreate", 8))
		(void) kube_convert((const char *) data, size, &req, &run, NULL);
	for (size_t i = 0; i < req.n_files; i++)
		if (strchr(req.files[i].name, '/') || strchr(req.files[i].volume, '/'))
			abort();
	pod_request_done(&req);
	kube_run_done(&run);
	return 0;
}
