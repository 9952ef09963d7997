/*
 * gantry trust: keys for image names.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/cli/table.h"
#include "stage0/command.h"
#include "stage0/discovery/discovery.h"
#include "stage0/trust/keystore.h"
#include "stage0/trust/review.h"

struct target {
	char *prefix;
	bool root, skip_review, allow_http, list, remove;
};

static const struct opt opts[] = {
	{.name = "prefix",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, prefix),
	 .arg = "NAME",
	 .help = "trust the key for images of this name and below it"},
	{.name = "root",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, root),
	 .help = "trust the key for all images"},
	{.name = "skip-fingerprint-review",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, skip_review),
	 .help = "do not ask"},
	{.name = "insecure-allow-http",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, allow_http),
	 .help = "discover and take keys over http as well"},
	{.name = "list",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, list),
	 .help = "show which keys are trusted for which names"},
	{.name = "remove",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, remove),
	 .help = "trust the keys with these fingerprints no more for the prefix"},
};

static int check_words(const struct target *t, char *const *words, struct err *e)
{
	const char *bad;

	if (!t->prefix && !t->root && !t->list) {
		if (strv_len(words))
			return err_set(e, EINVAL,
				       "--root required for non-prefixed keys: no implicit "
				       "unbounded trust");
		return err_set(e, EINVAL, "--prefix or --root required");
	}
	if (t->prefix && t->root)
		return err_set(e, EINVAL, "--root and --prefix exclude each other");
	if (t->prefix && strstr(t->prefix, "://"))
		return err_set(e, EINVAL, "--prefix %s must not contain a URL scheme, omit %.*s",
			       q(t->prefix), (int) (strstr(t->prefix, "://") + 3 - t->prefix),
			       t->prefix);
	bad = t->prefix ? ac_identifier_check(t->prefix) : NULL;
	if (bad)
		return err_set(e, EINVAL, "prefix %s: %s", q(t->prefix), bad);
	if (t->list && t->remove)
		return err_set(e, EINVAL, "--list and --remove exclude each other");
	if (t->list)
		return strv_len(words) ? err_set(e, EINVAL, "--list takes no keys") : 0;
	if (t->remove)
		return strv_len(words)
			       ? 0
			       : err_set(e, EINVAL, "--remove needs the fingerprint of a key");
	if (!strv_len(words) && t->root)
		return err_set(e, EINVAL,
			       "--root needs a key: keys are discovered for a prefix only");
	return 0;
}

/* Whether it may be stored: 1, 0, -errno. */
static int review(const struct gantry *g, const struct target *t, const char *key,
		  const struct trust_review *review, bool https, struct err *e)
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
static int trust_one(const struct gantry *g, const struct target *t, const char *key, bool https,
		     struct err *e)
{
	struct trust_review key_read = {0};
	_cleanup_free_ char *path = NULL;
	int r = trust_review_read(g, key, t->allow_http, &key_read, e);

	if (r < 0)
		return r;
	trust_review_show(&key_read, key, t->prefix);
	r = review(g, t, key, &key_read, https, e);
	if (r > 0)
		r = trust_key_store(g, t->prefix, key_read.fpr, key_read.armor,
				    strlen(key_read.armor), &path, e);
	if (path && t->prefix)
		log_info("Added key for prefix %s at %s", q(t->prefix), q(path));
	else if (path)
		log_info("Added root key at %s", q(path));
	trust_review_done(&key_read);
	return r < 0 ? r : 0;
}

static int trust_all(const struct gantry *g, const struct target *t, char *const *keys, bool https,
		     struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_len(keys); i++)
		r = trust_one(g, t, keys[i], https, e);
	return r;
}

static int list(const struct gantry *g, const struct target *t, struct err *e)
{
	_cleanup_trust_entries_ struct trust_entries all = {0};
	_cleanup_free_ const char **cells = NULL;
	size_t n = 0;
	int r = trust_list(g, &all, e);

	if (r < 0)
		return r;
	cells = xcalloc(all.n * 3 + 1, sizeof *cells);
	for (size_t i = 0; i < all.n; i++) {
		const struct trust_entry *k = &all.v[i];

		if ((t->prefix && strcmp(t->prefix, k->prefix)) || (t->root && *k->prefix))
			continue;
		cells[n++] = *k->prefix ? k->prefix : "(all-images)";
		cells[n++] = k->fpr;
		cells[n++] = k->masked ? "masked" : k->vendor ? "system" : "local";
	}
	table_print(stdout, cells, n / 3, 3);
	return 0;
}

static int remove_all(const struct gantry *g, const struct target *t, char *const *words,
		      struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_len(words); i++) {
		_cleanup_free_ char *fpr = xstrdup(words[i]);

		for (char *p = fpr; *p; p++)
			*p = (char) tolower((unsigned char) *p);
		if (!trust_is_fingerprint(fpr))
			return err_set(e, EINVAL, "%s is no fingerprint of 40 hex digits",
				       q(words[i]));
		r = trust_key_remove(g, t->prefix, fpr, e);
		if (r == 0)
			log_info("key %s is trusted for %s no more", fpr,
				 t->prefix ? q(t->prefix) : "all images");
	}
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_key_places_ struct key_places places = {0};
	const struct target *t = target;
	struct gantry how = trust_transport(g, t->allow_http);
	int r = check_words(t, words, e);

	if (r == 0 && t->list)
		return list(g, t, e);
	if (r == 0 && t->remove)
		return remove_all(g, t, words, e);
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
	.details = "KEY is a file or an https URL; without one the keys of the prefix are\n"
		   "discovered at its host. Each key's fingerprint is shown and must be confirmed.\n"
		   "With --list and --remove: what is trusted.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
