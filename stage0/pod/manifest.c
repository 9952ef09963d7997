#include "stage0/pod/manifest.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/pod/environment.h"
#include "stage0/pod/isolators.h"
#include "stage0/pod/more.h"
#include "stage0/pod/mounts.h"
#include "stage0/pod/ports.h"

#define STREAM_ANNOTATION "coreos.com/rkt/stage2/"

int pod_image_check(const struct pod_image *image, struct err *e)
{
	static const char *const arches[] = {
		"amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64le",
	};
	const char *os = nameval_get(&image->manifest->labels, "os");
	const char *arch = nameval_get(&image->manifest->labels, "arch");

	if (!os)
		return err_set(e, EINVAL, "missing os label in the image manifest");
	if (!arch)
		return err_set(e, EINVAL, "missing arch label in the image manifest");
	if (strcmp(os, "linux"))
		return err_set(e, EINVAL, "bad os %s", q(os));
	for (size_t i = 0; i < ELEMENTSOF(arches); i++)
		if (!strcmp(arch, arches[i]))
			return 0;
	return err_set(e, EINVAL, "bad arch %s", q(arch));
}

static int choose_name(const struct app_request *a, const struct image_manifest *im, char **ret,
		       struct err *e)
{
	const char *why;

	if (a->name) {
		why = ac_name_check(a->name);
		if (why)
			return err_set(e, EINVAL, "--name %s: %s", q(a->name), why);
		*ret = xstrdup(a->name);
		return 0;
	}
	*ret = ac_name_sanitize(path_last(im->name));
	if (!**ret)
		return err_set(e, EINVAL, "image name %s gives no app name (use --name)",
			       q(im->name));
	return 0;
}

static void replace(char **field, const char *value)
{
	if (!value)
		return;
	free(*field);
	*field = xstrdup(value);
}

#define DOCKER_ENTRYPOINT "appc.io/docker/entrypoint"
#define DOCKER_CMD "appc.io/docker/cmd"

/* An image that was docker's: its ENTRYPOINT stays, and what is behind "--" replaces its CMD. */
static int keep_entrypoint(const struct image_manifest *image, struct app *app, struct err *e)
{
	const char *text = nameval_get(&image->annotations, DOCKER_ENTRYPOINT);
	_cleanup_json_ cJSON *words = NULL;
	const cJSON *word;

	if (!text && !nameval_get(&image->annotations, DOCKER_CMD))
		return 0;
	strv_free(app->exec);
	app->exec = NULL;
	if (!text)
		return 0;
	words = json_parse(text, strlen(text), JSON_MANIFEST_MAX, e);
	if (!cJSON_IsArray(words))
		return err_set(e, EINVAL, "annotation " DOCKER_ENTRYPOINT ": expected an array of strings");
	cJSON_ArrayForEach(word, words) {
		if (!cJSON_IsString(word))
			return err_set(e, EINVAL, "annotation " DOCKER_ENTRYPOINT ": expected an array of strings");
		strv_add(&app->exec, word->valuestring);
	}
	return 0;
}

/* --exec replaces the whole vector; what stands behind "--" is appended. */
static int apply_exec(const struct app_request *a, const struct image_manifest *image, struct app *app,
		      struct err *e)
{
	if (more_exec(a, app))
		return 0;
	if (a->exec) {
		strv_free(app->exec);
		app->exec = NULL;
		strv_add(&app->exec, a->exec);
	} else if (strv_len(a->args)) {
		int r = keep_entrypoint(image, app, e);

		if (r < 0)
			return r;
	}
	for (char **arg = a->args; arg && *arg; arg++)
		strv_add(&app->exec, *arg);
	if (!strv_len(app->exec))
		return err_set(e, EINVAL,
			       "nothing to execute: the image names no program (use --exec)");
	return 0;
}

static int apply_gids(const struct app_request *a, struct app *app, struct err *e)
{
	_cleanup_strv_ char **parts = NULL;

	if (!a->supplementary_gids)
		return 0;
	app->n_supplementary_gids = 0;
	if (!*a->supplementary_gids)
		return 0;
	parts = strv_split(a->supplementary_gids, ',');
	free(app->supplementary_gids);
	app->supplementary_gids = xcalloc(strv_len(parts), sizeof *app->supplementary_gids);
	for (char **p = parts; *p; p++) {
		uid_t gid;

		if (parse_uid(*p, &gid) < 0)
			return err_set(e, EINVAL, "--supplementary-gids: %s is no group id", q(*p));
		app->supplementary_gids[app->n_supplementary_gids++] = gid;
	}
	return 0;
}

static int apply_pairs(char *const *pairs, struct nameval_list *list, const char *option,
		       const char *(*check)(const char *), struct err *e)
{
	for (; pairs && *pairs; pairs++) {
		const char *eq = strchr(*pairs, '=');
		_cleanup_free_ char *name = eq ? xstrndup(*pairs, (size_t) (eq - *pairs)) : NULL;
		const char *why =
			name && *name ? (check ? check(name) : NULL) : "expected NAME=VALUE";

		if (why)
			return err_set(e, EINVAL, "--%s %s: %s", option, q(*pairs), why);
		if (nameval_get(list, name))
			return err_set(e, EINVAL, "--%s: %s is there twice", option, q(name));
		nameval_set(list, name, eq + 1);
	}
	return 0;
}

/* User annotations and labels of the command line replace the image's maps. */
static int apply_user_maps(const struct app_request *a, struct app *app, struct err *e)
{
	int r;

	if (a->user_annotations)
		nameval_done(&app->user_annotations);
	r = apply_pairs(a->user_annotations, &app->user_annotations, "user-annotation", NULL, e);
	if (r < 0)
		return r;
	if (a->user_labels)
		nameval_done(&app->user_labels);
	return apply_pairs(a->user_labels, &app->user_labels, "user-label", NULL, e);
}

