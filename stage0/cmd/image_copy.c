/*
 * gantry image push, gantry image copy: images from one place to another.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/cli/output.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/oci/copy.h"
#include "stage0/oci/image.h"
#include "stage0/oci/layout_write.h"
#include "stage0/oci/registry.h"
#include "stage0/store/store.h"

struct target {
	bool all, quiet, overwrite, unsigned_copy;
};

#define OPT_ALL                                                                                    \
	{.name = "all-platforms", .type = OPT_FLAG, .offset = offsetof(struct target, all),        \
	 .help = "all images of an index, not only the one for this machine"}
#define OPT_QUIET                                                                                  \
	{.name = "quiet", .type = OPT_FLAG, .offset = offsetof(struct target, quiet),              \
	 .help = "print the digest only"}

#define OPT_REMOVE_SIGNATURES                                                                      \
	{.name = "remove-signatures", .type = OPT_FLAG, .offset = offsetof(struct target, unsigned_copy), \
	 .help = "leave the signatures behind that lie beside the image"}

static const struct opt push_opts[] = {OPT_ALL, OPT_QUIET, OPT_REMOVE_SIGNATURES};
static const struct opt copy_opts[] = {
	OPT_ALL,
	OPT_QUIET,
	OPT_REMOVE_SIGNATURES,
	{.name = "overwrite", .type = OPT_FLAG, .offset = offsetof(struct target, overwrite),
	 .help = "replace the archive if it is there"},
};

/* Where from, where to, and what both need to stay. */
struct job {
	const struct gantry *g;
	const struct target *t;
	struct oci_ref src, dst;
	bool stored;
	int store, use;
	struct source *from;
	unsigned flags;
};

static void job_done(struct job *j)
{
	source_close(j->from);
	oci_ref_done(&j->src);
	oci_ref_done(&j->dst);
	(void) fd_close(j->use);
	(void) fd_close(j->store);
}

/* --- where from --- */

