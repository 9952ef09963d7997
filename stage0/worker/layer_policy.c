/*
 * What the names in a layer mean (OCI image specification, layer.md, "Whiteouts").
 */
#include <errno.h>
#include <string.h>

#include "stage0/worker/layer_internal.h"

#define MARK ".wh."
#define META ".wh..wh." /* of AUFS itself: where it kept its hard links, and so on */

static int last_is_mark(struct layer_name *n, char *base, struct err *e)
{
	const char *hidden = base + strlen(MARK);

	if (!strcmp(base, LAYER_OPAQUE_MARK)) {
		n->kind = LAYER_OPAQUE;
		/* What is left is the directory, "" for the root. */
		base[base == n->path ? 0 : -1] = '\0';
		return 0;
	}
	if (str_starts(base, META)) {
		n->kind = LAYER_IGNORED;
		return 0;
	}
	if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
		return err_set(e, EINVAL, "a whiteout that names nothing");
	n->kind = LAYER_WHITEOUT;
	memmove(base, hidden, strlen(hidden) + 1);
	return 0;
}

int layer_name(const char *text, unsigned max_depth, struct layer_name *ret, struct err *e)
{
	int r;

	/* All writers mean the root by it, and some write it. */
	while (*text == '/')
		text++;
	r = policy_clean(text, max_depth, ret->path, e);
	if (r < 0)
		return r;
	ret->kind = *ret->path ? LAYER_PLAIN : LAYER_ROOT;
	for (char *p = ret->path, *slash; *p; p = slash + 1) {
		slash = strchr(p, '/');
		if (!str_starts(p, MARK)) {
			if (!slash)
				break;
			continue;
		}
		if (!slash)
			return last_is_mark(ret, p, e);
		if (!str_starts(p, META))
			return err_set(e, EINVAL, "something in a whiteout");
		ret->kind = LAYER_IGNORED;
		break;
	}
	return 0;
}
