/*
 * The whole path of an image through unpack: compressed or not, in its threads, into a directory of its
 * own.  What lies beside that directory must never change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/unpack.h"
#include "tests/fuzz/tar_mutator.h"
#include "tests/fuzz/tar_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	(void) arg;
	(void) data;
	(void) len;
	(void) e;
	return 0;
}

/* What could be unpacked, validation finds nothing wrong with. */
static void check_agrees(int file, size_t size, const struct unpack_limits *limits)
{
	struct arriving image = {.file = file, .progress = -EBADF, .there = size, .whole = true};
	struct check_findings findings = {0};
	struct unpack_result res;

	must(unpack_check(&image, limits, on_manifest, NULL, &findings, &res, NULL));
	if (findings.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int file = memfd_create("image", MFD_CLOEXEC), top = -EBADF;
	struct arriving image = {.file = file, .progress = -EBADF, .there = size, .whole = true};
	struct unpack_result res;

	if (world < 0)
		tar_world_begin();
	limits.tar.bytes = 4u << 20;
	limits.tar.entries = 1000;
	limits.ratio_after = 1u << 20;
	must(write_all(file, data, size));
	must(mkdirat(world, "top", 0700));
	top = openat(world, "top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (unpack(&image, top, &limits, on_manifest, NULL, &res, &e) == 0)
		check_agrees(file, size, &limits);
	else if (!e.msg)
		abort();
	tar_world_check();
	must(path_remove_tree(world, "top", NULL));
	return 0;
}
