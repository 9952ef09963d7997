/*
 * gantry fetch: images into the store, one id printed for each.
 */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "spec/image_id.h"
#include "stage0/command.h"
#include "stage0/image/image.h"

#define SHORT_ID_LEN (7 + 32) /* what fetch prints without --full */

struct target {
	bool full, store_only, no_store;
	char *pull_policy;
	char **images, **signatures; /* "" where none was given */
};

/* For the image before it, once. */
static int set_signature(void *target, const char *value, struct err *e)
{
	struct target *t = target;
	size_t n = strv_len(t->images);

	if (!n)
		return err_set(e, EINVAL, "--signature must follow an image");
	if (*t->signatures[n - 1])
		return err_set(e, EINVAL, "given twice for one image");
	free(t->signatures[n - 1]);
	t->signatures[n - 1] = xstrdup(*value ? value : ".");
	return 0;
}

static const struct opt opts[] = {
	{.name = "full",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, full),
	 .help = "print whole ids"},
	{.name = "signature",
	 .type = OPT_CALL,
	 .call = set_signature,
	 .arg = "PATH",
	 .help = "detached signature of the image before it"},
	{.name = "pull-policy",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, pull_policy),
	 .arg = "WORD",
	 .help = "new: the store first; update (the default): the source first; never: the store "
		 "only"},
	{.name = "store-only",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, store_only),
	 .help = "the same as --pull-policy=never"},
	{.name = "no-store",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, no_store),
	 .help = "the same as --pull-policy=update"},
};

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	const struct opt_table tables[] = {{cmd->opts, cmd->n_opts, target},
					   {global_opts, n_global_opts, g}};
	struct target *t = target;
	const char *word;
	int kind;

	(void) words;
	while ((kind = opt_next(c, tables, ELEMENTSOF(tables), NULL, &word, e)) > 0) {
		if (kind == OPT_WORD) {
			strv_add(&t->images, word);
			strv_add(&t->signatures, "");
		} else if (kind != OPT_STORED) {
			return err_set(e, EINVAL, "application arguments (behind \"--\") mean "
						  "nothing to fetch");
		}
	}
	return kind;
}

static int read_policy(const struct target *t, enum pull_policy *ret, struct err *e)
{
	*ret = PULL_UPDATE;
	if (t->pull_policy && pull_policy_parse(t->pull_policy, ret) < 0)
		return err_set(e, EINVAL, "unknown pull policy %s: new, update or never",
			       q(t->pull_policy));
	if (t->store_only && t->no_store)
		return err_set(e, EINVAL, "both --store-only and --no-store specified");
	if (t->pull_policy && (t->store_only || t->no_store))
		return err_set(e, EINVAL, "--pull-policy excludes --store-only and --no-store");
	if (t->store_only)
		*ret = PULL_NEVER;
	return 0;
}

static int fetch(struct gantry *g, const struct target *t, struct image_word *words, size_t n,
		 struct err *e)
{
	enum pull_policy policy;
	int r = read_policy(t, &policy, e);

	for (size_t i = 0; i < n; i++)
		words[i] = (struct image_word) {
			.text = t->images[i],
			.signature_file = *t->signatures[i] ? t->signatures[i] : NULL,
		};
	if (r == 0)
		r = image_resolve_all(g, words, n, policy, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		printf("%.*s\n", t->full ? IMAGE_ID_LEN : SHORT_ID_LEN, words[i].id);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	size_t n = strv_len(t->images);
	struct image_word *images;
	int r;

	(void) words;
	if (!n)
		return err_set(e, EINVAL, "must provide at least one image");
	images = xcalloc(n, sizeof *images);
	r = fetch(g, t, images, n, e);
	image_words_free(images, n);
	return r;
}

static void done(void *target)
{
	struct target *t = target;

	free(t->pull_policy);
	strv_free(t->images);
	strv_free(t->signatures);
}

const struct command cmd_fetch = {
	.name = "fetch",
	.usage = "[options] IMAGE...",
	.summary = "put images into the store and print their ids",
	.details = "IMAGE is a name (NAME[:VERSION][,LABEL=VALUE...]), a file, an http or https URL\n"
		   "that ends in .aci, or an id that is in the store. What it depends on is fetched\n"
		   "as well. The signature lies beside it (IMAGE.asc) unless --signature names one.\n"
		   "Docker and OCI images: docker://[HOST/]NAME[:TAG][@DIGEST], oci:DIRECTORY[:NAME],\n"
		   "oci-archive:FILE[:NAME], docker-archive:FILE[:NAME]; a policy lets them in.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.parse = parse,
	.run = run,
	.done = done,
};

/* rkt's other word for it, which its help does not show either. */
const struct command cmd_image_fetch = {
	.name = "image fetch",
	.usage = "[options] IMAGE...",
	.details = "The same as fetch.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.parse = parse,
	.run = run,
	.done = done,
};
