/*
 * gantry image export: the archive out of the store.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/cli/output.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/image.h"
#include "stage0/image/kept.h"
#include "stage0/oci/image.h"
#include "stage0/oci/save.h"

struct target {
	bool overwrite, uncompressed;
};

static const struct opt opts[] = {
	{.name = "overwrite",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, overwrite),
	 .help = "replace the file if it is there"},
	{.name = "uncompressed",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, uncompressed),
	 .help = "as a plain tar, whose SHA-512 is the image's id; also when the file's name ends "
		 "in .tar, or when called as rkt"},
};

static int copy_blob(int store, const char *id, int out, struct err *e)
{
	_cleanup_fd_ int blob = store_blob_open(store, id, e);
	int r = blob < 0 ? blob : output_copy(blob, out);

	return r < 0 && blob >= 0 ? err_sysr(e, r, "copy image %s", id) : r;
}

static bool wants_plain(const struct gantry *g, const struct target *t, const char *path)
{
	return t->uncompressed || g->rkt || str_ends(path, ".tar");
}

static int write_image(const struct gantry *g, const struct target *t, int store, const char *id, const struct output *o,
		       struct err *e)
{
	if (oci_image_is(store, id) == 1)
		return oci_save_archive(g, store, id, NULL, o->fd, e);
	return wants_plain(g, t, o->path) ? kept_inflate(g, store, id, o->fd, e) : copy_blob(store, id, o->fd, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	_cleanup_output_ struct output o = OUTPUT_INIT;
	_cleanup_free_ char *id = NULL;
	_cleanup_fd_ int store = -EBADF;
	int r;

	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide an image and an output file");
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	r = image_find(g, store, words[0], &id, e);
	if (r == 0)
		r = output_open(words[1], t->overwrite, &o, e);
	if (r == 0)
		r = write_image(g, t, store, id, &o, e);
	return r == 0 ? output_finish(&o, t->overwrite, e) : r;
}

const struct command cmd_image_export = {
	.name = "image export",
	.usage = "[options] IMAGE FILE",
	.summary = "write the archive of an image into a file",
	.details = "The bytes are those that were downloaded. Their SHA-512, when they are\n"
		   "inflated, is the image's id. Of an OCI image it is an image layout in a tar\n"
		   "(oci-archive:), with the documents and layers as they were downloaded.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
