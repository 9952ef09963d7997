/*
 * libexec/gantry/pack: a tree of files, or an image, and a manifest -> an image.
 *
 *	pack tree	descriptor tree: the directory that becomes rootfs, and all that root sees
 *	pack patch	descriptor blob: an image, whose manifest is replaced
 *
 * Descriptors: manifest (its bytes), out (the archive, written from its start), result.  Words:
 * owner-root, mtime=SECONDS, exact-times, skip-sockets, leave-out=PATH, users=SHIFT:COUNT (pack.h),
 * manifest-mtime=SECONDS, gzip.  Answer: id=, of the uncompressed archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/worker/inflate.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/pack.h"
#include "stage0/worker/pack_out.h"
#include "stage0/worker/pack_patch.h"
#include "stage0/worker/worker.h"

#define DEPTH_MAX 200 /* as unpacking allows */
#define PIECE (256u << 10)

struct job {
	bool patch, gzip;
	int tree, blob, manifest, out;
	struct pack_options options;
};

static int read_words(int argc, char **argv, struct job *job, struct err *e)
{
	job->patch = argc > 1 && !strcmp(argv[1], "patch");
	if (argc < 2 || (!job->patch && strcmp(argv[1], "tree")))
		return err_set(e, EINVAL, "tree or patch");
	for (int i = 2; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "owner-root")) {
			job->options.owner_root = true;
		} else if (!strcmp(word, "gzip")) {
			job->gzip = true;
		} else if (!strcmp(word, "exact-times")) {
			job->options.exact_times = true;
		} else if (!strcmp(word, "skip-sockets")) {
			job->options.skip_sockets = true;
		} else if (str_starts(word, "users=") && id_map_parse(word + 6, &job->options.users.map) == 0) {
			job->options.users.to = ID_SHIFT_TO_POD;
		} else if (str_starts(word, "leave-out=")) {
			strv_add(&job->options.leave_out, word + strlen("leave-out="));
		} else if (str_starts(word, "mtime=") &&
			   parse_i64(word + 6, 0, INT64_MAX, &job->options.mtime) == 0) {
			job->options.fixed_time = true;
		} else if (!str_starts(word, "manifest-mtime=") ||
			   parse_i64(word + 15, INT64_MIN / 2, INT64_MAX,
				     &job->options.manifest_mtime) < 0) {
			return err_set(e, EINVAL, "unknown word %s", q(word));
		}
	}
	return 0;
}

static int enter_jail(struct job *job, struct err *e)
{
	static const char *const nothing[] = {NULL};
	const struct jail jail = {
		.uid = JAIL_UID_PACK,
		/* The operator's files, whoever they belong to; only to be read. */
		.caps = job->patch ? 0 : 1ull << CAP_DAC_READ_SEARCH,
		.root = job->patch ? -EBADF : job->tree,
		.read_only = true,
		.shared = nothing,
		.filter = JAIL_FILTER_FILES,
		.memory = 1ull << 30,
		.cpu_seconds = 3600,
		.files = DEPTH_MAX + 64,
	};
	int r = pack_out_init(e);

	if (r == 0)
		r = jail_enter(&jail, e);
	if (r == 1 && !job->patch) {
		/* The descriptor from outside leads into a mount that is not ours: ours is "/". */
		(void) fd_close(job->tree);
		job->tree = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = job->tree < 0 ? err_sys(e, "open root") : 0;
	}
	return r < 0 ? r : 0;
}

/* --- an image that is read again --- */

struct stream {
	int fd;
	struct inflate *inflate;
	uint8_t in[PIECE], buf[PIECE];
};

static int read_blob(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct stream *s = arg;
	ssize_t got;

	do {
		got = read(s->fd, s->in, PIECE);
	} while (got < 0 && errno == EINTR);
	*data = s->in;
	*len = got > 0 ? (size_t) got : 0;
	return got < 0 ? err_sys(e, "read image") : got > 0;
}

static int next_piece(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct stream *s = arg;
	ssize_t n = inflate_read(s->inflate, s->buf, PIECE, e);

	if (n < 0)
		return (int) n;
	*data = s->buf;
	*len = (size_t) n;
	return n > 0;
}

static int patch(const struct job *job, struct tar_writer *w, struct err *e)
{
	_cleanup_free_ struct stream *s = xcalloc(1, sizeof *s);
	struct tar *t;
	int r;

	s->fd = job->blob;
	s->inflate = inflate_new(INFLATE_ACI, read_blob, s, e);
	if (!s->inflate)
		return -EINVAL;
	t = tar_new(next_piece, s);
	r = pack_patch(t, w, &job->options, e);
	tar_free(t);
	inflate_free(s->inflate);
	return r;
}

static int pack(struct job *job, struct strbuf *result, struct err *e)
{
	struct pack_out *out = pack_out_new(job->out, job->gzip);
	struct tar_writer w = {.sink = pack_out_write, .arg = out};
	char id[IMAGE_ID_LEN + 1];
	int r = job->patch ? patch(job, &w, e) : pack_tree(&w, job->tree, &job->options, e);

	if (r == 0)
		r = pack_out_finish(out, id, e);
	if (r == 0)
		record_add(result, "id", id);
	pack_out_free(out);
	return r;
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	struct job job = {
		.tree = fds_take("tree"),
		.blob = fds_take("blob"),
		.manifest = fds_take("manifest"),
		.out = fds_take("out"),
		.options = {.depth = DEPTH_MAX},
	};
	_cleanup_free_ char *manifest = NULL;
	int r = read_words(argc, argv, &job, e);

	if (r < 0)
		return r;
	if (job.manifest < 0 || job.out < 0 || (job.patch ? job.blob : job.tree) < 0)
		return err_set(e, EBADF, "a descriptor is missing");
	r = read_all(job.manifest, JSON_MANIFEST_MAX, &manifest, &job.options.manifest_len);
	if (r < 0)
		return err_sysr(e, r, "read the manifest");
	job.options.manifest = manifest;
	r = enter_jail(&job, e);
	return r < 0 ? r : pack(&job, result, e);
}

int main(int argc, char **argv)
{
	return worker_main("pack", argc, argv, run);
}
