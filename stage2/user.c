/*
 * Who the app runs as.  The record has words; they are looked up inside the final root in the order
 * of the specification: a name of the image, then digits, then a path whose owner is meant.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/path.h"
#include "stage2/passwd.h"
#include "stage2/stage2.h"

/*
 * CVE-2024-9676: a link, FIFO or endless file in the image must neither hang us nor fill the
 * memory.
 */
#define FILE_LIMIT (1u << 20)

static int find_name(int root, const char *file, const char *word, uid_t *ret, struct err *e)
{
	_cleanup_fd_ int fd =
		path_open_beneath(root, file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, PATH_IN_ROOT);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sysr(e, fd, "open %s", file);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", file);
	r = read_all(fd, FILE_LIMIT, &text, &len);
	if (r < 0)
		return err_sysr(e, r, "read %s", file);
	r = passwd_find(text, len, word, ret);
	if (r == -EINVAL)
		return err_set(e, EINVAL, "%s: the line of %s has no valid id", file, q(word));
	return r;
}

static int find_owner(int root, const char *path, bool group, uid_t *ret, struct err *e)
{
	_cleanup_fd_ int fd = path_open_beneath(root, path, O_PATH, 0, PATH_IN_ROOT);
	struct stat st;

	/* In lower case: the words that rkt's users know. */
	if (fd == -ENOENT)
		return err_set(e, ENOENT, "owner of %s: no such file or directory", q(path));
	if (fd < 0)
		return err_sysr(e, fd, "owner of %s", q(path));
	if (fstat(fd, &st) < 0)
		return err_sys(e, "owner of %s", q(path));
	*ret = group ? st.st_gid : st.st_uid;
	return 0;
}

static int resolve(int root, const char *word, bool group, uid_t *ret, struct err *e)
{
	const char *file = group ? "/etc/group" : "/etc/passwd";
	int r = find_name(root, file, word, ret, e);

	if (r != -ENOENT)
		return r;
	if (*word == '/')
		return find_owner(root, word, group, ret, e);
	/* There is always one, also in an image with no file that says so (rkt). */
	if (!strcmp(word, "root")) {
		*ret = 0;
		return 0;
	}
	if (*word < '0' || *word > '9')
		return err_set(e, ENOENT, "%s %s not found in %s of the image", q(word),
			       group ? "group" : "user", file);
	/* CVE-2026-30892: digits as a whole, and never the number that means "no change". */
	if (parse_uid(word, ret) < 0)
		return err_set(e, EINVAL, "%s is not an id", q(word));
	return 0;
}

int step_user(struct stage2 *s, struct err *e)
{
	_cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	/* Handlers prepare and tidy up for an app that may do neither: as root, within its limits. */
	if (s->phase == PHASE_HANDLER)
		return 0;
	if (root < 0)
		return err_sys(e, "open /");
	r = resolve(root, s->rec.user, false, &s->uid, e);
	if (r < 0)
		return r;
	r = resolve(root, s->rec.group, true, &s->gid, e);
	return r < 0 ? err_ctx(e, r, "group") : 0;
}
