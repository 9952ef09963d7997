#include "stage0/oci/naming.h"

#include <stdbool.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"

/* AC Identifier: words of lower-case letters and digits, single joints of "-._~/" between them. */
static char *to_identifier(const char *s)
{
	struct strbuf sb = STRBUF_INIT;
	char joint = '\0';

	for (; *s; s++) {
		char c = *s >= 'A' && *s <= 'Z' ? (char) (*s - 'A' + 'a') : *s;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			if (joint && sb.len)
				strbuf_addc(&sb, joint);
			strbuf_addc(&sb, c);
			joint = '\0';
		} else if (c == '/' || !joint) {
			joint = strchr("-._~/", c) ? c : '-';
		}
	}
	if (!sb.len)
		strbuf_adds(&sb, "image");
	return strbuf_take(&sb);
}

/* "/srv/busybox.tar" -> "busybox" */
static char *name_of_path(const char *path)
{
	static const char *const endings[] = {".tar.gz", ".tar.zst", ".tgz", ".tar", ".oci"};
	_cleanup_free_ char *copy = xstrdup(path);
	size_t len = strlen(copy);
	const char *last;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	last = path_last(copy);
	for (size_t i = 0; i < ELEMENTSOF(endings); i++)
		if (str_ends(last, endings[i]) && strlen(last) > strlen(endings[i]))
			return xstrndup(last, strlen(last) - strlen(endings[i]));
	return xstrdup(last);
}

static void from_registry(const struct oci_ref *ref, struct oci_naming *ret)
{
	_cleanup_free_ char *whole = xasprintf("%s/%s", ref->registry, ref->repository);

	ret->registry = xstrdup(ref->registry);
	ret->repository = xstrdup(ref->repository);
	ret->tag = xstrdup_null(ref->tag);
	ret->identifier = to_identifier(whole);
}

/* "v1" is a tag of what the path names; "busybox:1" and "quay.io/a/b" are references. */
static bool from_name(const char *name, struct oci_naming *ret)
{
	_cleanup_free_ char *word = xasprintf("docker://%s", name);
	_cleanup_oci_ref_ struct oci_ref ref = {0};

	if (!strpbrk(name, ":/") || oci_ref_parse(word, OCI_DEFAULT_REGISTRY, &ref, NULL) < 0)
		return false;
	from_registry(&ref, ret);
	return true;
}

static void from_path(const struct oci_ref *ref, struct oci_naming *ret)
{
	_cleanup_free_ char *name = name_of_path(ref->path);

	ret->repository = to_identifier(name);
	ret->identifier = xstrdup(ret->repository);
	ret->tag = oci_ref_is_numbered(ref) ? NULL : xstrdup_null(ref->tag);
}

void oci_naming_of(const struct oci_ref *ref, struct oci_naming *ret)
{
	const char *slashes = strstr(ref->text, "://");

	*ret = (struct oci_naming) {.original = xstrdup(slashes ? slashes + 3 : ref->text)};
	if (ref->transport == OCI_REGISTRY)
		from_registry(ref, ret);
	else if (!ref->tag || !from_name(ref->tag, ret))
		from_path(ref, ret);
}

void oci_naming_done(struct oci_naming *n)
{
	free(n->registry);
	free(n->repository);
	free(n->tag);
	free(n->identifier);
	free(n->original);
	*n = (struct oci_naming) {0};
}
