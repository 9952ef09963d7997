/*
 * Standard input, output and error of the apps.
 *
 * Without --interactive an app reads nothing and what it prints is logged; annotations of the pod
 * manifest may say otherwise (rkt's, "coreos.com/rkt/stage2/stdin" and its kin).  With it, the one app
 * of the pod has the caller's input: by a terminal of its own where that is a terminal, else by a pipe.
 */
#include <errno.h>

#include "base/str.h"
#include "stage1/run/plan.h"

#define ANNOTATION "coreos.com/rkt/stage2/"

static const char *const stream_names[3] = {"stdin", "stdout", "stderr"};

int plan_interactive(size_t n_apps, const struct entry_args *args, const struct host_facts *facts,
		     struct plan *plan, struct err *e)
{
	if (!args->interactive)
		return 0;
	if (n_apps > 1)
		return err_set(e, EINVAL, "interactive option only supports pods with one app");
	if (!args->foreground)
		return err_set(e, EINVAL, "--interactive needs --foreground");
	plan->interactive = true;
	plan->terminal = facts->terminal;
	return 0;
}

/* What the mode comes to in this pod; STREAM_MAX: nobody could serve the other end of it. */
static enum pod_stream stream_of(const struct plan *plan, bool input, const char *mode)
{
	if (str_eq(mode, "null"))
		return input && plan->interactive ? STREAM_GIVEN : STREAM_NULL;
	if (str_eq(mode, "log"))
		return plan->terminal ? STREAM_GIVEN : STREAM_LOG;
	if (str_eq(mode, "tty"))
		return plan->terminal ? STREAM_GIVEN : STREAM_MAX;
	return input && plan->interactive ? STREAM_GIVEN : STREAM_MAX;
}

int plan_streams(const struct runtime_app *ra, const struct plan *plan, struct plan_app *pa, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(stream_names); i++) {
		_cleanup_free_ char *name = xasprintf(ANNOTATION "%s", stream_names[i]);
		const char *said = nameval_get(&ra->annotations, name);
		const char *mode = said ? said : i ? "log" : "null";

		if ((i == 0 && str_eq(mode, "log")) ||
		    (!str_eq(mode, "null") && !str_eq(mode, "log") && !str_eq(mode, "stream") &&
		     !str_eq(mode, "tty")))
			return err_set(e, EINVAL, "annotation %s: %s is none of %snull, stream, tty", name,
				       q(mode), i ? "log, " : "");
		pa->streams[i] = stream_of(plan, i == 0, mode);
		if (pa->streams[i] == STREAM_MAX)
			return err_set(e, EOPNOTSUPP, "%s mode %s: not supported by this version%s", stream_names[i],
				       mode, str_eq(mode, "tty") ? " without --interactive on a terminal" : "");
	}
	pa->record.tty = plan->terminal;
	return 0;
}
