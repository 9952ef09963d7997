#include "stage0/pod/stage1_select.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/image_id.h"
#include "stage0/config/config.h"
#include "stage0/context.h"
#include "stage0/image/image.h"
#include "stage0/pod/stage1_installed.h"
#include "stage0/store/store.h"

void stage1_request_done(struct stage1_request *req)
{
	free(req->url);
	free(req->path);
	free(req->name);
	free(req->hash);
	free(req->from_dir);
	*req = (struct stage1_request) {0};
}

int stage1_request_check(const struct stage1_request *req, struct err *e)
{
	const struct {
		const char *option, *value;
	} all[] = {
		{"url", req->url},
		{"path", req->path},
		{"name", req->name},
		{"hash", req->hash},
		{"from-dir", req->from_dir},
	};
	const char *first = NULL;

	for (size_t i = 0; i < ELEMENTSOF(all); i++) {
		if (!all[i].value)
			continue;
		if (!*all[i].value)
			return err_set(e, EINVAL, "--stage1-%s: empty", all[i].option);
		if (first)
			return err_set(e, EINVAL,
				       "--stage1-%s and --stage1-%s: only one stage1 can be chosen",
				       first, all[i].option);
		first = all[i].option;
	}
	return 0;
}

/* Through the pipeline of all images; `trusted`: its signature is not asked for. */
static int from_image(const struct gantry *g, const char *text, enum pull_policy policy,
		      bool trusted, struct stage1 *ret, struct err *e)
{
	struct gantry how = *g;

	if (trusted)
		how.insecure |= INSECURE_IMAGE;
	return image_resolve(&how, text, NULL, policy, &ret->image_id, e);
}

/* 1: it is in the store, 0: it is not. */
static int from_store_by_name(const struct gantry *g, const char *name, struct stage1 *ret,
			      struct err *e)
{
	_cleanup_fd_ int store = store_open_existing(g, e);
	int r = store < 0 ? store : store_find(store, name, &ret->image_id, e);

	if (r == -ENOENT) {
		err_done(e);
		return 0;
	}
	if (r == 0)
		log_debug("image: using image from local store for image name %s", name);
	return r < 0 ? r : 1;
}

/* Nothing vouches for a directory: one that was not installed with us is used on request only. */
static int from_directory(const struct gantry *g, const char *real, bool trusted,
			  struct stage1 *ret, struct err *e)
{
	if (!trusted && !(g->insecure & INSECURE_IMAGE))
		return err_set(e, EPERM,
			       "%s is a directory, which has no signature "
			       "(--insecure-options=image uses it all the same)",
			       real);
	return stage1_from_directory(real, ret, e);
}

static int from_path(const struct gantry *g, const char *path, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *real = realpath(path, NULL), *url = NULL;
	struct stat st;
	bool trusted;

	log_debug("image: using image from file %s", path);
	if (!real || stat(real, &st) < 0)
		return err_sys(e, "stage1 %s", path);
	trusted = stage1_is_installed(g, real);
	if (S_ISDIR(st.st_mode))
		return from_directory(g, real, trusted, ret, e);
	/* As a URL it can be taken for nothing else. */
	url = xasprintf("file://%s", real);
	return from_image(g, url, PULL_NEW, trusted, ret, e);
}

/* 1: found, 0: there is none of that name. */
static int from_images_dir(const struct gantry *g, const char *dir, const char *file,
			   struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *path = path_join(dir, file);
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = from_path(g, path, ret, e);
	return r < 0 ? r : 1;
}

static int by_from_dir(const struct gantry *g, const char *file, struct stage1 *ret, struct err *e)
{
	_cleanup_config_paths_ struct config_paths paths = CONFIG_PATHS_INIT;
	_cleanup_free_ char *installed = stage1_installed_dir(g);
	int r;

	if (!path_is_name(file))
		return err_set(e, EINVAL, "%s is not the name of a file", q(file));
	r = config_load_paths(g, &paths, e);
	if (r == 0 && paths.stage1_images)
		r = from_images_dir(g, paths.stage1_images, file, ret, e);
	if (r == 0)
		r = from_images_dir(g, installed, file, ret, e);
	if (r == 0)
		r = stage1_installed_by_file(g, file, ret, e);
	if (r == 0)
		return err_set(e, ENOENT, "no %s in %s", q(file),
			       paths.stage1_images ? paths.stage1_images : installed);
	return r < 0 ? r : 0;
}

static int by_path(const struct gantry *g, const char *path, struct stage1 *ret, struct err *e)
{
	/* Units written for rkt name the files of its package, which is not there any more. */
	if (g->rkt && access(path, F_OK) < 0 && errno == ENOENT) {
		int r = stage1_installed_by_file(g, path_last(path), ret, e);

		if (r)
			return r < 0 ? r : 0;
	}
	return from_path(g, path, ret, e);
}

