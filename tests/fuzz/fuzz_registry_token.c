/* What a server of tokens answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage0/image/download.h"
#include "stage0/oci/registry.h"
#include "stage0/oci/registry_trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Who asks for tokens is in the same file, and what that calls would be most of stage0. */
int download_start(const struct download_request *rq _unused_, struct download *ret _unused_, struct err *e _unused_)
{
	abort();
}

void download_stop(struct download *d _unused_)
{
	abort();
}

int registry_read(struct download *d _unused_, size_t limit _unused_, char **ret _unused_, size_t *ret_len _unused_,
		  struct err *e _unused_)
{
	abort();
}

int registry_trust_find(const char *site _unused_, const char *ca _unused_, struct registry_trust *ret _unused_,
			struct err *e _unused_)
{
	abort();
}

void registry_trust_done(struct registry_trust *t _unused_)
{
	abort();
}

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
