/* Files of credentials as docker and podman write them, and what their helpers answer. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "base/str.h"
#include "stage0/oci/login.h"

#define SECRET_MAX 16384 /* bytes of one; tokens are some thousand */
#define HELPER_MAX 64
/* A helper's name for "the secret is an identity token" (docker's credential helper protocol). */
#define TOKEN_USER "<token>"

void login_done(struct login *l)
{
	free(l->user);
	secret_free(l->password);
	secret_free(l->identity_token);
	secret_free(l->registry_token);
	free(l->from);
	*l = (struct login) {0};
}

char *login_normal_key(const char *key)
{
	const char *p = str_starts(key, "https://") ? key + 8 : str_starts(key, "http://") ? key + 7 : key;
	char *s = xstrdup(p), *slash;
	size_t n = strlen(s);

	while (n && s[n - 1] == '/')
		s[--n] = '\0';
	/* The entry is that of docker's first protocol, or of the second: the host is meant. */
	slash = strchr(s, '/');
	if (slash && (!strcmp(slash, "/v1") || !strcmp(slash, "/v2")))
		*slash = '\0';
	n = strcspn(s, "/");
	if ((n == 15 && !strncmp(s, "index.docker.io", n)) || (n == 20 && !strncmp(s, "registry-1.docker.io", n))) {
		char *docker = xasprintf("docker.io%s", s + n);

		free(s);
		return docker;
	}
	return s;
}

/* A line feed would be a header of its own (CWE-113). */
static int check_secret(const char *s, const char *what, struct err *e)
{
	if (strlen(s) > SECRET_MAX)
		return err_set(e, EFBIG, "%s: too long", what);
	for (; *s; s++)
		if ((unsigned char) *s < ' ' || *s == 0x7f)
			return err_set(e, EINVAL, "%s: control character", what);
	return 0;
}

static int take_secret(const cJSON *obj, const char *key, char **ret, struct err *e)
{
	const cJSON *j = json_get(obj, key);
	int r;

	if (!j || cJSON_IsNull(j) || (cJSON_IsString(j) && !*j->valuestring))
		return 0;
	if (!cJSON_IsString(j))
		return err_set(e, EINVAL, "%s: expected string", key);
	r = check_secret(j->valuestring, key, e);
	if (r == 0)
		*ret = xstrdup(j->valuestring);
	return r;
}

/* RFC 7617: the user ends at the first colon. */
static int take_pair(const char *pair, size_t len, struct login *l, struct err *e)
{
	const char *colon = memchr(pair, ':', len);
	int r;

	/* Some tools end it with NUL bytes. */
	while (len && !pair[len - 1])
		len--;
	if (!colon || colon == pair || memchr(pair, '\0', len))
		return err_set(e, EINVAL, "auth: expected USER:PASSWORD in base64");
	r = check_secret(pair, "auth", e);
	if (r < 0)
		return r;
	l->user = xstrndup(pair, (size_t) (colon - pair));
	l->password = xstrndup(colon + 1, len - (size_t) (colon + 1 - pair));
	return 0;
}

static int take_auth(const cJSON *entry, struct login *l, struct err *e)
{
	_cleanup_free_ char *pair = NULL;
	const char *auth = json_get_str(entry, "auth");
	size_t len;
	int r = 0;

	if (auth && *auth) {
		if (base64_decode(auth, &pair, &len) < 0)
			return err_set(e, EINVAL, "auth: it is no base64");
		r = take_pair(pair, len, l, e);
		explicit_bzero(pair, len);
	}
	if (r == 0 && !l->user)
		r = take_secret(entry, "username", &l->user, e);
	if (r == 0 && !l->password)
		r = take_secret(entry, "password", &l->password, e);
	if (r == 0)
		r = take_secret(entry, "identitytoken", &l->identity_token, e);
	if (r == 0)
		r = take_secret(entry, "registrytoken", &l->registry_token, e);
	if (r == 0 && l->user && strchr(l->user, ':'))
		r = err_set(e, EINVAL, "username: a user name has no colon");
	/* Half of a pair is nothing, but for a token, of which some write "user:". */
	if (r == 0 && !l->password != !l->user) {
		secret_free(l->password);
		free(l->user);
		l->password = l->user = NULL;
	}
	return r;
}

static bool has_any(const struct login *l)
{
	return l->user || l->identity_token || l->registry_token;
}

