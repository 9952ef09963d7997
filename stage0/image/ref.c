/*
 * What the words for an image mean.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/image_id.h"
#include "stage0/image/image.h"
#include "stage0/oci/ref.h"

void image_ref_done(struct image_ref *ref)
{
	free(ref->text);
	free(ref->location);
	nameval_done(&ref->labels);
	*ref = (struct image_ref) {0};
}

static int add_label(struct image_ref *ref, const char *name, const char *value, struct err *e)
{
	const char *bad = ac_identifier_check(name);

	if (bad)
		return err_set(e, EINVAL, "%s: label %s: %s", q(ref->text), q(name), bad);
	if (!strcmp(name, "name"))
		return err_set(e, EINVAL, "%s: \"name\" is no label", q(ref->text));
	if (nameval_get(&ref->labels, name))
		return err_set(e, EINVAL, "%s: label %s is given twice", q(ref->text), q(name));
	nameval_set(&ref->labels, name, value);
	return 0;
}

/* name[:version][,label=value...]: one colon at most, and only right after the name. */
static int parse_name(struct image_ref *ref, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(ref->text, ',');
	char *colon = strchr(parts[0], ':');
	const char *bad;
	int r = 0;

	if (colon) {
		*colon++ = '\0';
		if (!*colon || strchr(colon, ':'))
			return err_set(e, EINVAL, "invalid image string %s: malformed version", q(ref->text));
		r = add_label(ref, "version", colon, e);
	}
	bad = ac_identifier_check(parts[0]);
	if (bad)
		return err_set(e, EINVAL, "invalid image string %s: %s", q(ref->text), bad);
	for (size_t i = 1; r == 0 && parts[i]; i++) {
		char *equals = strchr(parts[i], '=');

		if (!equals || equals == parts[i])
			return err_set(e, EINVAL, "invalid image string %s: label without a value", q(ref->text));
		*equals = '\0';
		r = add_label(ref, parts[i], equals + 1, e);
	}
	if (r < 0)
		return r;
	ref->source = IMAGE_SOURCE_NAME;
	ref->location = xstrdup(parts[0]);
	return 0;
}

static int finish(struct image_ref *ref, int r, struct image_ref *ret)
{
	if (r < 0)
		image_ref_done(ref);
	else
		*ret = *ref;
	return r;
}

int image_ref_parse_name(const char *text, struct image_ref *ret, struct err *e)
{
	struct image_ref ref = {.text = xstrdup(text)};

	return finish(&ref, parse_name(&ref, e), ret);
}

static int set(struct image_ref *ref, enum image_source source, const char *location)
{
	ref->source = source;
	ref->location = xstrdup(location);
	return 0;
}

/* The grammar only: which registry is the default one is decided when the image is asked for. */
static int parse_oci(struct image_ref *ref, struct err *e)
{
	_cleanup_oci_ref_ struct oci_ref oci = {0};
	int r = oci_ref_parse(ref->text, OCI_DEFAULT_REGISTRY, &oci, e);

	return r < 0 ? r : set(ref, IMAGE_SOURCE_OCI, ref->text);
}

/* A scheme that we know; 1 when the word has none of them. */
static int parse_scheme(struct image_ref *ref, struct err *e)
{
	const char *text = ref->text;

	if (oci_ref_is(text))
		return parse_oci(ref, e);
	if (str_starts(text, "cimd:"))
		return err_set(e, ENOTSUP, "%s: images of this kind are not supported yet", q(text));
	if (str_starts(text, "file://") && !path_is_absolute(text + 7))
		return err_set(e, EINVAL, "invalid image string %s: a file URL has an absolute path", q(text));
	if (str_starts(text, "file://"))
		return set(ref, IMAGE_SOURCE_FILE, text + 7);
	if (str_starts(text, "http://") || str_starts(text, "https://")) {
		size_t path = strcspn(text, "?#");

		if (path < 5 || strncmp(text + path - 4, ".aci", 4))
			return err_set(e, EINVAL, "invalid image string %s: the URL does not end in .aci", q(text));
		for (const char *p = text; *p; p++)
			if ((unsigned char) *p <= ' ' || *p == 0x7f)
				return err_set(e, EINVAL, "invalid image string %s: space in a URL", q(text));
		return set(ref, IMAGE_SOURCE_URL, text);
	}
	return 1;
}

static int parse(struct image_ref *ref, struct err *e)
{
	const char *text = ref->text;
	struct stat st;
	int r;

	if (!*text)
		return err_set(e, EINVAL, "invalid image string \"\"");
	if (str_starts(text, IMAGE_ID_PREFIX) && !image_id_prefix_check(text))
		return set(ref, IMAGE_SOURCE_ID, text);
	r = parse_scheme(ref, e);
	if (r <= 0)
		return r;
	if (path_is_absolute(text) || (stat(text, &st) == 0 && S_ISREG(st.st_mode)))
		return set(ref, IMAGE_SOURCE_FILE, text);
	if (str_starts(text, IMAGE_ID_PREFIX))
		return err_set(e, EINVAL, "%s: %s", q(text), image_id_prefix_check(text));
	if (strchr(text, ':'))
		return parse_name(ref, e);
	if (strstr(text, "./") || str_ends(text, ".aci"))
		return set(ref, IMAGE_SOURCE_FILE, text);
	return parse_name(ref, e);
}

int image_ref_parse(const char *text, struct image_ref *ret, struct err *e)
{
	struct image_ref ref = {.text = xstrdup(text)};

	return finish(&ref, parse(&ref, e), ret);
}

int pull_policy_parse(const char *text, enum pull_policy *ret)
{
	static const char *const words[] = {[PULL_NEW] = "new", [PULL_UPDATE] = "update", [PULL_NEVER] = "never"};

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (!strcmp(words[i], text)) {
			*ret = (enum pull_policy) i;
			return 0;
		}
	return -EINVAL;
}
