/* WWW-Authenticate of a registry. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "stage0/oci/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_challenge_ struct challenge c = {0};
	int r = challenge_parse(text, &c, NULL);

	if (r == 0 && c.bearer && (!c.realm || strlen(c.realm) > size))
		abort();
	if ((r < 0 || !c.bearer) && (c.realm || c.service || c.scope))
		abort();
	return 0;
}
