/* The last steps: the working directory, finding the program as execvp(3) would, executing it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "stage2/explain.h"
#include "stage2/stage2.h"

/* Where an app without PATH looks: the current directory, then what confstr(3) says of _CS_PATH. */
#define PATH_WITHOUT ":/bin:/usr/bin"

int step_cwd(struct stage2 *s, struct err *e)
{
	char cwd[PATH_MAX];

	if (chdir(s->rec.cwd) < 0)
		return err_sys(e, "change directory to %s", q(s->rec.cwd));
	/* Outside the root it would not begin with a slash (getcwd(2), CVE-2024-21626). */
	if (!getcwd(cwd, sizeof cwd) || *cwd != '/')
		return err_set(e, EXDEV, "%s is outside the root", q(s->rec.cwd));
	return 0;
}

static const char *get_env(const struct stage2 *s, const char *name)
{
	size_t n = strlen(name);

	for (char **v = s->rec.env; v && *v; v++)
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

/* A regular file that this user may execute: 0 or -errno. */
static int is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* The real ids are the app's by now. */
	return access(path, X_OK) < 0 ? -errno : 0;
}

static int search(struct stage2 *s, const char *path)
{
	_cleanup_strv_ char **dirs = strv_split(path, ':');
	int result = -ENOENT;

	for (size_t i = 0; dirs[i]; i++) {
		_cleanup_free_ char *candidate = path_join(*dirs[i] ? dirs[i] : ".", s->argv[0]);
		int r = is_program(candidate);

		if (r == 0) {
			s->program = take_ptr(candidate);
			return 0;
		}
		/* As execvp(3): found but not allowed is the better answer. */
		if (r == -EACCES)
			result = r;
	}
	return result;
}

int step_program(struct stage2 *s, struct err *e)
{
	const char *path = get_env(s, "PATH");
	int r;

	if (strchr(s->argv[0], '/')) {
		s->program = xstrdup(s->argv[0]);
		r = is_program(s->program);
	} else {
		r = search(s, path ? path : PATH_WITHOUT);
	}
	return r < 0 ? explain_missing(s->argv[0], -r, e) : 0;
}

int step_exec(struct stage2 *s, struct err *e)
{
	static char *const empty[] = {NULL};

	(void) execve(s->program, s->argv, s->rec.env ? s->rec.env : empty);
	return explain_exec(s->program, errno, e);
}
