/*
 * What the words for OCI images mean.  Repositories, tags and digests become parts of URLs, of file
 * names and of messages: only what the grammar allows gets further, and no part of it can climb.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/oci.h"
#include "stage0/oci/ref.h"

#define NAME_LIMIT 255 /* distribution specification: registry and repository together */
#define TAG_LIMIT 128

static const struct {
	const char *prefix;
	enum oci_transport transport;
} schemes[] = {
	/* The longer ones first.  rkt took "docker:" without slashes as well. */
	{"docker://", OCI_REGISTRY},
	{"oci://", OCI_REGISTRY},
	{"docker-archive:", DOCKER_ARCHIVE},
	{"oci-archive:", OCI_ARCHIVE},
	{"docker:", OCI_REGISTRY},
	{"oci:", OCI_LAYOUT},
};

static int find_scheme(const char *text)
{
	for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
		if (str_starts(text, schemes[i].prefix))
			return (int) i;
	return -1;
}

bool oci_ref_is(const char *text)
{
	return find_scheme(text) >= 0;
}

void oci_ref_done(struct oci_ref *ref)
{
	free(ref->text);
	free(ref->registry);
	free(ref->repository);
	free(ref->path);
	free(ref->tag);
	free(ref->digest);
	*ref = (struct oci_ref) {0};
}

/* --- the grammar --- */

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Between two words of a component: one dot, one or two underscores, any number of hyphens. */
static size_t separator(const char *s)
{
	if (*s == '.')
		return 1;
	if (*s == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* NULL when fine. */
static const char *check_repository(const char *s)
{
	if (!*s)
		return "no name of a repository";
	for (;;) {
		size_t n = 0;

		while (is_lower_alnum(s[n]))
			n++;
		if (s[n] >= 'A' && s[n] <= 'Z')
			return "a repository is written in lower case";
		if (!n)
			return "malformed name of a repository";
		s += n;
		if (!*s)
			return NULL;
		n = *s == '/' ? 1 : separator(s);
		if (!n)
			return "malformed name of a repository";
		s += n;
	}
}

static const char *check_tag(const char *s)
{
	size_t n = 0;

	while (is_alnum(s[n]) || s[n] == '_' || (n && (s[n] == '.' || s[n] == '-')))
		n++;
	return !n || s[n] || n > TAG_LIMIT ? "malformed tag" : NULL;
}

/* RFC 1123 names, or an address in brackets; whether it exists is the resolver's to say. */
static bool is_host(const char *s, size_t len)
{
	if (len > 2 && s[0] == '[' && s[len - 1] == ']')
		return strspn(s + 1, "0123456789abcdefABCDEF:.") == len - 2;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i == len - 1 || s[i - 1] == '.' || s[i + 1] == '.';

		if (!is_alnum(s[i]) && !(s[i] == '.' && i && i < len - 1 && s[i + 1] != '.') && !(s[i] == '-' && !edge))
			return false;
	}
	return len > 0;
}

static const char *check_registry(const char *s)
{
	const char *end = *s == '[' ? strchr(s, ']') : NULL, *colon = strchr(end ? end : s, ':');
	uint64_t port;

	if (!is_host(s, colon ? (size_t) (colon - s) : strlen(s)))
		return "malformed name of a registry";
	/* A zero in front would be the same port by another name: one that no rule of the operator's has. */
	if (colon && (parse_u64(colon + 1, 65535, &port) < 0 || colon[1] == '0'))
		return "malformed port of a registry";
	return NULL;
}

/* --- registries --- */

/* The first part names a registry when it could be no part of a repository, or is "localhost". */
static bool names_registry(const char *s, size_t len)
{
	if (len == strlen("localhost") && !strncmp(s, "localhost", len))
		return true;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '.' || s[i] == ':')
			return true;
	return false;
}

/*
 * docker's has more names than one, and each answers: a rule or a login for docker.io must not depend on which of
 * them somebody writes.
 */
bool oci_registry_is_docker(const char *name, size_t len)
{
	static const char *const names[] = {
		OCI_DEFAULT_REGISTRY, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com",
	};

	if (len > 4 && !strncmp(name + len - 4, ":443", 4))
		len -= 4;
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strlen(names[i]) == len && !strncasecmp(name, names[i], len))
			return true;
	return false;
}

