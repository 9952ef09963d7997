/*
 * Where archives of fuzzers are unpacked: `top` in a directory of its own, beside a file that nobody may touch.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/unpack.h"

static int world = -EBADF; /* holds the tree and a file that is not to be touched */

static void must(int r)
{
	if (r < 0)
		abort();
}

static void clean_up(void)
{
	char path[64], link[64];
	ssize_t n;

	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", world);
	n = readlink(link, path, sizeof path - 1);
	if (n > 0) {
		path[n] = '\0';
		(void) path_remove_tree(AT_FDCWD, path, NULL);
	}
}

static void tar_world_begin(void)
{
	char dir[] = "/tmp/gantry-fuzz-XXXXXX";
	struct err e = ERR_INIT;

	must(unpack_init(&e));
	(void) umask(0);
	if (!mkdtemp(dir))
		abort();
	world = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(world);
	(void) fd_close(openat(world, "precious", O_CREAT | O_WRONLY | O_CLOEXEC, 0640));
	atexit(clean_up);
}

/* Nothing but `top` was touched. */
static void tar_world_check(void)
{
	_cleanup_dir_ DIR *d = fdopendir(openat(world, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *de;
	struct stat st;

	must(fstatat(world, "precious", &st, AT_SYMLINK_NOFOLLOW));
	if (st.st_mode != (S_IFREG | 0640) || st.st_size || st.st_nlink != 1)
		abort();
	while ((de = readdir(d)))
		if (de->d_name[0] != '.' && strcmp(de->d_name, "precious") && strcmp(de->d_name, "top"))
			abort();
}
