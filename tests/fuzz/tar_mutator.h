/* Mutation of archives, for libFuzzer: included once by a fuzzer. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* libFuzzer's; not there when the corpus is replayed. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* A change to a header is worth nothing until its checksum is right again: it is made so, mostly. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	for (size_t at = 0; seed % 8 && at + 512 <= size; at += 512) {
		uint8_t *block = data + at;
		unsigned sum = 0;
		char text[16];

		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += block[i];
		(void) snprintf(text, sizeof text, "%06o", sum);
		memcpy(block + 148, text, 7);
	}
	return size;
}
