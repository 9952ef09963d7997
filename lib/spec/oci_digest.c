/* Digests, which become names of files: only what the grammar allows gets that far. */
#include <string.h>

#include "base/str.h"
#include "spec/oci.h"

const char *oci_digest_check(const char *s)
{
	size_t want;

	if (str_starts(s, "sha256:"))
		want = 64;
	else if (str_starts(s, "sha512:"))
		want = 128;
	else
		return "not a sha256 or sha512 digest";
	s += strlen("sha256:");
	if (strspn(s, "0123456789abcdef") != want || s[want])
		return want == 64 ? "a sha256 digest has 64 lower-case hex digits"
				  : "a sha512 digest has 128 lower-case hex digits";
	return NULL;
}
