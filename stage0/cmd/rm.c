/*
 * gantry rm: take back pods that do not run.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"

struct target {
	char *uuid_file;
};

static const struct opt opts[] = {
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
};

/* Why a pod in this state is left alone, in rkt's words; NULL: it may go. */
static const char *in_the_way(enum pod_state state)
{
	switch (state) {
	case POD_STATE_RUNNING:
		return "is currently running";
	case POD_STATE_PREPARING:
		return "is currently being prepared";
	case POD_STATE_EXITED_DELETING:
		return "is currently being deleted";
	default:
		return NULL;
	}
}

static int remove_pod(const struct gantry *g, int pods, const char *word, struct err *e)
{
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_find(pods, word, &p, e);

	if (r < 0)
		return r;
	if (in_the_way(p.state))
		return err_set(e, EBUSY, "pod \"%s\" %s", p.uuid, in_the_way(p.state));
	/* Locked and in its place: now it cannot become running any more. */
	r = pod_lock(&p);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "pod \"%s\" was started or removed meanwhile", p.uuid);
	if (r < 0)
		return err_set(e, EBUSY, "pod \"%s\" is in use", p.uuid);
	if (p.phase == PHASE_RUN)
		r = pod_move(&p, PHASE_EXITED_GARBAGE, false, e);
	else if (p.phase != PHASE_EXITED_GARBAGE)
		r = pod_move(&p, PHASE_GARBAGE, false, e);
	if (r == 0)
		r = pod_remove(g, &p, e);
	if (r < 0)
		return err_ctx(e, r, "pod %s", p.uuid);
	printf("\"%s\"\n", p.uuid);
	return 0;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_fd_ int pods = -EBADF;
	int failed = 0, r = pod_words(words, t->uuid_file, &uuids, e);

	if (r < 0)
		return r;
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	for (char **u = uuids; *u; u++) {
		_cleanup_err_ struct err why = ERR_INIT;

		if (remove_pod(g, pods, *u, &why) == 0)
			continue;
		log_error("%s", err_text(&why));
		failed++;
	}
	return failed ? err_set(e, EIO, "failed to remove one or more pods") : 0;
}

static void done(void *target)
{
	free(((struct target *) target)->uuid_file);
}

const struct command cmd_rm = {
	.name = "rm",
	.usage = "UUID|NAME... | --uuid-file=PATH",
	.summary = "remove pods that do not run",
	COMMAND_OPTS(opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
