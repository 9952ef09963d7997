/*
 * What pods use of the store, and what trees are made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/record.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"

#define RECIPE_MAX (128u << 20) /* its white lists are bounded by half of that (stage0/render) */

char **store_names_in(int dirfd, const char *path)
{
	char **names = NULL;
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	size_t n = 0;
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return NULL;
	}
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		names = xgrow(names, n + 1, sizeof *names);
		names[n++] = xstrdup(de->d_name);
		names[n] = NULL;
	}
	return names;
}

/* One for each layer of an OCI image; what cannot be read as ids names nothing of the store. */
static void add_trees(int pod, const char *path, char ***ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **ids = NULL;
	const char *why;

	if (file_read_line_at(pod, path, &text, NULL) < 0)
		return;
	ids = tree_ids_parse(text, &why);
	for (char **id = ids; id && *id; id++) {
		strv_push(ret, *id);
		*id = NULL;
	}
}

static void add_pod_trees(int pod, char ***ret)
{
	_cleanup_strv_ char **apps = store_names_in(pod, POD_APPSINFO);

	for (size_t i = 0; i < strv_len(apps); i++) {
		_cleanup_free_ char *path =
			xasprintf("%s/%s/%s", POD_APPSINFO, apps[i], APP_TREE_ID);

		add_trees(pod, path, ret);
	}
	add_trees(pod, POD_STAGE1_TREE_ID, ret);
}

/* Each pod of the phase; pods move on in the meantime. */
static int each_pod(int store, const char *phase, void (*fn)(int pod, char ***ret), char ***ret,
		    struct err *e)
{
	_cleanup_free_ char *dir = path_join(DATA_PODS, phase);
	_cleanup_strv_ char **pods = store_names_in(store, dir);

	for (size_t i = 0, n = strv_len(pods); i < n; i++) {
		_cleanup_free_ char *path = path_join(dir, pods[i]);
		_cleanup_fd_ int pod =
			openat(store, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		/* Pods move from left to right in the tables: one that went on is met again. */
		if (pod < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			return err_sys(e, "pod %s", path);
		if (pod >= 0)
			fn(pod, ret);
	}
	return 0;
}

int store_trees_in_use(int store, char ***ret, struct err *e)
{
	static const char *const phases[] = {"prepare", "prepared", "run", "exited-garbage"};
	char **all = NULL;

	for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
		int r = each_pod(store, phases[i], add_pod_trees, &all, e);

		if (r < 0) {
			strv_free(all);
			return r;
		}
	}
	*ret = all;
	return 0;
}

/* Whether a process holds the pod: it is being made, or runs. */
static bool is_held(int pod)
{
	_cleanup_fd_ int fd = openat(pod, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && lock_fd(fd, LOCK_SHARED, false) == -EWOULDBLOCK;
}

/* The images that the pod's manifest names. One that is being written names none yet. */
static void add_pod_images(int pod, char ***ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *j = NULL;
	const cJSON *app;
	size_t len;

	if (file_read_at(pod, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, NULL) < 0)
		return;
	j = json_parse(text, len, JSON_MANIFEST_MAX, NULL);
	cJSON_ArrayForEach (app, json_get(j, "apps")) {
		const char *id = json_get_str(json_get(app, "image"), "id");

		if (id)
			strv_add(ret, id);
	}
}

static void add_held_images(int pod, char ***ret)
{
	if (is_held(pod))
		add_pod_images(pod, ret);
}

int store_images_in_use(int store, char ***ret, struct err *e)
{
	static const struct {
		const char *phase;
		void (*fn)(int pod, char ***ret);
	} looks[] = {{"prepare", add_held_images},
		     {"prepared", add_pod_images},
		     {"run", add_held_images}};
	char **all = NULL;

	for (size_t i = 0; i < ELEMENTSOF(looks); i++) {
		int r = each_pod(store, looks[i].phase, looks[i].fn, &all, e);

		if (r < 0) {
			strv_free(all);
			return r;
		}
	}
	*ret = all;
	return 0;
}

/*
 * Calls fn for each layer of a rendered tree until it says true. -errno when the recipe cannot be
 * read.
 */
static int any_layer(int store, const char *tree_id,
		     bool (*fn)(int store, const char *id, const void *arg), const void *arg)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_TREE "/%s/" TREE_RECIPE, tree_id);
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *key, *value;
	char *data;
	size_t len;
	int r = file_read_at(store, path, RECIPE_MAX, &data, &len, NULL);

	if (r == 0)
		r = record_parse(&rec, data, len, 1, NULL);
	if (r < 0)
		return r;
	while (record_next(&rec, &key, &value))
		if (!strcmp(key, "layer") && fn(store, value, arg))
			return 1;
	return 0;
}

static bool is_this(int store _unused_, const char *id, const void *arg)
{
	return !strcmp(id, arg);
}

static bool is_missing(int store, const char *id, const void *arg _unused_)
{
	return store_has(store, id) == 0;
}

bool store_tree_has_layer(int store, const char *tree_id, const char *id)
{
	return str_starts(tree_id, TREE_ID_RENDERED) && any_layer(store, tree_id, is_this, id) != 0;
}

bool store_tree_is_orphan(int store, const char *tree_id)
{
	if (!str_starts(tree_id, TREE_ID_RENDERED))
		return is_missing(store, tree_id, NULL);
	return any_layer(store, tree_id, is_missing, NULL) != 0;
}
