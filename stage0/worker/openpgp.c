#include "stage0/worker/openpgp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gpgme.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "stage0/worker/openpgp_loop.h"

#define ENGINE "/usr/bin/gpg"
#define EXPORT_MAX (1u << 20)

struct openpgp {
	gpgme_ctx_t ctx;
	struct openpgp_loop *loop;
};

/* Nothing is looked up, started, locked or remembered; SHA-1 counts for nothing. */
static const char engine_conf[] =
	"batch\nno-tty\nno-greeting\nno-autostart\ndisable-dirmngr\nno-auto-key-retrieve\nno-auto-key-locate\n"
	"no-auto-check-trustdb\ntrust-model always\nweak-digest SHA1\nlock-never\nno-random-seed-file\n";

static int gpg_err(struct err *e, gpgme_error_t err, const char *what)
{
	if (gpgme_err_code(err) == GPG_ERR_CANCELED)
		return err_set(e, ECANCELED, "%s: stopped", what);
	return err_set(e, EINVAL, "%s: %s", what, gpgme_strerror(err));
}

struct openpgp *openpgp_new(const char *home, struct err *e)
{
	struct openpgp *p = xcalloc(1, sizeof *p);
	_cleanup_fd_ int dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gpgme_error_t err;
	int r;

	if (dir < 0)
		r = err_sys(e, "open %s", home);
	else
		r = file_write_at(dir, "gpg.conf", engine_conf, strlen(engine_conf), 0600, FILE_FAST, e);
	/* gpgme looks for five engines in PATH, starts each to ask its version, and wants to find its own there. */
	if (r == 0 && symlinkat(ENGINE, dir, "gpg") < 0)
		r = err_sys(e, "link to " ENGINE);
	if (r < 0) {
		openpgp_free(p);
		return NULL;
	}
	(void) setenv("PATH", home, 1);
	(void) gpgme_set_global_flag("disable-gpgconf", "1");
	gpgme_check_version(NULL);
	err = gpgme_new(&p->ctx);
	if (!err)
		err = gpgme_set_protocol(p->ctx, GPGME_PROTOCOL_OpenPGP);
	/* Never the caller's PATH, home or settings. */
	if (!err)
		err = gpgme_ctx_set_engine_info(p->ctx, GPGME_PROTOCOL_OpenPGP, ENGINE, home);
	if (err) {
		gpg_err(e, err, "openpgp engine " ENGINE);
		openpgp_free(p);
		return NULL;
	}
	gpgme_set_offline(p->ctx, 1);
	gpgme_set_armor(p->ctx, 1);
	p->loop = openpgp_loop_new(p->ctx);
	return p;
}

void openpgp_free(struct openpgp *p)
{
	if (!p)
		return;
	if (p->ctx)
		gpgme_release(p->ctx);
	openpgp_loop_free(p->loop);
	free(p);
}

/* --- keys --- */

static int copy_fpr(const char *from, char to[OPENPGP_FPR_LEN + 1], struct err *e)
{
	if (!from || strlen(from) != OPENPGP_FPR_LEN)
		return err_set(e, ENOTSUP, "a key without a fingerprint of 40 digits");
	for (int i = 0; i <= OPENPGP_FPR_LEN; i++)
		to[i] = (char) tolower((unsigned char) from[i]);
	return 0;
}

/* gpg reads the first armor of several and passes over the others. */
static bool has_two_armors(const char *data, size_t len)
{
	static const char begin[] = "-----BEGIN PGP";
	const char *first = memmem(data, len, begin, strlen(begin));

	if (!first)
		return false;
	first++;
	return memmem(first, len - (size_t) (first - data), begin, strlen(begin)) != NULL;
}

/* One public key, and nothing else beside it. */
static int check_import(gpgme_import_result_t res, char fpr[OPENPGP_FPR_LEN + 1], struct err *e)
{
	int r;

	if (!res)
		return err_set(e, EINVAL, "no OpenPGP key");
	if (res->secret_read)
		return err_set(e, EINVAL, "this is a secret key: it is not for others to have");
	if (res->considered > 1)
		return err_set(e, EINVAL, "more than one key in one file");
	if (res->considered < 1 || !res->imports)
		return err_set(e, EINVAL, "no OpenPGP key, or one that cannot be used");
	r = copy_fpr(res->imports->fpr, fpr, e);
	for (gpgme_import_status_t i = res->imports; r == 0 && i; i = i->next) {
		if (strcasecmp(i->fpr, fpr))
			return err_set(e, EINVAL, "more than one key in one file");
		if (i->result)
			return gpg_err(e, i->result, "import key");
	}
	return r;
}

static int export_key(struct openpgp *p, const char *fpr, char **armor, struct err *e)
{
	gpgme_data_t out;
	gpgme_error_t err = gpgme_data_new(&out);
	char *text;
	size_t len;

	if (!err)
		err = openpgp_loop_run(p->loop, gpgme_op_export_start(p->ctx, fpr, GPGME_EXPORT_MODE_MINIMAL, out));
	if (err)
		return gpg_err(e, err, "export key");
	text = gpgme_data_release_and_get_mem(out, &len);
	if (!text || !len || len > EXPORT_MAX) {
		gpgme_free(text);
		return err_set(e, EINVAL, "export key: nothing came");
	}
	*armor = xstrndup(text, len);
	gpgme_free(text);
	return 0;
}

