/*
 * The isolator os/unix/sysctl.  Only what the kernel keeps for each namespace, and only where the pod has
 * that namespace for itself: anything else would be a setting of the host, and the pod is refused
 * (CVE-2022-0811 is what comes of less).
 */
#include <errno.h>

#include "base/str.h"
#include "stage1/run/plan.h"

static const struct {
	const char *key; /* with a dot or a star at its end: what begins so */
	bool net;	 /* of the network namespace, else of IPC (sysctl(5), namespaces(7)) */
} allowed[] = {
	{"net.", true},
	{"kernel.shm*", false},
	{"kernel.msg*", false},
	{"kernel.sem", false},
	{"fs.mqueue.", false},
};

static bool matches(const char *pattern, const char *key)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return !strncmp(pattern, key, n - 1) && !strchr(key + n - 1, '.');
	return pattern[n - 1] == '.' ? str_starts(key, pattern) : str_eq(pattern, key);
}

static int check_key(const char *key, const struct plan *plan, struct err *e)
{
	const char *name = isolator_name(ISO_SYSCTL);

	for (size_t i = 0; i < ELEMENTSOF(allowed); i++) {
		if (!matches(allowed[i].key, key))
			continue;
		if (allowed[i].net ? plan->private_net : plan->private_ipc)
			return 0;
		return err_set(e, EPERM, "isolator %s: %s would be the host's, whose %s the pod shares", name, q(key),
			       allowed[i].net ? "network" : "IPC");
	}
	return err_set(e, EPERM, "isolator %s: %s is not a setting of a pod alone", name, q(key));
}

int plan_sysctls(const struct isolator *iso, struct plan *plan, struct err *e)
{
	for (const cJSON *c = iso->raw->child; c; c = c->next) {
		int r = check_key(c->string, plan, e);

		if (r < 0)
			return r;
		strv_push(&plan->sysctls, xasprintf("%s=%s", c->string, c->valuestring));
	}
	return 0;
}
