#include "stage0/pod/export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/app_record.h"
#include "contract/layout.h"
#include "spec/image_id.h"
#include "spec/pod_manifest.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/users.h"
#include "stage0/worker/worker.h"
#include "sys/fd_limit.h"
#include "sys/mountapi.h"
#include "sys/overlay.h"
#include "sys/stack.h"

#define PACK_TIMEOUT_MS (6 * 3600 * 1000)
/* From a pod's directory to the store, whatever phase it is in. */
#define TREE "../../../" DATA_CAS_TREE

int pod_export_app(const struct pod *p, const char *name, char **ret, struct err *e)
{
	_cleanup_pod_manifest_ struct pod_manifest *m = NULL;
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(p->dir, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	m = pod_manifest_parse(text, len, e);
	if (!m)
		return -EINVAL;
	for (size_t i = 0; i < m->n_apps; i++) {
		if (name ? str_eq(m->apps[i].name, name) : m->n_apps == 1) {
			*ret = xstrdup(m->apps[i].name);
			return 0;
		}
		strbuf_addf(&names, "%s%s", i ? ", " : "", m->apps[i].name);
	}
	if (name)
		return err_set(e, ENOENT, "no app %s in the pod (it has: %s)", q(name),
			       names.buf ? names.buf : "none");
	return err_set(e, EINVAL, "pod contains multiple apps, specify app using --app (one of: %s)",
		       names.buf ? names.buf : "none");
}

/* What is given up of the app is opened here; the worker gets these. */
struct source {
	struct stack_dir tree; /* of the image, in its layers; empty when it is not there */
	int root;	/* what the app had as its root */
	char *manifest;
	time_t manifest_mtime;
	struct id_map users; /* whom the files of the root belong to; count 0: those who own them */
	char **leave_out;
};

static void source_done(struct source *s)
{
	stack_dir_done(&s->tree);
	s->root = fd_close(s->root);
	free(s->manifest);
	strv_free(s->leave_out);
}

/*
 * The image's manifest, byte for byte; but what its dependencies brought is in the root now, and a list
 * of the paths that count would hide what the app has added.
 */
static int read_manifest(const struct pod *p, const char *app, struct source *s, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_MANIFEST, app), *text = NULL;
	static const char *const settled[] = {"dependencies", "pathWhitelist"};
	_cleanup_json_ cJSON *j = NULL;
	bool changed = false;
	struct stat st;
	size_t len;
	int r = file_read_at(p->dir, path, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	s->manifest_mtime = fstatat(p->dir, path, &st, 0) == 0 ? st.st_mtime : 0;
	j = json_parse(text, len, JSON_MANIFEST_MAX, e);
	if (!j)
		return err_ctx(e, -EINVAL, "%s", path);
	for (size_t i = 0; i < ELEMENTSOF(settled); i++)
		if (cJSON_GetObjectItemCaseSensitive(j, settled[i])) {
			cJSON_DeleteItemFromObjectCaseSensitive(j, settled[i]);
			changed = true;
		}
	s->manifest = changed ? json_print(j, false) : take_ptr(text);
	return 0;
}

/* The image's tree in the store. A pod without overlay does not need it, and it may be gone. */
static int open_tree_of(const struct pod *p, const char *app, bool needed, struct source *s, struct err *e)
{
	_cleanup_free_ char *id_path = xasprintf(POD_APPSINFO "/%s/" APP_TREE_ID, app), *text = NULL;
	_cleanup_strv_ char **paths = NULL;
	const char *why;
	int r = file_read_line_at(p->dir, id_path, &text, e);

	if (r < 0)
		return r;
	paths = tree_ids_parse(text, &why);
	if (!paths)
		return err_set(e, EINVAL, "%s: %s", id_path, why);
	for (char **id = paths; *id; id++) {
		char *path = xasprintf(TREE "/%s/" TREE_ROOTFS, *id);

		free(*id);
		*id = path;
	}
	r = stack_open(p->dir, paths, &s->tree, needed ? e : NULL);
	return needed ? r : 0;
}

/*
 * The app's layer over the tree, as a mount that is attached nowhere: without a layer to write to it is
 * read-only, and what the app has deleted is not seen.
 */
static int overlay_root(const struct pod *p, const char *app, struct source *s, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_UPPER, app);
	_cleanup_fd_ int upper = openat(p->dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_strv_ char **lower = NULL;
	struct overlay o = {.dir = AT_FDCWD};

	if (upper < 0 && errno != ENOENT)
		return err_sys(e, "open %s", path);
	/* It did not come as far as having one. */
	if (upper < 0 && s->tree.n == 1) {
		s->root = fd_copy(s->tree.fds[0]);
		return s->root < 0 ? err_sysr(e, s->root, "open the image's tree") : 0;
	}
	/* By descriptors: the data directory's name may have a colon in it. */
	for (size_t i = s->tree.n; i-- > 0;)
		strv_push(&lower, xasprintf("/proc/self/fd/%d", s->tree.fds[i]));
	if (upper >= 0)
		strv_push(&lower, xasprintf("/proc/self/fd/%d", upper));
	o.lower = lower;
	o.n_lower = strv_len(lower);
	s->root = overlay_new(&o, MNT_ATTR_RDONLY | MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC, e);
	return s->root < 0 ? s->root : 0;
}

static int open_root(const struct pod *p, const char *app, struct source *s, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_ROOTFS, app);
	bool overlay = faccessat(p->dir, POD_OVERLAY, F_OK, 0) == 0;
	int r = open_tree_of(p, app, overlay, s, e);

	if (r == 0 && overlay)
		return overlay_root(p, app, s, e);
	if (r < 0)
		return r;
	s->root = openat(p->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->root < 0)
		return err_sys(e, "open %s", path);
	/* A copy has the pod's ids. Layers have those of the image, on whatever the pod saw them. */
	return users_of_pod(p->dir, &s->users, e);
}