/*
 * Where the app's streams lead: rkt's annotations, which its stage1 reads; without them it is
 * null, log and log.
 */
static int apply_streams(const struct app_request *a, struct runtime_app *ra, struct err *e)
{
	static const char *const in[] = {"null", "stream", "tty", NULL},
				 *const out[] = {"log", "null", "stream", "tty", NULL};
	const struct {
		const char *option, *mode, *const *modes;
	} rows[] = {
		{"stdin", a->std_in, in},
		{"stdout", a->std_out, out},
		{"stderr", a->std_err, out},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *name = xasprintf(STREAM_ANNOTATION "%s", rows[i].option);
		const char *const *m = rows[i].modes;

		if (!rows[i].mode)
			continue;
		while (*m && strcmp(*m, rows[i].mode))
			m++;
		if (!*m)
			return err_set(e, EINVAL, "--%s %s: %s", rows[i].option, q(rows[i].mode),
				       i ? "log, null, stream or tty" : "null, stream or tty");
		nameval_set(&ra->annotations, name, rows[i].mode);
	}
	return 0;
}

/* The app section; an image without one needs --exec and runs as the caller. */
static int base_app(const struct app_request *a, const struct image_manifest *im, struct app **ret,
		    struct err *e)
{
	if (im->app) {
		*ret = app_copy(im->app);
		return 0;
	}
	if (!a->exec)
		return err_set(e, EINVAL, "the image has no app section (use --exec)");
	*ret = xcalloc(1, sizeof **ret);
	(*ret)->user = xasprintf("%u", (unsigned) getuid());
	(*ret)->group = xasprintf("%u", (unsigned) getgid());
	return 0;
}

static int build_app(const struct pod_request *req, const struct app_request *a,
		     const struct pod_image *image, struct pod_manifest *pm, struct runtime_app *ra,
		     struct err *e)
{
	int r = base_app(a, image->manifest, &ra->app, e);

	if (r == 0)
		r = apply_exec(a, image->manifest, ra->app, e);
	if (r < 0)
		return r;
	replace(&ra->app->user, a->user);
	replace(&ra->app->group, a->group);
	/* Then it is the one that counts, and no other. */
	if (a->group)
		isolators_remove(&ra->app->isolators, ISO_LOGIN_GROUPS);
	replace(&ra->app->working_directory, a->working_dir);
	if (ra->app->working_directory && ac_absolute_path_check(ra->app->working_directory))
		return err_set(e, EINVAL, "--working-dir %s: not absolute",
			       q(ra->app->working_directory));
	r = apply_gids(a, ra->app, e);
	if (r == 0)
		r = apply_user_maps(a, ra->app, e);
	if (r == 0)
		r = environment_apply(req, a, &ra->app->environment, e);
	if (r == 0)
		r = isolators_apply(a, &ra->app->isolators, e);
	if (r == 0)
		more_of_app(a, ra);
	if (r == 0)
		r = apply_pairs(a->annotations, &ra->annotations, "annotation", ac_identifier_check,
				e);
	if (r == 0 && a->read_only_root && parse_bool(a->read_only_root, &ra->read_only_root) < 0)
		r = err_set(e, EINVAL, "--readonly-rootfs %s: true or false", q(a->read_only_root));
	if (r == 0)
		r = apply_streams(a, ra, e);
	return r < 0 ? r : mounts_apply(req, a, pm, ra, e);
}

/* Annotations and labels that stand before the first image. */
static int pod_maps(const struct pod_request *req, struct pod_manifest *pm, struct err *e)
{
	int r = apply_pairs(req->annotations, &pm->annotations, "annotation", ac_identifier_check,
			    e);

	if (r == 0)
		r = apply_pairs(req->user_annotations, &pm->user_annotations, "user-annotation",
				NULL, e);
	return r < 0 ? r
		     : apply_pairs(req->user_labels, &pm->user_labels, "user-label", NULL, e);
}

struct pod_manifest *pod_manifest_build(const struct pod_request *req,
					const struct pod_image *images, struct err *e)
{
	_cleanup_pod_manifest_ struct pod_manifest *pm = xcalloc(1, sizeof *pm);

	pm->ac_version = xstrdup("0.8.11");
	if (volumes_add(req, pm, e) < 0 || more_of_pod(req, pm, e) < 0 || pod_maps(req, pm, e) < 0)
		return NULL;
	for (size_t i = 0; i < req->n_apps; i++) {
		const struct app_request *a = &req->apps[i];
		char *name = NULL;
		struct runtime_app *ra;
		int r = choose_name(a, images[i].manifest, &name, e);

		if (r == 0 && pod_manifest_app(pm, name))
			r = err_set(e, EINVAL, "two apps are named %s (use --name)", q(name));
		if (r < 0) {
			free(name);
			err_ctx(e, r, "image %s", q(a->image));
			return NULL;
		}
		pm->apps = xgrow(pm->apps, pm->n_apps, sizeof *pm->apps);
		ra = &pm->apps[pm->n_apps++];
		*ra = (struct runtime_app) {.name = name, .image_id = xstrdup(images[i].id),
					    .image_name = xstrdup(images[i].manifest->name)};
		nameval_copy(&ra->image_labels, &images[i].manifest->labels);
		r = build_app(req, a, &images[i], pm, ra, e);
		if (r < 0) {
			err_ctx(e, r, "app %s", name);
			return NULL;
		}
	}
	if (ports_add(req->ports, pm, e) < 0 || ports_check(pm, images, e) < 0)
		return NULL;
	return take_ptr(pm);
}
