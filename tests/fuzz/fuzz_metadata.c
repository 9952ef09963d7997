/*
 * Requests to the metadata service, both sides: "METHOD PATH\nTYPE\nBODY"; and the same bytes as an
 * answer to who registers.
 */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/service/answer.h"
#include "stage0/service/client.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define POD "11111111-1111-4111-8111-111111111111"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char manifest[] =
	"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"app\","
	"\"image\":{\"id\":\"sha512-"
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}}]}";

static void check(const struct answer *a)
{
	if (a->status < 200 || a->status > 599 || !a->type || !a->body)
		abort();
	free(a->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_registry_ struct registry reg = REGISTRY_INIT;
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	char *path = strchr(text, ' '), *type = path ? strchr(path, '\n') : NULL;
	char *body = type ? strchr(type + 1, '\n') : NULL;
	struct answer a;
	size_t at, len;

	(void) service_parse_head((const char *) data, size, &at, &len);
	if (!body)
		return 0;
	*path++ = '\0';
	*type++ = '\0';
	*body++ = '\0';
	const struct request rq = {.method = text,
				   .path = path,
				   .content_type = *type ? type : NULL,
				   .body = body,
				   .len = strlen(body),
				   .token = TOKEN};

	if (registry_put_pod(&reg, POD, TOKEN, NULL, manifest, strlen(manifest), NULL) < 0)
		abort();
	answer_public(&reg, &rq, &a);
	check(&a);
	answer_registration(&reg, 18112, &rq, &a);
	check(&a);
	return 0;
}
