/*
 * Apps that say when they are ready: those whose image has the annotation for it (appc
 * specification, "supports-systemd-notify").
 */
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/run/plan.h"

#define ANNOTATION "appc.io/executor/supports-systemd-notify"
#define PLACE "/run/systemd/notify"

/* In place of the caller's (--inherit-env), which is not to be had in the pod. */
static void set_variable(struct app_record *rec)
{
	char **env = NULL;

	for (char **v = rec->env; v && *v; v++)
		if (!str_starts(*v, "NOTIFY_SOCKET="))
			strv_add(&env, *v);
	strv_push(&env, xstrdup("NOTIFY_SOCKET=" PLACE));
	strv_free(rec->env);
	rec->env = env;
}

void plan_notify(const struct pod_app *a, size_t index, struct plan *plan, struct plan_app *pa)
{
	struct plan_mount *m;

	if (!str_eq(nameval_get(&a->image->annotations, ANNOTATION), "true"))
		return;
	/* Nothing is made in a volume that was not asked for. */
	if (plan_covered(pa, PLACE)) {
		strv_push(&plan->notes,
			  xasprintf("app %s: a volume covers " PLACE ": it is taken for ready when "
				    "it was started",
				    pa->name));
		return;
	}
	pa->notify = xasprintf(POD_ETC "/notify.%zu", index);
	m = plan_add_mount(pa);
	m->source = SOURCE_FILE;
	m->path = xstrdup(pa->notify);
	m->target = xstrdup(PLACE);
	set_variable(&pa->record);
}
