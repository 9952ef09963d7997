/*
 * policy.json, decoded strictly: a member that is not understood would be a rule that is not kept.
 */
#include "stage0/oci/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/json_check.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/context.h"

static void requirement_done(struct requirement *r)
{
	strv_free(r->key_paths);
	free(r->key_data);
	free(r->lookaside);
	free(r->identity.reference);
	free(r->identity.prefix);
	free(r->identity.signed_prefix);
}

static void requirements_done(struct requirement_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		requirement_done(&l->v[i]);
	free(l->v);
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	requirements_done(&p->otherwise);
	for (size_t i = 0; i < p->n_scopes; i++) {
		free(p->scopes[i].transport);
		free(p->scopes[i].scope);
		requirements_done(&p->scopes[i].requirements);
	}
	free(p->scopes);
	free(p->path);
	free(p);
}

/* --- signedIdentity --- */

static const struct {
	const char *word;
	enum identity_type type;
	bool reference, repository, remap;
} identity_types[] = {
	{"matchRepoDigestOrExact", IDENTITY_REPO_DIGEST_OR_EXACT, false, false, false},
	{"matchExact", IDENTITY_EXACT, false, false, false},
	{"matchRepository", IDENTITY_REPOSITORY, false, false, false},
	{"exactReference", IDENTITY_EXACT_REFERENCE, true, false, false},
	{"exactRepository", IDENTITY_EXACT_REPOSITORY, false, true, false},
	{"remapIdentity", IDENTITY_REMAP, false, false, true},
};

struct identity_words {
	char *type, *reference, *repository, *prefix, *signed_prefix;
};

static void identity_words_done(struct identity_words *w)
{
	free(w->type);
	free(w->reference);
	free(w->repository);
	free(w->prefix);
	free(w->signed_prefix);
}

#define MEMBER(key_, member)                                                                                 \
	{.key = key_, .type = JSON_F_STRING, .offset = offsetof(struct identity_words, member),              \
	 .check = json_check_not_empty}

static int decode_identity(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type", .type = JSON_F_STRING, .offset = offsetof(struct identity_words, type),
		 .required = true},
		MEMBER("dockerReference", reference),
		MEMBER("dockerRepository", repository),
		MEMBER("prefix", prefix),
		MEMBER("signedPrefix", signed_prefix),
	};
	struct identity_words w = {0};
	struct identity_rule *rule = field;
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &w, e);
	size_t i = 0;

	while (r == 0 && i < ELEMENTSOF(identity_types) && strcmp(identity_types[i].word, w.type))
		i++;
	if (r == 0 && i == ELEMENTSOF(identity_types))
		r = json_err(at, e, "type %s is not known", q(w.type));
	if (r == 0 && (!w.reference == identity_types[i].reference ||
		       !w.repository == identity_types[i].repository ||
		       !w.prefix == identity_types[i].remap || !w.signed_prefix == identity_types[i].remap))
		r = json_err(at, e, "members that do not go with type %s, or are missing", q(w.type));
	if (r == 0) {
		rule->type = identity_types[i].type;
		rule->reference = w.reference ? take_ptr(w.reference) : take_ptr(w.repository);
		rule->prefix = take_ptr(w.prefix);
		rule->signed_prefix = take_ptr(w.signed_prefix);
	}
	identity_words_done(&w);
	return r;
}

/* --- requirements --- */

struct requirement_doc {
	char *type, *key_type, *key_path, *key_data, *lookaside;
	char **key_paths;
	struct identity_rule identity;
	bool has_identity;
};

static void requirement_doc_done(struct requirement_doc *d)
{
	free(d->type);
	free(d->key_type);
	free(d->key_path);
	free(d->key_data);
	free(d->lookaside);
	strv_free(d->key_paths);
	free(d->identity.reference);
	free(d->identity.prefix);
	free(d->identity.signed_prefix);
}

static const char *check_path(const char *s)
{
	return path_is_absolute(s) ? NULL : "must be an absolute path";
}

static const char *check_lookaside(const char *s)
{
	if (str_starts(s, "file:///") || str_starts(s, "https://") || str_starts(s, "http://"))
		return NULL;
	return "expected file:///DIR, https:// or http://";
}

/* A requirement for a signature names its keys in one way. */
static int check_keys(const struct requirement_doc *d, const struct json_at *at, struct err *e)
{
	int ways = !!d->key_path + !!d->key_data + !!d->key_paths;

	if (ways != 1 || (d->key_paths && !d->key_paths[0]))
		return json_err(at, e, "expected one of keyPath, keyPaths and keyData");
	return 0;
}

static int check_signed_by(const struct requirement_doc *d, const struct json_at *at, struct err *e)
{
	if (!str_eq(d->key_type, "GPGKeys"))
		return json_err(at, e, "keyType %s is not supported, only \"GPGKeys\"", q(d->key_type));
	return check_keys(d, at, e);
}

static int check_sigstore(const struct requirement_doc *d, const struct json_at *at, struct err *e)
{
	if (d->key_type || d->lookaside)
		return json_err(at, e, "keyType and lookaside do not go with sigstoreSigned");
	return check_keys(d, at, e);
}

static int check_bare(const struct requirement_doc *d, const struct json_at *at, struct err *e)
{
	if (d->key_type || d->key_path || d->key_data || d->key_paths || d->lookaside || d->has_identity)
		return json_err(at, e, "type %s has no other members", q(d->type));
	return 0;
}

