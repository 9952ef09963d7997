#include "stage0/trust/review.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/image/internal.h"
#include "stage0/trust/keystore.h"
#include "stage0/worker/worker.h"

#define REVIEW_MS (120 * 1000)

void trust_review_done(struct trust_review *r)
{
	free(r->fpr);
	free(r->armor);
	strv_free(r->names);
	*r = (struct trust_review) {0};
}

struct gantry trust_transport(const struct gantry *g, bool allow_http)
{
	struct gantry how = *g;

	how.insecure &= ~(unsigned) INSECURE_HTTP;
	if (allow_http || g->insecure & INSECURE_PUBKEY)
		how.insecure |= INSECURE_HTTP;
	else
		how.insecure &= ~(unsigned) INSECURE_TLS;
	return how;
}

static int read_key(const struct gantry *g, const char *key, bool allow_http, struct document *ret,
		    struct err *e)
{
	struct gantry how = trust_transport(g, allow_http);
	int r;

	if (!str_starts(key, "http://") && !str_starts(key, "https://"))
		return file_read_at(AT_FDCWD, key, TRUST_KEY_MAX, &ret->data, &ret->len, e);
	if (str_starts(key, "http://") && !(how.insecure & INSECURE_HTTP))
		return err_set(e, EPERM, "--insecure-allow-http required for http URLs");
	r = download_all(&how, key, TRUST_KEY_MAX, DOWNLOAD_RETRY, ret, e);
	ret->https = ret->https && !(how.insecure & INSECURE_TLS);
	return r;
}

static int ask_worker(const struct gantry *g, const char *data, size_t len, struct record *ret,
		      struct err *e)
{
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_fd_ int fd = fd_sealed("key", data, len, e);
	char *words[] = {"key", NULL};
	int r = fd < 0 ? fd
		       : worker_start(g, "verify", words, &(struct fd_name) {"keys", fd}, 1, &w, e);

	return r < 0 ? r : worker_finish(&w, REVIEW_MS, ret, e);
}

int trust_review_read(const struct gantry *g, const char *key, bool allow_http,
		      struct trust_review *ret, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_document_ struct document doc = {0};
	const char *name, *value, *fpr, *armor;
	int r = read_key(g, key, allow_http, &doc, e);

	if (r == 0)
		r = ask_worker(g, doc.data, doc.len, &rec, e);
	if (r < 0)
		return err_ctx(e, r, "key %s", q(key));
	fpr = record_get(&rec, "fpr");
	armor = record_get(&rec, "key");
	if (!fpr || !trust_is_fingerprint(fpr) || !armor || !*armor)
		return err_set(e, EPROTO, "key %s: malformed answer", q(key));
	*ret = (struct trust_review) {
		.fpr = xstrdup(fpr), .armor = xstrdup(armor), .https = doc.https};
	record_rewind(&rec);
	while (record_next(&rec, &name, &value))
		if (!strcmp(name, "name"))
			strv_push(&ret->names, str_escape(value, strlen(value)));
	return 0;
}

/* "0123 4567 89AB ...", as gpg shows it. */
static void print_fpr(const char *fpr)
{
	for (size_t i = 0; fpr[i]; i++)
		fprintf(stderr, "%s%c", i && i % 4 == 0 ? (i == 20 ? "  " : " ") : "",
			toupper((unsigned char) fpr[i]));
}

void trust_review_show(const struct trust_review *r, const char *key, const char *prefix)
{
	fprintf(stderr, "prefix: %s\nkey: %s\n", prefix ? q(prefix) : "(all images)", q(key));
	fprintf(stderr, "gpg key fingerprint is: ");
	print_fpr(r->fpr);
	fputc('\n', stderr);
	for (size_t i = 0; i < strv_len(r->names); i++)
		fprintf(stderr, "    %s\n", r->names[i]);
}

int trust_review_ask(struct err *e)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(e, ENOTTY,
			       "the fingerprint cannot be reviewed without a terminal: lay "
			       "the key below trustedkeys, or see --skip-fingerprint-review and "
			       "--trust-keys-from-https");
	for (;;) {
		fprintf(stderr, "Are you sure you want to trust this key (yes/no)?\n");
		if (getline(&line, &size, stdin) < 0)
			return 0;
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "yes"))
			return 1;
		if (!strcmp(line, "no"))
			return 0;
		fprintf(stderr, "Please enter 'yes' or 'no'\n");
	}
}
