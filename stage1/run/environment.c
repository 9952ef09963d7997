/*
 * The environment of an app (appc specification, "Execution Environment"; rkt's additions).
 */
#include "base/str.h"
#include "stage1/run/plan.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

char **plan_environment(const char *app_name, const struct nameval_list *vars, const char *term, bool login)
{
	struct nameval_list all = {0};
	char **env = NULL;

	nameval_set(&all, "PATH", DEFAULT_PATH);
	nameval_set(&all, "SHELL", "/bin/sh");
	if (!login) {
		nameval_set(&all, "USER", "root");
		nameval_set(&all, "LOGNAME", "root");
		nameval_set(&all, "HOME", "/root");
	}
	if (term)
		nameval_set(&all, "TERM", term);
	for (size_t i = 0; i < vars->n; i++)
		nameval_set(&all, vars->v[i].name, vars->v[i].value);
	/* These two are the runtime's word: an image cannot know them. */
	nameval_set(&all, "AC_APP_NAME", app_name);
	nameval_set(&all, "container", "gantry");
	for (size_t i = 0; i < all.n; i++)
		strv_push(&env, xasprintf("%s=%s", all.v[i].name, all.v[i].value));
	nameval_done(&all);
	return env;
}
