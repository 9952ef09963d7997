/*
 * gantry trust: keys for image names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/command.h"
#include "stage0/trust/keystore.h"
#include "stage0/trust/review.h"

struct target {
	char *prefix;
	bool root, skip_review, allow_http;
};

static const struct opt opts[] = {
	{.name = "prefix", .type = OPT_STRING, .offset = offsetof(struct target, prefix), .arg = "NAME",
	 .help = "trust the key for images of this name and below it"},
	{.name = "root", .type = OPT_FLAG, .offset = offsetof(struct target, root), .help = "trust the key for all images"},
	{.name = "skip-fingerprint-review", .type = OPT_FLAG, .offset = offsetof(struct target, skip_review),
	 .help = "do not ask"},
	{.name = "insecure-allow-http", .type = OPT_FLAG, .offset = offsetof(struct target, allow_http),
	 .help = "take keys over http as well"},
};

static int check_words(const struct target *t, char *const *words, struct err *e)
{
	const char *bad;

	if (!t->prefix && !t->root) {
		if (strv_len(words))
			return err_set(e, EINVAL, "--root required for non-prefixed keys: no implicit unbounded trust");
		return err_set(e, EINVAL, "--prefix or --root required");
	}
	if (t->prefix && t->root)
		return err_set(e, EINVAL, "--root and --prefix exclude each other");
	if (t->prefix && strstr(t->prefix, "://"))
		return err_set(e, EINVAL, "prefix %s: a name has no scheme", q(t->prefix));
	bad = t->prefix ? ac_identifier_check(t->prefix) : NULL;
	if (bad)
		return err_set(e, EINVAL, "prefix %s: %s", q(t->prefix), bad);
	if (!strv_len(words))
		return err_set(e, ENOTSUP, "finding keys by discovery is not supported yet: name a key file or URL");
	return 0;
}

static int trust_one(struct gantry *g, const struct target *t, const char *key, struct err *e)
{
	struct trust_review review = {0};
	_cleanup_free_ char *path = NULL;
	int r = trust_review_read(g, key, t->allow_http, &review, e), yes = 1;

	if (r < 0)
		return r;
	trust_review_show(&review, key, t->prefix);
	if (!t->skip_review)
		yes = trust_review_ask(e);
	if (yes > 0)
		r = trust_key_store(g, t->prefix, review.fpr, review.armor, strlen(review.armor), &path, e);
	else
		r = yes < 0 ? yes : err_set(e, ECANCELED, "key %s: not trusted", q(key));
	if (r == 0 && t->prefix)
		log_info("added key for prefix %s at %s", q(t->prefix), q(path));
	else if (r == 0)
		log_info("added root key at %s", q(path));
	trust_review_done(&review);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	int r = check_words(t, words, e);

	for (size_t i = 0; r == 0 && i < strv_len(words); i++)
		r = trust_one(g, t, words[i], e);
	return r;
}

static void done(void *target)
{
	free(((struct target *) target)->prefix);
}

const struct command cmd_trust = {
	.name = "trust",
	.usage = "--prefix=NAME|--root [options] KEY...",
	.summary = "trust a key to sign images",
	.details = "KEY is a file or an https URL. Its fingerprint is shown and must be confirmed.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
