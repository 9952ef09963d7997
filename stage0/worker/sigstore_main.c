/*
 * libexec/gantry/sigstore: (public key, payload, signature) -> whether the one is the other's.
 *
 * Descriptors: key (PEM, SubjectPublicKeyInfo), payload, signature (base64).  The answer is an empty
 * record, or why not.  Keys and signatures as cosign makes them (sigstore's specification of
 * signatures): ECDSA and RSA PKCS #1 v1.5 over SHA-256, Ed25519.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/str.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/worker.h"

#define INPUT_MAX (64u << 10)
#define RSA_BITS_MIN 2048
#define ECDSA_BITS_MIN 256

struct input {
	char *data;
	size_t len;
};

static int take(const char *name, struct input *ret, struct err *e)
{
	_cleanup_fd_ int fd = fds_take(name);
	int r = fd < 0 ? -EBADF : read_all(fd, INPUT_MAX, &ret->data, &ret->len);

	return r < 0 ? err_sysr(e, r, "read %s", name) : 0;
}

/* Kind and strength: a key that is too short signs for everybody. */
static int check_key(EVP_PKEY *key, struct err *e)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return 0;
	case EVP_PKEY_EC:
		if (EVP_PKEY_get_bits(key) >= ECDSA_BITS_MIN)
			return 0;
		break;
	case EVP_PKEY_RSA:
		if (EVP_PKEY_get_bits(key) >= RSA_BITS_MIN)
			return 0;
		break;
	default:
		return err_set(e, ENOTSUP, "the key is neither ECDSA nor RSA nor Ed25519");
	}
	return err_set(e, EKEYREJECTED, "a key of %d bits is too weak", EVP_PKEY_get_bits(key));
}

static EVP_PKEY *read_key(const struct input *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int) pem->len);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (!key)
		err_set(e, EINVAL, "no public key in PEM form");
	else if (check_key(key, e) == 0)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static int check(EVP_PKEY *key, const struct input *payload, const struct input *signature, struct err *e)
{
	const EVP_MD *hash = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int ok = md && EVP_DigestVerifyInit(md, NULL, hash, NULL, key) == 1 &&
		 EVP_DigestVerify(md, (const unsigned char *) signature->data, signature->len,
				  (const unsigned char *) payload->data, payload->len) == 1;

	EVP_MD_CTX_free(md);
	return ok ? 0 : err_set(e, EBADMSG, "it is not made by this key");
}

static int run(int argc _unused_, char **argv _unused_, struct strbuf *result _unused_, struct err *e)
{
	struct input pem = {0}, payload = {0}, text = {0}, signature = {0};
	EVP_PKEY *key = NULL;
	int r = take("key", &pem, e);

	if (r == 0)
		r = take("payload", &payload, e);
	if (r == 0)
		r = take("signature", &text, e);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	/* What the algorithms need is loaded before the way to it is closed. */
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
	if (r == 0)
		r = jail_enter_small(e);
	if (r == 0 && base64_decode(text.data, &signature.data, &signature.len) < 0)
		r = err_set(e, EINVAL, "it is not in base64");
	if (r == 0) {
		key = read_key(&pem, e);
		r = key ? check(key, &payload, &signature, e) : -EINVAL;
	}
	EVP_PKEY_free(key);
	free(pem.data);
	free(payload.data);
	free(text.data);
	free(signature.data);
	return r;
}

int main(int argc, char **argv)
{
	return worker_main("sigstore", argc, argv, run);
}
