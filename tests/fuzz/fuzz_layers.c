/*
 * cas/image/ID/layers: what is written can be read, and is written the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stage0/store/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size), *once = NULL, *twice = NULL;
	_cleanup_store_layers_ struct store_layers l = {0}, again = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (store_layers_parse(text, &l, &e) < 0) {
		if (!e.msg)
			abort();
		return 0;
	}
	once = store_layers_print(&l);
	if (store_layers_size(&l) < 0 || store_layers_parse(once, &again, NULL) < 0)
		abort();
	twice = store_layers_print(&again);
	if (strcmp(once, twice))
		abort();
	return 0;
}
