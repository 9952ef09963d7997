/* Small documents, and what their bytes hash to. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/source.h"

void oci_document_done(struct oci_document *d)
{
	free(d->data);
	free(d->media_type);
	free(d->digest);
	*d = (struct oci_document) {0};
}

int oci_document_hash(const struct gantry *g, struct oci_document *d, const char *want, const char *what, struct err *e)
{
	char sha256[OCI_SHA256_LEN + 1], sha512[IMAGE_ID_LEN + 1];
	const char *have = sha256;
	int r;

	if (want && oci_digest_check(want))
		return err_set(e, EINVAL, "%s: digest %s: %s", what, q(want), oci_digest_check(want));
	r = oci_digest_of(g, d->data, d->len, sha256, d->id, e);
	if (r < 0)
		return err_ctx(e, r, "%s", what);
	if (want && str_starts(want, "sha512:")) {
		memcpy(sha512, d->id, sizeof sha512);
		sha512[strlen("sha512")] = ':';
		have = sha512;
	}
	if (want && strcmp(want, have))
		return err_set(e, EBADMSG, "%s: its digest is %s, not %s", what, have, want);
	free(d->digest);
	d->digest = xstrdup(sha256);
	return 0;
}