static const struct {
	const char *word;
	enum requirement_type type;
	int (*check)(const struct requirement_doc *d, const struct json_at *at, struct err *e);
} requirement_types[] = {
	{"insecureAcceptAnything", REQUIRE_NOTHING, check_bare},
	{"reject", REQUIRE_REJECT, check_bare},
	{"signedBy", REQUIRE_SIGNED_BY, check_signed_by},
	{"sigstoreSigned", REQUIRE_SIGSTORE, check_sigstore},
};

#define DOC(member) offsetof(struct requirement_doc, member)

static int decode_requirement(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type", .type = JSON_F_STRING, .offset = DOC(type), .required = true},
		{.key = "keyType", .type = JSON_F_STRING, .offset = DOC(key_type)},
		{.key = "keyPath", .type = JSON_F_STRING, .offset = DOC(key_path), .check = check_path},
		{.key = "keyPaths", .type = JSON_F_STRV, .offset = DOC(key_paths), .check = check_path},
		{.key = "keyData", .type = JSON_F_STRING, .offset = DOC(key_data), .check = json_check_not_empty},
		{.key = "lookaside", .type = JSON_F_STRING, .offset = DOC(lookaside), .check = check_lookaside},
		{.key = "signedIdentity", .type = JSON_F_CALL, .offset = DOC(identity),
		 .decode = decode_identity, .present = DOC(has_identity)},
	};
	struct requirement_list *l = arg;
	struct requirement_doc d = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &d, e);
	size_t i = 0;

	while (r == 0 && i < ELEMENTSOF(requirement_types) && strcmp(requirement_types[i].word, d.type))
		i++;
	if (r == 0 && i == ELEMENTSOF(requirement_types))
		r = json_err(at, e, "type %s is not known", q(d.type));
	if (r == 0)
		r = requirement_types[i].check(&d, at, e);
	if (r == 0) {
		if (d.key_path)
			strv_add(&d.key_paths, d.key_path);
		l->v = xgrow(l->v, l->n, sizeof *l->v);
		l->v[l->n++] = (struct requirement) {
			.type = requirement_types[i].type,
			.key_paths = take_ptr(d.key_paths),
			.key_data = take_ptr(d.key_data),
			.lookaside = take_ptr(d.lookaside),
			.identity = d.identity,
		};
		d.identity = (struct identity_rule) {0};
	}
	requirement_doc_done(&d);
	return r;
}

static int decode_requirements(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct requirement_list *l = field;
	int r = json_each(j, at, decode_requirement, l, e);

	return r == 0 && !l->n ? json_err(at, e, "must not be empty") : r;
}

/* --- transports and scopes --- */

/* Those of the format; images of the others cannot be asked for, so that their rules are kept. */
static bool is_transport(const char *name)
{
	static const char *const names[] = {
		"docker", "oci", "oci-archive", "docker-archive", "atomic", "containers-storage", "dir",
		"docker-daemon", "ostree", "sif", "tarball",
	};

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* A rule under another name than references have would hold for none of them. */
static bool is_unusual(const char *scope)
{
	size_t len = strcspn(scope, "/");

	return oci_registry_is_docker(scope, len) && strncmp(scope, OCI_DEFAULT_REGISTRY, len);
}

static int decode_scopes(const cJSON *j, const struct json_at *at, struct policy *p, struct err *e)
{
	const cJSON *scope;
	int r = json_is_object(j, at, e);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(scope, j)
	{
		const struct json_at here = {at, scope->string, 0};
		struct policy_scope *s;

		if (str_eq(at->key, "docker") && is_unusual(scope->string))
			return json_err(&here, e, "this registry is written " OCI_DEFAULT_REGISTRY);
		p->scopes = xgrow(p->scopes, p->n_scopes, sizeof *p->scopes);
		s = &p->scopes[p->n_scopes++];
		*s = (struct policy_scope) {xstrdup(at->key), xstrdup(scope->string), {0}};
		r = decode_requirements(scope, &here, &s->requirements, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_transports(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct policy *p = (struct policy *) ((char *) field - offsetof(struct policy, scopes));
	const cJSON *transport;
	int r = json_is_object(j, at, e);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(transport, j)
	{
		const struct json_at here = {at, transport->string, 0};

		if (!is_transport(transport->string))
			return json_err(&here, e, "no transport of this name");
		r = decode_scopes(transport, &here, p, e);
		if (r < 0)
			return r;
	}
	return 0;
}

struct policy *policy_parse(const char *text, size_t len, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "default", .type = JSON_F_CALL, .offset = offsetof(struct policy, otherwise),
		 .decode = decode_requirements, .present = offsetof(struct policy, has_default)},
		{.key = "transports", .type = JSON_F_CALL, .offset = offsetof(struct policy, scopes),
		 .decode = decode_transports},
	};
	_cleanup_json_ cJSON *j = json_parse(text, len, POLICY_FILE_MAX, e);
	_cleanup_policy_ struct policy *p = xcalloc(1, sizeof *p);

	if (!j || json_decode(j, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, p, e) < 0)
		return NULL;
	return take_ptr(p);
}

int policy_load(const struct gantry *g, struct policy **ret, struct err *e)
{
	const char *dirs[] = {g->user_config, g->local_config, g->system_config};

	*ret = NULL;
	for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
		_cleanup_free_ char *path = dirs[i] && *dirs[i] ? path_join(dirs[i], POLICY_FILE) : NULL;
		_cleanup_err_ struct err why = ERR_INIT;
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r = path ? file_read_at(AT_FDCWD, path, POLICY_FILE_MAX, &text, &len, &why) : -ENOENT;

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return err_move(e, &why);
		*ret = policy_parse(text, len, e);
		if (!*ret)
			return err_ctx(e, -EINVAL, "%s", path);
		(*ret)->path = take_ptr(path);
		return 0;
	}
	return 0;
}
