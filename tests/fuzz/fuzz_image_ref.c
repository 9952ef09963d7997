/* The word for an image on a command line. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_image_ref_ struct image_ref ref = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	int r = image_ref_parse(text, &ref, &e);

	if (r < 0 && (!e.msg || ref.text))
		abort();
	if (r == 0 && ref.source == IMAGE_SOURCE_NAME && ac_identifier_check(ref.location))
		abort();
	return 0;
}
