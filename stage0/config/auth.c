/*
 * Kinds auth and dockerAuth: credentials for hosts and for registries, one entry for each of them.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "stage0/config/internal.h"

#define AWS_REGION "us-east-1"

static const struct config_subdir subdir = {
	.name = "auth.d",
	.kinds = (const char *const[]) {"auth", "dockerAuth", NULL},
	.secret = true,
};

/* What one directory says; then, what all of them say. */
struct credentials {
	struct auth_list hosts;
	struct docker_auth_list registries;
};

static void auth_wipe(struct auth *a)
{
	free(a->domain);
	free(a->user);
	free(a->access_key_id);
	free(a->region);
	secret_free(a->password);
	secret_free(a->token);
	secret_free(a->secret_key);
}

static void docker_auth_wipe(struct docker_auth *a)
{
	free(a->registry);
	free(a->user);
	secret_free(a->password);
}

void auth_done(struct auth_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		auth_wipe(&l->v[i]);
	free(l->v);
	*l = (struct auth_list) AUTH_LIST_INIT;
}

void docker_auth_done(struct docker_auth_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		docker_auth_wipe(&l->v[i]);
	free(l->v);
	*l = (struct docker_auth_list) DOCKER_AUTH_LIST_INIT;
}

static struct auth *find_host(const struct auth_list *l, const char *domain)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcasecmp(l->v[i].domain, domain))
			return &l->v[i];
	return NULL;
}

static struct docker_auth *find_registry(const struct docker_auth_list *l, const char *registry)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcasecmp(l->v[i].registry, registry))
			return &l->v[i];
	return NULL;
}

const struct auth *auth_for(const struct auth_list *l, const char *host)
{
	return find_host(l, host);
}

/* host or host:port (RFC 3986); a URL would never be met. */
static const char *check_host(const char *s)
{
	const char *why = config_check_word(s);

	if (why)
		return why;
	return strpbrk(s, "/@?# ") ? "expected HOST or HOST:PORT" : NULL;
}

/* The value never stands in the message. */
static int decode_secret(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s = NULL, *why;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	why = config_check_word(s);
	if (why)
		return json_err(at, e, "%s", why);
	*(char **) field = xstrdup(s);
	return 0;
}

/* RFC 7617: what is behind the first colon is the password. */
static const char *check_user(const char *s)
{
	const char *why = config_check_word(s);

	return why ? why : strchr(s, ':') ? "a user name has no colon" : NULL;
}

/* Decoded when the type is known. */
static int keep(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	(void) at, (void) e;
	*(const cJSON **) field = j;
	return 0;
}

#define AUTH(field) offsetof(struct auth, field)

static const struct json_field basic_fields[] = {
	{.key = "user", .type = JSON_F_STRING, .offset = AUTH(user), .required = true,
	 .check = check_user},
	{.key = "password", .type = JSON_F_CALL, .offset = AUTH(password), .required = true,
	 .decode = decode_secret},
};
static const struct json_field oauth_fields[] = {
	{.key = "token", .type = JSON_F_CALL, .offset = AUTH(token), .required = true,
	 .decode = decode_secret},
};
static const struct json_field aws_fields[] = {
	{.key = "accessKeyID", .type = JSON_F_STRING, .offset = AUTH(access_key_id),
	 .required = true, .check = config_check_word},
	{.key = "secretAccessKey", .type = JSON_F_CALL, .offset = AUTH(secret_key),
	 .required = true, .decode = decode_secret},
	{.key = "awsRegion", .type = JSON_F_STRING, .offset = AUTH(region)},
};

