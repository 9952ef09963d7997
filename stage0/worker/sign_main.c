/*
 * libexec/gantry/sign: (file, key) -> detached signature.
 *
 * Descriptors: file, out, result.  Words: key=WORDS (a fingerprint, or what names one secret key),
 * homedir=DIR. Answer: signer=FINGERPRINT.
 *
 * No jail: it works for the operator with the operator's keyring, agent and terminal, and reads
 * nothing of strangers: of the file only its hash is taken.
 */
#include <ctype.h>
#include <errno.h>
#include <gpgme.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/worker/worker.h"

struct job {
	const char *key, *homedir;
	int file, out;
};

static int failed(gpgme_error_t err, const char *what, struct err *e)
{
	return err_set(e, EIO, "%s: %s", what, gpgme_strerror(err));
}

static int new_context(const struct job *job, gpgme_ctx_t *ret, struct err *e)
{
	gpgme_error_t err;

	(void) setlocale(LC_ALL, "");
	gpgme_check_version(NULL);
	err = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (!err)
		err = gpgme_new(ret);
	if (!err && job->homedir)
		err = gpgme_ctx_set_engine_info(*ret, GPGME_PROTOCOL_OpenPGP, NULL, job->homedir);
	if (err)
		return failed(err, "gpg", e);
	gpgme_set_armor(*ret, 1);
	/* A passphrase is asked for where the operator is. */
	(void) gpgme_set_locale(*ret, LC_CTYPE, setlocale(LC_CTYPE, NULL));
	return 0;
}

static int add_key(gpgme_ctx_t ctx, const struct job *job, struct err *e)
{
	gpgme_key_t key = NULL;
	gpgme_error_t err;

	/* The keyring's own default. */
	if (!job->key)
		return 0;
	err = gpgme_get_key(ctx, job->key, &key, 1);
	if (gpgme_err_code(err) == GPG_ERR_EOF)
		return err_set(e, ENOKEY, "there is no secret key %s", q(job->key));
	if (gpgme_err_code(err) == GPG_ERR_AMBIGUOUS_NAME)
		return err_set(e, ENOTUNIQ, "more than one secret key is %s", q(job->key));
	if (err)
		return err_ctx(e, failed(err, "secret key", e), "%s", q(job->key));
	err = gpgme_signers_add(ctx, key);
	gpgme_key_unref(key);
	return err ? failed(err, "secret key", e) : 0;
}

/* What will not be accepted afterwards is not made. */
static int check_made(gpgme_ctx_t ctx, struct strbuf *result, struct err *e)
{
	gpgme_sign_result_t res = gpgme_op_sign_result(ctx);
	gpgme_new_signature_t made = res ? res->signatures : NULL;
	_cleanup_free_ char *fpr = NULL;

	if (!made || made->next || !made->fpr)
		return err_set(e, EIO, "gpg made no signature, or more than one");
	if (made->hash_algo == GPGME_MD_SHA1 || made->hash_algo == GPGME_MD_MD5 ||
	    made->hash_algo == GPGME_MD_RMD160)
		return err_set(
			e, EINVAL,
			"gpg signs with %s, which is not accepted: see digest-algo in gpg.conf",
			gpgme_hash_algo_name(made->hash_algo));
	fpr = xstrdup(made->fpr);
	for (char *p = fpr; *p; p++)
		*p = (char) tolower((unsigned char) *p);
	record_add(result, "signer", fpr);
	return 0;
}

static int sign(gpgme_ctx_t ctx, const struct job *job, struct strbuf *result, struct err *e)
{
	gpgme_data_t in = NULL, out = NULL;
	gpgme_error_t err = gpgme_data_new_from_fd(&in, job->file);
	int r;

	if (!err)
		err = gpgme_data_new_from_fd(&out, job->out);
	if (!err)
		err = gpgme_op_sign(ctx, in, out, GPGME_SIG_MODE_DETACH);
	r = err ? failed(err, "gpg", e) : check_made(ctx, result, e);
	gpgme_data_release(in);
	gpgme_data_release(out);
	return r;
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	struct job job = {.file = fds_take("file"), .out = fds_take("out")};
	gpgme_ctx_t ctx = NULL;
	int r;

	for (int i = 1; i < argc; i++) {
		if (str_starts(argv[i], "key="))
			job.key = argv[i] + 4;
		else if (str_starts(argv[i], "homedir="))
			job.homedir = argv[i] + 8;
		else
			return err_set(e, EINVAL, "unknown word %s", q(argv[i]));
	}
	if (job.file < 0 || job.out < 0)
		return err_set(e, EBADF, "a descriptor is missing");
	r = new_context(&job, &ctx, e);
	if (r == 0)
		r = add_key(ctx, &job, e);
	if (r == 0)
		r = sign(ctx, &job, result, e);
	if (ctx)
		gpgme_release(ctx);
	return r;
}

int main(int argc, char **argv)
{
	return worker_main("sign", argc, argv, run);
}
