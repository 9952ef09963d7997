/*
 * libexec/gantry/unpack: (image as it arrives, empty directory) -> tree, manifest, id.
 *
 * Descriptors: blob (to read), progress (see arriving.h), tree (becomes our root), manifest (a pipe,
 * closed when the manifest is whole), result.  It can write nowhere but below `tree`: not to the blob,
 * which is verified by somebody else at the same time, and not to the manifest's file.
 *
 * The first word may say what else is to be done; of the descriptors only those that are named are then there:
 *
 *	plain		blob, progress, tree (an empty directory that stays so), out if it is there: any
 *			bytes -> id, and what is left of them when they are inflated
 *	check		as without a word, but nothing is made in `tree`
 *	validate	manifest, id, and `finding` for each thing that is wrong, the last of which may be
 *			what ended the reading; nothing is made in `tree`
 *	digest		blob, as a whole: its digests, as it lies
 *	layer		blob, progress, tree, lists (a pipe): a layer of an OCI image as it arrives -> tree,
 *			digest, diffid; and a line "opaque PATH", "implied PATH" or "hiding PATH" (layer.h)
 *			for each.
 *			With the word "hash": the digests only. With "sha512": the digest is of that kind.
 *	index		blob, as a whole, and lists: what lies where in a tar file (tar_index.h)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path_escape.h"
#include "base/str.h"
#include "stage0/worker/digest.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/tar_index.h"
#include "stage0/worker/unpack.h"
#include "stage0/worker/worker.h"

#define CAP(c) (1ull << (c))

struct task;

struct job {
	int blob, progress, tree, manifest, out, lists;
	const struct task *task;
	struct unpack_layer_how how;
	struct unpack_limits limits;
};

/* --- the jobs --- */

static int send_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	struct job *job = arg;
	int r = write_all(job->manifest, data, len);

	job->manifest = fd_close(job->manifest);
	return r < 0 ? err_sysr(e, r, "hand over the manifest") : 0;
}

static struct arriving arriving_image(const struct job *job)
{
	return (struct arriving) {.file = job->blob, .progress = job->progress};
}

static int do_unpack(struct job *job, struct strbuf *result, struct err *e)
{
	struct arriving image = arriving_image(job);
	struct unpack_result done;
	int r = unpack(&image, job->tree, &job->limits, send_manifest, job, &done, e);

	if (r < 0)
		return r;
	record_add(result, "id", done.id);
	record_addf(result, "bytes", "%llu", (unsigned long long) done.tar.bytes);
	record_addf(result, "entries", "%llu", (unsigned long long) done.tar.entries);
	return 0;
}

static int do_check(struct job *job, struct strbuf *result, struct err *e)
{
	job->limits.tar.check_only = true;
	return do_unpack(job, result, e);
}

static int do_plain(struct job *job, struct strbuf *result, struct err *e)
{
	struct arriving image = arriving_image(job);
	char id[IMAGE_ID_LEN + 1];
	int r = unpack_plain(&image, job->out, &job->limits, id, e);

	if (r == 0)
		record_add(result, "id", id);
	return r;
}

static int do_validate(struct job *job, struct strbuf *result, struct err *e _unused_)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct arriving image = arriving_image(job);
	struct check_findings findings = {0};
	struct unpack_result done;
	int r = unpack_check(&image, &job->limits, send_manifest, job, &findings, &done, &why);

	for (size_t i = 0; findings.v && findings.v[i]; i++)
		record_add(result, "finding", findings.v[i]);
	if (findings.n > CHECK_FINDINGS_MAX)
		record_addf(result, "finding", "and %zu more", findings.n - CHECK_FINDINGS_MAX);
	if (r < 0)
		record_add(result, "finding", err_text(&why));
	else
		record_add(result, "id", done.id);
	check_findings_done(&findings);
	return 0;
}

static int do_digest(struct job *job, struct strbuf *result, struct err *e)
{
	struct digests d;
	int r = digest_file(job->blob, &d, e);

	if (r < 0)
		return r;
	record_add(result, "sha256", d.sha256);
	record_add(result, "sha512", d.sha512_id);
	record_addf(result, "bytes", "%llu", (unsigned long long) d.bytes);
	return 0;
}

static int send_lists(const struct job *job, const struct layer_lists *lists, struct err *e)
{
	const struct {
		const char *word;
		char **paths;
	} kinds[] = {{"opaque", lists->opaque}, {"implied", lists->implied}, {"hiding", lists->hiding}};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r;

	for (size_t k = 0; k < ELEMENTSOF(kinds); k++)
		for (char **p = kinds[k].paths; p && *p; p++) {
			_cleanup_free_ char *text = path_escape(*p);

			strbuf_addf(&sb, "%s %s\n", kinds[k].word, text);
		}
	r = sb.len ? write_all(job->lists, sb.buf, sb.len) : 0;
	return r < 0 ? err_sysr(e, r, "hand over the lists") : 0;
}

static int do_layer(struct job *job, struct strbuf *result, struct err *e)
{
	struct arriving blob = arriving_image(job);
	struct unpack_layer_result done;
	int r = unpack_layer(&blob, job->tree, &job->how, &job->limits, &done, e);

	if (r == 0)
		r = send_lists(job, &done.lists, e);
	if (r == 0) {
		record_add(result, "digest", done.digest);
		record_add(result, "diffid", done.diff_id);
		record_addf(result, "bytes", "%llu", (unsigned long long) done.tar.bytes);
		record_addf(result, "entries", "%llu", (unsigned long long) done.tar.entries);
	}
	layer_lists_done(&done.lists);
	return r;
}

