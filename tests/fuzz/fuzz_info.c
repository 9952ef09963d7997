/* cas/image/ID/info. */
#include <stdint.h>

#include "base/mem.h"
#include "stage0/store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct store_info info = {0};
	char *copy = xmalloc(size + 1);

	for (size_t i = 0; i < size; i++)
		copy[i] = (char) data[i];
	copy[size] = '\0';
	if (store_info_parse(copy, size, &info, &e) == 0 && (image_id_check(info.id) || info.blob_size < 0))
		abort();
	store_info_done(&info);
	return 0;
}
