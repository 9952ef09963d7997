#include "contract/metadata.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/layout.h"

#define NOTE_MAX 128

int metadata_token_check(const char *token, struct err *e)
{
	/* Its text is not shown: a wrong one may be a right one with a slip. */
	if (strlen(token) != METADATA_TOKEN_LEN ||
	    strspn(token, "0123456789abcdef") != METADATA_TOKEN_LEN)
		return err_set(e, EINVAL, "a token is %d hexadecimal digits", METADATA_TOKEN_LEN);
	return 0;
}

int metadata_note_read(int pod, struct metadata_note *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	uint64_t port;
	char *space;
	size_t len;
	int r = file_read_at(pod, POD_MDS, NOTE_MAX, &text, &len, e);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	space = strchr(text, ' ');
	if (!space)
		return err_set(e, EINVAL, POD_MDS ": malformed");
	*space = '\0';
	r = metadata_token_check(text, e);
	if (r < 0)
		return err_ctx(e, r, POD_MDS);
	if (parse_u64(space + 1, 65535, &port) < 0 || !port)
		return err_set(e, EINVAL, POD_MDS ": %s is no port", q(space + 1));
	memcpy(ret->token, text, sizeof ret->token);
	ret->port = (unsigned) port;
	return 0;
}

int metadata_note_write(int pod, const struct metadata_note *note, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("%s %u\n", note->token, note->port);

	return file_write_at(pod, POD_MDS, text, strlen(text), 0600, FILE_FAST, e);
}

char *metadata_url(const struct metadata_note *note, const char *host)
{
	bool v6 = strchr(host, ':') != NULL;

	return xasprintf("http://%s%s%s:%u/%s", v6 ? "[" : "", host, v6 ? "]" : "", note->port,
			 note->token);
}
