#include "stage0/build/image_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "spec/pod_manifest.h"
#include "stage0/build/packer.h"
#include "stage0/context.h"
#include "stage0/worker/arriving.h"
#include "stage0/worker/worker.h"

#define CHECK_MS (3600 * 1000)

void check_result_done(struct check_result *r)
{
	strv_free(r->findings);
	free(r->id);
	free(r->manifest);
	*r = (struct check_result) {0};
}

static void found(struct check_result *r, const char *text)
{
	strv_add(&r->findings, text);
}

/* --- manifests --- */

static void take_report(const struct json_report *report, const char *prefix,
			struct check_result *ret)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct json_finding *f = &report->v[i];

		strv_push(&ret->findings,
			  xasprintf("%sline %zu, column %zu: %s%s%s", prefix, f->line, f->column,
				    f->path, *f->path ? ": " : "", f->text));
	}
	if (report->n == JSON_REPORT_MAX)
		strv_push(&ret->findings, xasprintf("%sand perhaps more", prefix));
}

/*
 * acKind decides; what says neither is read as an image's, which then says what is wrong with
 * acKind.
 */
static bool is_pod(const char *text, size_t len)
{
	_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, NULL);

	return str_eq(json_get_str(j, "acKind"), "PodManifest");
}

void check_manifest(const char *text, size_t len, bool image_only, struct check_result *ret)
{
	_cleanup_json_report_ struct json_report report = {.text = text, .len = len};
	_cleanup_image_manifest_ struct image_manifest *image = NULL;
	_cleanup_pod_manifest_ struct pod_manifest *pod = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	bool as_pod = !image_only && is_pod(text, len);

	json_collect(&report);
	if (as_pod)
		pod = pod_manifest_parse(text, len, &e);
	else
		image = image_manifest_parse(text, len, &e);
	json_collect(NULL);
	if (!image_only)
		ret->what = as_pod ? "pod manifest" : "image manifest";
	take_report(&report, image_only ? "manifest: " : "", ret);
	/* Of the text as such, or of several members together: it has said where by itself. */
	if (!pod && !image && !report.n) {
		const char *said = err_text(&e),
			   *own = as_pod ? "pod manifest: " : "image manifest: ";

		if (str_starts(said, own))
			said += strlen(own);
		strv_push(&ret->findings, xasprintf("%s%s", image_only ? "manifest: " : "", said));
	}
}

/* --- archives --- */

