/* What a signature of simple signing says. */
#include <stdint.h>

#include "base/mem.h"
#include "spec/oci.h"
#include "stage0/oci/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_payload_ struct payload p = {0};

	if (payload_parse((const char *) data, size, PAYLOAD_OPENPGP, &p, NULL) == 0 &&
	    (oci_digest_check(p.digest) || !*p.signed_as))
		abort();
	return 0;
}