/* How much of HOST/PATH the key is, by whole components; 0: it is another's. */
static size_t match(const char *key, const char *name)
{
	size_t n = strlen(key);

	return n && !strncmp(key, name, n) && (!name[n] || name[n] == '/') ? n : 0;
}

static int from_auths(const cJSON *auths, const char *registry, const char *name, struct login *ret, struct err *e)
{
	const cJSON *entry, *best = NULL;
	size_t longest = 0;
	int r;

	cJSON_ArrayForEach (entry, auths) {
		_cleanup_free_ char *key = login_normal_key(entry->string);
		size_t n = match(key, name);

		if (n > longest && cJSON_IsObject(entry)) {
			longest = n;
			best = entry;
		}
	}
	(void) registry;
	if (!best)
		return 0;
	r = take_auth(best, ret, e);
	return r < 0 ? err_ctx(e, r, "auths[%s]", q(best->string)) : 0;
}

const char *login_check_helper(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > HELPER_MAX)
		return "expected 1 to 64 characters";
	if (!isalnum((unsigned char) *name))
		return "must begin with a letter or a digit";
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char) *p) && !strchr("._-", *p))
			return "may have letters, digits, '.', '_' and '-' only";
	return NULL;
}

static int take_helper(const char *name, const char *key, char **ret, struct err *e)
{
	const char *why = login_check_helper(name);

	if (why)
		return err_set(e, EINVAL, "%s: %s: the name of a helper %s", key, q(name), why);
	*ret = xstrdup(name);
	return 0;
}

static const char *helper_for(const cJSON *helpers, const char *registry)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, helpers) {
		_cleanup_free_ char *key = login_normal_key(entry->string);

		if (!strcmp(key, registry) && cJSON_IsString(entry) && *entry->valuestring)
			return entry->valuestring;
	}
	return NULL;
}

static int search(const cJSON *doc, const char *registry, const char *repository, struct login *ret,
		  char **ret_helper, struct err *e)
{
	_cleanup_free_ char *name = repository ? xasprintf("%s/%s", registry, repository) : xstrdup(registry);
	const cJSON *auths = json_get(doc, "auths"), *helpers = json_get(doc, "credHelpers");
	const char *store = json_get_str(doc, "credsStore"), *helper;
	int r = 0;

	if ((auths && !cJSON_IsObject(auths) && !cJSON_IsNull(auths)) ||
	    (helpers && !cJSON_IsObject(helpers) && !cJSON_IsNull(helpers)))
		return err_set(e, EINVAL, "auths, credHelpers: expected object");
	helper = helper_for(helpers, registry);
	if (helper)
		return take_helper(helper, "credHelpers", ret_helper, e);
	r = from_auths(auths, registry, name, ret, e);
	if (r == 0 && !has_any(ret) && store && *store)
		r = take_helper(store, "credsStore", ret_helper, e);
	return r;
}

int login_from_file(const char *text, size_t len, const char *registry, const char *repository,
		    struct login *ret, char **ret_helper, struct err *e)
{
	_cleanup_json_ cJSON *doc = json_parse(text, len, LOGIN_FILE_MAX, e);
	_cleanup_login_ struct login l = {0};
	char *helper = NULL;
	int r = !doc ? -EINVAL : json_is_object(doc, JSON_TOP, e);

	if (r == 0)
		r = search(doc, registry, repository, &l, &helper, e);
	secret_wipe_json(doc);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct login) {0};
	*ret_helper = helper;
	return 0;
}

int login_from_helper(const char *text, size_t len, struct login *ret, struct err *e)
{
	_cleanup_json_ cJSON *doc = json_parse(text, len, LOGIN_FILE_MAX, e);
	_cleanup_login_ struct login l = {0};
	int r = !doc ? -EINVAL : json_is_object(doc, JSON_TOP, e);

	if (r == 0)
		r = take_secret(doc, "Username", &l.user, e);
	if (r == 0)
		r = take_secret(doc, "Secret", &l.password, e);
	secret_wipe_json(doc);
	if (r == 0 && (!l.user || !l.password))
		r = err_set(e, EINVAL, "Username or Secret is missing");
	if (r == 0 && !strcmp(l.user, TOKEN_USER)) {
		l.identity_token = take_ptr(l.password);
		free(l.user);
		l.user = NULL;
	}
	if (r == 0 && l.user && strchr(l.user, ':'))
		r = err_set(e, EINVAL, "Username: a user name has no colon");
	if (r < 0)
		return r;
	*ret = l;
	l = (struct login) {0};
	return 0;
}
