/* The headers of an HTTP answer: one line of input is one line of the answer. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "stage0/worker/http_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct http_headers *h)
{
	int64_t fresh = http_headers_fresh(h);
	const char *validator = http_headers_validator(h);

	if (fresh < 0 || fresh > HTTP_AGE_MAX || h->status < 0 || h->status > 999 ||
	    h->length < -1 || h->retry_after < -1)
		abort();
	if (h->first >= 0 && (h->last < h->first || (h->total >= 0 && h->total <= h->last)))
		abort();
	if (validator && (strlen(validator) > HTTP_VALUE_MAX || strpbrk(validator, "\r\n")))
		abort();
	if ((h->challenge && (strpbrk(h->challenge, "\r\n") || strlen(h->challenge) > HTTP_CHALLENGE_MAX)) ||
	    (h->digest && strpbrk(h->digest, "\r\n")) || (h->content_type && strpbrk(h->content_type, "\r\n")))
		abort();
	if (h->location && strpbrk(h->location, "\r\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *) data, *end = p + size;
	struct http_headers h;

	http_headers_init(&h);
	while (p < end) {
		const char *line = memchr(p, '\n', (size_t) (end - p));
		size_t n = line ? (size_t) (line - p) + 1 : (size_t) (end - p);

		http_headers_line(&h, p, n, 784111777);
		check(&h);
		p += n;
	}
	http_headers_done(&h);
	return 0;
}
