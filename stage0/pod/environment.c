#include "stage0/pod/environment.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/cli/input.h"

#define ENV_FILE_MAX (1u << 20)

/* "K=V" into `from`; `where` names the option or file and line. */
static int add_pair(const char *pair, struct nameval_list *from, const char *where, struct err *e)
{
	const char *eq = strchr(pair, '=');
	_cleanup_free_ char *name = eq ? xstrndup(pair, (size_t) (eq - pair)) : NULL;
	const char *why = name ? ac_env_name_check(name) : "expected NAME=VALUE";

	if (why)
		return err_set(e, EINVAL, "%s: %s: %s", where, q(name ? name : pair), why);
	if (nameval_get(from, name))
		return err_set(e, EINVAL, "%s: environment variable %s is there twice", where,
			       q(name));
	nameval_set(from, name, eq + 1);
	return 0;
}

/* Empty lines and those that begin with # or ; are skipped. */
static int add_file(const char *path, struct nameval_list *from, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	size_t len;
	int r = input_read(path, ENV_FILE_MAX, &text, &len, e);

	if (r < 0)
		return err_ctx(e, r, "--set-env-file");
	/* What stands behind one would be lost without a word. */
	if (memchr(text, '\0', len))
		return err_set(e, EINVAL, "--set-env-file %s: holds a NUL byte", q(path));
	lines = strv_split(text, '\n');
	for (size_t i = 0; lines[i] && r == 0; i++) {
		_cleanup_free_ char *where =
			xasprintf("--set-env-file %s: line %zu", q(path), i + 1);

		if (*lines[i] && *lines[i] != '#' && *lines[i] != ';')
			r = add_pair(lines[i], from, where, e);
	}
	return r;
}

static void override(struct nameval_list *env, const struct nameval_list *with)
{
	for (size_t i = 0; i < with->n; i++)
		nameval_set(env, with->v[i].name, with->v[i].value);
}

/*
 * What the caller has, below everything else; names that appc does not allow cannot be handed on.
 */
static void inherit(struct nameval_list *env)
{
	for (char **v = environ; v && *v; v++) {
		const char *eq = strchr(*v, '=');
		_cleanup_free_ char *name = eq ? xstrndup(*v, (size_t) (eq - *v)) : NULL;

		if (name && !ac_env_name_check(name) && !nameval_get(env, name))
			nameval_set(env, name, eq + 1);
	}
}

int environment_apply(const struct pod_request *req, const struct app_request *a,
		      struct nameval_list *env, struct err *e)
{
	struct nameval_list file = {0}, pod = {0}, own = {0};
	int r = 0;

	for (char **f = req->set_env_file; f && *f && r == 0; f++)
		r = add_file(*f, &file, e);
	for (char **p = req->set_env; p && *p && r == 0; p++)
		r = add_pair(*p, &pod, "--set-env", e);
	for (char **p = a->environment; p && *p && r == 0; p++)
		r = add_pair(*p, &own, "--environment", e);
	if (r == 0) {
		if (req->inherit_env)
			inherit(env);
		override(env, &file);
		override(env, &pod);
		override(env, &own);
	}
	nameval_done(&file);
	nameval_done(&pod);
	nameval_done(&own);
	return r;
}
