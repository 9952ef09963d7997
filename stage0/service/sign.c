#include "stage0/service/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/mem.h"
#include "spec/uuid.h"

void sign_content(const unsigned char *key, size_t key_len, const char *uuid, const char *content,
		  size_t len, char out[SIGN_TEXT_LEN + 1])
{
	_cleanup_free_ unsigned char *data = xmalloc(UUID_LEN + len);
	unsigned char mac[64];
	unsigned n = sizeof mac;

	memcpy(data, uuid, UUID_LEN);
	memcpy(data + UUID_LEN, content, len);
	/* It fails only where the digest itself is not to be had: then nothing may look signed. */
	if (!HMAC(EVP_sha512(), key, (int) key_len, data, UUID_LEN + len, mac, &n) ||
	    n != sizeof mac)
		abort();
	(void) EVP_EncodeBlock((unsigned char *) out, mac, sizeof mac);
	OPENSSL_cleanse(mac, sizeof mac);
}

bool sign_verify(const unsigned char *key, size_t key_len, const char *uuid, const char *content,
		 size_t len, const char *signature)
{
	char right[SIGN_TEXT_LEN + 1];

	sign_content(key, key_len, uuid, content, len, right);
	return strlen(signature) == SIGN_TEXT_LEN &&
	       !CRYPTO_memcmp(right, signature, SIGN_TEXT_LEN);
}
