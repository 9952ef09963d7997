/* Which machine an image is for, by Go's names. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/oci_internal.h"

#define LISTED_MAX 12 /* platforms that a message names */

int oci_platform_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
#define AT(member) .type = JSON_F_STRING, .offset = offsetof(struct oci_platform, member)
	static const struct json_field fields[] = {
		{.key = "os", AT(os)},
		{.key = "architecture", AT(architecture)},
		{.key = "variant", AT(variant)},
		{.key = "os.version", AT(os_version)},
	};
#undef AT

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, field, e);
}

void oci_platform_done(struct oci_platform *p)
{
	free(p->os);
	free(p->architecture);
	free(p->variant);
	free(p->os_version);
	*p = (struct oci_platform) {0};
}

static bool is_empty(const char *s)
{
	return !s || !*s;
}

/* "v7", "v8.1" as a number to compare; none is below all; -1: something else. */
static int variant_rank(const char *s)
{
	_cleanup_free_ char *major = NULL;
	uint64_t a, b = 0;
	const char *dot;

	if (is_empty(s))
		return 0;
	if (*s++ != 'v')
		return -1;
	dot = strchr(s, '.');
	major = xstrndup(s, dot ? (size_t) (dot - s) : strlen(s));
	if (parse_u64(major, 99, &a) < 0 || (dot && parse_u64(dot + 1, 99, &b) < 0))
		return -1;
	return (int) (a * 100 + b);
}

/* How well it suits the machine: the higher the better; -1: not at all. */
static int suits(const struct oci_platform *p, const struct oci_platform *machine)
{
	int rank = variant_rank(p->variant), most = variant_rank(machine->variant);

	if (!str_eq(p->os, machine->os) || !str_eq(p->architecture, machine->architecture))
		return -1;
	if (rank < 0)
		return str_eq(p->variant, machine->variant) ? 0 : -1;
	return rank <= most ? rank : -1;
}

static bool is_image(const struct oci_descriptor *d)
{
	enum oci_media kind = oci_media_kind(d->media_type);

	if (kind != OCI_MEDIA_MANIFEST && kind != OCI_MEDIA_INDEX)
		return false;
	return is_empty(d->artifact_type) && !str_eq(d->platform.os, "unknown");
}

static void list(const struct oci_index *x, struct strbuf *sb)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_platform *p = &x->manifests[i].platform;
		_cleanup_free_ char *text = NULL, *shown = NULL;

		if (!is_image(&x->manifests[i]) || n++ >= LISTED_MAX)
			continue;
		text = xasprintf("%s/%s%s%s", is_empty(p->os) ? "?" : p->os,
				 is_empty(p->architecture) ? "?" : p->architecture, is_empty(p->variant) ? "" : "/",
				 is_empty(p->variant) ? "" : p->variant);
		shown = str_escape(text, strnlen(text, 64));
		strbuf_addf(sb, "%s%s", sb->len ? ", " : "", shown);
	}
	if (n > LISTED_MAX)
		strbuf_addf(sb, " and %zu more", n - LISTED_MAX);
	if (!n)
		strbuf_adds(sb, "no image at all");
}

const struct oci_descriptor *oci_index_choose(const struct oci_index *x, const struct oci_platform *machine,
					      struct err *e)
{
	const struct oci_descriptor *best = NULL, *unnamed = NULL;
	_cleanup_strbuf_ struct strbuf there = STRBUF_INIT;
	int best_rank = -1;

	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];
		int rank = is_image(d) ? suits(&d->platform, machine) : -1;

		if (rank > best_rank) {
			best = d;
			best_rank = rank;
		}
		/* "platform" is optional: the configuration will tell. */
		if (!unnamed && is_image(d) && is_empty(d->platform.os) && is_empty(d->platform.architecture))
			unnamed = d;
	}
	if (!best)
		best = unnamed;
	if (best)
		return best;
	list(x, &there);
	err_set(e, ENOENT, "no image for %s/%s%s%s; there is: %s", machine->os, machine->architecture,
		machine->variant ? "/" : "", machine->variant ? machine->variant : "", there.buf);
	return NULL;
}
