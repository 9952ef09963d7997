#include "stage0/pod/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/image_id.h"
#include "stage0/cli/input.h"
#include "stage0/context.h"
#include "stage0/image/image.h"
#include "stage0/oci/stack.h"
#include "stage0/pod/brief.h"
#include "stage0/pod/manifest.h"
#include "stage0/pod/more.h"
#include "stage0/pod/manifest_images.h"
#include "stage0/pod/name.h"
#include "stage0/pod/overlay.h"
#include "stage0/pod/ports.h"
#include "stage0/pod/request_images.h"
#include "stage0/pod/users.h"
#include "stage0/store/store.h"

struct images {
	struct pod_image *v;
	char ***trees; /* of each, the ids of the trees that its app starts from */
	size_t n;
};

static void images_done(struct images *im)
{
	for (size_t i = 0; i < im->n; i++) {
		free(im->v[i].id);
		free(im->v[i].text);
		image_manifest_free(im->v[i].manifest);
		strv_free(im->trees[i]);
	}
	free(im->v);
	free(im->trees);
	*im = (struct images) {0};
}

static void images_alloc(struct images *im, size_t n)
{
	im->v = xcalloc(n, sizeof *im->v);
	im->trees = xcalloc(n, sizeof *im->trees);
	im->n = n;
}

/* The request and what is found for it, through all steps. */
struct work {
	const struct gantry *g;
	const struct prepare *how;
	int store;
	struct images images;
	struct pod_manifest *manifest;
	char *manifest_text;
	size_t manifest_len;
};

static int load_image(struct work *w, size_t i, struct err *e)
{
	struct pod_image *image = &w->images.v[i];
	int r = store_manifest(w->store, image->id, &image->text, &image->len, e);

	if (r < 0)
		return r;
	image->manifest = image_manifest_parse(image->text, image->len, e);
	if (!image->manifest)
		return -EINVAL;
	r = pod_image_check(image, e);
	if (r < 0)
		return r;
	return oci_stack_of(w->g, w->store, image->id, image->manifest, &w->images.trees[i], e);
}

/* Fetching comes first: it may take long, and needs no lock. */
static int resolve_images(struct work *w, struct err *e)
{
	const struct pod_request *req = w->how->request;
	_cleanup_free_ char **ids = xcalloc(req->n_apps + 1, sizeof *ids);
	int r = request_images_resolve(w->g, req, ids, e);

	if (r < 0)
		return r;
	images_alloc(&w->images, req->n_apps);
	for (size_t i = 0; i < req->n_apps; i++)
		w->images.v[i].id = ids[i];
	return 0;
}

static int from_images(struct work *w, struct err *e)
{
	_cleanup_pod_manifest_ struct pod_manifest *built = NULL;
	_cleanup_json_ cJSON *j = NULL;

	for (size_t i = 0; i < w->images.n; i++) {
		int r = load_image(w, i, e);

		if (r < 0)
			return err_ctx(e, r, "image %s", q(w->how->request->apps[i].image));
	}
	built = pod_manifest_build(w->how->request, w->images.v, e);
	if (!built)
		return -EINVAL;
	j = pod_manifest_encode(built);
	log_debug("Writing pod manifest");
	w->manifest_text = json_print(j, false);
	w->manifest_len = strlen(w->manifest_text);
	/*
	 * What words of the command line made of it must be what stage1 will accept: found now, not
	 * by a pod that is there.
	 */
	w->manifest = pod_manifest_parse(w->manifest_text, w->manifest_len, e);
	return w->manifest ? 0 : -EINVAL;
}

/* What `fetch` prints: shorter ids are for people. */
#define SHORT_ID_LEN (strlen(IMAGE_ID_PREFIX) + 32)

static bool is_short_id(const cJSON *id)
{
	const char *s = cJSON_GetStringValue(id);

	return s && strlen(s) >= SHORT_ID_LEN && strlen(s) < IMAGE_ID_LEN &&
	       !image_id_prefix_check(s);
}

/*
 * Manifests are written with the ids that rkt printed: a quarter of one, with --full half of it.
 * The pod gets whole ones, and otherwise the operator's bytes.
 */
