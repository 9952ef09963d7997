#include "cni-plugins/skel/args.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

static bool is_true(const char *s)
{
	return !strcmp(s, "1") || !strcasecmp(s, "true");
}

/* Keys between gantry and its plugins: known to every one of them. */
static bool is_own(const char *key)
{
	return !strcmp(key, "NetnsEnding") || !strcmp(key, "Repair");
}

bool cni_args_flag(const char *args, const char *key)
{
	_cleanup_free_ char *value = NULL;
	struct cni_arg known[] = {{key, &value}};

	(void) cni_args_parse(args, known, ELEMENTSOF(known), NULL);
	return value && is_true(value);
}

static const struct cni_arg *find(const struct cni_arg *known, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(known[i].key, key))
			return &known[i];
	return NULL;
}

int cni_args_parse(const char *args, const struct cni_arg *known, size_t n, struct err *e)
{
	_cleanup_strv_ char **pairs = *args ? strv_split(args, ';') : NULL;
	const char *unknown = NULL;
	bool ignore = false;

	for (char **p = pairs; p && *p; p++) {
		char *eq = strchr(*p, '=');
		const struct cni_arg *a;

		if (!**p)
			continue;
		if (!eq || eq == *p)
			return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_ARGS: invalid pair %s",
				       q(*p));
		*eq = '\0';
		a = find(known, n, *p);
		if (a && a->value) {
			free(*a->value);
			*a->value = xstrdup(eq + 1);
		} else if (!strcmp(*p, "IgnoreUnknown")) {
			ignore = is_true(eq + 1);
		} else if (!a && !is_own(*p)) {
			unknown = *p;
		}
	}
	if (unknown && !ignore)
		return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_ARGS: unknown args %s", q(unknown));
	return 0;
}
