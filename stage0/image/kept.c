#include "stage0/image/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/image/internal.h"
#include "stage0/worker/arriving.h"

/* All of the file is there: one message. Returns the end that the worker reads. */
int kept_progress(int blob, struct err *e)
{
	uint64_t message;
	struct stat st;
	int fds[2];

	if (fstat(blob, &st) < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	message = (uint64_t) st.st_size | ARRIVING_WHOLE;
	if (write(fds[1], &message, sizeof message) != sizeof message) {
		(void) fd_close(fds[0]);
		fds[0] = err_sys(e, "pipe");
	}
	(void) fd_close(fds[1]);
	return fds[0];
}

struct job {
	int blob, tree, out;
	bool plain;
};

/* Run the unpack worker on it to its end. */
static int run_unpack(const struct gantry *g, const struct job *job, char ret[IMAGE_ID_LEN + 1],
		      int64_t *ret_size, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_fd_ int progress = kept_progress(job->blob, e), null = -EBADF;
	char *words[] = {job->plain ? "plain" : NULL, NULL};
	const char *id, *bytes;
	int r;

	if (progress < 0)
		return progress;
	/* The manifest was read and checked when the image came. */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return err_sys(e, "open /dev/null");

	const struct fd_name fds[] = {
		{"blob", job->blob}, {"progress", progress},
		{"tree", job->tree}, {"manifest", job->plain ? -EBADF : null},
		{"out", job->out},
	};

	r = worker_start(g, "unpack", words, fds, ELEMENTSOF(fds), &w, e);
	if (r == 0)
		r = worker_finish(&w, FINISH_MS, &rec, e);
	if (r < 0)
		return r;
	id = record_get(&rec, "id");
	bytes = record_get(&rec, "bytes");
	if (!id || image_id_check(id) || (bytes && parse_i64(bytes, 0, INT64_MAX, ret_size) < 0))
		return err_set(e, EPROTO, "image unpack gave a malformed answer");
	memcpy(ret, id, IMAGE_ID_LEN + 1);
	return 0;
}

static int open_place(const struct store_tmp *tmp, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(tmp->dir, name, 0700) < 0)
		return err_sys(e, "mkdir %s", name);
	fd = openat(tmp->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", name) : fd;
}

static int check_id(const char *id, const char *got, struct err *e)
{
	if (!strcmp(id, got))
		return 0;
	return err_set(e, EBADMSG,
		       "the archive in the store is damaged (remove the image, and fetch it again): it "
		       "hashes to %s",
		       got);
}

static int unpack_sized(const struct gantry *g, int store, const char *id,
			const struct store_tmp *tmp, const char *name, int64_t *ret_size,
			struct err *e)
{
	_cleanup_fd_ int blob = store_blob_open(store, id, e);
	_cleanup_fd_ int tree = blob < 0 ? blob : open_place(tmp, name, e);
	const struct job job = {.blob = blob, .tree = tree, .out = -EBADF};
	char got[IMAGE_ID_LEN + 1];
	int r;

	if (tree < 0)
		return tree;
	r = run_unpack(g, &job, got, ret_size, e);
	if (r == 0)
		r = check_id(id, got, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

int kept_unpack(const struct gantry *g, int store, const char *id, const struct store_tmp *tmp,
		const char *name, struct err *e)
{
	int64_t size = 0;

	return unpack_sized(g, store, id, tmp, name, &size, e);
}

int kept_tree(const struct gantry *g, int store, const char *id, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	int tree = store_tree_open(store, id, e), r;
	int64_t size = 0;

	if (tree >= 0) {
		(void) fd_close(tree);
		return 0;
	}
	if (tree != -ENOENT)
		return tree;
	if (geteuid() != 0)
		return err_set(e, EPERM, "image %s: an unprivileged user cannot make its tree", id);
	r = store_tmp_new(store, &tmp, e);
	if (r == 0)
		r = unpack_sized(g, store, id, &tmp, "tree", &size, e);
	if (r == 0)
		r = store_publish_tree(store, &tmp, "tree", id, e);
	if (r == 0)
		store_set_tree_size(store, id, size);
	store_tmp_done(store, &tmp);
	return r;
}

/* An empty directory of its own is all that the worker sees of the file system. */
static int run_plain(const struct gantry *g, int store, int blob, int out,
		     char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	_cleanup_fd_ int tree = -EBADF;
	int64_t none = 0;
	int r = store_tmp_new(store, &tmp, e);

	if (r < 0)
		return r;
	tree = open_place(&tmp, "empty", e);
	r = tree;
	if (tree >= 0)
		r = run_unpack(
			g, &(struct job) {.blob = blob, .tree = tree, .out = out, .plain = true},
			ret, &none, e);
	store_tmp_done(store, &tmp);
	return r;
}

int kept_inflate(const struct gantry *g, int store, const char *id, int out, struct err *e)
{
	_cleanup_fd_ int blob = store_blob_open(store, id, e);
	char got[IMAGE_ID_LEN + 1];
	int r = blob < 0 ? blob : run_plain(g, store, blob, out, got, e);

	if (r == 0)
		r = check_id(id, got, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

int kept_inflate_file(const struct gantry *g, int store, int file, int out, struct err *e)
{
	char got[IMAGE_ID_LEN + 1];

	return run_plain(g, store, file, out, got, e);
}

int kept_digest(const struct gantry *g, int store, const char *data, size_t len,
		char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	_cleanup_fd_ int blob = fd_sealed("bytes", data, len, e);

	return blob < 0 ? blob : run_plain(g, store, blob, -EBADF, ret, e);
}

int kept_check_blob(const struct gantry *g, const struct signature *sig, int blob,
		    const char *image_name, char **ret_signer, struct err *e)
{
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_fd_ int progress = kept_progress(blob, e);
	int r = progress;

	if (r >= 0)
		r = signature_start_check(g, sig, image_name, blob, progress, &w, e);
	return r < 0 ? r : signature_finish_check(&w, FINISH_MS, ret_signer, e);
}

static char *signature_path(const char *id)
{
	return xasprintf("%s/%s/%s", DATA_CAS_IMAGE, id, IMAGE_SIGNATURE);
}

int kept_check_signature(const struct gantry *g, int store, const char *id, char **ret_signer,
			 struct err *e)
{
	_cleanup_free_ char *path = signature_path(id);
	_cleanup_signature_ struct signature sig = {0};
	_cleanup_fd_ int blob = store_blob_open(store, id, e);
	struct store_info info = {0};
	int r = blob < 0 ? blob : store_info(store, id, &info, e);

	if (r < 0)
		return r;
	r = file_read_at(store, path, SIGNATURE_MAX, &sig.data, &sig.len, NULL);
	if (r == -ENOENT)
		r = err_set(e, ENOENT, "it was imported without a signature");
	else if (r < 0)
		r = err_sysr(e, r, "read %s", path);
	if (r == 0)
		r = kept_check_blob(g, &sig, blob, info.name, ret_signer, e);
	store_info_done(&info);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

void kept_note_signature(int store, const char *id, const struct signature *sig)
{
	_cleanup_free_ char *path = signature_path(id);

	if (sig)
		(void) file_write_at(store, path, sig->data, sig->len, 0640, FILE_FAST, NULL);
}