/*
 * Empty files that were made for something to be bound on: /etc/hosts would be a hosts file without
 * localhost for the app of the new image.
 */
static void find_places(const struct pod *p, const char *app, struct source *s)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_RECORD, app);
	_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT;
	_cleanup_fd_ int fd = openat(p->dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	/* Without one there were no mounts; one that cannot be read is not worth refusing the whole for. */
	if (fd < 0 || app_record_read(fd, &rec, NULL) < 0)
		return;
	for (size_t i = 0; i < rec.n_mounts; i++) {
		_cleanup_free_ char *target = path_clean(rec.mounts[i].target);
		_cleanup_stack_node_ struct stack_node of_image = STACK_NODE_INIT;

		if (rec.mounts[i].dir)
			continue;
		if (!s->tree.n || stack_find(&s->tree, target, &of_image) < 0)
			strv_push(&s->leave_out, xasprintf("leave-out=%s", target));
	}
}

static int pack(const struct gantry *g, const struct source *s, int out, struct err *e)
{
	_cleanup_fd_ int manifest = fd_sealed("manifest", s->manifest, strlen(s->manifest), e);
	const struct fd_name fds[] = {{"tree", s->root}, {"manifest", manifest}, {"out", out}};
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_record_ struct record answer = RECORD_INIT;
	_cleanup_strv_ char **words = NULL;
	char users[ID_MAP_TEXT_MAX];
	int r;

	if (manifest < 0)
		return manifest;
	strv_add(&words, "tree");
	strv_add(&words, "gzip");
	strv_add(&words, "exact-times");
	strv_add(&words, "skip-sockets");
	if (s->users.count)
		strv_push(&words, xasprintf("users=%s", id_map_text(&s->users, users)));
	strv_push(&words, xasprintf("manifest-mtime=%lld", (long long) s->manifest_mtime));
	for (char **l = s->leave_out; l && *l; l++)
		strv_add(&words, *l);
	r = worker_start(g, "pack", words, fds, ELEMENTSOF(fds), &w, e);
	return r < 0 ? r : worker_finish(&w, PACK_TIMEOUT_MS, &answer, e);
}

int pod_export(const struct gantry *g, const struct pod *p, const char *app, int out, struct err *e)
{
	_cleanup_fd_limit_ struct fd_limit limit = fd_limit_raise();
	struct source s = {.root = -EBADF};
	int r = read_manifest(p, app, &s, e);

	if (r == 0)
		r = open_root(p, app, &s, e);
	if (r == 0) {
		find_places(p, app, &s);
		r = pack(g, &s, out, e);
	}
	source_done(&s);
	return r;
}
