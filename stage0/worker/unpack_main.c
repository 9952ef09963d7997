/*
 * libexec/gantry/unpack: (image as it arrives, empty directory) -> tree, manifest, id.
 *
 * Descriptors: blob (to read), progress (see arriving.h), tree (becomes our root), manifest (a pipe,
 * closed when the manifest is whole), result.  It can write nowhere but below `tree`: not to the blob,
 * which is verified by somebody else at the same time, and not to the manifest's file.
 *
 * With the word "plain": (any bytes) -> id, and what is left of them when they are inflated, into `out`
 * if that is there.  Nothing is unpacked then; `tree` is an empty directory all the same.  With "check":
 * as usual, but nothing is made in `tree`.
 *
 * With "validate": manifest, id, and `finding` for each thing that is wrong, the last of which may be what ended the
 * reading.  Nothing is made in `tree` either.
 *
 * With "digest": the digests of the whole of `blob`, which is all that is there, as it lies.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/worker/digest.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/unpack.h"
#include "stage0/worker/worker.h"

#define CAP(c) (1ull << (c))

struct job {
	int blob, progress, tree, manifest, out;
	bool plain, validate, digest;
	struct unpack_limits limits;
};

/* "plain", "check", "max-bytes=N", "max-entries=N", ... */
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

		if (!strcmp(argv[i], "plain")) {
			job->plain = true;
			continue;
		}
		if (!strcmp(argv[i], "check")) {
			job->limits.tar.check_only = true;
			continue;
		}
		if (!strcmp(argv[i], "digest")) {
			job->digest = true;
			continue;
		}
		if (!strcmp(argv[i], "validate")) {
			job->validate = true;
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

static int enter_jail(struct job *job, struct err *e)
{
	const struct jail jail = {
		.uid = JAIL_UID_UNPACK,
		.caps = CAP(CAP_CHOWN) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | CAP(CAP_MKNOD) | CAP(CAP_DAC_OVERRIDE) |
			CAP(CAP_SETFCAP),
		.root = job->tree, /* none: an empty one */
		.shared = (const char *[]) {NULL},
		.filter = JAIL_FILTER_FILES,
		.memory = 1ull << 30,
		/* As a stream: with the headers and the padding of each entry. */
		.file_size = job->limits.tar.bytes + (job->plain ? job->limits.tar.entries * 4096 : 0),
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

static int send_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	struct job *job = arg;
	int r = write_all(job->manifest, data, len);

	job->manifest = fd_close(job->manifest);
	return r < 0 ? err_sysr(e, r, "hand over the manifest") : 0;
}

static int validate(struct job *job, struct arriving *image, struct strbuf *result)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct check_findings findings = {0};
	struct unpack_result done;
	int r = unpack_check(image, &job->limits, send_manifest, job, &findings, &done, &why);

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

static int digest(const struct job *job, struct strbuf *result, struct err *e)
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

static bool has_all(const struct job *job)
{
	if (job->digest)
		return job->blob >= 0;
	return job->blob >= 0 && job->progress >= 0 && job->tree >= 0 && (job->manifest >= 0 || job->plain);
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	struct job job = {
		.blob = fds_take("blob"),
		.progress = fds_take("progress"),
		.tree = fds_take("tree"),
		.manifest = fds_take("manifest"),
		.out = fds_take("out"),
		.limits = UNPACK_LIMITS_DEFAULT,
	};
	struct arriving image = {.file = job.blob, .progress = job.progress};
	struct unpack_result done;
	int r = read_words(argc, argv, &job, e);

	if (r == 0 && !has_all(&job))
		return err_set(e, EBADF, "a descriptor is missing");
	if (r == 0)
		r = enter_jail(&job, e);
	if (r == 0 && job.digest)
		return digest(&job, result, e);
	if (r == 0 && job.validate)
		return validate(&job, &image, result);
	if (r == 0 && job.plain) {
		r = unpack_plain(&image, job.out, &job.limits, done.id, e);
		if (r == 0)
			record_add(result, "id", done.id);
		return r;
	}
	if (r == 0)
		r = unpack(&image, job.tree, &job.limits, send_manifest, &job, &done, e);
	if (r < 0)
		return r;
	record_add(result, "id", done.id);
	record_addf(result, "bytes", "%llu", (unsigned long long) done.tar.bytes);
	record_addf(result, "entries", "%llu", (unsigned long long) done.tar.entries);
	return 0;
}

int main(int argc, char **argv)
{
	return worker_main("unpack", argc, argv, run);
}
