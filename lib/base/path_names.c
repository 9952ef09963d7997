#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

int path_names(int dir, bool (*wanted)(const char *name), size_t max, char ***ret, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	/* Not a copy of the descriptor: reading would move its place, too. */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open directory");
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read directory");
	}
	while ((de = readdir(d)))
		if (wanted(de->d_name))
			strv_add(&names, de->d_name);
	if (strv_len(names) > max)
		return err_set(e, E2BIG, "more than %zu files", max);
	strv_sort(names);
	*ret = take_ptr(names);
	return 0;
}
