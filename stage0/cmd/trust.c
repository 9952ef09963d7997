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
#include "stage0/discovery/discovery.h"
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
	 .help = "discover and take keys over http as well"},
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
		return err_set(e, EINVAL, "--prefix %s must not contain a URL scheme, omit %.*s", q(t->prefix),
			       (int) (strstr(t->prefix, "://") + 3 - t->prefix), t->prefix);
	bad = t->prefix ? ac_identifier_check(t->prefix) : NULL;
	if (bad)
		return err_set(e, EINVAL, "prefix %s: %s", q(t->prefix), bad);
	if (!strv_len(words) && t->root)
		return err_set(e, EINVAL, "--root needs a key: keys are discovered for a prefix only");
	return 0;
}

/* Whether it may be stored: 1, 0, -errno. */
static int review(const struct gantry *g, const struct target *t, const char *key, const struct trust_review *review,
		  bool https, struct err *e)
{
	const char *where = t->prefix ? t->prefix : "(all images)";
	int yes;

	if (t->skip_review || (g->trust_keys_from_https && https && review->https)) {
		log_info("trusting %s for prefix %s without fingerprint review", q(key), q(where));
		return 1;
	}
	yes = trust_review_ask(e);
	if (yes > 0)
		log_info("trusting %s for prefix %s after fingerprint review", q(key), q(where));
	else if (yes == 0)
		log_info("not trusting %s", q(key));
	return yes;
}

/* https: whoever named the key came over TLS, or is the operator. */
static int trust_one(const struct gantry *g, const struct target *t, const char *key, bool https, struct err *e)
{
	struct trust_review key_read = {0};
	_cleanup_free_ char *path = NULL;
	int r = trust_review_read(g, key, t->allow_http, &key_read, e);

	if (r < 0)
		return r;
	trust_review_show(&key_read, key, t->prefix);
	r = review(g, t, key, &key_read, https, e);
	if (r > 0)
		r = trust_key_store(g, t->prefix, key_read.fpr, key_read.armor, strlen(key_read.armor), &path, e);
	if (path && t->prefix)
		log_info("added key for prefix %s at %s", q(t->prefix), q(path));
	else if (path)
		log_info("added root key at %s", q(path));
	trust_review_done(&key_read);
	return r < 0 ? r : 0;
}

static int trust_all(const struct gantry *g, const struct target *t, char *const *keys, bool https, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_len(keys); i++)
		r = trust_one(g, t, keys[i], https, e);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_key_places_ struct key_places places = {0};
	const struct target *t = target;
	struct gantry how = trust_transport(g, t->allow_http);
	int r = check_words(t, words, e);

	if (r < 0 || strv_len(words))
		return r < 0 ? r : trust_all(g, t, words, true, e);
	r = discovery_keys(&how, t->prefix, &places, e);
	return r < 0 ? r : trust_all(g, t, places.urls, places.https, e);
}

static void done(void *target)
{
	free(((struct target *) target)->prefix);
}

const struct command cmd_trust = {
	.name = "trust",
	.usage = "--prefix=NAME|--root [options] [KEY...]",
	.summary = "trust a key to sign images",
	.details = "KEY is a file or an https URL; without one the keys of the prefix are discovered at its host.\n"
		   "Each key's fingerprint is shown and must be confirmed.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
