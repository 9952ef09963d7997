/* What the worker says of a tar file: its lines are foreign as well. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/archive_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	struct archive_index x = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	int r = archive_index_parse(text, &x, &e);

	if (r < 0 && (!e.msg || x.v))
		abort();
	for (size_t i = 0; r == 0 && i < x.n; i++) {
		const struct archive_entry *entry = archive_index_find(&x, x.v[i].name);

		/* A file is found as itself; what is found is never a link. */
		if (x.v[i].target ? entry && entry->target : entry != &x.v[i])
			abort();
	}
	archive_index_done(&x);
	return 0;
}
