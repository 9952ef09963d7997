#include "stage0/worker/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define PIECE (64u << 10)

static void print(const char *prefix, const unsigned char *raw, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(prefix);

	memcpy(ret, prefix, n);
	for (size_t i = 0; i < len; i++) {
		ret[n++] = digits[raw[i] >> 4];
		ret[n++] = digits[raw[i] & 15];
	}
	ret[n] = '\0';
}

void digest_print_sha256(const unsigned char raw[32], char ret[DIGEST_SHA256_LEN + 1])
{
	print("sha256:", raw, 32, ret);
}

void digest_print_id(const unsigned char raw[64], char ret[IMAGE_ID_LEN + 1])
{
	print(IMAGE_ID_PREFIX, raw, 64, ret);
}

static int read_all_of(int fd, EVP_MD_CTX *small, EVP_MD_CTX *large, uint64_t *bytes, struct err *e)
{
	_cleanup_free_ uint8_t *buf = xmalloc(PIECE);

	for (;;) {
		ssize_t n = pread(fd, buf, PIECE, (off_t) *bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return 0;
		if (!EVP_DigestUpdate(small, buf, (size_t) n) || !EVP_DigestUpdate(large, buf, (size_t) n))
			return err_set(e, EIO, "hash");
		*bytes += (uint64_t) n;
	}
}

int digest_file(int fd, struct digests *ret, struct err *e)
{
	EVP_MD_CTX *small = EVP_MD_CTX_new(), *large = EVP_MD_CTX_new();
	unsigned char raw[EVP_MAX_MD_SIZE];
	int r = 0;

	*ret = (struct digests) {0};
	if (!small || !large || !EVP_DigestInit_ex(small, EVP_sha256(), NULL) ||
	    !EVP_DigestInit_ex(large, EVP_sha512(), NULL))
		r = err_set(e, ENOTSUP, "SHA-2 is not available");
	if (r == 0)
		r = read_all_of(fd, small, large, &ret->bytes, e);
	if (r == 0 && EVP_DigestFinal_ex(small, raw, NULL)) {
		digest_print_sha256(raw, ret->sha256);
		if (EVP_DigestFinal_ex(large, raw, NULL))
			digest_print_id(raw, ret->sha512_id);
	}
	if (r == 0 && !ret->sha512_id[0])
		r = err_set(e, EIO, "hash");
	EVP_MD_CTX_free(small);
	EVP_MD_CTX_free(large);
	return r;
}
