/* docker's and podman's files of credentials; behind a NUL: the answer of a helper. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct login *l)
{
	if (!l->user != !l->password)
		abort();
	if (l->user && (strpbrk(l->user, ":\r\n") || strpbrk(l->password, "\r\n")))
		abort();
	if ((l->identity_token && strpbrk(l->identity_token, "\r\n")) ||
	    (l->registry_token && strpbrk(l->registry_token, "\r\n")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data, *nul = memchr(text, '\0', size);
	_cleanup_free_ char *file = xstrndup(text, nul ? (size_t) (nul - text) : size), *helper = NULL;
	_cleanup_free_ char *answer = nul ? xstrndup(nul + 1, size - (size_t) (nul + 1 - text)) : NULL;
	_cleanup_login_ struct login l = {0}, m = {0};

	if (login_from_file(file, strlen(file), "a.com", "lib/app", &l, &helper, NULL) == 0)
		check(&l);
	if (helper && login_check_helper(helper))
		abort();
	if (answer && login_from_helper(answer, strlen(answer), &m, NULL) == 0)
		check(&m);
	return 0;
}
