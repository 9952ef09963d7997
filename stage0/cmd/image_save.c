/*
 * gantry image save: an OCI image as an image layout, a directory or a tar.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/cli/output.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/image.h"
#include "stage0/oci/layout_write.h"
#include "stage0/oci/save.h"
#include "stage0/store/store.h"

struct target {
	bool overwrite;
};

static const struct opt opts[] = {
	{.name = "overwrite",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, overwrite),
	 .help = "replace the archive if it is there"},
};

static int save_directory(const struct gantry *g, int store, const char *id, const struct oci_ref *to, struct err *e)
{
	_cleanup_layout_writer_ struct layout_writer w = LAYOUT_WRITER_INIT;
	int r = layout_writer_directory(to->path, &w, e);

	return r < 0 ? r : oci_save(g, store, id, to->tag, &w, e);
}

static int save_archive(const struct gantry *g, const struct target *t, int store, const char *id,
			const struct oci_ref *to, struct err *e)
{
	_cleanup_output_ struct output o = OUTPUT_INIT;
	int r = output_open(to->path, t->overwrite, &o, e);

	if (r == 0)
		r = oci_save_archive(g, store, id, to->tag, o.fd, e);
	return r == 0 ? output_finish(&o, t->overwrite, e) : r;
}

static int parse_target(const char *word, struct oci_ref *ret, struct err *e)
{
	int r = oci_ref_parse(word, OCI_DEFAULT_REGISTRY, ret, e);

	if (r == 0 && ret->digest)
		r = err_set(e, EINVAL, "%s: an image cannot be given a digest", q(word));
	if (r == 0 && ret->transport == OCI_REGISTRY)
		r = err_set(e, EINVAL, "%s: images get into a registry by image push", q(word));
	if (r == 0 && ret->transport == DOCKER_ARCHIVE)
		r = err_set(e, ENOTSUP,
			    "%s: archives of this kind are read only; oci-archive:FILE is what can be written",
			    q(word));
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_oci_ref_ struct oci_ref to = {0};
	_cleanup_free_ char *id = NULL;
	_cleanup_fd_ int store = -EBADF;
	int r;

	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide an image and oci:DIRECTORY[:NAME] or oci-archive:FILE[:NAME]");
	r = parse_target(words[1], &to, e);
	if (r < 0)
		return r;
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	r = image_find(g, store, words[0], &id, e);
	if (r < 0)
		return r;
	return to.transport == OCI_LAYOUT ? save_directory(g, store, id, &to, e)
					  : save_archive(g, target, store, id, &to, e);
}

const struct command cmd_image_save = {
	.name = "image save",
	.usage = "[options] IMAGE oci:DIRECTORY[:NAME]|oci-archive:FILE[:NAME]",
	.summary = "write an OCI image as an image layout",
	.details = "Documents and layers are written as they were downloaded. A directory that is an\n"
		   "image layout already gets the image beside its others; one of the same NAME\n"
		   "is replaced. Without NAME the image is called by its tag.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
