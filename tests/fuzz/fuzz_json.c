/* The strict door: what it lets in is printed, and read again as the same. */
#include <stdint.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = json_parse((const char *) data, size, 1u << 20, &e), *k = NULL;
	_cleanup_free_ char *once = NULL, *twice = NULL, *pretty = NULL;

	if (!j != !!e.msg)
		abort();
	if (!j)
		return 0;
	once = json_print(j, false);
	pretty = json_print(j, true);
	k = json_parse(pretty, strlen(pretty), 16u << 20, &e);
	if (!k)
		abort();
	twice = json_print(k, false);
	if (strcmp(once, twice))
		abort();
	return 0;
}