static int decode_credentials(const cJSON *j, const char *type, struct auth *ret, struct err *e)
{
	static const struct {
		const char *type;
		enum auth_type value;
		const struct json_field *fields;
		size_t n;
	} types[] = {
		{"basic", AUTH_BASIC, basic_fields, ELEMENTSOF(basic_fields)},
		{"oauth", AUTH_OAUTH, oauth_fields, ELEMENTSOF(oauth_fields)},
		{"aws", AUTH_AWS, aws_fields, ELEMENTSOF(aws_fields)},
	};
	static const struct json_at at_type = {JSON_TOP, "type", 0},
				    at = {JSON_TOP, "credentials", 0};
	size_t i = 0;
	int r;

	while (i < ELEMENTSOF(types) && strcmp(types[i].type, type))
		i++;
	if (i == ELEMENTSOF(types))
		return json_err(&at_type, e, "%s: basic, oauth or aws", q(type));
	ret->type = types[i].value;
	r = json_decode(j, &at, types[i].fields, types[i].n, JSON_REFUSE_UNKNOWN, ret, e);
	if (r == 0 && ret->type == AUTH_AWS && (!ret->region || !*ret->region)) {
		free(ret->region);
		ret->region = xstrdup(AWS_REGION);
	}
	return r;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
}

static struct auth auth_copy(const struct auth *a, const char *domain)
{
	struct auth copy = {
		.domain = xstrdup(domain),
		.type = a->type,
		.user = xstrdup_null(a->user),
		.password = xstrdup_null(a->password),
		.token = xstrdup_null(a->token),
		.access_key_id = xstrdup_null(a->access_key_id),
		.secret_key = xstrdup_null(a->secret_key),
		.region = xstrdup_null(a->region),
	};

	lower(copy.domain);
	return copy;
}

struct auth_doc {
	char **domains;
	char *type;
	const cJSON *credentials; /* borrowed */
};

static int add_hosts(char *const *domains, const struct auth *a, struct auth_list *l, struct err *e)
{
	for (size_t i = 0; domains && domains[i]; i++) {
		const struct json_at up = {JSON_TOP, "domains", 0}, at = {&up, NULL, i};

		if (find_host(l, domains[i]))
			return json_err(&at, e, "%s has credentials in this directory already",
					q(domains[i]));
		l->v = xgrow(l->v, l->n, sizeof *l->v);
		l->v[l->n++] = auth_copy(a, domains[i]);
	}
	return 0;
}

static int take_auth(const cJSON *doc, struct auth_list *l, struct err *e)
{
	static const struct json_field fields[] = {
		CONFIG_HEADER_FIELDS,
		{.key = "domains",
		 .type = JSON_F_STRV,
		 .offset = offsetof(struct auth_doc, domains),
		 .required = true,
		 .check = check_host},
		{.key = "type",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct auth_doc, type),
		 .required = true,
		 .check = config_check_word},
		{.key = "credentials",
		 .type = JSON_F_CALL,
		 .offset = offsetof(struct auth_doc, credentials),
		 .required = true,
		 .decode = keep},
	};
	static const struct json_at at_domains = {JSON_TOP, "domains", 0};
	struct auth_doc d = {0};
	struct auth a = {0};
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &d, e);

	if (r == 0 && !strv_len(d.domains))
		r = json_err(&at_domains, e, "must not be empty");
	if (r == 0)
		r = decode_credentials(d.credentials, d.type, &a, e);
	if (r == 0)
		r = add_hosts(d.domains, &a, l, e);
	auth_wipe(&a);
	strv_free(d.domains);
	free(d.type);
	return r;
}

struct docker_doc {
	char **registries;
	const cJSON *credentials; /* borrowed */
};

static int add_registries(char *const *registries, const struct auth *a, struct docker_auth_list *l,
			  struct err *e)
{
	for (size_t i = 0; registries && registries[i]; i++) {
		const struct json_at up = {JSON_TOP, "registries", 0}, at = {&up, NULL, i};
		struct docker_auth one = {0};

		if (find_registry(l, registries[i]))
			return json_err(&at, e, "%s has credentials in this directory already",
					q(registries[i]));
		one.registry = xstrdup(registries[i]);
		one.user = xstrdup(a->user);
		one.password = xstrdup(a->password);
		lower(one.registry);
		l->v = xgrow(l->v, l->n, sizeof *l->v);
		l->v[l->n++] = one;
	}
	return 0;
}

