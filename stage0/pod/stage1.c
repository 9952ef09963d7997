#include "stage0/pod/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/image_manifest.h"
#include "stage0/context.h"
#include "stage0/pod/pod.h"

void stage1_done(struct stage1 *s)
{
	free(s->dir);
	free(s->name);
	for (int i = 0; i < ENTRY_MAX; i++)
		free(s->programs[i]);
	free(s->image_id);
	free(s->tree_id);
	free(s->manifest);
	*s = (struct stage1) STAGE1_INIT;
}

/* A program's place: an absolute path in the stage1's root, nothing else than itself. */
static int take_program(const struct image_manifest *m, int point, struct stage1 *s, struct err *e)
{
	const char *program = nameval_get(&m->annotations, entry_annotation(point));
	_cleanup_free_ char *clean = NULL;

	if (!program)
		return 0;
	if (*program != '/')
		return err_set(e, EINVAL, "%s: %s is not an absolute path", entry_annotation(point),
			       q(program));
	clean = path_clean(program);
	if (strcmp(clean, program) || !program[1])
		return err_set(e, EINVAL, "%s: %s is not a clean path", entry_annotation(point),
			       q(program));
	s->programs[point] = xasprintf("%s/" TREE_ROOTFS "%s", s->dir, program);
	return 0;
}

int stage1_take_manifest(const char *text, size_t len, struct stage1 *s, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = image_manifest_parse(text, len, e);
	const char *version, *interface;
	uint64_t n = 1;
	int r = 0;

	if (!m)
		return -EINVAL;
	interface = nameval_get(&m->annotations, ENTRY_VERSION_ANNOTATION);
	if (interface && (parse_u64(interface, 1000, &n) < 0 || n < 1))
		return err_set(e, EINVAL, "bad interface version %s", q(interface));
	s->interface = (unsigned) n;
	version = nameval_get(&m->labels, "version");
	s->name = xasprintf("%s%s%s", m->name, version ? ":" : "", version ? version : "");
	for (int i = 0; i < ENTRY_MAX && r == 0; i++)
		r = take_program(m, i, s, e);
	return r;
}

