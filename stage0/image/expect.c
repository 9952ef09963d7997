/*
 * Whoever asked for an image by name gets that image: what is in the archive says so, and neither
 * the URL nor the server.
 */
#include <errno.h>

#include "base/str.h"
#include "stage0/image/internal.h"

int image_check_expected(const struct image_ref *expect, const char *name,
			 const struct nameval_list *labels, struct err *e)
{
	if (!expect)
		return 0;
	if (!str_eq(expect->location, name))
		return err_set(e, ENOENT, "the image's name is %s, and not %s", q(name),
			       q(expect->location));
	for (size_t i = 0; i < expect->labels.n; i++) {
		const struct nameval *want = &expect->labels.v[i];
		const char *have = nameval_get(labels, want->name);

		if (!have)
			return err_set(e, ENOENT,
				       "image %s: requested label %s not provided by the image manifest",
				       q(name), q(want->name));
		if (!str_eq(have, want->value))
			return err_set(e, ENOENT,
				       "image %s: requested value for label %s: %s differs from "
				       "fetched aci label value: %s",
				       q(name), q(want->name), q(want->value), q(have));
	}
	return 0;
}