static int complete_ids(struct work *w, struct err *e)
{
	_cleanup_json_ cJSON *j =
		json_parse(w->manifest_text, w->manifest_len, JSON_MANIFEST_MAX, NULL);
	const cJSON *app, *apps = cJSON_GetObjectItemCaseSensitive(j, "apps");
	bool changed = false;

	cJSON_ArrayForEach(app, apps) {
		cJSON *image = cJSON_GetObjectItemCaseSensitive(app, "image");
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(image, "id");
		_cleanup_free_ char *whole = NULL;
		int r;

		if (!is_short_id(id))
			continue;
		r = store_find(w->store, id->valuestring, &whole, e);
		if (r < 0)
			return r;
		cJSON_ReplaceItemInObjectCaseSensitive(image, "id", cJSON_CreateString(whole));
		changed = true;
	}
	if (!changed)
		return 0;
	free(w->manifest_text);
	w->manifest_text = json_print(j, false);
	w->manifest_len = strlen(w->manifest_text);
	return 0;
}

/* The operator's own manifest; of its images those that are named by reference are fetched. */
static int read_manifest(struct work *w, struct err *e)
{
	const char *path = w->how->request->pod_manifest;
	enum pull_policy policy;
	int r = request_pull_policy(w->how->request, &policy, e);

	if (r == 0) {
		/* It may have been read already, to see of which kind it is. */
		if (w->how->request->manifest_text) {
			w->manifest_text = xmemdup(w->how->request->manifest_text,
						   w->how->request->manifest_len + 1);
			w->manifest_len = w->how->request->manifest_len;
		} else {
			r = input_read(path, JSON_MANIFEST_MAX, &w->manifest_text, &w->manifest_len, e);
		}
		if (r == 0)
			r = manifest_images_fetch(w->g, w->store, policy, &w->manifest_text, &w->manifest_len, e);
		if (r < 0)
			err_ctx(e, r, "pod manifest");
	}
	return r;
}

/* Its bytes are kept, its images must be in the store. */
static int from_manifest(struct work *w, struct err *e)
{
	const char *path = w->how->request->pod_manifest;
	int r = complete_ids(w, e);

	if (r < 0)
		return err_ctx(e, r, "%s: pod manifest", path);
	w->manifest = pod_manifest_parse(w->manifest_text, w->manifest_len, e);
	if (!w->manifest)
		return err_ctx(e, -EINVAL, "%s", path);
	images_alloc(&w->images, w->manifest->n_apps);
	for (size_t i = 0; i < w->images.n; i++) {
		const struct runtime_app *ra = &w->manifest->apps[i];

		w->images.v[i].id = xstrdup(ra->image_id);
		r = load_image(w, i, e);
		if (r == 0 && !ra->app && !w->images.v[i].manifest->app)
			r = err_set(e, EINVAL,
				    "neither the pod manifest nor the image has an app section");
		if (r < 0)
			return err_ctx(e, r, "app %s", ra->name);
	}
	r = ports_check(w->manifest, w->images.v, e);
	return r < 0 ? err_ctx(e, r, "%s", path) : 0;
}

/*
 * A link or a special file (/dev/stdout) is written into; taking its name would put a file in its
 * place.
 */
static int write_into(const char *path, const char *text, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	r = write_all(fd, text, strlen(text));
	return r < 0 ? err_sysr(e, r, "write %s", path) : 0;
}

/* rkt writes it right after the directory is there, so that a failed run can still be removed. */
static int save_uuid(const struct work *w, const struct pod *pod, struct err *e)
{
	const char *path = w->how->uuid_file_save;
	struct stat st;
	int r;

	if (!path)
		return 0;
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		r = write_into(path, pod->uuid, e);
	else
		r = file_write_at(AT_FDCWD, path, pod->uuid, UUID_LEN, 0644, FILE_FAST, e);
	return r < 0 ? err_ctx(e, r, "--uuid-file-save") : 0;
}

/*
 * A file of a pod that is being made: no temporary name, since nobody believes what stands in it
 * before the pod has left `prepare`. What a killed process leaves goes with the whole directory.
 */
