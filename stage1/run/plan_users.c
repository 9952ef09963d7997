/*
 * --private-users: what a pod with ids of its own cannot have is told before anything is made.
 */
#include <errno.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage1/run/plan.h"

/* What rkt gives, and less than which images take for granted (nobody is 65534). */
#define IDS_MIN 65536

static int check_id(const struct plan *plan, const char *what, uint64_t id, struct err *e)
{
	if (id < plan->ids.count)
		return 0;
	return err_set(e, ERANGE, "--private-users: %s %llu is not among the pod's ids, which end with %u", what,
		       (unsigned long long) id, plan->ids.count - 1);
}

/* Only digits: names are the image's to resolve. */
static int check_word(const struct plan *plan, const char *what, const char *word, struct err *e)
{
	uid_t id;

	return parse_uid(word, &id) < 0 ? 0 : check_id(plan, what, id, e);
}

static int check_app(const struct plan *plan, const struct app_record *rec, struct err *e)
{
	int r = check_word(plan, "user", rec->user, e);

	if (r == 0 && !rec->login_groups)
		r = check_word(plan, "group", rec->group, e);
	for (size_t i = 0; r == 0 && i < rec->n_gids; i++)
		r = check_id(plan, "supplementary group", rec->gids[i], e);
	return r;
}

int plan_users(struct plan *plan, struct err *e)
{
	int r = 0;

	if (!plan->ids.count)
		return 0;
	if (plan->ids.count < IDS_MIN)
		return err_set(e, ERANGE, "--private-users: a pod needs %d ids, not %u", IDS_MIN, plan->ids.count);
	for (size_t i = 0; r == 0 && i < plan->n_volumes; i++) {
		const struct plan_volume *v = &plan->volumes[i];

		r = check_id(plan, "owner", v->uid, e);
		if (r == 0)
			r = check_id(plan, "group", v->gid, e);
		if (r < 0)
			return err_ctx(e, r, "%s", v->path);
	}
	for (size_t i = 0; i < plan->n_apps; i++) {
		r = check_app(plan, &plan->apps[i].record, e);
		if (r < 0)
			return err_ctx(e, r, "app %s", plan->apps[i].name);
	}
	return 0;
}