int stage1_from_directory(const char *dir, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *path = path_join(dir, "manifest"), *text = NULL;
	size_t len;
	int r = file_read_at(AT_FDCWD, path, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	ret->dir = xstrdup(dir);
	r = stage1_take_manifest(text, len, ret, e);
	return r < 0 ? err_ctx(e, r, "%s", path) : 0;
}

int stage1_default(const struct gantry *g, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *dir = path_join(g->libexec, STAGE1_DEFAULT);
	int r = stage1_from_directory(dir, ret, e);

	return r < 0 ? err_ctx(e, r, "stage1") : 0;
}

int stage1_check(const struct stage1 *s, struct err *e)
{
	if (!s->programs[ENTRY_RUN])
		return err_set(e, EINVAL, "%s is no stage1: its manifest has no annotation %s",
			       s->name, entry_annotation(ENTRY_RUN));
	for (int i = 0; i < ENTRY_MAX; i++)
		if (s->programs[i] && access(s->programs[i], X_OK) < 0)
			return err_sys(e, "stage1 %s: program %s", s->name, s->programs[i]);
	return 0;
}

/* Its directory, its name, its interface version: a line each. */
static int read_record(int pod_dir, char ***ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_line_at(pod_dir, POD_STAGE1, &text, e);

	if (r == 0)
		*ret = strv_split(text, '\n');
	return r;
}

/* Of an image: what the pod kept of it. */
static int from_pod_manifest(int pod_dir, const char *dir, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(pod_dir, POD_STAGE1_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	ret->dir = xstrdup(dir);
	r = stage1_take_manifest(text, len, ret, e);
	return r < 0 ? err_ctx(e, r, POD_STAGE1_MANIFEST) : 0;
}

static int from_record(int pod_dir, char *const *lines, struct stage1 *ret, struct err *e)
{
	const char *dir = lines[0];

	/*
	 * After a power cut it may be empty: then what lies in our own directory must not be taken
	 * for one.
	 */
	if (!path_is_absolute(dir))
		return err_set(e, EINVAL, "%s is not an absolute path", q(dir));
	/* An update of gantry that puts it elsewhere, a store that somebody emptied by hand. */
	if (faccessat(AT_FDCWD, dir, F_OK, 0) < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "%s is not there any more (the pod was made with %s)",
			       dir, lines[1] ? q(lines[1]) : "it");
	if (faccessat(pod_dir, POD_STAGE1_MANIFEST, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return from_pod_manifest(pod_dir, dir, ret, e);
	return stage1_from_directory(dir, ret, e);
}

int stage1_of_pod(int pod_dir, struct stage1 *ret, struct err *e)
{
	_cleanup_strv_ char **lines = NULL;
	int r = read_record(pod_dir, &lines, e);

	if (r == 0)
		r = from_record(pod_dir, lines, ret, e);
	return r < 0 ? err_ctx(e, r, "stage1 of the pod") : 0;
}

/* In a pod that is being made: nobody reads it yet. */
static int put(int pod_dir, const char *name, const char *text, struct err *e)
{
	_cleanup_fd_ int fd = openat(pod_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "create %s", name);
	r = write_all(fd, text, strlen(text));
	return r < 0 ? err_sysr(e, r, "write %s", name) : 0;
}

int stage1_record(const struct stage1 *s, int pod_dir, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("%s\n%s\n%u\n", s->dir, s->name, s->interface);
	int r = 0;

	/* The tree's id first: from here on nobody takes the tree away. */
	if (s->tree_id)
		r = put(pod_dir, POD_STAGE1_TREE_ID, s->tree_id, e);
	if (r == 0 && s->manifest)
		r = put(pod_dir, POD_STAGE1_MANIFEST, s->manifest, e);
	return r < 0 ? r : put(pod_dir, POD_STAGE1, text, e);
}

int stage1_argv(const struct stage1 *s, enum entry_point point, const struct entry_args *args,
		char ***ret_argv, struct err *e)
{
	_cleanup_strv_ char **dropped = NULL;
	int r;

	if (!s->programs[point])
		return err_set(e, ENOTSUP, "gantry %s not implemented for pod's stage1",
			       entry_name(point));
	r = entry_argv(point, s->interface, s->programs[point], args, ret_argv, &dropped, e);
	if (r == 0 && strv_len(dropped)) {
		_cleanup_free_ char *list = strv_join(dropped, ", ");

		log_warning("the pod's stage1 does not know, left out: %s", list);
	}
	return r;
}

char **stage1_environment(int lock)
{
	static const char *const ours[] = {"CNI_", "GANTRY_FDS=", "GANTRY_LOCK_FD=",
					   "GANTRY_LOG_FD=", "GANTRY_LOG_NAME=", "RKT_LOCK_FD="};
	char **env = xcalloc(1, sizeof *env);

	for (char **v = environ; v && *v; v++) {
		size_t i = 0;

		while (i < ELEMENTSOF(ours) && !str_starts(*v, ours[i]))
			i++;
		if (i == ELEMENTSOF(ours))
			strv_add(&env, *v);
	}
	if (!strcmp(program_invocation_short_name, "rkt"))
		strv_add(&env, "GANTRY_LOG_NAME=stage1");
	if (lock >= 0) {
		strv_push(&env, xasprintf("GANTRY_LOCK_FD=%d", lock));
		strv_push(&env, xasprintf("RKT_LOCK_FD=%d", lock));
	}
	return env;
}

int stage1_call(const struct stage1 *s, enum entry_point point, const struct entry_args *args,
		const struct pod *p, struct err *e)
{
	_cleanup_strv_ char **argv = NULL, **env = NULL;
	const struct fd_name lock = {"lock", p->dir};
	struct spawn sp = SPAWN_INIT;
	pid_t pid;
	int st, r = stage1_argv(s, point, args, &argv, e);

	if (r < 0)
		return r;
	env = stage1_environment(-EBADF);
	sp.path = s->programs[point];
	sp.argv = argv;
	sp.env = env;
	sp.cwd_fd = p->dir;
	if (point == ENTRY_GC) {
		sp.fds = &lock;
		sp.n_fds = 1;
	}
	pid = proc_spawn(&sp, NULL, e);
	if (pid < 0)
		return err_ctx(e, pid, "stage1 %s", entry_name(point));
	st = proc_wait(pid);
	return st < 0 ? err_sysr(e, st, "wait for stage1 %s", entry_name(point)) : proc_status(st);
}
