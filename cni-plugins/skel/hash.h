/* A short stand-in for names that are too long for where they are to stand. */
#pragma once

#include <stdint.h>

/* FNV-1a */
static inline uint64_t cni_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (unsigned char) *text) * 0x100000001b3u;
	return h;
}
