/* A filter in words, to the program. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage1/seccomp/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size), *program = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct seccomp_text t;
	size_t len;

	if (seccomp_text_parse(text, &t, &e) < 0)
		return 0;
	(void) seccomp_compile(&t, &program, &len, &e);
	seccomp_text_done(&t);
	return 0;
}
