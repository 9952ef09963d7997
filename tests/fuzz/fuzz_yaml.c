/* YAML: whatever it is, what comes out is JSON. */
#include <stdint.h>

#include "base/json.h"
#include "stage0/worker/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_json_ cJSON *j = NULL;

	if (yaml_to_json((const char *) data, size, &sb, NULL) < 0)
		return 0;
	j = json_parse(sb.buf, sb.len, YAML_OUTPUT_MAX + 2, NULL);
	if (!j)
		abort();
	return 0;
}
