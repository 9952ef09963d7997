/*
 * The pipeline.  One loop in this process copies the source into a private file, the blob; the
 * unpack worker reads the blob as it grows and makes the tree; the verify worker reads it as well,
 * from when the manifest has told the image's name, for which the keys are chosen.
 *
 *	source --> blob --+--> unpack --> tree, manifest, id
 *	                  +--> verify --> signer
 *
 * Neither worker can write to the blob: whoever breaks one of them with his bytes still has to sign
 * these bytes with a trusted key.  Nothing gets a name in the store before both are content.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "base/json.h"
#include "stage0/image/internal.h"
#include "stage0/image/kept.h"
#include "stage0/worker/arriving.h"

#define CHUNK (4u << 20)
#define COPY_BUFFER (256u << 10)
#define LARGE (8 << 20) /* bytes to come for which it pays to ask who signed, before they come */

/* A worker that reads the blob, and the pipe on which it is told how far it may. */
struct reader {
	struct worker worker;
	int progress;
	uint64_t told;
	bool finished;
};
#define READER_INIT {.worker = WORKER_INIT, .progress = -EBADF}

struct pipeline {
	const struct import *in;
	struct store_tmp tmp;
	/* TMP/image; the blob, in it or in the directory of partial downloads */
	int image_dir, blob;
	uint64_t total;
	bool whole;
	bool source_failed, bytes_failed; /* whose fault it was */
	const struct signature *sig;	  /* NULL: there is none to check, or not yet */
	struct reader unpack, verify;
	struct worker issuer; /* of a large download: is the signature of any use? */
	int manifest_pipe;
	struct strbuf manifest_text;
	struct image_manifest *manifest;
	struct store_info info;
	int64_t deadline;
	char *buffer;
	bool no_copy_range;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- the source --- */

/* Some bytes from the source to the end of the blob: how many, 0 at the end. */
static ssize_t copy_some(struct pipeline *p, struct err *e)
{
	int from = p->in->download ? p->in->download->pipe : p->in->file;
	ssize_t n;

	if (!p->no_copy_range) {
		n = p->in->download ? splice(from, NULL, p->blob, NULL, CHUNK, SPLICE_F_MOVE)
				    : copy_file_range(from, NULL, p->blob, NULL, CHUNK, 0);
		/*
		 * A file of /proc says 0 at once; such a thing is no image, but it need not look
		 * empty.
		 */
		if (n > 0 || (n == 0 && (p->in->download || p->total)))
			return n;
		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
		    errno != EOPNOTSUPP)
			return err_sys(e, "copy image");
		p->no_copy_range = true;
		p->buffer = xmalloc(COPY_BUFFER);
	}
	n = read(from, p->buffer, COPY_BUFFER);
	if (n < 0)
		return err_sys(e, "read image");
	if (n > 0) {
		int r = write_all(p->blob, p->buffer, (size_t) n);

		if (r < 0)
			return err_sysr(e, r, "write image");
	}
	return n;
}

/*
 * How far the readers may go: the latest number is enough, so a full pipe is no harm until the end.
 */
static void tell(struct pipeline *p, struct reader *reader)
{
	uint64_t message = p->total | (p->whole ? ARRIVING_WHOLE : 0);

	if (reader->progress < 0 || reader->told == message)
		return;
	if (write(reader->progress, &message, sizeof message) == sizeof message)
		reader->told = message;
	else if (errno != EAGAIN && errno != EINTR) /* it is gone; its end will be noticed */
		reader->progress = fd_close(reader->progress);
	if (p->whole && reader->told == message)
		reader->progress = fd_close(reader->progress);
}

static int new_progress(struct reader *reader, int *ret_read_end, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void) fd_set_nonblock(fds[1]);
	reader->progress = fds[1];
	*ret_read_end = fds[0];
	return 0;
}