static int take_docker(const cJSON *doc, struct docker_auth_list *l, struct err *e)
{
	static const struct json_field fields[] = {
		CONFIG_HEADER_FIELDS,
		{.key = "registries", .type = JSON_F_STRV,
		 .offset = offsetof(struct docker_doc, registries), .required = true,
		 .check = check_host},
		{.key = "credentials", .type = JSON_F_CALL,
		 .offset = offsetof(struct docker_doc, credentials), .required = true,
		 .decode = keep},
	};
	static const struct json_at at_registries = {JSON_TOP, "registries", 0};
	struct docker_doc d = {0};
	struct auth a = {0};
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &d, e);

	if (r == 0 && !strv_len(d.registries))
		r = json_err(&at_registries, e, "must not be empty");
	if (r == 0)
		r = decode_credentials(d.credentials, "basic", &a, e);
	if (r == 0)
		r = add_registries(d.registries, &a, l, e);
	auth_wipe(&a);
	strv_free(d.registries);
	return r;
}

static int take(const cJSON *doc, const char *kind, void *arg, struct err *e)
{
	struct credentials *c = arg;

	if (!strcmp(kind, "auth"))
		return take_auth(doc, &c->hosts, e);
	return take_docker(doc, &c->registries, e);
}

/* Move what a later directory says over what is there. */
static void merge(struct credentials *all, struct credentials *one)
{
	for (size_t i = 0; i < one->hosts.n; i++) {
		struct auth *old = find_host(&all->hosts, one->hosts.v[i].domain);

		if (old) {
			auth_wipe(old);
		} else {
			all->hosts.v = xgrow(all->hosts.v, all->hosts.n, sizeof *old);
			old = &all->hosts.v[all->hosts.n++];
		}
		*old = one->hosts.v[i];
	}
	for (size_t i = 0; i < one->registries.n; i++) {
		struct docker_auth *old = find_registry(&all->registries,
							one->registries.v[i].registry);

		if (old) {
			docker_auth_wipe(old);
		} else {
			all->registries.v =
				xgrow(all->registries.v, all->registries.n, sizeof *old);
			old = &all->registries.v[all->registries.n++];
		}
		*old = one->registries.v[i];
	}
	one->hosts.n = one->registries.n = 0;
}

static int by_domain(const void *a, const void *b)
{
	return strcmp(((const struct auth *) a)->domain, ((const struct auth *) b)->domain);
}

static int by_registry(const void *a, const void *b)
{
	return strcmp(((const struct docker_auth *) a)->registry,
		      ((const struct docker_auth *) b)->registry);
}

static int load(const struct gantry *g, bool warn, struct credentials *ret, struct err *e)
{
	struct credentials all = {0};
	const char *dirs[CONFIG_DIRS];
	int r = 0;

	config_dirs(g, dirs);
	for (size_t i = 0; i < ELEMENTSOF(dirs) && r == 0; i++) {
		struct credentials one = {0};

		r = config_read_dir(dirs[i], &subdir, warn, take, &one, e);
		if (r == 0)
			merge(&all, &one);
		auth_done(&one.hosts);
		docker_auth_done(&one.registries);
	}
	if (r < 0) {
		auth_done(&all.hosts);
		docker_auth_done(&all.registries);
		return r;
	}
	if (all.hosts.n)
		qsort(all.hosts.v, all.hosts.n, sizeof *all.hosts.v, by_domain);
	if (all.registries.n)
		qsort(all.registries.v, all.registries.n, sizeof *all.registries.v, by_registry);
	*ret = all;
	return 0;
}

int config_load_auth(const struct gantry *g, struct auth_list *ret, struct err *e)
{
	static bool told; /* once is enough, however many images are fetched */
	struct credentials all = {0};
	int r = load(g, !told, &all, e);

	told = true;
	docker_auth_done(&all.registries);
	if (r == 0)
		*ret = all.hosts;
	return r;
}

int config_load_docker_auth(const struct gantry *g, struct docker_auth_list *ret, struct err *e)
{
	struct credentials all = {0};
	int r = load(g, false, &all, e);

	auth_done(&all.hosts);
	if (r == 0)
		*ret = all.registries;
	return r;
}
