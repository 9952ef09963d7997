/* A pod manifest: what is accepted is written, and read again as the same. */
#include <stdint.h>
#include <string.h>

#include "spec/pod_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct pod_manifest *m)
{
	_cleanup_json_ cJSON *j = pod_manifest_encode(m);

	return json_print(j, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_pod_manifest_ struct pod_manifest *m = pod_manifest_parse((const char *) data, size, &e), *again = NULL;
	_cleanup_free_ char *once = NULL, *twice = NULL;

	if (!m != !!e.msg)
		abort();
	if (!m)
		return 0;
	once = print(m);
	again = pod_manifest_parse(once, strlen(once), &e);
	if (!again)
		return strlen(once) > JSON_MANIFEST_MAX ? 0 : (abort(), 0);
	twice = print(again);
	if (strcmp(once, twice))
		abort();
	return 0;
}
