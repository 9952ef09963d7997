/*
 * The compiled system call filter of each app, and its copy for `enter`.
 */
#include <errno.h>
#include <unistd.h>

#include "contract/layout.h"
#include "stage1/run/programs.h"
#include "stage1/run/sandbox.h"
#include "stage1/seccomp/cache.h"

/* As the trees of the store: beside pods/run/UUID. */
#define CACHE_DIR "../../../" DATA_SECCOMP

static int app_filter(struct sandbox *sb, const struct plan_app *pa, const char *worker,
		      struct sandbox_app *sa, struct err *e)
{
	_cleanup_free_ char *copy = xasprintf(POD_APPSINFO "/%s/" APP_SECCOMP, pa->name);
	struct seccomp_program p = SECCOMP_PROGRAM_INIT;
	int r = seccomp_program(pa->isolators, pa->record.caps_bounding, CACHE_DIR, worker, &p, e);

	/* The app gets the copy, which is the program and nothing else: the cache's file has more in it. */
	if (r == 0 && p.bytes) {
		sa->seccomp = sandbox_put(sb, copy, p.bytes, p.len, 0640, e);
		r = sa->seccomp < 0 ? sa->seccomp : 0;
	}
	if (r == 0 && sa->seccomp >= 0 && lseek(sa->seccomp, 0, SEEK_SET) < 0)
		r = err_sys(e, "rewind %s", copy);
	seccomp_program_done(&p);
	return r;
}

int sandbox_filters(struct sandbox *sb, struct err *e)
{
	const char *dir = programs_dir(e);
	_cleanup_free_ char *worker = dir ? xasprintf("%s/seccomp", dir) : NULL;
	int r = dir ? 0 : -1;

	for (size_t i = 0; r == 0 && i < sb->plan->n_apps; i++) {
		const struct plan_app *pa = &sb->plan->apps[i];

		if (pa->record.seccomp)
			r = app_filter(sb, pa, worker, &sb->apps[i], e);
		if (r < 0)
			return err_ctx(e, r, "app %s: seccomp", pa->name);
	}
	return r;
}
