#include "stage0/cli/input.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"

int input_read(const char *path, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	r = read_all(fd, limit, ret, ret_len);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s: larger than %zu bytes", path, limit);
	return r < 0 ? err_sysr(e, r, "read %s", path) : 0;
}