static int start_check(const struct gantry *g, int fd, int tree, int *ret_manifest,
		       struct worker *ret, struct err *e)
{
	char *const words[] = {(char *) "validate", NULL};
	_cleanup_fd_ int progress = -EBADF, manifest = -EBADF;
	int pipes[2][2];
	struct stat st;
	uint64_t whole;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	if (pipe2(pipes[0], O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	progress = pipes[0][0];
	whole = (uint64_t) st.st_size | ARRIVING_WHOLE;
	r = write_all(pipes[0][1], &whole, sizeof whole);
	(void) fd_close(pipes[0][1]);
	if (r < 0 || pipe2(pipes[1], O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*ret_manifest = pipes[1][0];
	manifest = pipes[1][1];

	const struct fd_name fds[] = {
		{"blob", fd}, {"progress", progress}, {"tree", tree}, {"manifest", manifest}};

	return worker_start(g, "unpack", words, fds, ELEMENTSOF(fds), ret, e);
}

static int run_check(const struct gantry *g, int fd, int tree, struct check_result *ret,
		     struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_fd_ int manifest = -EBADF;
	const char *key, *value;
	int r = start_check(g, fd, tree, &manifest, &w, e);

	if (r == 0)
		r = read_all(manifest, JSON_MANIFEST_MAX, &ret->manifest, &ret->manifest_len);
	if (r == 0)
		r = worker_finish(&w, CHECK_MS, &rec, e);
	if (r < 0)
		return r;
	while (record_next(&rec, &key, &value)) {
		/* A path is the image's word; the worker is one that reads such. */
		_cleanup_free_ char *shown = str_escape(value, strlen(value));

		if (!strcmp(key, "finding"))
			found(ret, shown);
		else if (!strcmp(key, "id"))
			ret->id = xstrdup(shown);
	}
	return 0;
}

int check_image(const struct gantry *g, int fd, struct check_result *ret, struct err *e)
{
	char dir[] = "/tmp/gantry-check-XXXXXX";
	_cleanup_fd_ int tree = -EBADF;
	int r;

	ret->what = "image";
	/* The worker's root: nothing is made in it. */
	if (!mkdtemp(dir))
		return err_sys(e, "mkdir %s", dir);
	tree = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = tree < 0 ? err_sys(e, "open %s", dir) : run_check(g, fd, tree, ret, e);
	(void) rmdir(dir);
	if (r == 0 && ret->manifest_len)
		check_manifest(ret->manifest, ret->manifest_len, true, ret);
	return r;
}

/* --- layouts --- */

int check_layout_names(int dir, bool need_manifest, struct check_result *ret, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r = packer_list(dir, &names, e);

	for (char **n = names; r == 0 && n && *n; n++)
		if (strcmp(*n, "manifest") && strcmp(*n, "rootfs"))
			strv_push(&ret->findings,
				  xasprintf("%s: an image has nothing beside manifest and rootfs",
					    q(*n)));
	if (r < 0)
		return r;
	if (fstatat(dir, "rootfs", &st, AT_SYMLINK_NOFOLLOW) < 0)
		found(ret, "there is no rootfs");
	else if (!S_ISDIR(st.st_mode))
		found(ret, "rootfs is no directory");
	if (need_manifest && fstatat(dir, "manifest", &st, AT_SYMLINK_NOFOLLOW) < 0)
		found(ret, "there is no manifest");
	else if (need_manifest && !S_ISREG(st.st_mode))
		found(ret, "manifest is no regular file");
	return 0;
}

int check_layout(const struct gantry *g, int dir, struct check_result *ret, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_fd_ int nowhere = -EBADF;
	struct packer p = {.g = g};
	int r;

	ret->what = "layout";
	r = check_layout_names(dir, true, ret, e);
	if (r < 0 || ret->findings)
		return r;
	r = file_read_at(dir, "manifest", JSON_MANIFEST_MAX, &ret->manifest, &ret->manifest_len, e);
	if (r < 0)
		return r;
	check_manifest(ret->manifest, ret->manifest_len, true, ret);
	/* As if it was packed: what cannot be is found by the same rules. */
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	p.tree = openat(dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (nowhere < 0 || p.tree < 0)
		return err_sys(e, "open rootfs");
	p.manifest = ret->manifest;
	p.manifest_len = ret->manifest_len;
	p.out = nowhere;
	if (packer_run(&p, &ret->id, &why) < 0)
		found(ret, err_text(&why));
	(void) fd_close(p.tree);
	return 0;
}

/* --- any --- */

static int check_file(const struct gantry *g, int fd, enum check_type type,
		      struct check_result *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char first[64] = "";
	size_t len = 0;
	int r;

	if (type == CHECK_AUTO) {
		ssize_t n = pread(fd, first, sizeof first - 1, 0);

		first[n > 0 ? n : 0] = '\0';
		type = first[strspn(first, " \t\r\n")] == '{' ? CHECK_MANIFEST : CHECK_IMAGE;
	}
	if (type == CHECK_IMAGE)
		return check_image(g, fd, ret, e);
	ret->what = "manifest";
	r = read_all(fd, JSON_MANIFEST_MAX, &text, &len);
	if (r == -EFBIG) {
		found(ret, "larger than a manifest may be");
		return 0;
	}
	if (r < 0)
		return err_sysr(e, r, "read");
	check_manifest(text, len, false, ret);
	return 0;
}

int check_path(const struct gantry *g, const char *path, enum check_type type,
	       struct check_result *ret, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	*ret = (struct check_result) {0};
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open");
	if (S_ISDIR(st.st_mode)) {
		if (type == CHECK_IMAGE || type == CHECK_MANIFEST)
			return err_set(e, EISDIR, "is a directory");
		return check_layout(g, fd, ret, e);
	}
	if (type == CHECK_LAYOUT)
		return err_set(e, ENOTDIR, "is no directory");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "is no regular file");
	return check_file(g, fd, type, ret, e);
}