static void split_registry(struct oci_ref *ref, const char *name, const char *default_registry)
{
	const char *slash = strchr(name, '/');

	if (slash && names_registry(name, (size_t) (slash - name))) {
		ref->registry = xstrndup(name, (size_t) (slash - name));
		name = slash + 1;
	} else {
		ref->registry = xstrdup(default_registry);
	}
	/* One spelling, since policies and credentials are found by it. */
	for (char *p = ref->registry; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p - 'A' + 'a');
	if (oci_registry_is_docker(ref->registry, strlen(ref->registry))) {
		free(ref->registry);
		ref->registry = xstrdup(OCI_DEFAULT_REGISTRY);
	}
	if (str_eq(ref->registry, OCI_DEFAULT_REGISTRY) && !strchr(name, '/'))
		ref->repository = xasprintf("library/%s", name);
	else
		ref->repository = xstrdup(name);
}

/* [HOST[:PORT]/]NAME[:TAG][@DIGEST] */
static const char *parse_registry(struct oci_ref *ref, const char *text, const char *default_registry)
{
	_cleanup_free_ char *name = xstrdup(text);
	char *at = strchr(name, '@'), *colon;
	const char *bad = NULL;

	if (at) {
		*at++ = '\0';
		bad = oci_digest_check(at);
		ref->digest = xstrdup(at);
	}
	colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/')) {
		*colon++ = '\0';
		bad = bad ? bad : check_tag(colon);
		ref->tag = xstrdup(colon);
	} else if (!at) {
		ref->tag = xstrdup("latest");
	}
	if (!*name)
		return "no name of a repository";
	split_registry(ref, name, default_registry);
	if (!bad)
		bad = check_registry(ref->registry);
	if (!bad)
		bad = check_repository(ref->repository);
	if (!bad && strlen(ref->registry) + 1 + strlen(ref->repository) > NAME_LIMIT)
		bad = "the name is longer than 255 characters";
	return bad;
}

/* --- directories and files --- */

/* PATH[:REF] or PATH@DIGEST; what REF may be is a matter of whoever wrote the archive. */
static const char *parse_path(struct oci_ref *ref, const char *text)
{
	const char *at = strrchr(text, '@'), *colon;
	size_t len = strlen(text);

	if (at && !oci_digest_check(at + 1)) {
		ref->digest = xstrdup(at + 1);
		len = (size_t) (at - text);
	}
	colon = memchr(text, ':', len);
	if (colon) {
		ref->tag = xstrndup(colon + 1, len - (size_t) (colon + 1 - text));
		len = (size_t) (colon - text);
		if (!*ref->tag)
			return "no name after the colon";
	}
	ref->path = xstrndup(text, len);
	return len ? NULL : "no path";
}

int oci_ref_parse(const char *text, const char *default_registry, struct oci_ref *ret, struct err *e)
{
	int scheme = find_scheme(text);
	struct oci_ref ref = {.text = xstrdup(text)};
	const char *bad, *rest;

	if (scheme < 0) {
		bad = "neither docker://, oci:, oci-archive: nor docker-archive:";
	} else {
		ref.transport = schemes[scheme].transport;
		rest = text + strlen(schemes[scheme].prefix);
		if (ref.transport == OCI_REGISTRY && *rest == '/')
			bad = "no name of a registry (a directory is written oci:PATH)";
		else if (ref.transport == OCI_REGISTRY)
			bad = parse_registry(&ref, rest, default_registry);
		else
			bad = parse_path(&ref, rest);
	}
	if (bad) {
		oci_ref_done(&ref);
		return err_set(e, EINVAL, "invalid image string %s: %s", q(text), bad);
	}
	*ret = ref;
	return 0;
}

char *oci_ref_print(const struct oci_ref *ref)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (ref->transport == OCI_REGISTRY)
		strbuf_addf(&sb, "%s/%s", ref->registry, ref->repository);
	else
		strbuf_adds(&sb, ref->path);
	if (ref->tag)
		strbuf_addf(&sb, ":%s", ref->tag);
	if (ref->digest)
		strbuf_addf(&sb, "@%s", ref->digest);
	return strbuf_take(&sb);
}
