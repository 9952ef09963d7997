/* A plugin's result: whatever is read is written, in every version, as something that is read again. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/skel/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encode; what cannot be decoded again, or is not the same the second time, is a fault. */
static void round_trip(const struct cni_result *r, enum cni_version v)
{
	_cleanup_cni_result_ struct cni_result again = CNI_RESULT_INIT;
	_cleanup_json_ cJSON *first = cni_result_encode(r, v), *second = NULL;
	_cleanup_free_ char *a = json_print(first, false), *b = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	if (cni_result_decode(first, JSON_TOP, v, &again, &e) < 0)
		abort();
	second = cni_result_encode(&again, v);
	b = json_print(second, false);
	if (strcmp(a, b))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ cJSON *j = json_parse((const char *) data, size, 1 << 20, NULL);

	for (int v = 0; j && v < CNI_VERSION_MAX_; v++) {
		_cleanup_cni_result_ struct cni_result r = CNI_RESULT_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		if (cni_result_decode(j, JSON_TOP, (enum cni_version) v, &r, &e) < 0)
			continue;
		(void) cni_result_find(&r, "eth0", true);
		for (int to = 0; to < CNI_VERSION_MAX_; to++)
			round_trip(&r, (enum cni_version) to);
	}
	return 0;
}