static int by_url(const struct gantry *g, const char *url, struct stage1 *ret, struct err *e)
{
	if (!strstr(url, "://"))
		return err_set(e, EINVAL, "%s is a URL without scheme", q(url));
	if (str_starts(url, "file:///"))
		return from_path(g, url + strlen("file://"), ret, e);
	return from_image(g, url, PULL_NEW, false, ret, e);
}

/* One that is installed; else the store, rkt's names for ours, and last of all the network. */
static int by_name(const struct gantry *g, const char *name, struct stage1 *ret, struct err *e)
{
	int r = stage1_installed_by_name(g, name, ret, e);

	if (r == 0)
		r = from_store_by_name(g, name, ret, e);
	if (r == 0)
		r = stage1_installed_by_rkt_name(g, name, ret, e);
	if (r == 0)
		return from_image(g, name, PULL_NEW, false, ret, e);
	return r < 0 ? r : 0;
}

static int by_hash(const struct gantry *g, const char *hash, struct stage1 *ret, struct err *e)
{
	const char *bad = image_id_prefix_check(hash);

	if (bad)
		return err_set(e, EINVAL, "%s: %s", q(hash), bad);
	log_debug("image: using image from the store with hash %s", hash);
	return from_image(g, hash, PULL_NEVER, false, ret, e);
}

/* rkt's last resort: a file of that name beside the program itself, which came with it. */
static int beside_program(const struct gantry *g, const char *file, struct stage1 *ret,
			  struct err *e)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	_cleanup_free_ char *url = NULL;

	if (n <= 0)
		return 0;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	url = xasprintf("file://%s/%s", exe, file);
	if (access(url + strlen("file://"), F_OK) < 0)
		return 0;
	log_debug("image: using image from file %s", url + strlen("file://"));
	n = from_image(g, url, PULL_NEW, true, ret, e);
	return n < 0 ? (int) n : 1;
}

static int from_location(const struct gantry *g, const char *location, struct stage1 *ret,
			 struct err *e)
{
	const char *path =
		str_starts(location, "file:///") ? location + strlen("file://") : location;
	int r = 0;

	if (*path != '/')
		return by_url(g, location, ret, e);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		log_debug("image: using image from file %s", path);
		r = beside_program(g, path_last(path), ret, e);
		if (r == 0)
			r = stage1_installed_by_file(g, path_last(path), ret, e);
	}
	if (r == 0)
		return from_path(g, path, ret, e);
	return r < 0 ? r : 0;
}

/* Never over the network by name: what starts pods is not left to whoever answers discovery. */
static int by_config(const struct gantry *g, const struct config_stage1 *c, struct stage1 *ret,
		     struct err *e)
{
	_cleanup_free_ char *name = c->name ? xasprintf("%s:%s", c->name, c->version) : NULL;
	int r = name ? stage1_installed_by_name(g, name, ret, e) : 0;

	/* One that its maker built from unfinished sources may be another one every time. */
	if (r == 0 && name && !str_ends(c->version, "-dirty"))
		r = from_store_by_name(g, name, ret, e);
	if (r == 0 && c->location)
		return from_location(g, c->location, ret, e);
	if (r == 0)
		r = stage1_installed_by_rkt_name(g, name, ret, e);
	if (r == 0)
		return err_set(e, ENOENT,
			       "%s is neither installed nor in the store, "
			       "and no location is configured",
			       name);
	return r < 0 ? r : 0;
}

static int select_default(const struct gantry *g, struct stage1 *ret, struct err *e)
{
	_cleanup_config_stage1_ struct config_stage1 c = CONFIG_STAGE1_INIT;
	int r = config_load_stage1(g, &c, e);

	if (r < 0)
		return r;
	if (!c.name && !c.location)
		return stage1_default(g, ret, e);
	r = by_config(g, &c, ret, e);
	return r < 0 ? err_ctx(e, r, "configured stage1") : 0;
}

int stage1_select(const struct gantry *g, const struct stage1_request *req, struct stage1 *ret,
		  struct err *e)
{
	const struct {
		const char *option, *value;
		int (*by)(const struct gantry *, const char *, struct stage1 *, struct err *);
	} ways[] = {
		{"url", req->url, by_url},
		{"path", req->path, by_path},
		{"name", req->name, by_name},
		{"hash", req->hash, by_hash},
		{"from-dir", req->from_dir, by_from_dir},
	};
	size_t i = 0;
	int r;

	while (i < ELEMENTSOF(ways) && !ways[i].value)
		i++;
	if (i == ELEMENTSOF(ways)) {
		r = select_default(g, ret, e);
	} else {
		r = ways[i].by(g, ways[i].value, ret, e);
		if (r < 0)
			r = err_ctx(e, r, "--stage1-%s", ways[i].option);
	}
	return r < 0 || ret->image_id ? r : stage1_check(ret, e);
}