/* A descriptor of its own, with an offset of its own, that cannot write. */
static int open_blob(const struct pipeline *p, struct err *e)
{
	int dir = p->in->partial ? p->in->partial->dir : p->image_dir;
	int fd = openat(dir, "blob", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open blob") : fd;
}

/* --- unpack --- */

static bool makes_trees(void)
{
	return geteuid() == 0;
}

static int start_unpack(struct pipeline *p, struct err *e)
{
	_cleanup_fd_ int blob = open_blob(p, e), progress = -EBADF, tree = -EBADF,
			 manifest = -EBADF;
	int fds[2], r = blob < 0 ? blob : new_progress(&p->unpack, &progress, e);

	if (r < 0)
		return r;
	if (mkdirat(p->tmp.dir, "tree", 0700) < 0)
		return err_sys(e, "mkdir tree");
	tree = openat(p->tmp.dir, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "open tree");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	p->manifest_pipe = fds[0];
	manifest = fds[1];

	const struct fd_name names[] = {
		{"blob", blob},
		{"progress", progress},
		{"tree", tree},
		{"manifest", manifest},
	};

	/*
	 * Owners and devices of a tree are root's to make: who is not leaves the tree to the first
	 * start.
	 */
	return worker_start(p->in->g, "unpack", makes_trees() ? NULL : (char *[]) {"check", NULL},
			    names, ELEMENTSOF(names), &p->unpack.worker, e);
}

static int finish_unpack(struct pipeline *p, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = worker_finish(&p->unpack.worker, WORKER_END_MS, &rec, e);
	const char *id, *bytes;

	if (r < 0)
		return r;
	id = record_get(&rec, "id");
	bytes = record_get(&rec, "bytes");
	if (!id || image_id_check(id) || !bytes ||
	    parse_i64(bytes, 0, INT64_MAX, &p->info.tree_size) < 0)
		return err_set(e, EPROTO, "image unpack gave a malformed answer");
	memcpy(p->info.id, id, IMAGE_ID_LEN + 1);
	p->unpack.finished = true;
	return 0;
}

/* --- manifest, verify --- */

static int start_verify(struct pipeline *p, struct err *e)
{
	_cleanup_fd_ int blob = -EBADF, progress = -EBADF;
	int r = new_progress(&p->verify, &progress, e);

	if (r < 0)
		return r;
	blob = open_blob(p, e);
	if (blob < 0)
		return blob;
	r = signature_start_check(p->in->g, p->sig, p->manifest->name, blob, progress,
				  &p->verify.worker, e);
	tell(p, &p->verify);
	if (r == 0 && p->in->download && !p->whole &&
	    p->in->download->head.length - (int64_t) p->total > LARGE)
		r = signature_start_issuer_check(p->in->g, p->sig, p->manifest->name, &p->issuer,
						 e);
	return r;
}

static int check_manifest(struct pipeline *p, struct err *e)
{
	struct strbuf *text = &p->manifest_text;
	int r;

	p->manifest = image_manifest_parse(text->buf ? text->buf : "", text->len, e);
	if (!p->manifest)
		return -EINVAL;
	r = image_check_expected(p->in->expect, p->manifest->name, &p->manifest->labels, e);
	if (r < 0)
		return r;
	p->info.name = xstrdup(p->manifest->name);
	p->info.version = xstrdup_null(nameval_get(&p->manifest->labels, "version"));
	return file_write_at(p->image_dir, "manifest", text->buf, text->len, 0640, FILE_FAST, e);
}

static int read_manifest(struct pipeline *p, struct err *e)
{
	char buf[65536];
	ssize_t n = read(p->manifest_pipe, buf, sizeof buf);
	int r;

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "read manifest");
	if (n > 0) {
		if (p->manifest_text.len + (size_t) n > JSON_MANIFEST_MAX)
			return err_set(e, EFBIG, "the manifest is too large");
		strbuf_add(&p->manifest_text, buf, (size_t) n);
		return 0;
	}
	p->manifest_pipe = fd_close(p->manifest_pipe);
	/* Unpack failed before it came to a manifest: it says why. */
	if (!p->manifest_text.len)
		return 0;
	r = check_manifest(p, e);
	return r == 0 && p->sig ? start_verify(p, e) : r;
}

