/*
 * The index of an archive: every file that it lists lies within.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/path_escape.h"
#include "stage0/worker/tar_index.h"
#include "tests/fuzz/tar_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *line, size_t size)
{
	unsigned long long offset, len;
	const char *name = strrchr(line, ' ');
	char *path = name ? path_unescape(name + 1) : NULL;

	if (!path)
		abort();
	free(path);
	if (!strncmp(line, "file ", 5) && (sscanf(line, "file %llu %llu ", &offset, &len) != 2 || offset > size ||
					   len > size - offset))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_fd_ int file = memfd_create("archive", MFD_CLOEXEC);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (write_all(file, data, size) < 0)
		abort();
	if (tar_index(file, &sb, &e) < 0) {
		if (!e.msg)
			abort();
		return 0;
	}
	for (char *line = sb.buf, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		check_line(line, size);
	}
	return 0;
}
