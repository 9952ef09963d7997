/*
 * One loop in this process copies the source into the blob; the worker reads the blob as it grows.
 * Nothing gets a name in the store before both digests are right.
 */
#include "stage0/oci/layer_import.h"

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
#include "stage0/context.h"
#include "stage0/image/feed.h"
#include "stage0/image/progress.h"
#include "stage0/oci/layer_tree.h"
#include "stage0/store/partial.h"

#define LAYER_BLOB_MAX (8ll << 30)
#define STALL_MS (120 * 1000)	/* without a byte; the fetch worker itself gives up sooner */
#define FINISH_MS (1800 * 1000) /* for what is left to do when all bytes are there */
#define END_MS 10000		/* for the answer of a worker that has ended, or is about to */
#define PIECE (256u << 10)	/* of a download; when less has come so far ... */
#define REST_MS 2		/* ... it is left alone for so long: each piece wakes three programs */

struct work {
	const struct layer_import *in;
	struct partial partial; /* holds the lock of this layer, too */
	struct blob_stream stream;
	bool has_blob, has_tree, resumed;
	struct store_tmp tmp;
	int layer_dir, tree_dir; /* TMP/layer, TMP/tree */
	int blob;		 /* as the worker reads it; its copy has no way to write */
	struct feed feed;
	bool rests; /* the source, for there was little of it */
	struct feed_reader reader;
	struct worker worker;
	bool finished, bytes_failed;
	uint64_t unpacked; /* bytes of its files */
	int lists;
	struct strbuf list_text;
	int64_t deadline;
	struct progress progress;
	char *shown;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Owners, devices and opaque directories are root's to make: others leave the tree to the first start. */
static bool makes_trees(void)
{
	return geteuid() == 0;
}

static bool is_there(unsigned state)
{
	return state & LAYER_HAS_BLOB && (state & LAYER_HAS_TREE || !makes_trees());
}

/* --- the source --- */

/* From the beginning: what there is of it is of no use. */
static int begin_download(struct work *w, const char *validator, struct err *e)
{
	return partial_begin(&w->partial, w->in->layer->digest, 0, validator, w->in->layer->size, e);
}

static int open_stream(struct work *w, struct err *e)
{
	const struct layer_import *in = w->in;
	int64_t have = (int64_t) w->partial.size;
	int r = in->src->ops->blob(in->src, in->descriptor, have, &w->stream, e);

	if (r < 0)
		return r;
	if (!w->stream.is_download && have) {
		/* A file is read again as a whole: where it begins is then no question. */
		blob_stream_done(&w->stream);
		r = begin_download(w, NULL, e);
		if (r == 0)
			r = in->src->ops->blob(in->src, in->descriptor, 0, &w->stream, e);
		have = 0;
	}
	if (r < 0)
		return r;
	if (w->stream.length >= 0 && w->stream.length != in->layer->size)
		return err_set(e, EBADMSG, "the source has %lld bytes of it, not %lld",
			       (long long) w->stream.length, (long long) in->layer->size);
	if (!w->stream.is_download)
		return lseek(w->stream.fd, w->stream.offset, SEEK_SET) < 0 ? err_sys(e, "seek") : 0;
	w->resumed = have && w->stream.offset == have;
	if (w->resumed)
		return 0;
	return w->stream.offset ? err_set(e, EPROTO, "the source does not begin at the beginning")
				: begin_download(w, in->layer->digest, e);
}

static int open_source(struct work *w, struct err *e)
{
	const struct layer_import *in = w->in;
	int r;

	if (w->has_blob) {
		w->blob = store_layer_blob(in->store, in->layer->digest, e);
		w->feed.total = (uint64_t) in->layer->size;
		w->feed.whole = true;
		return w->blob < 0 ? w->blob : 0;
	}
	if (!in->src)
		return err_set(e, ENOENT, "it is not in the store");
	r = open_stream(w, e);
	if (r < 0)
		return r;
	if (mkdirat(w->tmp.dir, "layer", 0700) < 0)
		return err_sys(e, "mkdir layer");
	w->layer_dir = openat(w->tmp.dir, "layer", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	w->blob = openat(w->partial.dir, "blob", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (w->layer_dir < 0 || w->blob < 0)
		return err_sys(e, "open blob");
	w->feed.from = w->stream.fd;
	w->feed.is_pipe = w->stream.is_download;
	w->feed.to = w->partial.blob;
	w->feed.total = w->partial.size;
	if (w->stream.is_download) {
		progress_start(&w->progress, w->shown, in->quiet, false);
		progress_begin(&w->progress, w->partial.size, in->layer->size);
	}
	return 0;
}

static int source_ended(struct work *w, struct err *e)
{
	uint64_t want = (uint64_t) w->in->layer->size;
	int r = w->stream.is_download ? download_finish(&w->stream.download, e) : 0;

	if (w->stream.is_download)
		w->stream.fd = -EBADF;
	if (r < 0)
		return r;
	w->feed.whole = true;
	w->deadline = now_ms() + FINISH_MS;
	w->bytes_failed = w->feed.total != want;
	return w->bytes_failed ? err_set(e, EBADMSG, "it has %llu bytes, not %llu",
					 (unsigned long long) w->feed.total, (unsigned long long) want)
			       : 0;
}

static int from_source(struct work *w, struct err *e)
{
	uint64_t want = (uint64_t) w->in->layer->size;
	/* One more than there should be, to see whether there is. Of a file only what is ours. */
	uint64_t room = want - w->feed.total + (w->stream.is_download ? 1 : 0);
	ssize_t n = room ? feed_some(&w->feed, (size_t) room, e) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : (int) n;
	w->feed.total += (uint64_t) n;
	if (w->feed.total > want) {
		w->bytes_failed = true;
		return err_set(e, EBADMSG, "more comes than the %llu bytes that it has", (unsigned long long) want);
	}
	if (w->in->arrived)
		atomic_store(w->in->arrived, w->feed.total);
	if (n > 0)
		w->deadline = now_ms() + STALL_MS;
	return n == 0 ? source_ended(w, e) : 0;
}

/* --- the worker --- */

static int start_worker(struct work *w, struct err *e)
{
	const char *words[4] = {"layer", NULL};
	_cleanup_fd_ int progress = -EBADF, lists = -EBADF;
	int fds[2], n = 1, r = feed_reader_new(&w->reader, &progress, e);

	if (r < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	w->lists = fds[0];
	lists = fds[1];
	if (w->has_tree || !makes_trees())
		words[n++] = "hash";
	if (str_starts(w->in->layer->digest, "sha512:"))
		words[n++] = "sha512";
	if (mkdirat(w->tmp.dir, "tree", 0700) < 0)
		return err_sys(e, "mkdir tree");
	w->tree_dir = openat(w->tmp.dir, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->tree_dir < 0)
		return err_sys(e, "open tree");

	const struct fd_name names[] = {
		{"blob", w->blob},
		{"progress", progress},
		{"tree", w->tree_dir},
		{"lists", lists},
	};

	return worker_start(w->in->g, "unpack", (char *const *) words, names, ELEMENTSOF(names), &w->worker, e);
}

static int read_lists(struct work *w, struct err *e)
{
	char buf[16384];
	ssize_t n = read(w->lists, buf, sizeof buf);

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "read lists");
	if (n == 0)
		w->lists = fd_close(w->lists);
	else if (w->list_text.len + (size_t) n > LAYER_LISTS_MAX)
		return err_set(e, EFBIG, "too many directories are opaque or have no entry");
	else
		strbuf_add(&w->list_text, buf, (size_t) n);
	return 0;
}

/* Two that come at once may be too many together: the one that ends last is refused. */
static int count_unpacked(const struct work *w, struct err *e)
{
	const struct layer_import *in = w->in;
	uint64_t size = w->unpacked > (uint64_t) in->layer->size ? w->unpacked : (uint64_t) in->layer->size;

	if (!in->unpacked || atomic_fetch_add(in->unpacked, size) + size <= in->unpacked_max)
		return 0;
	return err_set(e, EFBIG, "with it the image is larger than the limit of %llu bytes, unpacked",
		       (unsigned long long) in->unpacked_max);
}

static int finish_worker(struct work *w, struct err *e)
{
	const struct store_layer *l = w->in->layer;
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = worker_finish(&w->worker, END_MS, &rec, e);
	const char *digest, *diff_id;

	w->finished = true;
	w->bytes_failed = true;
	if (r < 0)
		return r;
	digest = record_get(&rec, "digest");
	diff_id = record_get(&rec, "diffid");
	if (!digest || oci_digest_check(digest) || !diff_id || oci_digest_check(diff_id))
		return err_set(e, EPROTO, "image unpack gave a malformed answer");
	if (strcmp(digest, l->digest))
		return err_set(e, EBADMSG, "its digest is %s, not %s", digest, l->digest);
	if (strcmp(diff_id, l->diff_id))
		return err_set(e, EBADMSG, "its diff id is %s, not %s as the configuration says", diff_id, l->diff_id);
	w->bytes_failed = false;
	(void) parse_u64(record_get(&rec, "bytes") ? record_get(&rec, "bytes") : "0", INT64_MAX, &w->unpacked);
	return count_unpacked(w, e);
}

static int step(struct work *w, struct err *e)
{
	bool reading = !w->feed.whole, by_file = reading && !w->feed.is_pipe;
	uint64_t had = w->feed.total;
	struct pollfd fds[] = {
		{.fd = reading && w->feed.is_pipe && !w->rests ? w->feed.from : -1, .events = POLLIN},
		{.fd = w->lists, .events = POLLIN},
		{.fd = w->worker.pidfd, .events = POLLIN},
		/* If it has not been told the end yet, it is as soon as its pipe has room. */
		{.fd = w->feed.whole ? w->reader.progress : -1, .events = POLLOUT},
	};
	int n = poll(fds, ELEMENTSOF(fds), by_file ? 0 : w->rests ? REST_MS : 1000), r = 0;

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (now_ms() > w->deadline)
		return err_set(e, ETIMEDOUT,
			       w->feed.whole ? "it was not unpacked in time" : "nothing comes any more");
	if (by_file || fds[0].revents)
		r = from_source(w, e);
	if (r == 0 && fds[1].revents)
		r = read_lists(w, e);
	if (r == 0 && fds[2].revents && w->lists < 0)
		r = finish_worker(w, e);
	/* Not before the end, which is behind the last byte. */
	w->rests = fds[0].revents && w->feed.total - had < PIECE && w->feed.total < (uint64_t) w->in->layer->size;
	feed_tell(&w->feed, &w->reader);
	return r;
}

/* --- the end --- */

static int note_unpacked(const struct work *w, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("%llu\n", (unsigned long long) w->unpacked);

	return file_write_at(w->layer_dir, BLOB_UNPACKED, text, strlen(text), 0640, FILE_FAST, e);
}

static int publish(struct work *w, struct err *e)
{
	const struct store_layer *l = w->in->layer;
	int r = 0;

	if (w->has_tree || !makes_trees())
		r = path_remove_tree(w->tmp.dir, "tree", e);
	else
		r = layer_tree_finish(w->tree_dir, w->list_text.len ? w->list_text.buf : "", e);
	if (r == 0 && !w->has_blob)
		r = file_write_at(w->layer_dir, BLOB_DIFF_ID, l->diff_id, strlen(l->diff_id), 0640, FILE_FAST, e);
	if (r == 0 && !w->has_blob && w->unpacked)
		r = note_unpacked(w, e);
	if (r == 0 && !w->has_blob)
		r = partial_take(&w->partial, w->layer_dir, e);
	return r < 0 ? r : store_publish_layer(w->in->store, &w->tmp, l, e);
}

static int one_pass(struct work *w, struct err *e)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	int r = store_tmp_new(w->in->store, &w->tmp, e);

	if (r == 0)
		r = open_source(w, e);
	if (r == 0)
		r = start_worker(w, e);
	w->deadline = now_ms() + (w->feed.whole ? FINISH_MS : STALL_MS);
	/* The worker may end without having read all that it is told. */
	(void) sigaction(SIGPIPE, &ignore, &old);
	while (r == 0 && !(w->feed.whole && w->finished && w->lists < 0))
		r = step(w, e);
	(void) sigaction(SIGPIPE, &old, NULL);
	if (w->stream.is_download)
		progress_end(&w->progress, w->feed.total, r == 0);
	if (r == 0)
		r = publish(w, e);
	/* What came stays for the next try only if it was the source that failed. */
	if (r < 0 && (w->bytes_failed || !w->stream.is_download))
		partial_drop(&w->partial, w->bytes_failed);
	return r;
}

static void pass_done(struct work *w)
{
	worker_kill(&w->worker);
	blob_stream_done(&w->stream);
	w->reader.progress = fd_close(w->reader.progress);
	w->lists = fd_close(w->lists);
	w->blob = fd_close(w->blob);
	w->layer_dir = fd_close(w->layer_dir);
	w->tree_dir = fd_close(w->tree_dir);
	store_tmp_done(w->in->store, &w->tmp);
	strbuf_done(&w->list_text);
	feed_done(&w->feed);
	free(w->shown);
}

static void pass_init(struct work *w, const struct layer_import *in)
{
	*w = (struct work) {
		.in = in,
		.partial = w->partial,
		.stream = {.fd = -EBADF, .download = DOWNLOAD_INIT},
		.tmp = STORE_TMP_INIT,
		.layer_dir = -EBADF,
		.tree_dir = -EBADF,
		.blob = -EBADF,
		.reader = FEED_READER_INIT,
		.worker = WORKER_INIT,
		.lists = -EBADF,
		.shown = xasprintf("%s, layer %.19s", in->src ? in->src->shown : "", in->layer->digest),
	};
}

/*
 * The beginning, of an earlier download, may have been what was bad, or what was in the store: then
 * there is a source that has it right.  What the disk or the memory had no room for is no sign of that:
 * other images live on the blob.
 */
static bool may_try_again(const struct work *w, int r)
{
	if (r == -ENOSPC || r == -EDQUOT || r == -ENOMEM)
		return false;
	if (w->has_blob)
		return w->in->src && store_layer_drop(w->in->store, w->in->layer->digest, NULL) == 0;
	return w->resumed;
}

int layer_import(const struct layer_import *in, struct err *e)
{
	struct work w = {.partial = PARTIAL_INIT};
	int r = 0, tries = 0;

	if (in->layer->size > LAYER_BLOB_MAX)
		return err_set(e, EFBIG, "it is larger than the limit of %lld bytes", LAYER_BLOB_MAX);
	do {
		_cleanup_partial_ struct partial p = PARTIAL_INIT;
		unsigned state;

		if (e)
			err_done(e);
		r = partial_open(in->store, in->layer->digest, 0, true, &p, e);
		if (r < 0)
			return r;
		w.partial = p;
		pass_init(&w, in);
		/* Whoever held the lock may have done the work. */
		state = store_layer_state(in->store, in->layer);
		w.has_blob = state & LAYER_HAS_BLOB;
		w.has_tree = state & LAYER_HAS_TREE;
		if (!is_there(state))
			r = one_pass(&w, e);
		p = w.partial;
		pass_done(&w);
	} while (r < 0 && w.bytes_failed && may_try_again(&w, r) && !tries++);
	return r;
}