static bool wants_verify(const struct pipeline *p)
{
	return p->in->sig || p->in->late_signature;
}

/* The server had the signature follow the image: now is the time. */
static int get_late_signature(struct pipeline *p, struct err *e)
{
	int r = p->in->late_signature(p->in->arg, &p->sig, e);

	p->source_failed = r < 0;
	return r == 0 && p->manifest ? start_verify(p, e) : r;
}

/* --- the loop --- */

static int source_ended(struct pipeline *p, struct err *e)
{
	p->whole = true;
	p->deadline = now_ms() + FINISH_MS;
	if (p->in->download) {
		int r = download_finish(p->in->download, e);

		p->source_failed = r < 0;
		if (r < 0)
			return r;
	}
	if (!p->total)
		return err_set(e, EINVAL, "the image is empty");
	return p->in->late_signature ? get_late_signature(p, e) : 0;
}

static int from_source(struct pipeline *p, struct err *e)
{
	ssize_t n = copy_some(p, e);
	int r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : (int) n;
	p->total += (uint64_t) n;
	if (p->total > IMAGE_BLOB_MAX)
		return err_set(e, EFBIG, "the image is larger than the limit of %llu bytes",
			       (unsigned long long) IMAGE_BLOB_MAX);
	if (n > 0)
		p->deadline = now_ms() + FETCH_STALL_MS;
	if (p->in->progress)
		progress_step(p->in->progress, p->total);
	if (p->total && !p->unpack.worker.pid && !p->unpack.finished)
		r = start_unpack(p, e);
	if (n == 0)
		r = source_ended(p, e);
	tell(p, &p->unpack);
	tell(p, &p->verify);
	return r;
}

static bool is_done(const struct pipeline *p)
{
	return p->whole && p->unpack.finished && p->manifest_pipe < 0 &&
	       (!wants_verify(p) || p->verify.finished);
}

static int wait_for(const struct pipeline *p, struct pollfd fds[7])
{
	bool reading = !p->whole;
	int from = p->in->download ? p->in->download->pipe : -EBADF;
	bool behind = p->whole;

	fds[0] = (struct pollfd) {.fd = reading ? from : -1, .events = POLLIN};
	fds[1] = (struct pollfd) {.fd = p->manifest_pipe, .events = POLLIN};
	fds[2] = (struct pollfd) {.fd = p->unpack.worker.pidfd, .events = POLLIN};
	fds[3] = (struct pollfd) {.fd = p->verify.worker.pidfd, .events = POLLIN};
	/* Who has not been told the end yet is told as soon as its pipe has room. */
	fds[4] = (struct pollfd) {.fd = behind ? p->unpack.progress : -1, .events = POLLOUT};
	fds[5] = (struct pollfd) {.fd = behind ? p->verify.progress : -1, .events = POLLOUT};
	fds[6] = (struct pollfd) {.fd = p->issuer.pidfd, .events = POLLIN};
	return poll(fds, 7, reading && from < 0 ? 0 : 1000);
}

static int step(struct pipeline *p, struct err *e)
{
	struct pollfd fds[7];
	int n = wait_for(p, fds), r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (now_ms() > p->deadline) {
		p->source_failed = !p->whole;
		return err_set(e, ETIMEDOUT,
			       p->whole ? "the image was not unpacked in time"
					: "nothing comes any more");
	}
	if (!p->whole && (!p->in->download || fds[0].revents))
		r = from_source(p, e);
	if (r == 0 && fds[1].revents)
		r = read_manifest(p, e);
	/* The manifest's pipe first: what the worker wrote before it ended must not be lost. */
	if (r == 0 && fds[2].revents && p->manifest_pipe < 0)
		p->bytes_failed = (r = finish_unpack(p, e)) < 0;
	if (r == 0 && fds[3].revents) {
		r = signature_finish_check(&p->verify.worker, WORKER_END_MS, &p->info.signer, e);
		p->verify.finished = r == 0;
		p->bytes_failed = r < 0 && r != -ENOKEY;
	}
	if (r == 0 && fds[6].revents)
		r = signature_finish_issuer_check(&p->issuer, e);
	tell(p, &p->unpack);
	tell(p, &p->verify);
	return r;
}

