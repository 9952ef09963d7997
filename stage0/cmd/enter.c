/*
 * gantry enter: a command in the namespaces, the cgroup and under the confinement of an app.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/stage1.h"
#include "stage0/pod/status.h"

#define DEFAULT_COMMAND "/bin/bash"

struct target {
	char *app, *user, *group;
};

static const struct opt opts[] = {
	{.name = "app", .type = OPT_STRING, .offset = offsetof(struct target, app), .arg = "NAME",
	 .help = "which app; not needed when there is one"},
	{.name = "user", .type = OPT_STRING, .offset = offsetof(struct target, user), .arg = "USER",
	 .help = "user instead of the app's own"},
	{.name = "group", .type = OPT_STRING, .offset = offsetof(struct target, group),
	 .arg = "GROUP",
	 .help = "group instead of the app's own"},
};

static int choose_app(const struct pod_status *s, const char *wanted, const char **ret,
		      struct err *e)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < s->n_apps; i++) {
		const char *name = s->apps[i].app->name;

		if (wanted && !strcmp(name, wanted)) {
			*ret = name;
			return 0;
		}
		strbuf_addf(&names, "%s%s", i ? ", " : "", name);
	}
	if (wanted)
		return err_set(e, ENOENT, "no app %s in the pod (it has: %s)", q(wanted),
			       names.buf ? names.buf : "");
	if (s->n_apps != 1)
		return err_set(e, EINVAL, "the pod has several apps, use --app (one of: %s)",
			       names.buf ? names.buf : "");
	*ret = s->apps[0].app->name;
	return 0;
}

/* A pod may have its lock long before its apps run: rkt waits, too, as long as the pod is there. */
static int wait_for_app(const struct pod *p, struct pod_status *st, const char *app, struct err *e)
{
	for (size_t i = 0; i < st->n_apps; i++)
		if (!strcmp(st->apps[i].app->name, app) && st->pid && st->apps[i].started_ns)
			return 0;
	return pod_wait_ready(p, app, -1, e);
}

static int exec_enter(const struct stage1 *s, struct entry_args *args, const struct pod *p,
		      struct err *e)
{
	_cleanup_strv_ char **argv = NULL, **env = stage1_environment(-EBADF);
	int r = stage1_argv(s, ENTRY_ENTER, args, &argv, e);

	if (r < 0)
		return r;
	if (fchdir(p->dir) < 0)
		return err_sys(e, "change to the pod directory");
	return exec_fds(-EBADF, s->programs[ENTRY_ENTER], argv, env, NULL, 0, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	static char *const default_command[] = {(char *) DEFAULT_COMMAND, NULL};
	struct target *t = target;
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_pod_status_ struct pod_status st = {0};
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	char *const *command;
	const char *app = NULL;
	pid_t pid = 0;
	int r;

	if (!strv_len(words))
		return err_set(e, EINVAL, "must provide a pod UUID");
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pod_find(pods, words[0], &p, e);
	if (r < 0)
		return r;
	if (p.state != POD_STATE_RUNNING)
		return err_set(e, ESRCH, "pod \"%s\" isn't currently running", p.uuid);
	r = pod_status_read(&p, &st, e);
	if (r == 0)
		r = choose_app(&st, t->app, &app, e);
	if (r == 0)
		r = wait_for_app(&p, &st, app, e);
	if (r == 0)
		r = pod_pid(&p, &pid, e);
	if (r == 0)
		r = stage1_of_pod(p.dir, &s, e);
	if (r < 0)
		return r;
	command = words + 1;
	/* Not a program: what one writes before a command that begins with a dash. */
	if (*command && !strcmp(*command, "--"))
		command++;
	if (!*command)
		log_info("no command specified, assuming \"" DEFAULT_COMMAND "\"");
	struct entry_args args = {
		.pid = pid,
		.app = (char *) app,
		.user = t->user,
		.group = t->group,
		.debug = g->debug,
		.command = (char **) (*command ? command : default_command),
	};
	return exec_enter(&s, &args, &p, e);
}

static void done(void *target)
{
	struct target *t = target;

	free(t->app);
	free(t->user);
	free(t->group);
}

const struct command cmd_enter = {
	.name = "enter",
	.usage = "[options] UUID|NAME [CMD [ARG...]]",
	.summary = "run a command inside an app of a running pod",
	.details = "\tThe command gets what the app has and nothing more: its namespaces, cgroup,\n"
		   "\tcapabilities, system call filter and user. Its exit status is gantry's.\n",
	COMMAND_OPTS(opts),
	.needs_root = true,
	.stop_at_word = true,
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
