/*
 * gantry image rm, image cat-manifest.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/image.h"
#include "stage0/oci/image.h"
#include "stage0/store/store.h"

int image_store_open(const struct gantry *g, const char *word, struct err *e)
{
	int store = store_open_existing(g, e);

	return store == -ENOENT ? err_set(e, ENOENT, "no image %s in the store", q(word)) : store;
}

/* --- rm --- */

static int remove_image(const struct gantry *g, int store, const char *word, struct err *e)
{
	_cleanup_free_ char *id = NULL;
	int r = image_find(g, store, word, &id, e);

	if (r == 0)
		r = store_remove(store, id, e);
	if (r == 0)
		printf("successfully removed aci for image: \"%s\"\n", id);
	return r;
}

static int run_rm(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_fd_ int store = -EBADF;
	size_t removed = 0, failed = 0;

	(void) target;
	if (!strv_len(words))
		return err_set(e, EINVAL, "must provide at least one image");
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	for (size_t i = 0; words[i]; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		int r = remove_image(g, store, words[i], &why);

		removed += r == 0;
		if (r == 0)
			continue;
		log_error("%s: %s", q(words[i]), err_text(&why));
		/*
		 * A name that means nothing is told, and that is all (rkt); what could not be
		 * removed is a failure.
		 */
		failed += r != -ENOENT && r != -EINVAL && r != -ENOTUNIQ;
	}
	if (removed)
		log_info("%zu image(s) successfully removed", removed);
	return failed ? err_set(e, EIO, "%zu image(s) cannot be removed", failed) : 0;
}

const struct command cmd_image_rm = {
	.name = "image rm",
	.usage = "IMAGE...",
	.summary = "remove images from the store",
	.run = run_rm,
};

/* --- cat-manifest --- */

struct cat_target {
	char **pretty; /* the last word counts */
	bool raw, config;
};

static const struct opt cat_opts[] = {
	{.name = "pretty-print",
	 .type = OPT_OPTIONAL,
	 .offset = offsetof(struct cat_target, pretty),
	 .arg = "BOOL",
	 .bare = "true",
	 .help = "indent (true); false: the bytes as they are"},
	{.name = "raw",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct cat_target, raw),
	 .help = "of an OCI image: its own manifest, the bytes that its id is the hash of"},
	{.name = "config",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct cat_target, config),
	 .help = "of an OCI image: its configuration, as it was downloaded"},
};

/* What the options mean, of which the original documents are shown byte for byte. */
static int read_document(const struct cat_target *t, int store, const char *id, char **ret, size_t *ret_len,
			 bool *ret_indent, struct err *e)
{
	int r;

	if (t->raw && t->config)
		return err_set(e, EINVAL, "--raw and --config are two documents");
	if (!t->raw && !t->config)
		return store_manifest(store, id, ret, ret_len, e);
	r = oci_image_is(store, id);
	if (r < 0)
		return err_sysr(e, r, "image %s", id);
	if (r == 0 && t->config)
		return err_set(e, ENOTSUP, "image %s is an ACI: it has no other configuration than its manifest", id);
	if (!strv_len(t->pretty))
		*ret_indent = false;
	/* An ACI's own manifest is what it is stored with. */
	return r == 0 ? store_manifest(store, id, ret, ret_len, e)
		      : oci_image_read(store, id, t->raw ? IMAGE_OCI_MANIFEST : IMAGE_OCI_CONFIG, ret, ret_len, e);
}

/* Exactly the bytes where a hash is over them. */
static int print_bytes(const struct cat_target *t, const char *text, size_t len)
{
	(void) fwrite(text, 1, len, stdout);
	if (!t->raw && !t->config && (!len || text[len - 1] != '\n'))
		(void) fputc('\n', stdout);
	return 0;
}

static int run_cat_manifest(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct cat_target *t = target;
	_cleanup_free_ char *id = NULL, *text = NULL, *pretty = NULL;
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_fd_ int store = -EBADF;
	bool indent = true;
	size_t len;
	int r;

	for (size_t i = 0; i < strv_len(t->pretty); i++)
		if (parse_bool(t->pretty[i], &indent) < 0)
			return err_set(e, EINVAL, "--pretty-print: %s is neither true nor false",
				       q(t->pretty[i]));
	if (strv_len(words) != 1)
		return err_set(e, EINVAL, "must provide exactly one image");
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	r = image_find(g, store, words[0], &id, e);
	if (r == 0)
		r = read_document(t, store, id, &text, &len, &indent, e);
	if (r < 0)
		return r;
	if (!indent)
		return print_bytes(t, text, len);
	j = json_parse(text, len, OCI_DOCUMENT_MAX, e);
	if (!j)
		return err_ctx(e, -EINVAL, "image %s", id);
	pretty = json_print(j, true);
	(void) puts(pretty);
	return 0;
}

static void cat_done(void *target)
{
	struct cat_target *t = target;

	strv_free(t->pretty);
}

const struct command cmd_image_cat_manifest = {
	.name = "image cat-manifest",
	.usage = "[options] IMAGE",
	.summary = "show the manifest of an image",
	.details = "Of an OCI image it is what gantry made of its configuration.",
	COMMAND_OPTS(cat_opts),
	.target_size = sizeof(struct cat_target),
	.run = run_cat_manifest,
	.done = cat_done,
};
