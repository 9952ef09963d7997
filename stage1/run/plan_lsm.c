/*
 * The isolators os/linux/apparmor-profile and selinux-context: words for stage2, where this host has
 * the security module.  A profile that is not loaded is found by the kernel, which then refuses it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "stage1/run/plan.h"

static bool has_apparmor(const char *sys)
{
	_cleanup_free_ char *path = xasprintf("%s/module/apparmor/parameters/enabled", sys), *text = NULL;

	return file_read_line_at(AT_FDCWD, path, &text, NULL) == 0 && *text == 'Y';
}

static bool has_selinux(const char *sys)
{
	_cleanup_free_ char *path = xasprintf("%s/fs/selinux/enforce", sys);

	return access(path, F_OK) == 0;
}

static const char *part(const struct isolator *iso, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(iso->raw, key)->valuestring;
}

int plan_lsm(const struct isolator *iso, const struct host_facts *facts, struct app_record *rec, struct err *e)
{
	const char *sys = facts->sys ? facts->sys : "/sys";
	bool apparmor = iso->kind == ISO_APPARMOR;

	if (apparmor ? !has_apparmor(sys) : !has_selinux(sys))
		return err_set(e, EOPNOTSUPP, "isolator %s: this host has no %s", isolator_name(iso->kind),
			       apparmor ? "AppArmor" : "SELinux");
	if (apparmor)
		rec->apparmor = xstrdup(part(iso, "profile"));
	else
		rec->selinux = xasprintf("%s:%s:%s:%s", part(iso, "user"), part(iso, "role"), part(iso, "type"),
					 part(iso, "level"));
	return 0;
}
