/* What a registry says when it refuses: it becomes one line on a terminal. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/registry_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *body = xstrndup((const char *) data, size), *text = NULL;

	text = registry_error_text(body, strlen(body));
	for (const char *p = text; p && *p; p++)
		if ((unsigned char) *p < ' ' || *p == 0x7f)
			abort();
	if (text && (!*text || strlen(text) > 16384))
		abort();
	return 0;
}
