/*
 * Runs a fuzzer's function once for each file named on the command line (directories: each file in
 * them): the corpus as a regression test, without libFuzzer.
 */
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"

#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void replay_file(const char *path)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *data = NULL;
	size_t len;

	if (file_read_at(AT_FDCWD, path, 16u << 20, &data, &len, &e) < 0)
		errx(1, "%s", err_text(&e));
	/* An exact copy, so that the sanitizer sees a read behind the end. */
	_cleanup_free_ void *exact = xmemdup(data, len);
	(void) LLVMFuzzerTestOneInput(exact, len);
	replayed++;
}

static void replay(const char *path)
{
	_cleanup_dir_ DIR *d = opendir(path);
	struct dirent *de;

	if (!d) {
		replay_file(path);
		return;
	}
	while ((de = readdir(d))) {
		_cleanup_free_ char *p = path_join(path, de->d_name);

		if (de->d_name[0] != '.')
			replay_file(p);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("replayed %u inputs\n", replayed);
	return replayed ? 0 : 1;
}
