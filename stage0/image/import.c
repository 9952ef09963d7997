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
#include "stage0/image/feed.h"
#include "stage0/image/internal.h"
#include "stage0/image/kept.h"

#define LARGE (8 << 20) /* bytes to come for which it pays to ask who signed, before they come */

/* A worker that reads the blob, and the pipe on which it is told how far it may. */
struct reader {
	struct worker worker;
	struct feed_reader feed;
	bool finished;
};
#define READER_INIT {.worker = WORKER_INIT, .feed = FEED_READER_INIT}

struct pipeline {
	const struct import *in;
	struct store_tmp tmp;
	/* TMP/image; the blob, in it or in the directory of partial downloads */
	int image_dir, blob;
	struct feed feed;
	bool source_failed, bytes_failed; /* whose fault it was */
	const struct signature *sig;	  /* NULL: there is none to check, or not yet */
	struct reader unpack, verify;
	struct worker issuer; /* of a large download: is the signature of any use? */
	int manifest_pipe;
	struct strbuf manifest_text;
	struct image_manifest *manifest;
	struct store_info info;
	int64_t deadline;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- the source --- */

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
	int fds[2], r = blob < 0 ? blob : feed_reader_new(&p->unpack.feed, &progress, e);

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
	int r = feed_reader_new(&p->verify.feed, &progress, e);

	if (r < 0)
		return r;
	blob = open_blob(p, e);
	if (blob < 0)
		return blob;
	r = signature_start_check(p->in->g, p->sig, p->manifest->name, blob, progress,
				  &p->verify.worker, e);
	feed_tell(&p->feed, &p->verify.feed);
	if (r == 0 && p->in->download && !p->feed.whole &&
	    p->in->download->head.length - (int64_t) p->feed.total > LARGE)
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
	p->feed.whole = true;
	p->deadline = now_ms() + FINISH_MS;
	if (p->in->download) {
		int r = download_finish(p->in->download, e);

		p->source_failed = r < 0;
		if (r < 0)
			return r;
	}
	if (!p->feed.total)
		return err_set(e, EINVAL, "the image is empty");
	return p->in->late_signature ? get_late_signature(p, e) : 0;
}

static int from_source(struct pipeline *p, struct err *e)
{
	ssize_t n = feed_some(&p->feed, SIZE_MAX, e);
	int r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : (int) n;
	p->feed.total += (uint64_t) n;
	if (p->feed.total > IMAGE_BLOB_MAX)
		return err_set(e, EFBIG, "the image is larger than the limit of %llu bytes",
			       (unsigned long long) IMAGE_BLOB_MAX);
	if (n > 0)
		p->deadline = now_ms() + FETCH_STALL_MS;
	if (p->in->progress)
		progress_step(p->in->progress, p->feed.total);
	if (p->feed.total && !p->unpack.worker.pid && !p->unpack.finished)
		r = start_unpack(p, e);
	if (n == 0)
		r = source_ended(p, e);
	feed_tell(&p->feed, &p->unpack.feed);
	feed_tell(&p->feed, &p->verify.feed);
	return r;
}

static bool is_done(const struct pipeline *p)
{
	return p->feed.whole && p->unpack.finished && p->manifest_pipe < 0 &&
	       (!wants_verify(p) || p->verify.finished);
}

static int wait_for(const struct pipeline *p, struct pollfd fds[7])
{
	bool reading = !p->feed.whole;
	int from = p->in->download ? p->in->download->pipe : -EBADF;
	bool behind = p->feed.whole;

	fds[0] = (struct pollfd) {.fd = reading ? from : -1, .events = POLLIN};
	fds[1] = (struct pollfd) {.fd = p->manifest_pipe, .events = POLLIN};
	fds[2] = (struct pollfd) {.fd = p->unpack.worker.pidfd, .events = POLLIN};
	fds[3] = (struct pollfd) {.fd = p->verify.worker.pidfd, .events = POLLIN};
	/* Who has not been told the end yet is told as soon as its pipe has room. */
	fds[4] = (struct pollfd) {.fd = behind ? p->unpack.feed.progress : -1, .events = POLLOUT};
	fds[5] = (struct pollfd) {.fd = behind ? p->verify.feed.progress : -1, .events = POLLOUT};
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
		p->source_failed = !p->feed.whole;
		return err_set(e, ETIMEDOUT,
			       p->feed.whole ? "the image was not unpacked in time"
					: "nothing comes any more");
	}
	if (!p->feed.whole && (!p->in->download || fds[0].revents))
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
	feed_tell(&p->feed, &p->unpack.feed);
	feed_tell(&p->feed, &p->verify.feed);
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
		p->feed.total = p->in->partial->size;
	} else {
		p->blob = openat(p->image_dir, "blob",
				 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	}
	p->feed.is_pipe = p->in->download;
	p->feed.from = p->in->download ? p->in->download->pipe : p->in->file;
	p->feed.to = p->blob;
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
	p->info.blob_size = (int64_t) p->feed.total;
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
	(void) fd_close(p->unpack.feed.progress);
	(void) fd_close(p->verify.feed.progress);
	(void) fd_close(p->manifest_pipe);
	if (!p->in->partial)
		(void) fd_close(p->blob);
	(void) fd_close(p->image_dir);
	store_tmp_done(p->in->store, &p->tmp);
	store_info_done(&p->info);
	image_manifest_free(p->manifest);
	strbuf_done(&p->manifest_text);
	feed_done(&p->feed);
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
		progress_end(in->progress, p.feed.total, r == 0);
	if (r < 0 && in->partial && !p.source_failed)
		partial_drop(in->partial, p.bytes_failed);
	if (r == 0)
		r = publish(&p, e);
	if (r == 0)
		*ret_id = xstrdup(p.info.id);
	done(&p);
	return r;
}
