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
/* More than any user is in; the kernel takes 65536 (NGROUPS_MAX). */
#define GROUPS_MAX 1024

static int read_file(int root, const char *file, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int fd =
		path_open_beneath(root, file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, PATH_IN_ROOT);
	struct stat st;
	int r;

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sysr(e, fd, "open %s", file);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", file);
	r = read_all(fd, FILE_LIMIT, ret, ret_len);
	return r < 0 ? err_sysr(e, r, "read %s", file) : 0;
}

static int find_name(int root, const char *file, const char *word, uid_t *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = read_file(root, file, &text, &len, e);

	if (r < 0)
		return r;
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

/* Added to those that the manifest names, each once. */
static void add_groups(struct app_record *rec, const gid_t *gids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < rec->n_gids && rec->gids[j] != gids[i])
			j++;
		if (j == rec->n_gids)
			app_record_add_gid(rec, gids[i]);
	}
}

/*
 * What a login would give: the primary group of the user's line, and the groups that list its name; also when the
 * user is said by number.  An image without such a line, or without the files, has none: group 0.
 */
static int login_groups(struct stage2 *s, int root, struct err *e)
{
	_cleanup_free_ char *passwd = NULL, *group = NULL;
	bool by_number = *s->rec.user >= '0' && *s->rec.user <= '9';
	struct passwd_user user;
	gid_t gids[GROUPS_MAX];
	size_t len;
	int r = read_file(root, "/etc/passwd", &passwd, &len, e);

	s->gid = 0;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* A name may be of digits: then it was found as one. */
	r = passwd_user(passwd, len, s->rec.user, 0, &user);
	if (r == -ENOENT && by_number)
		r = passwd_user(passwd, len, NULL, s->uid, &user);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(e, EINVAL, "/etc/passwd: the line of %s has no valid group", q(s->rec.user));
	s->gid = user.gid;
	r = read_file(root, "/etc/group", &group, &len, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	add_groups(&s->rec, gids,
		   passwd_groups_of(group, len, user.name, user.name_len, gids, ELEMENTSOF(gids)));
	return 0;
}

static void default_env(struct stage2 *s, const char *name, const char *value, size_t len)
{
	size_t n = strlen(name);

	for (char **v = s->rec.env; v && *v; v++)
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return;
	strv_push(&s->rec.env, xasprintf("%s=%.*s", name, (int) len, value));
}

/*
 * As Docker does: the home of the user's line, "/" without one (root's is rkt's then).  The words are the image's, and so is the
 * environment; nothing here is looked up by them.
 */
static int login_env(struct stage2 *s, int root, struct err *e)
{
	_cleanup_free_ char *passwd = NULL;
	struct passwd_user user = {0};
	size_t len;
	int r = read_file(root, "/etc/passwd", &passwd, &len, e);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0)
		r = passwd_user(passwd, len, s->rec.user, 0, &user);
	if (r == -ENOENT && passwd)
		(void) passwd_user(passwd, len, NULL, s->uid, &user);
	if (user.name_len) {
		default_env(s, "USER", user.name, user.name_len);
		default_env(s, "LOGNAME", user.name, user.name_len);
	}
	if (!user.home) {
		user.home = s->uid || user.name_len ? "/" : "/root";
		user.home_len = strlen(user.home);
	}
	default_env(s, "HOME", user.home, user.home_len);
	return 0;
}

static int find_user(struct stage2 *s, int root, struct err *e)
{
	int r = resolve(root, s->rec.user, false, &s->uid, e);

	if (r < 0)
		return r;
	if (s->rec.login_groups)
		return login_groups(s, root, e);
	r = resolve(root, s->rec.group, true, &s->gid, e);
	return r < 0 ? err_ctx(e, r, "group") : 0;
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
	r = find_user(s, root, e);
	if (r < 0)
		return r;
	/* CVE-2022-36109: a program that changes its group must not get rid of it, where others have more rights. */
	add_groups(&s->rec, &s->gid, 1);
	return s->rec.login_env ? login_env(s, root, e) : 0;
}