static int list_names(struct openpgp *p, const char *fpr, char ***names, struct err *e)
{
	gpgme_key_t key;
	gpgme_error_t err = gpgme_get_key(p->ctx, fpr, &key, 0);

	if (err)
		return gpg_err(e, err, "list key");
	for (gpgme_user_id_t u = key->uids; u; u = u->next)
		strv_add(names, u->uid);
	gpgme_key_unref(key);
	return 0;
}

int openpgp_import(struct openpgp *p, const char *data, size_t len, char fpr[OPENPGP_FPR_LEN + 1], char **armor,
		   char ***names, struct err *e)
{
	gpgme_data_t in;
	gpgme_error_t err;
	int r;

	if (has_two_armors(data, len))
		return err_set(e, EINVAL, "more than one key in one file");
	err = gpgme_data_new_from_mem(&in, data, len, 0);
	if (err)
		return gpg_err(e, err, "import key");
	err = openpgp_loop_run(p->loop, gpgme_op_import_start(p->ctx, in));
	gpgme_data_release(in);
	if (err)
		return gpg_err(e, err, "no OpenPGP key");
	r = check_import(gpgme_op_import_result(p->ctx), fpr, e);
	if (r == 0 && armor)
		r = export_key(p, fpr, armor, e);
	if (r == 0 && names)
		r = list_names(p, fpr, names, e);
	return r;
}

int openpgp_import_ring(struct openpgp *p, const char *data, size_t len, struct err *e)
{
	gpgme_import_result_t res;
	gpgme_data_t in;
	gpgme_error_t err = gpgme_data_new_from_mem(&in, data, len, 0);

	if (err)
		return gpg_err(e, err, "import keys");
	err = openpgp_loop_run(p->loop, gpgme_op_import_start(p->ctx, in));
	gpgme_data_release(in);
	res = err ? NULL : gpgme_op_import_result(p->ctx);
	if (!res || res->considered < 1 || !res->imports)
		return err_set(e, EINVAL, "no OpenPGP key");
	if (res->secret_read)
		return err_set(e, EINVAL, "this is a secret key: it is not for others to have");
	return 0;
}

/* --- signatures --- */

static ssize_t read_image(void *arg, void *buf, size_t n)
{
	ssize_t got = arriving_read(arg, buf, n, NULL);

	if (got < 0)
		errno = ECANCELED;
	return got < 0 ? -1 : got;
}

static bool is_sha2(gpgme_hash_algo_t algo)
{
	return algo == GPGME_MD_SHA224 || algo == GPGME_MD_SHA256 || algo == GPGME_MD_SHA384 || algo == GPGME_MD_SHA512;
}

/* The usual answers, each in its own words; some of them are those of rkt, which scripts look for. */
static int check_status(const struct _gpgme_signature *s, struct err *e)
{
	gpgme_err_code_t code = gpgme_err_code(s->status);

	switch (code) {
	case GPG_ERR_NO_PUBKEY:
		return err_set(e, ENOKEY, "openpgp: signature made by unknown entity");
	case GPG_ERR_BAD_SIGNATURE:
		return err_set(e, EBADMSG, "openpgp: invalid signature: it is not one of this image");
	case GPG_ERR_KEY_EXPIRED:
		return err_set(e, EKEYEXPIRED, "openpgp: signature by an expired key");
	case GPG_ERR_SIG_EXPIRED:
		return err_set(e, EKEYEXPIRED, "openpgp: expired signature");
	case GPG_ERR_CERT_REVOKED:
		return err_set(e, EKEYREVOKED, "openpgp: signature by a revoked key");
	default:
		break;
	}
	/* A digest that is refused is reported as a general error. */
	if (!is_sha2(s->hash_algo))
		return err_set(e, EKEYREJECTED, "openpgp: signature with a weak digest (%s)",
			       gpgme_hash_algo_name(s->hash_algo) ? gpgme_hash_algo_name(s->hash_algo) : "unknown");
	if (code != GPG_ERR_NO_ERROR)
		return err_set(e, EBADMSG, "openpgp: invalid signature: %s", gpgme_strerror(s->status));
	if (s->wrong_key_usage)
		return err_set(e, EKEYREJECTED, "openpgp: signature by a key that is not meant for signing");
	return 0;
}

