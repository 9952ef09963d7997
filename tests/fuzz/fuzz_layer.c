/*
 * The whole path of a layer through unpack: compressed or not, in its threads, into a directory of its own.
 * What lies beside that directory must never change; no marker is left in it; and what is listed is there.
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

static void check_names(int dirfd)
{
	_cleanup_dir_ DIR *d = fdopendir(dirfd);
	struct dirent *de;

	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (!strncmp(de->d_name, ".wh.", 4))
			abort();
		if (de->d_type == DT_DIR) {
			int fd = openat(dirfd, de->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			must(fd);
			check_names(fd);
		}
	}
}

static void check_list(int rootfs, char *const *paths)
{
	for (; paths && *paths; paths++) {
		_cleanup_fd_ int fd = path_open_beneath(rootfs, *paths, O_PATH | O_DIRECTORY, 0, PATH_NO_LINKS);

		must(fd);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
	const struct unpack_layer_how how = {.sha512 = size % 2};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int file = memfd_create("layer", MFD_CLOEXEC), top = -EBADF, rootfs = -EBADF;
	struct arriving blob = {.file = file, .progress = -EBADF, .there = size, .whole = true};
	struct unpack_layer_result res;

	if (world < 0)
		tar_world_begin();
	limits.tar.bytes = 4u << 20;
	limits.tar.entries = 1000;
	limits.tar.depth = 20;
	limits.ratio_after = 1u << 20;
	must(write_all(file, data, size));
	must(mkdirat(world, "top", 0700));
	top = openat(world, "top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (unpack_layer(&blob, top, &how, &limits, &res, &e) == 0) {
		rootfs = openat(top, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(rootfs);
		check_list(rootfs, res.lists.opaque);
		check_list(rootfs, res.lists.implied);
		check_names(fd_copy(rootfs));
	} else if (!e.msg) {
		abort();
	}
	layer_lists_done(&res.lists);
	tar_world_check();
	must(path_remove_tree(world, "top", NULL));
	return 0;
}
