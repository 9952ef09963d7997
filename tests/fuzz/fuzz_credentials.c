/* A URL from a page of discovery or from a redirect: whose credentials would it get? */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "stage0/image/credentials.h"
#include "stage0/image/download.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *url = xstrndup((const char *) data, size), *shown = url_shown(url);
	_cleanup_credentials_ struct credentials c = {.url = xstrdup("https://a.com/x")};
	size_t n;

	if (strlen(shown) > strlen(url))
		abort();
	if (credentials_follow(&c, url, NULL) < 0)
		return 0;
	/* The host is what stands between "//" and the next "/", "?" or "#", and no user is in it. */
	n = strcspn(strstr(url, "://") + 3, "/?#");
	if (strlen(c.site) != n || strchr(c.site, '@') || strcmp(c.url, url) || c.auth)
		abort();
	return 0;
}