static int do_index(struct job *job, struct strbuf *result _unused_, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r = tar_index(job->blob, &sb, e);

	if (r == 0 && sb.len)
		r = write_all(job->lists, sb.buf, sb.len);
	return r < 0 && !e->code ? err_sysr(e, r, "hand over the index") : r;
}

/* --- what is asked for --- */

enum { NEEDS_PROGRESS = 1, NEEDS_TREE = 2, NEEDS_MANIFEST = 4, NEEDS_LISTS = 8 };

static const struct task {
	const char *word; /* NULL: without one */
	unsigned needs;	  /* and the blob */
	int (*run)(struct job *job, struct strbuf *result, struct err *e);
} tasks[] = {
	{NULL, NEEDS_PROGRESS | NEEDS_TREE | NEEDS_MANIFEST, do_unpack},
	{"check", NEEDS_PROGRESS | NEEDS_TREE | NEEDS_MANIFEST, do_check},
	{"validate", NEEDS_PROGRESS | NEEDS_TREE | NEEDS_MANIFEST, do_validate},
	{"plain", NEEDS_PROGRESS | NEEDS_TREE, do_plain},
	{"digest", 0, do_digest},
	{"layer", NEEDS_PROGRESS | NEEDS_TREE | NEEDS_LISTS, do_layer},
	{"index", NEEDS_LISTS, do_index},
};

static bool is_task(struct job *job, const char *word)
{
	for (size_t i = 0; i < ELEMENTSOF(tasks); i++)
		if (tasks[i].word && !strcmp(tasks[i].word, word)) {
			job->task = &tasks[i];
			return true;
		}
	return false;
}

/* A task, "max-bytes=N", "max-entries=N", ... */
static int read_words(int argc, char **argv, struct job *job, struct err *e)
{
	struct {
		const char *name;
		uint64_t *value;
	} words[] = {
		{"max-bytes=", &job->limits.tar.bytes},
		{"max-entries=", &job->limits.tar.entries},
		{"max-ratio=", &job->limits.ratio},
		{"ratio-after=", &job->limits.ratio_after},
	};

	for (int i = 1; i < argc; i++) {
		size_t w = 0;

		if (is_task(job, argv[i]))
			continue;
		if (!strcmp(argv[i], "hash") || !strcmp(argv[i], "sha512")) {
			*(argv[i][0] == 'h' ? &job->how.hash_only : &job->how.sha512) = true;
			continue;
		}
		while (w < ELEMENTSOF(words) && !str_starts(argv[i], words[w].name))
			w++;
		if (w == ELEMENTSOF(words) ||
		    parse_u64(argv[i] + strlen(words[w].name), INT64_MAX, words[w].value) < 0)
			return err_set(e, EINVAL, "unknown word %s", q(argv[i]));
	}
	return 0;
}

static bool has_all(const struct job *job)
{
	unsigned needs = job->task->needs;

	return job->blob >= 0 && (!(needs & NEEDS_PROGRESS) || job->progress >= 0) &&
	       (!(needs & NEEDS_TREE) || job->tree >= 0) && (!(needs & NEEDS_MANIFEST) || job->manifest >= 0) &&
	       (!(needs & NEEDS_LISTS) || job->lists >= 0);
}

static int enter_jail(struct job *job, struct err *e)
{
	const bool stream = job->task->run == do_plain;
	const struct jail jail = {
		.uid = JAIL_UID_UNPACK,
		.caps = CAP(CAP_CHOWN) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | CAP(CAP_MKNOD) | CAP(CAP_DAC_OVERRIDE) |
			CAP(CAP_SETFCAP),
		.root = job->tree, /* none: an empty one */
		.shared = (const char *[]) {NULL},
		.filter = job->task->run == do_layer ? JAIL_FILTER_REPLACE : JAIL_FILTER_FILES,
		.memory = 1ull << 30,
		/* As a stream: with the headers and the padding of each entry. */
		.file_size = job->limits.tar.bytes + (stream ? job->limits.tar.entries * 4096 : 0),
		.cpu_seconds = 1800,
		.files = 64,
	};
	int r = unpack_init(e);

	if (r == 0)
		r = jail_enter(&jail, e);
	if (r == 1 && job->tree >= 0) {
		/* The descriptor from outside leads into a mount that is not ours: ours is "/". */
		(void) fd_close(job->tree);
		job->tree = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = job->tree < 0 ? err_sys(e, "open root") : 0;
	}
	return r < 0 ? r : 0;
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	struct job job = {
		.blob = fds_take("blob"),
		.progress = fds_take("progress"),
		.tree = fds_take("tree"),
		.manifest = fds_take("manifest"),
		.out = fds_take("out"),
		.lists = fds_take("lists"),
		.task = &tasks[0],
		.limits = UNPACK_LIMITS_DEFAULT,
	};
	int r = read_words(argc, argv, &job, e);

	if (r == 0 && !has_all(&job))
		return err_set(e, EBADF, "a descriptor is missing");
	if (r == 0)
		r = enter_jail(&job, e);
	return r < 0 ? r : job.task->run(&job, result, e);
}

int main(int argc, char **argv)
{
	return worker_main("unpack", argc, argv, run);
}
