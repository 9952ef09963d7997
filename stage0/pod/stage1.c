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
	*s = (struct stage1) STAGE1_INIT;
}

static int read_manifest(const char *dir, struct stage1 *s, struct err *e)
{
	_cleanup_free_ char *path = path_join(dir, "manifest"), *text = NULL;
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	const char *version, *interface;
	uint64_t n = 1;
	size_t len;
	int r = file_read_at(AT_FDCWD, path, JSON_MANIFEST_MAX, &text, &len, e);

	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	if (!m)
		return err_ctx(e, -EINVAL, "%s", path);
	interface = nameval_get(&m->annotations, ENTRY_VERSION_ANNOTATION);
	if (interface && parse_u64(interface, 1000, &n) < 0)
		return err_set(e, EINVAL, "%s: bad interface version %s", path, q(interface));
	s->interface = (unsigned) n;
	version = nameval_get(&m->labels, "version");
	s->name = xasprintf("%s%s%s", m->name, version ? ":" : "", version ? version : "");
	for (int i = 0; i < ENTRY_MAX; i++) {
		const char *program = nameval_get(&m->annotations, entry_annotation(i));

		if (program && *program != '/')
			return err_set(e, EINVAL, "%s: %s: %s is not an absolute path", path,
				       entry_annotation(i), q(program));
		if (program)
			s->programs[i] = xasprintf("%s/rootfs%s", dir, program);
	}
	s->dir = xstrdup(dir);
	return 0;
}

int stage1_default(const struct gantry *g, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *dir = path_join(g->libexec, "stage1/ns");
	int r = read_manifest(dir, ret, e);

	return r < 0 ? err_ctx(e, r, "stage1") : 0;
}

int stage1_of_pod(int pod_dir, struct stage1 *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = file_read_line_at(pod_dir, POD_STAGE1, &text, e);

	if (r < 0)
		return err_ctx(e, r, "stage1 of the pod");
	text[strcspn(text, "\n")] = '\0';
	/*
	 * After a power cut it may be empty: then what lies in our own directory must not be taken
	 * for one.
	 */
	if (!path_is_absolute(text))
		return err_set(e, EINVAL, "stage1 of the pod: %s is not an absolute path", q(text));
	r = read_manifest(text, ret, e);
	return r < 0 ? err_ctx(e, r, "stage1 of the pod") : 0;
}

int stage1_record(const struct stage1 *s, int pod_dir, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("%s\n%s\n", s->dir, s->name);
	/* In a pod that is being made: nobody reads it yet. */
	_cleanup_fd_ int fd =
		openat(pod_dir, POD_STAGE1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "create " POD_STAGE1);
	r = write_all(fd, text, strlen(text));
	return r < 0 ? err_sysr(e, r, "write " POD_STAGE1) : 0;
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
					   "GANTRY_LOG_FD=", "RKT_LOCK_FD="};
	char **env = xcalloc(1, sizeof *env);

	for (char **v = environ; v && *v; v++) {
		size_t i = 0;

		while (i < ELEMENTSOF(ours) && !str_starts(*v, ours[i]))
			i++;
		if (i == ELEMENTSOF(ours))
			strv_add(&env, *v);
	}
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