/* A good signature by a subkey counts for its primary key, if both are fit. */
static int check_key(struct openpgp *p, const char *fpr, char ***signers, struct err *e)
{
	char primary[OPENPGP_FPR_LEN + 1];
	gpgme_key_t key;
	gpgme_error_t err = gpgme_get_key(p->ctx, fpr, &key, 0);
	gpgme_subkey_t sub;
	int r;

	if (err)
		return err_set(e, ENOKEY, "openpgp: signature made by unknown entity");
	for (sub = key->subkeys; sub && strcasecmp(sub->fpr ? sub->fpr : "", fpr); sub = sub->next)
		;
	if (key->revoked || (sub && sub->revoked))
		r = err_set(e, EKEYREVOKED, "openpgp: signature by a revoked key");
	else if (key->expired || (sub && sub->expired))
		r = err_set(e, EKEYEXPIRED, "openpgp: signature by an expired key");
	else if (!sub || !sub->can_sign || key->disabled || key->invalid || sub->disabled || sub->invalid)
		r = err_set(e, EKEYREJECTED, "openpgp: signature by a key that is not fit to sign");
	else
		r = copy_fpr(key->subkeys->fpr, primary, e);
	gpgme_key_unref(key);
	if (r == 0)
		strv_add(signers, primary);
	return r;
}

static int check_all(struct openpgp *p, char ***signers, struct err *e)
{
	gpgme_verify_result_t res = gpgme_op_verify_result(p->ctx);
	_cleanup_strv_ char **fprs = NULL;
	int r = 0;

	if (!res || !res->signatures)
		return err_set(e, EBADMSG, "openpgp: no detached signature in the signature file");
	for (gpgme_signature_t s = res->signatures; r == 0 && s; s = s->next) {
		r = check_status(s, e);
		if (r == 0)
			strv_add(&fprs, s->fpr ? s->fpr : "");
	}
	/* Looking up keys overwrites the result. */
	for (size_t i = 0; r == 0 && i < strv_len(fprs); i++)
		r = check_key(p, fprs[i], signers, e);
	return r;
}

int openpgp_verify(struct openpgp *p, const char *sig, size_t len, struct arriving *image, char ***signers,
		   struct err *e)
{
	struct gpgme_data_cbs cbs = {.read = read_image};
	gpgme_data_t sig_data = NULL, signed_data = NULL;
	gpgme_error_t err = gpgme_data_new_from_mem(&sig_data, sig, len, 0);
	int r;

	if (!err)
		err = gpgme_data_new_from_cbs(&signed_data, &cbs, image);
	/* The default of 512 bytes would make a system call for each half block of the image. */
	if (!err)
		(void) gpgme_data_set_flag(signed_data, "io-buffer-size", "65536");
	/* With the signed text given, gpg takes nothing but a detached signature: no message vouches for itself. */
	if (!err)
		err = openpgp_loop_run(p->loop, gpgme_op_verify_start(p->ctx, sig_data, signed_data, NULL));
	gpgme_data_release(sig_data);
	gpgme_data_release(signed_data);
	if (gpgme_err_code(err) == GPG_ERR_NO_DATA || gpgme_err_code(err) == GPG_ERR_BAD_DATA)
		return err_set(e, EBADMSG, "openpgp: no detached signature in the signature file");
	if (err)
		return gpg_err(e, err, "openpgp: verify signature");
	r = check_all(p, signers, e);
	/* The end of the image must have been seen, whatever gpg thought. */
	if (r == 0 && (!image->whole || image->pos != image->there))
		return err_set(e, EBADMSG, "openpgp: the signature was not checked over the whole image");
	return r;
}

/* The signed text, out of gpgme's buffer; owned by the caller. */
static int take_plain(gpgme_data_t plain, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	off_t size = gpgme_data_seek(plain, 0, SEEK_END);
	char *text;
	ssize_t n;

	if (size < 0 || (size_t) size > limit)
		return err_set(e, EFBIG, "openpgp: what was signed is larger than %zu bytes", limit);
	(void) gpgme_data_seek(plain, 0, SEEK_SET);
	text = xmalloc((size_t) size + 1);
	n = gpgme_data_read(plain, text, (size_t) size);
	if (n != size) {
		free(text);
		return err_set(e, EIO, "openpgp: read what was signed");
	}
	text[n] = '\0';
	*ret = text;
	*ret_len = (size_t) n;
	return 0;
}

int openpgp_verify_message(struct openpgp *p, const char *message, size_t len, size_t limit, char ***signers,
			   char **ret, size_t *ret_len, struct err *e)
{
	static const char cleartext[] = "-----BEGIN PGP SIGNED";
	gpgme_data_t in = NULL, plain = NULL;
	gpgme_error_t err;
	int r;

	/* CVE-2025-68972: of such a text gpg can give out more than was signed. Nobody's tools write it. */
	if (memmem(message, len, cleartext, strlen(cleartext)) || has_two_armors(message, len))
		return err_set(e, EBADMSG, "openpgp: a cleartext signature, or more than one, and no signed message");
	err = gpgme_data_new_from_mem(&in, message, len, 0);
	if (!err)
		err = gpgme_data_new(&plain);
	if (!err)
		err = openpgp_loop_run(p->loop, gpgme_op_verify_start(p->ctx, in, NULL, plain));
	gpgme_data_release(in);
	if (err)
		r = err_set(e, EBADMSG, "openpgp: no signed message");
	else
		r = check_all(p, signers, e);
	/* Only what stands under signatures that are all good. */
	if (r == 0)
		r = take_plain(plain, limit, ret, ret_len, e);
	gpgme_data_release(plain);
	return r;
}
