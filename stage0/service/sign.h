/*
 * Signatures of the metadata service: base64 of HMAC-SHA512 with the service's key over the pod's
 * UUID and the content. The UUID has a fixed length: no content of one pod is another's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SIGN_TEXT_LEN 88 /* of 64 bytes */

void sign_content(const unsigned char *key, size_t key_len, const char *uuid, const char *content,
		  size_t len, char out[SIGN_TEXT_LEN + 1]);
/* In constant time for a signature of the right length. */
bool sign_verify(const unsigned char *key, size_t key_len, const char *uuid, const char *content,
		 size_t len, const char *signature);