static int open_stored(struct job *j, const char *word, struct err *e)
{
	_cleanup_free_ char *id = NULL;
	int r;

	j->store = image_store_open(j->g, word, e);
	r = j->store < 0 ? j->store : store_find(j->store, word, &id, e);
	if (r < 0)
		return r;
	/* Nobody takes a layer away meanwhile. */
	j->use = store_lock_use(j->store, LOCK_SHARED, true, e);
	if (j->use < 0)
		return j->use;
	j->stored = true;
	j->flags |= COPY_CHECKED;
	r = source_open_store(j->g, j->store, id, &j->from, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

static int open_source(struct job *j, const char *word, struct err *e)
{
	int r;

	if (!oci_ref_is(word))
		return open_stored(j, word, e);
	r = registry_ref_parse(j->g, word, &j->src, e);
	return r < 0 ? r : source_open(j->g, -EBADF, &j->src, &j->from, e);
}

static const char *reference_of(const struct job *j)
{
	return j->stored ? NULL : j->src.digest ? j->src.digest : j->src.tag;
}

/* --- where to --- */

static int run_copy(struct job *j, const char *mount_from, const struct copy_target *to, struct err *e)
{
	_cleanup_free_ char *digest = NULL;
	int r = oci_copy(j->from, j->stored ? NULL : &j->src, reference_of(j), mount_from, to, j->flags, &digest, e);

	if (r == 0)
		(void) puts(digest);
	return r;
}

static int to_registry(struct job *j, struct err *e)
{
	struct registry r = {0};
	bool same = !j->stored && j->src.transport == OCI_REGISTRY && str_eq(j->src.registry, j->dst.registry) &&
		    !str_eq(j->src.repository, j->dst.repository);
	const struct copy_target to = {.registry = &r, .tag = j->dst.digest ? NULL : j->dst.tag, .spool = -EBADF};
	int n;

	if (j->dst.digest)
		return err_set(e, EINVAL, "an image cannot be given a digest");
	n = registry_open(j->g, j->dst.registry, j->dst.repository, REGISTRY_PUSH, &r, e);
	if (n == 0)
		n = run_copy(j, same ? j->src.repository : NULL, &to, e);
	registry_close(&r);
	return n;
}

/* A directory of the file system that the path is on. */
static int open_parent(const char *path, struct err *e)
{
	const char *last = path_last(path);
	_cleanup_free_ char *dir = last == path ? xstrdup(".") : xstrndup(path, (size_t) (last - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "%s", dir) : fd;
}

static int to_directory(struct job *j, struct err *e)
{
	_cleanup_layout_writer_ struct layout_writer w = LAYOUT_WRITER_INIT;
	_cleanup_fd_ int spool = open_parent(j->dst.path, e);
	const struct copy_target to = {.writer = &w, .name = j->dst.tag, .spool = spool};
	int r = spool < 0 ? spool : layout_writer_directory(j->dst.path, &w, e);

	return r < 0 ? r : run_copy(j, NULL, &to, e);
}

static int to_archive(struct job *j, struct err *e)
{
	_cleanup_layout_writer_ struct layout_writer w = LAYOUT_WRITER_INIT;
	_cleanup_output_ struct output o = OUTPUT_INIT;
	_cleanup_fd_ int spool = open_parent(j->dst.path, e);
	const struct copy_target to = {.writer = &w, .name = j->dst.tag, .spool = spool};
	int r = spool < 0 ? spool : output_open(j->dst.path, j->t->overwrite, &o, e);

	if (r == 0)
		r = layout_writer_tar(o.fd, &w, e);
	if (r == 0)
		r = run_copy(j, NULL, &to, e);
	return r == 0 ? output_finish(&o, j->t->overwrite, e) : r;
}

static int to_anywhere(struct job *j, const char *word, struct err *e)
{
	struct stat st;

	if (j->dst.digest)
		return err_set(e, EINVAL, "%s: an image cannot be given a digest", q(word));
	switch (j->dst.transport) {
	case OCI_REGISTRY:
		return to_registry(j, e);
	case OCI_LAYOUT:
		return stat(j->dst.path, &st) == 0 && S_ISREG(st.st_mode) ? to_archive(j, e) : to_directory(j, e);
	case OCI_ARCHIVE:
		return to_archive(j, e);
	case DOCKER_ARCHIVE:
		break;
	}
	return err_set(e, ENOTSUP, "%s: archives of this kind are read only; oci-archive:FILE is what can be written",
		       q(word));
}

/* --- the verbs --- */

static int run(const struct gantry *g, const struct target *t, char *const *words, bool push, struct err *e)
{
	struct job j = {.g = g, .t = t, .store = -EBADF, .use = -EBADF,
			.flags = (t->all ? COPY_ALL : 0) | (t->quiet ? COPY_QUIET : 0) |
				 (t->unsigned_copy ? 0 : COPY_SIGNATURES)};
	int r = registry_ref_parse(g, words[1], &j.dst, e);

	if (r == 0 && push && j.dst.transport != OCI_REGISTRY)
		r = err_set(e, EINVAL, "%s is no registry (docker://HOST/NAME:TAG); see image save and image copy", q(words[1]));
	if (r == 0)
		r = open_source(&j, words[0], e);
	if (r == 0) {
		r = to_anywhere(&j, words[1], e);
		if (r < 0)
			err_ctx(e, r, "%s to %s", q(words[0]), q(words[1]));
	}
	job_done(&j);
	return r;
}

static int run_push(struct gantry *g, void *target, char *const *words, struct err *e)
{
	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide an image and docker://HOST/NAME:TAG");
	return run(g, target, words, true, e);
}

static int run_image_copy(struct gantry *g, void *target, char *const *words, struct err *e)
{
	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide where from and where to");
	return run(g, target, words, false, e);
}

const struct command cmd_image_push = {
	.name = "image push",
	.usage = "[options] IMAGE docker://[HOST/]NAME[:TAG]",
	.summary = "send an OCI image to a registry",
	.details = "IMAGE is an OCI image of the store, or a reference: docker://, oci:, oci-archive: or\n"
		   "docker-archive:, which the rules of policy.json must allow. What the registry has\n"
		   "already is not sent. Signatures that lie beside it go along. Prints the digest.",
	COMMAND_OPTS(push_opts),
	.target_size = sizeof(struct target),
	.run = run_push,
};

const struct command cmd_image_copy = {
	.name = "image copy",
	.usage = "[options] IMAGE docker://NAME[:TAG]|oci:DIRECTORY[:NAME]|oci-archive:FILE[:NAME]",
	.summary = "copy an OCI image between registries, image layouts and archives",
	.details = "The image is copied byte for byte and does not get into the store. The rules of\n"
		   "policy.json must allow to use it, as if it were fetched. Each blob is checked by its\n"
		   "digest. Signatures that lie beside the image, by cosign's tag or as referrers, go along.",
	COMMAND_OPTS(copy_opts),
	.target_size = sizeof(struct target),
	.run = run_image_copy,
};
