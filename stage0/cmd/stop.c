/*
 * gantry stop: the stage1's stop program asks the pod to end (or ends it), and waits, bounded.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/stage1.h"

struct target {
	bool force;
	char *uuid_file;
};

static const struct opt opts[] = {
	{.name = "force", .type = OPT_FLAG, .offset = offsetof(struct target, force),
	 .help = "kill the pod's processes"},
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
};

static int stop_pod(const struct gantry *g, const struct target *t, int pods, const char *word,
		    struct err *e)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_find(pods, word, &p, e);

	if (r < 0)
		return r;
	if (p.state == POD_STATE_EXITED || p.state == POD_STATE_EXITED_GARBAGE ||
	    p.state == POD_STATE_EXITED_DELETING) {
		log_info("pod \"%s\" is already stopped", p.uuid);
		return 0;
	}
	if (p.state != POD_STATE_RUNNING)
		return err_set(e, EINVAL, "pod \"%s\" is not running", p.uuid);
	r = stage1_of_pod(p.dir, &s, e);
	if (r == 0) {
		struct entry_args args = {.uuid = p.uuid, .force = t->force, .debug = g->debug};

		r = stage1_call(&s, ENTRY_STOP, &args, &p, e);
	}
	if (r > 0)
		return err_set(e, EIO, "error stopping pod \"%s\"", p.uuid);
	if (r == 0)
		printf("\"%s\"\n", p.uuid);
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_fd_ int pods = -EBADF;
	int failed = 0, r = pod_words_or_exit(words, t->uuid_file, &uuids, e);

	if (r != 0)
		return r;
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	for (char **u = uuids; *u; u++) {
		_cleanup_err_ struct err why = ERR_INIT;

		if (stop_pod(g, t, pods, *u, &why) == 0)
			continue;
		log_error("%s", err_text(&why));
		failed++;
	}
	return failed ? EXIT_FAILED : 0;
}

static void done(void *target)
{
	free(((struct target *) target)->uuid_file);
}

const struct command cmd_stop = {
	.name = "stop",
	.usage = "[--force] UUID|NAME... | --uuid-file=PATH",
	.summary = "stop running pods",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
