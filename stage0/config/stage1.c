/*
 * Kind stage1: which stage1 pods get, by name and version, and where it is fetched from.
 */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "stage0/config/internal.h"

static const struct config_subdir subdir = {
	.name = "stage1.d",
	.kinds = (const char *const[]) {"stage1", NULL},
};

/* Texts that scripts written for rkt look for. */
static const char *check_location(const char *s)
{
	static const char *const schemes[] = {"file", "http", "https", "docker"};
	const char *colon = strstr(s, "://");

	if (!*s || path_is_absolute(s))
		return NULL;
	if (!colon || colon == s)
		return "default stage1 image location is either a relative path or a URL without "
		       "scheme";
	for (size_t i = 0; i < ELEMENTSOF(schemes); i++)
		if (strlen(schemes[i]) == (size_t) (colon - s) &&
		    !strncmp(s, schemes[i], strlen(schemes[i])))
			return NULL;
	return "default stage1 image location URL has invalid scheme (file, http, https, docker)";
}

static const struct json_field fields[] = {
	CONFIG_HEADER_FIELDS,
	{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct config_stage1, name)},
	{.key = "version",
	 .type = JSON_F_STRING,
	 .offset = offsetof(struct config_stage1, version)},
	{.key = "location",
	 .type = JSON_F_STRING,
	 .offset = offsetof(struct config_stage1, location),
	 .check = check_location},
};

/* An empty word, as generated files have it, is none. */
static void drop_empty(char **s)
{
	if (*s && !**s) {
		free(*s);
		*s = NULL;
	}
}

static int take(const cJSON *doc, const char *kind, void *arg, struct err *e)
{
	static const struct json_at at_name = {JSON_TOP, "name", 0},
				    at_version = {JSON_TOP, "version", 0},
				    at_location = {JSON_TOP, "location", 0};
	_cleanup_config_stage1_ struct config_stage1 one = CONFIG_STAGE1_INIT;
	struct config_stage1 *all = arg;
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &one,
			    e);

	(void) kind;
	if (r < 0)
		return r;
	drop_empty(&one.name);
	drop_empty(&one.version);
	drop_empty(&one.location);
	if (one.version && !one.name)
		return json_err(&at_name, e, "missing, and version is there: both or none");
	if (one.name && !one.version)
		return json_err(&at_version, e, "missing, and name is there: both or none");
	if (one.name && all->name)
		return json_err(&at_name, e, "another file of this directory sets it too (to %s)",
				q(all->name));
	if (one.location && all->location)
		return json_err(&at_location, e,
				"another file of this directory sets it too (to %s)",
				q(all->location));
	if (one.name) {
		all->name = take_ptr(one.name);
		all->version = take_ptr(one.version);
	}
	if (one.location)
		all->location = take_ptr(one.location);
	return 0;
}

/* Field by field; name and version are one. */
static void merge(struct config_stage1 *all, struct config_stage1 *one)
{
	if (one->name) {
		free(all->name);
		free(all->version);
		all->name = take_ptr(one->name);
		all->version = take_ptr(one->version);
	}
	if (one->location) {
		free(all->location);
		all->location = take_ptr(one->location);
	}
}

int config_load_stage1(const struct gantry *g, struct config_stage1 *ret, struct err *e)
{
	_cleanup_config_stage1_ struct config_stage1 all = CONFIG_STAGE1_INIT;
	const char *dirs[CONFIG_DIRS];

	config_dirs(g, dirs);
	for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
		_cleanup_config_stage1_ struct config_stage1 one = CONFIG_STAGE1_INIT;
		int r = config_read_dir(dirs[i], &subdir, false, take, &one, e);

		if (r < 0)
			return r;
		merge(&all, &one);
	}
	*ret = all;
	all = (struct config_stage1) CONFIG_STAGE1_INIT;
	return 0;
}

void config_stage1_done(struct config_stage1 *s)
{
	free(s->name);
	free(s->version);
	free(s->location);
	*s = (struct config_stage1) CONFIG_STAGE1_INIT;
}
