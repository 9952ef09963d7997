/*
 * gantry image verify: are the trees what the archives hold, and would the archives be accepted
 * today?
 */
#include <errno.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/image.h"
#include "stage0/image/kept.h"
#include "stage0/oci/image.h"
#include "stage0/oci/verify.h"
#include "stage0/render/verify.h"

struct target {
	bool signature;
};

static const struct opt opts[] = {
	{.name = "signature",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, signature),
	 .help = "check the signature that it came with again, with the keys that are trusted now"},
};

static void report(const char *tree_id, const char *why)
{
	log_error("tree cache verification failed for image %s: %s;  rebuilding...", tree_id, why);
}

static int verify_trees(const struct gantry *g, int store, const char *id, struct err *e)
{
	bool oci = oci_image_is(store, id) == 1;
	enum verify found;
	int r = oci ? oci_verify(g, store, id, &found, report, e) : render_verify(g, store, id, &found, report, e);

	if (r < 0)
		return r;
	switch (found) {
	case VERIFY_NOT_RENDERED:
		printf("image \"%s\": not rendered; no verification needed\n", id);
		break;
	case VERIFY_GOOD:
		printf("successfully verified checksum for image: \"%s\"\n", id);
		break;
	case VERIFY_MENDED:
		break;
	}
	return 0;
}

static int verify_signature(const struct gantry *g, int store, const char *id, struct err *e)
{
	_cleanup_free_ char *signer = NULL;
	int r;

	r = oci_image_is(store, id) == 1 ? oci_verify_signature(g, store, id, &signer, e) :
					   kept_check_signature(g, store, id, &signer, e);
	if (r == 0)
		printf("successfully verified signature of image: \"%s\" (key %s)\n", id, signer);
	return r;
}

static int verify(const struct gantry *g, const struct target *t, int store, const char *word,
		  struct err *e)
{
	_cleanup_free_ char *id = NULL;
	int r = image_find(g, store, word, &id, e);

	if (r == 0)
		r = verify_trees(g, store, id, e);
	if (r == 0 && t->signature)
		r = verify_signature(g, store, id, e);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	_cleanup_fd_ int store = -EBADF;
	size_t failed = 0;

	if (!strv_len(words))
		return err_set(e, EINVAL, "must provide at least one image");
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	for (size_t i = 0; words[i]; i++) {
		_cleanup_err_ struct err why = ERR_INIT;

		if (verify(g, t, store, words[i], &why) == 0)
			continue;
		log_error("%s: %s", q(words[i]), err_text(&why));
		failed++;
	}
	return failed ? err_set(e, EIO, "%zu image(s) cannot be verified", failed) : 0;
}

const struct command cmd_image_verify = {
	.name = "image verify",
	.usage = "[options] IMAGE...",
	.summary = "check the trees of images against their archives, and mend what differs",
	.details = "The archive is hashed and unpacked again, and each entry of the tree is\n"
		   "compared with that: kind, owner, mode, time, attributes, content. With\n"
		   "dependencies, theirs as well; of an OCI image each layer, its configuration\n"
		   "and its manifest. What differs is put right. An archive that is damaged cannot be\n"
		   "mended: remove the image, and fetch it again.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