static int open_files(struct pipeline *p, struct err *e)
{
	int r = store_tmp_new(p->in->store, &p->tmp, e);

	if (r < 0)
		return r;
	if (mkdirat(p->tmp.dir, "image", 0700) < 0)
		return err_sys(e, "mkdir image");
	p->image_dir = openat(p->tmp.dir, "image", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->image_dir < 0)
		return err_sys(e, "open image");
	if (p->in->partial) {
		p->blob = p->in->partial->blob;
		p->total = p->in->partial->size;
		return 0;
	}
	p->blob = openat(p->image_dir, "blob", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			 0640);
	return p->blob < 0 ? err_sys(e, "create blob") : 0;
}

static bool has_tree(int store, const char *id)
{
	_cleanup_fd_ int tree = store_tree_open(store, id, NULL);

	return tree >= 0;
}

static int publish(struct pipeline *p, struct err *e)
{
	struct timespec now;
	int r;

	(void) clock_gettime(CLOCK_REALTIME, &now);
	p->info.import_time_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
	p->info.blob_size = (int64_t) p->total;
	p->info.source = xstrdup(p->in->source);
	/* It is there already: nothing of this one is needed, and nothing need be synced. */
	if (!makes_trees())
		p->info.tree_size = 0;
	if (!makes_trees() ||
	    (store_has(p->in->store, p->info.id) == 1 && has_tree(p->in->store, p->info.id))) {
		r = path_remove_tree(p->tmp.dir, "tree", e);
		if (r < 0)
			return r;
	}
	if (p->in->partial) {
		r = partial_take(p->in->partial, p->image_dir, e);
		if (r < 0)
			return r;
	}
	r = store_publish(p->in->store, &p->tmp, &p->info, e);
	/* So that it can be checked again with the keys of another day. */
	if (r == 0)
		kept_note_signature(p->in->store, p->info.id, p->in->sig);
	return r;
}

static void done(struct pipeline *p)
{
	worker_kill(&p->unpack.worker);
	worker_kill(&p->verify.worker);
	worker_kill(&p->issuer);
	(void) fd_close(p->unpack.progress);
	(void) fd_close(p->verify.progress);
	(void) fd_close(p->manifest_pipe);
	if (!p->in->partial)
		(void) fd_close(p->blob);
	(void) fd_close(p->image_dir);
	store_tmp_done(p->in->store, &p->tmp);
	store_info_done(&p->info);
	image_manifest_free(p->manifest);
	strbuf_done(&p->manifest_text);
	free(p->buffer);
}

int import_image(const struct import *in, char **ret_id, struct err *e)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	struct pipeline p = {
		.in = in,
		.sig = in->sig,
		.tmp = STORE_TMP_INIT,
		.image_dir = -EBADF,
		.blob = -EBADF,
		.unpack = READER_INIT,
		.verify = READER_INIT,
		.issuer = WORKER_INIT,
		.manifest_pipe = -EBADF,
		.deadline = now_ms() + FETCH_STALL_MS,
	};
	int r = open_files(&p, e);

	/* A worker may end without having read all that it is told. */
	(void) sigaction(SIGPIPE, &ignore, &old);
	while (r == 0 && !is_done(&p))
		r = step(&p, e);
	(void) sigaction(SIGPIPE, &old, NULL);
	if (in->progress)
		progress_end(in->progress, p.total, r == 0);
	if (r < 0 && in->partial && !p.source_failed)
		partial_drop(in->partial, p.bytes_failed);
	if (r == 0)
		r = publish(&p, e);
	if (r == 0)
		*ret_id = xstrdup(p.info.id);
	done(&p);
	return r;
}