static int put(int dir, const char *name, const char *text, size_t len, struct err *e)
{
	_cleanup_fd_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "create %s", name);
	r = write_all(fd, text, len);
	return r < 0 ? err_sysr(e, r, "write %s", name) : 0;
}

/*
 * The store's own file under a second name: a new one costs an inode. Where that cannot be, a copy.
 */
static int put_image_manifest(const struct work *w, int dir, const struct pod_image *image,
			      struct err *e)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" APP_MANIFEST, image->id);

	if (linkat(w->store, path, dir, APP_MANIFEST, 0) == 0)
		return 0;
	return put(dir, APP_MANIFEST, image->text, image->len, e);
}

static int prepare_app(const struct work *w, int apps, size_t i, bool overlay, const struct id_map *users,
		       struct err *e)
{
	const struct runtime_app *ra = &w->manifest->apps[i];
	const struct pod_image *image = &w->images.v[i];
	_cleanup_free_ char *trees = strv_join(w->images.trees[i], "\n");
	_cleanup_fd_ int dir = -EBADF, root = -EBADF;
	int r;

	if (mkdirat(apps, ra->name, 0755) < 0)
		return err_sys(e, "mkdir " POD_APPSINFO "/%s", ra->name);
	dir = openat(apps, ra->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open " POD_APPSINFO "/%s", ra->name);
	r = put(dir, APP_TREE_ID, trees, strlen(trees), e);
	if (r == 0)
		r = put_image_manifest(w, dir, image, e);
	if (r < 0 || overlay)
		return r;
	if (mkdirat(dir, APP_ROOTFS, 0755) < 0)
		return err_sys(e, "mkdir " APP_ROOTFS);
	root = openat(dir, APP_ROOTFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open " APP_ROOTFS);
	return store_trees_copy(w->store, w->images.trees[i], root, users, e);
}

/* The first file: its mtime is the time of creation. */
static int write_brief(const struct work *w, int dir, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	brief_encode(w->how->request->pod_name, w->manifest, w->images.v, &sb);
	return put(dir, POD_CREATED, sb.buf, sb.len, e);
}

static int write_pod(const struct work *w, const struct stage1 *stage1, struct pod *pod,
		     struct err *e)
{
	_cleanup_fd_ int apps = -EBADF;
	bool overlay = !w->how->request->no_overlay && overlay_is_possible(w->g, pod->dir);
	struct id_map users = {0};
	int r = write_brief(w, pod->dir, e);

	if (r == 0)
		r = put(pod->dir, POD_MANIFEST, w->manifest_text, w->manifest_len, e);
	if (r == 0)
		r = stage1_record(stage1, pod->dir, e);
	/* Told by its name alone, whatever is in it: it may be the same one. */
	if (r == 0 && overlay && linkat(pod->dir, POD_CREATED, pod->dir, POD_OVERLAY, 0) < 0)
		r = put(pod->dir, POD_OVERLAY, "", 0, e);
	if (r == 0 && w->how->request->private_users)
		r = users_prepare(pod, w->store, &users, e);
	if (r == 0)
		r = more_files(w->how->request, pod->dir, &users, e);
	if (r < 0)
		return r;
	if (mkdirat(pod->dir, POD_APPSINFO, 0755) < 0)
		return err_sys(e, "mkdir " POD_APPSINFO);
	apps = openat(pod->dir, POD_APPSINFO, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (apps < 0)
		return err_sys(e, "open " POD_APPSINFO);
	for (size_t i = 0; i < w->manifest->n_apps; i++) {
		r = prepare_app(w, apps, i, overlay, &users, e);
		if (r < 0)
			return err_ctx(e, r, "app %s", w->manifest->apps[i].name);
		store_touch(w->store, w->images.v[i].id);
	}
	/* One sync for all of it: prepare promises that the pod is there after a power cut. */
	if (w->how->durable && syncfs(pod->dir) < 0)
		return err_sys(e, "sync pod directory");
	return 0;
}

/* Somebody was faster: then nothing of this pod is worth keeping. */
static int claim_name(const struct work *w, struct pod *pod, struct err *e)
{
	const char *name = w->how->request->pod_name;
	int r = name ? pod_name_claim(pod, name, e) : 0;

	if (r < 0 && pod_move(pod, PHASE_GARBAGE, false, NULL) == 0)
		(void) pod_remove(w->g, pod, NULL);
	return r;
}

/* Before anything is fetched. */
static int check_name(const char *name, int pods, struct err *e)
{
	const char *why = name ? pod_name_check(name) : NULL;

	if (why)
		return err_set(e, EINVAL, "--pod-name %s: %s", q(name), why);
	return name ? pod_name_is_free(pods, name, e) : 0;
}

static int prepare_locked(struct work *w, int pods, struct stage1 *stage1, struct pod *ret,
			  struct err *e)
{
	/* From the look-up until the tree ids are written nobody removes a tree. */
	_cleanup_fd_ int use = store_lock_use(w->store, LOCK_SHARED, true, e);
	int r;

	if (use < 0)
		return use;
	r = w->how->request->pod_manifest ? from_manifest(w, e) : from_images(w, e);
	if (r == 0 && stage1->image_id)
		r = stage1_from_store(w->g, w->store, stage1, e);
	if (r == 0)
		r = pod_create(pods, ret, e);
	if (r == 0)
		r = claim_name(w, ret, e);
	if (r < 0)
		return r;
	r = save_uuid(w, ret, e);
	if (r == 0)
		r = write_pod(w, stage1, ret, e);
	return r < 0 ? err_ctx(e, r, "pod %s", ret->uuid) : 0;
}

static bool is_gone(const struct work *w)
{
	for (size_t i = 0; i < w->images.n; i++)
		if (w->images.v[i].id && store_has(w->store, w->images.v[i].id) == 0)
			return true;
	return false;
}

/*
 * Fetching needs no lock, since it may take long; what came of it may be gone when we have one
 * (`image gc`, `image rm`).  Then it is fetched again, as if the other had come before us.
 */
static int fetch_and_prepare(struct work *w, struct prepared *ret, struct err *e)
{
	int tries = 10;

	for (;;) {
		_cleanup_err_ struct err why = ERR_INIT;
		int r = resolve_images(w, &why);

		if (r == 0)
			r = prepare_locked(w, ret->pods, &ret->stage1, &ret->pod, &why);
		if (r == 0)
			return 0;
		if (--tries == 0 || !is_gone(w))
			return err_move(e, &why);
		images_done(&w->images);
	}
}

static int choose(const struct prepare *how, struct work *w, struct prepared *ret, struct err *e)
{
	int r = stage1_request_check(how->stage1, e);

	if (r == 0 && how->request->private_users)
		r = users_supported(e);
	if (r == 0)
		r = stage1_select(w->g, how->stage1, &ret->stage1, e);
	if (r < 0)
		return r;
	ret->pods = pods_open(w->g, false, e);
	if (ret->pods < 0)
		return ret->pods;
	r = check_name(how->request->pod_name, ret->pods, e);
	if (r < 0)
		return r;
	w->store = store_open(w->g, e);
	return w->store < 0 ? w->store : 0;
}

int pod_prepare(const struct gantry *g, const struct prepare *how, struct prepared *ret,
		struct err *e)
{
	struct work w = {.g = g, .how = how, .store = -EBADF};
	int r = choose(how, &w, ret, e);

	if (r == 0 && !how->request->pod_manifest)
		r = fetch_and_prepare(&w, ret, e);
	else if (r == 0)
		r = read_manifest(&w, e);
	if (r == 0 && how->request->pod_manifest)
		r = prepare_locked(&w, ret->pods, &ret->stage1, &ret->pod, e);
	images_done(&w.images);
	pod_manifest_free(w.manifest);
	free(w.manifest_text);
	(void) fd_close(w.store);
	return r;
}

void prepared_done(struct prepared *p)
{
	stage1_done(&p->stage1);
	pod_close(&p->pod);
	p->pods = fd_close(p->pods);
}
