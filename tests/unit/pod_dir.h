/*
 * For the tests of stage1/run: a pod directory in /tmp as stage0 would have made it, and the plan of it.
 */
#pragma once

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "stage1/run/plan.h"

#define POD_DIR_UUID "00000000-1111-4222-8333-444444444444"
#define POD_DIR_ID                                                                                         \
	"sha512-11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111" \
	"111111111111111111111111111111111111111"
#define POD_DIR_IMAGE "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/a\"%s}"
#define ALL_CAPS ((UINT64_C(1) << 41) - 1)

struct pod_dir {
	char path[32];
	int dir;
	struct pod *pod;
	struct plan *plan;
	struct err e;
};

static inline void pod_dir_write(struct pod_dir *d, const char *path, const char *text)
{
	_cleanup_free_ char *parent = xstrndup(path, (size_t) (path_last(path) - path));
	int fd = path_mkdirs_beneath(d->dir, parent, 0755, PATH_NO_LINKS);

	assert(fd >= 0);
	(void) fd_close(fd);
	assert(file_write_at(d->dir, path, text, strlen(text), 0644, FILE_FAST, NULL) == 0);
}

/* One image for all apps: "app" and others beside the name come in `image`, begun by a comma. */
static inline void pod_dir_open(struct pod_dir *d, const char *manifest, const char *image, const char *const *apps)
{
	_cleanup_free_ char *text = xasprintf(POD_DIR_IMAGE, image);

	*d = (struct pod_dir) {.path = "/tmp/gantry-plan-XXXXXX"};
	assert(mkdtemp(d->path));
	d->dir = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pod_dir_write(d, "pod", manifest);
	for (; *apps; apps++) {
		_cleanup_free_ char *path = xasprintf("appsinfo/%s/manifest", *apps);
		_cleanup_free_ char *passwd = xasprintf("appsinfo/%s/rootfs/etc/passwd", *apps);

		pod_dir_write(d, path, text);
		pod_dir_write(d, passwd, "");
	}
}

static inline int pod_dir_plan(struct pod_dir *d, const struct entry_args *args)
{
	const struct host_facts facts = {.caps = ALL_CAPS};
	int r;

	plan_free(d->plan);
	d->plan = NULL;
	pod_free(d->pod);
	d->pod = NULL;
	err_done(&d->e);
	r = pod_load(d->dir, POD_DIR_UUID, &d->pod, &d->e);
	return r < 0 ? r : plan_make(d->pod, args, &facts, &d->plan, &d->e);
}

static inline void pod_dir_close(struct pod_dir *d)
{
	plan_free(d->plan);
	pod_free(d->pod);
	err_done(&d->e);
	(void) fd_close(d->dir);
	(void) path_remove_tree(AT_FDCWD, d->path, NULL);
}

/* {acKind, apps: [{name: a, app: APP, MORE}], TAIL}: the usual pod manifest of one app. */
static inline char *pod_dir_manifest(const char *app, const char *more, const char *tail)
{
	return xasprintf("{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":[{\"name\":\"a\","
			 "\"image\":{\"id\":\"" POD_DIR_ID "\"},\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"%s}%s}]%s}",
			 app, more, tail);
}
