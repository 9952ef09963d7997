/*
 * Kind registries: how a registry is reached, which other places have what it has, and which one a name
 * without a registry is of.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "stage0/config/internal.h"
#include "stage0/oci/ref.h"

static const struct config_subdir subdir = {
	.name = "registries.d",
	.kinds = (const char *const[]) {"registries", NULL},
};

static void wipe(struct registry_conf *c)
{
	free(c->registry);
	strv_free(c->mirrors);
	free(c->ca);
}

void registry_confs_done(struct registry_conf_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		wipe(&l->v[i]);
	free(l->v);
	*l = (struct registry_conf_list) REGISTRY_CONF_LIST_INIT;
}

const struct registry_conf *registry_conf_for(const struct registry_conf_list *l, const char *registry)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcasecmp(l->v[i].registry, registry))
			return &l->v[i];
	return NULL;
}

const char *registry_conf_default(const struct registry_conf_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].is_default)
			return l->v[i].registry;
	return OCI_DEFAULT_REGISTRY;
}

static bool is_host(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", s[i]))
			return false;
	return n && *s != '-' && *s != '.' && *s != ':';
}

static const char *check_registry(const char *s)
{
	return is_host(s, strlen(s)) ? NULL : "expected HOST or HOST:PORT";
}

/* HOST[:PORT][/PATH]: the path comes before the name of the repository. */
static const char *check_mirror(const char *s)
{
	size_t n = strcspn(s, "/");
	const char *path = s + n;

	if (!is_host(s, n))
		return "expected HOST, HOST:PORT or HOST:PORT/PATH";
	if (!*path)
		return NULL;
	if (str_ends(s, "/") || strstr(path, "//") || strstr(path, "/.") ||
	    strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789._-/") != strlen(path))
		return "the path of a mirror has lower case letters, digits, '.', '_', '-' and '/'";
	return NULL;
}

static const char *check_ca(const char *s)
{
	return path_is_absolute(s) ? NULL : "expected an absolute path";
}

#define FIELD(field) offsetof(struct registry_conf, field)
static const struct json_field fields[] = {
	CONFIG_HEADER_FIELDS,
	{.key = "registry", .type = JSON_F_STRING, .offset = FIELD(registry), .required = true,
	 .check = check_registry},
	{.key = "default", .type = JSON_F_BOOL, .offset = FIELD(is_default)},
	{.key = "mirrors", .type = JSON_F_STRV, .offset = FIELD(mirrors), .check = check_mirror},
	{.key = "insecure", .type = JSON_F_BOOL, .offset = FIELD(insecure)},
	{.key = "ca", .type = JSON_F_STRING, .offset = FIELD(ca), .check = check_ca},
};

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
}

static int take(const cJSON *doc, const char *kind, void *arg, struct err *e)
{
	static const struct json_at at_registry = {JSON_TOP, "registry", 0}, at_default = {JSON_TOP, "default", 0};
	struct registry_conf_list *l = arg;
	struct registry_conf one = {0};
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &one, e);

	(void) kind;
	if (r == 0 && registry_conf_for(l, one.registry))
		r = json_err(&at_registry, e, "%s is described in this directory already", q(one.registry));
	for (size_t i = 0; i < l->n && r == 0; i++)
		if (one.is_default && l->v[i].is_default)
			r = json_err(&at_default, e, "%s is the default already", q(l->v[i].registry));
	if (r < 0) {
		wipe(&one);
		return r;
	}
	lower(one.registry);
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = one;
	return 0;
}

/* What a later directory says of a registry is all that is said of it; it has the default, if it names one. */
static void merge(struct registry_conf_list *all, struct registry_conf_list *one)
{
	bool has_default = false;

	for (size_t i = 0; i < one->n; i++)
		has_default = has_default || one->v[i].is_default;
	for (size_t i = 0; i < all->n && has_default; i++)
		all->v[i].is_default = false;
	for (size_t i = 0; i < one->n; i++) {
		struct registry_conf *old = (struct registry_conf *) registry_conf_for(all, one->v[i].registry);

		if (old) {
			wipe(old);
		} else {
			all->v = xgrow(all->v, all->n, sizeof *old);
			old = &all->v[all->n++];
		}
		*old = one->v[i];
	}
	one->n = 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct registry_conf *) a)->registry, ((const struct registry_conf *) b)->registry);
}

int config_load_registries(const struct gantry *g, struct registry_conf_list *ret, struct err *e)
{
	_cleanup_registry_confs_ struct registry_conf_list all = REGISTRY_CONF_LIST_INIT;
	const char *dirs[CONFIG_DIRS];
	int r = 0;

	config_dirs(g, dirs);
	for (size_t i = 0; i < ELEMENTSOF(dirs) && r == 0; i++) {
		_cleanup_registry_confs_ struct registry_conf_list one = REGISTRY_CONF_LIST_INIT;

		r = config_read_dir(dirs[i], &subdir, false, take, &one, e);
		if (r == 0)
			merge(&all, &one);
	}
	if (r < 0)
		return r;
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, by_name);
	*ret = all;
	all = (struct registry_conf_list) REGISTRY_CONF_LIST_INIT;
	return 0;
}
