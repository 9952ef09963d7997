/*
 * Kind paths: where things lie, each path on its own.
 */
#include <errno.h>

#include "base/path.h"
#include "stage0/config/internal.h"

static const struct config_subdir subdir = {
	.name = "paths.d",
	.kinds = (const char *const[]) {"paths", NULL},
};

/* An empty one is none, as everywhere. */
static const char *check_path(const char *s)
{
	return !*s || path_is_absolute(s) ? NULL : "not an absolute path";
}

static const struct json_field fields[] = {
	CONFIG_HEADER_FIELDS,
	{.key = "data", .type = JSON_F_STRING, .offset = offsetof(struct config_paths, data),
	 .check = check_path},
	{.key = "stage1-images", .type = JSON_F_STRING,
	 .offset = offsetof(struct config_paths, stage1_images), .check = check_path},
};

/* Move a path over; one that is there already was set by another file of the same directory. */
static int set_path(char **to, char **from, const char *key, struct err *e)
{
	if (!*from || !**from)
		return 0;
	if (*to)
		return err_set(e, EEXIST, "%s: another file of this directory sets it too (to %s)",
			       key, q(*to));
	*to = take_ptr(*from);
	return 0;
}

static int take(const cJSON *doc, const char *kind, void *arg, struct err *e)
{
	_cleanup_config_paths_ struct config_paths one = CONFIG_PATHS_INIT;
	struct config_paths *all = arg;
	int r = json_decode(doc, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &one,
			    e);

	(void) kind;
	if (r == 0)
		r = set_path(&all->data, &one.data, "data", e);
	if (r == 0)
		r = set_path(&all->stage1_images, &one.stage1_images, "stage1-images", e);
	return r;
}

static void replace(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = take_ptr(*from);
}

int config_load_paths(const struct gantry *g, struct config_paths *ret, struct err *e)
{
	_cleanup_config_paths_ struct config_paths all = CONFIG_PATHS_INIT;
	const char *dirs[CONFIG_DIRS];

	config_dirs(g, dirs);
	for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
		_cleanup_config_paths_ struct config_paths one = CONFIG_PATHS_INIT;
		int r = config_read_dir(dirs[i], &subdir, false, take, &one, e);

		if (r < 0)
			return r;
		replace(&all.data, &one.data);
		replace(&all.stage1_images, &one.stage1_images);
	}
	*ret = all;
	all = (struct config_paths) CONFIG_PATHS_INIT;
	return 0;
}

void config_paths_done(struct config_paths *p)
{
	free(p->data);
	free(p->stage1_images);
	*p = (struct config_paths) CONFIG_PATHS_INIT;
}
