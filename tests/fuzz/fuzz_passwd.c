/* A name, a line feed, then a file as an image may bring it for passwd(5) or group(5). */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "stage2/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *eol = size ? memchr(data, '\n', size) : NULL;
	_cleanup_free_ char *name = NULL;
	uid_t id;

	if (!eol)
		return 0;
	name = xstrndup((const char *) data, (size_t) (eol - data));
	(void) passwd_find((const char *) eol + 1, size - (size_t) (eol + 1 - data), name, &id);
	return 0;
}
