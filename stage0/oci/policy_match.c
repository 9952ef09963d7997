/*
 * Which rule an image falls under, and which signatures are for it.  Pure.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/policy.h"

/* --- scopes --- */

static const char *transport_of(const struct oci_ref *ref)
{
	static const char *const names[] = {
		[OCI_REGISTRY] = "docker",
		[OCI_LAYOUT] = "oci",
		[OCI_ARCHIVE] = "oci-archive",
		[DOCKER_ARCHIVE] = "docker-archive",
	};

	return names[ref->transport];
}

static const struct requirement_list *find(const struct policy *p, const char *transport, const char *scope)
{
	for (size_t i = 0; i < p->n_scopes; i++)
		if (!strcmp(p->scopes[i].transport, transport) && !strcmp(p->scopes[i].scope, scope))
			return &p->scopes[i].requirements;
	return NULL;
}

/* "a/b/c", "a/b", "a": whole components only, never a part of one. */
static const struct requirement_list *find_above(const struct policy *p, const char *transport, char *name,
						 bool absolute)
{
	for (;;) {
		const struct requirement_list *l = find(p, transport, name);
		char *slash = strrchr(name, '/');

		if (l || !slash)
			return l;
		if (absolute && slash == name) {
			if (!name[1])
				return NULL;
			name[1] = '\0';
		} else {
			*slash = '\0';
		}
	}
}

/* "*.example.com" for registry.example.com; the port is no part of a domain. */
static const struct requirement_list *find_domain(const struct policy *p, const char *host, char *scope)
{
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
		const struct requirement_list *l;

		*scope = '*';
		memcpy(scope + 1, dot, strcspn(dot, ":"));
		scope[1 + strcspn(dot, ":")] = '\0';
		l = find(p, "docker", scope);
		if (l)
			return l;
	}
	return NULL;
}

static bool asks_nothing(const struct requirement_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type != REQUIRE_NOTHING)
			return false;
	return true;
}

static const struct requirement_list *find_registry(const struct policy *p, const struct oci_ref *ref,
						    char **scope)
{
	_cleanup_free_ char *name = xasprintf("%s/%s", ref->registry, ref->repository);
	const struct requirement_list *l = NULL;

	if (ref->digest) {
		*scope = xasprintf("%s@%s", name, ref->digest);
		l = find(p, "docker", *scope);
	}
	if (!l && ref->tag) {
		free(*scope);
		*scope = xasprintf("%s:%s", name, ref->tag);
		l = find(p, "docker", *scope);
		/*
		 * Beside a digest the tag is but a word that nobody compares with what the registry has
		 * under it: a rule that takes the tag as it is says nothing about what the digest names.
		 */
		if (l && ref->digest && asks_nothing(l))
			l = NULL;
	}
	if (l)
		return l;
	free(*scope);
	*scope = xstrdup(name);
	l = find_above(p, "docker", *scope, false);
	if (l)
		return l;
	free(*scope);
	*scope = xcalloc(1, strlen(ref->registry) + 2);
	return find_domain(p, ref->registry, *scope);
}

static const struct requirement_list *find_path(const struct policy *p, const struct oci_ref *ref, char **scope)
{
	const char *transport = transport_of(ref);
	const struct requirement_list *l = NULL;

	if (ref->tag) {
		*scope = xasprintf("%s:%s", ref->path, ref->tag);
		l = find(p, transport, *scope);
	}
	if (l)
		return l;
	free(*scope);
	*scope = xstrdup(ref->path);
	return find_above(p, transport, *scope, ref->path[0] == '/');
}

const struct requirement_list *policy_find(const struct policy *p, const struct oci_ref *ref, char **ret_scope)
{
	const char *transport = transport_of(ref);
	_cleanup_free_ char *scope = NULL;
	const struct requirement_list *l = ref->transport == OCI_REGISTRY ? find_registry(p, ref, &scope)
									  : find_path(p, ref, &scope);

	if (l) {
		*ret_scope = xasprintf("%s %s", transport, scope);
		return l;
	}
	l = find(p, transport, "");
	if (l) {
		*ret_scope = xstrdup(transport);
		return l;
	}
	*ret_scope = p->has_default ? xstrdup("default") : NULL;
	return p->has_default ? &p->otherwise : NULL;
}

/* --- identities --- */

/* Where the tag or the digest of a reference begins: behind the last '/', a ':' of a host is before. */
static size_t name_length(const char *reference)
{
	const char *slash = strrchr(reference, '/');

	return (size_t) (slash ? slash - reference : 0) + strcspn(slash ? slash : reference, ":@");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && !strncmp(a, b, n);
}

/* The name with another beginning: only in whole components. */
static char *remapped(const struct identity_rule *rule, const char *reference)
{
	size_t n = strlen(rule->prefix);

	if (strncmp(reference, rule->prefix, n) || !(reference[n] == '\0' || strchr("/:@", reference[n])))
		return xstrdup(reference);
	return xasprintf("%s%s", rule->signed_prefix, reference + n);
}

static bool fits(const struct identity_rule *rule, const struct oci_ref *ref, const char *reference,
		 const char *signed_as)
{
	switch (rule->type) {
	case IDENTITY_EXACT:
		return !ref->digest && ref->tag && !strcmp(reference, signed_as);
	case IDENTITY_REPO_DIGEST_OR_EXACT:
	case IDENTITY_REMAP:
		return ref->digest ? same_name(reference, signed_as) : !strcmp(reference, signed_as);
	case IDENTITY_REPOSITORY:
		return same_name(reference, signed_as);
	case IDENTITY_EXACT_REFERENCE:
		return !strcmp(rule->reference, signed_as);
	case IDENTITY_EXACT_REPOSITORY:
		return same_name(rule->reference, signed_as) &&
		       !rule->reference[name_length(rule->reference)];
	}
	return false;
}

/* cosign writes docker's registry as its own library spells it. */
static char *usual_name(const char *reference)
{
	static const char index[] = "index.docker.io/";

	if (str_starts(reference, index))
		return xasprintf("docker.io/%s", reference + strlen(index));
	return xstrdup(reference);
}

int identity_check(const struct identity_rule *rule, const struct oci_ref *ref, const char *signed_as,
		   struct err *e)
{
	_cleanup_free_ char *plain = NULL, *reference = NULL, *usual = usual_name(signed_as);

	/* A layout or an archive has no name of its own that anybody could sign. */
	if (ref->transport != OCI_REGISTRY && rule->type != IDENTITY_EXACT_REFERENCE &&
	    rule->type != IDENTITY_EXACT_REPOSITORY)
		return err_set(e, EINVAL,
			       "an image of transport %s has no name: the policy's signedIdentity must be "
			       "exactReference or exactRepository",
			       transport_of(ref));
	if (ref->transport == OCI_REGISTRY) {
		plain = ref->tag && !ref->digest ? xasprintf("%s/%s:%s", ref->registry, ref->repository, ref->tag)
						 : xasprintf("%s/%s", ref->registry, ref->repository);
		reference = rule->type == IDENTITY_REMAP ? remapped(rule, plain) : xstrdup(plain);
	}
	if (fits(rule, ref, reference, usual))
		return 0;
	return err_set(e, EBADMSG, "the signature is for %s", q(signed_as));
}
