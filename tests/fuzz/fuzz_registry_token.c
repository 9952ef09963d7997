/* What a server of tokens answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage0/oci/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *token = NULL;
	int64_t seconds = -1;

	if (registry_token_parse((const char *) data, size, &token, &seconds, &e) < 0) {
		if (token || !e.msg)
			abort();
		return 0;
	}
	/* It becomes a part of one line of a header (RFC 6750, "b64token"). */
	if (!token || !*token || strpbrk(token, " \t\r\n") || seconds < 0)
		abort();
	for (const char *p = token; *p; p++)
		if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7f)
			abort();
	return 0;
}
