/* A URL template of a page, filled with a stranger's label: first line the template, the rest its value. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "spec/nameval.h"
#include "stage0/discovery/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size), *url = NULL;
	char *value = strchr(text, '\n');
	struct nameval_list labels = {0};

	if (value)
		*value++ = '\0';
	nameval_set(&labels, "version", value ? value : "");
	url = discovery_expand(text, "a.com/b", &labels, "aci");
	nameval_done(&labels);
	/* Braces of the template are gone, and a label has written none of its own. */
	if (url && strchr(url, '{'))
		abort();
	if (url && !strcmp(text, "{version}") && strpbrk(url, "/:?#@\n "))
		abort();
	(void) discovery_is_prefix(text, "a.com/b");
	return 0;
}
