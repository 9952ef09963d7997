/*
 * OpenPGP signatures of the "simple signing" kind: each a signed message in a file of its own,
 *
 *	LOOKASIDE/NAME@sha256=HEX/signature-1, -2, ...
 *
 * NAME without the registry (containers-registries.d(5)).  They are checked by the verify worker with
 * the keys of the rule and with no others.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/image/internal.h"
#include "stage0/oci/trust.h"
#include "stage0/trust/keystore.h"

#define SIGNATURES_MAX 32 /* of one manifest */
#define VERIFY_MS 30000

static char *place_of(const struct signed_image *image, const struct requirement *rq, unsigned n)
{
	const char *colon = strchr(image->digest, ':');
	size_t base = strlen(rq->lookaside);

	while (base && rq->lookaside[base - 1] == '/')
		base--;
	return xasprintf("%.*s/%s@%.*s=%s/signature-%u", (int) base, rq->lookaside, image->ref->repository,
			 (int) (colon - image->digest), image->digest, colon + 1, n);
}

/* -ENOENT: there are no more. */
static int read_signature(const struct gantry *g, const char *place, struct signature *ret, struct err *e)
{
	_cleanup_document_ struct document doc = {0};
	int r;

	if (str_starts(place, "file://"))
		return file_read_at(AT_FDCWD, place + strlen("file://"), SIGNATURE_MAX, &ret->data, &ret->len,
				    e);
	r = download_all(g, place, SIGNATURE_MAX, 0, &doc, e);
	if (r == 0)
		*ret = (struct signature) {.data = take_ptr(doc.data), .len = doc.len};
	return r;
}

/* "LENGTH\n" and the bytes, for each file. */
static int frame_keys(const struct requirement *rq, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0;; i++) {
		_cleanup_policy_key_ struct policy_key key = {0};
		int r = policy_key_read(rq, i, &key, e);

		if (r == -ENOENT)
			return fd_sealed("keys", sb.buf, sb.len, e);
		if (r < 0)
			return r;
		strbuf_addf(&sb, "%zu\n", key.len);
		strbuf_add(&sb, key.data, key.len);
	}
}

/* Start the worker, take the text, hear who signed. */
static int verify(const struct gantry *g, const struct signature *sig, const struct requirement *rq,
		  struct strbuf *text, char **ret_signer, struct err *e)
{
	_cleanup_fd_ int sig_fd = fd_sealed("sig", sig->data, sig->len, e), keys = -EBADF;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_free_ char *data = NULL;
	char *words[] = {"message", NULL};
	size_t len = 0;
	int r;

	keys = sig_fd < 0 ? sig_fd : frame_keys(rq, e);
	if (keys < 0)
		return keys;

	const struct fd_name names[] = {{"sig", sig_fd}, {"keys", keys}};
	const struct worker_text job = {.name = "verify", .words = words, .fds = names, .n = ELEMENTSOF(names),
					.out = "out", .limit = PAYLOAD_MAX};

	r = worker_start_text(g, &job, &w, &data, &len, e);
	if (r == 0)
		r = signature_finish_check(&w, VERIFY_MS, ret_signer, e);
	if (r == 0)
		strbuf_add(text, data, len);
	return r;
}

int simple_signature_check_one(const struct signed_image *image, const struct requirement *rq, const char *message,
			       size_t len, char **ret_signer, struct err *e)
{
	const struct signature sig = {.data = (char *) message, .len = len};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *signer = NULL;
	int r = verify(image->g, &sig, rq, &text, &signer, e);

	if (r == 0)
		r = signed_image_check(image, rq, text.buf ? text.buf : "", text.len, PAYLOAD_OPENPGP, e);
	if (r == 0 && image->found) {
		const struct evidence_signature good = {
			.type = REQUIRE_SIGNED_BY, .digest = (char *) image->digest, .data = sig.data, .len = len};

		r = evidence_add(image->found, &good, e);
	}
	if (r == 0)
		*ret_signer = take_ptr(signer);
	return r;
}

static int check_place(const struct signed_image *image, const struct requirement *rq, const char *place,
		       char **ret_signer, struct err *e)
{
	_cleanup_signature_ struct signature sig = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	int r = read_signature(image->g, place, &sig, &why);

	if (r < 0)
		return r == -ENOENT ? r : err_move(e, &why);
	r = simple_signature_check_one(image, rq, sig.data, sig.len, ret_signer, e);
	/* That one exists, whatever is wrong with it. */
	return r == -ENOENT ? -EBADMSG : r;
}

int simple_signature_check(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
			   struct err *e)
{
	_cleanup_err_ struct err last = ERR_INIT;

	if (!rq->lookaside)
		return err_set(e, EINVAL, "it has no lookaside that says where signatures lie");
	if (image->ref->transport != OCI_REGISTRY)
		return err_set(e, ENOTSUP, "signatures of images of transport %s lie nowhere",
			       image->source->ops->transport);
	for (unsigned n = 1; n <= SIGNATURES_MAX; n++) {
		_cleanup_free_ char *place = place_of(image, rq, n);
		_cleanup_err_ struct err why = ERR_INIT;
		int r = check_place(image, rq, place, ret_signer, &why);

		if (r == 0)
			return 0;
		if (r == -ENOENT)
			break;
		err_done(&last);
		(void) err_ctx(&why, r, "%s", place);
		(void) err_move(&last, &why);
	}
	if (last.code)
		return err_move(e, &last);
	return err_set(e, ENOENT, "no signature of %s in %s", image->digest, rq->lookaside);
}
