#include "stage1/net/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/net/plugin.h"

#define PIN_DIR RUN_DIR "/netns"

/* One that cannot be found is an error elsewhere. */
static bool is_foreign(const char *type, char *const *path, const char *ours)
{
	_cleanup_free_ char *file = NULL;

	return type && cni_plugin_find(path, type, &file, NULL) == 0 && !path_is_below(file, ours);
}

static bool is_namespace(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

bool net_pin_wanted(const cJSON *list, char *const *path, const char *netns)
{
	_cleanup_strv_ char **now = cni_plugin_path();

	if (!is_namespace(netns))
		return false;
	for (const cJSON *p = json_get(list, "plugins")->child; p; p = p->next)
		if (is_foreign(json_get_str(p, "type"), path, now[0]) ||
		    is_foreign(json_get_str(json_get(p, "ipam"), "type"), path, now[0]))
			return true;
	return false;
}

char *net_pin_name(const char *uuid, unsigned index)
{
	return xasprintf(PIN_DIR "/%s.%u", uuid, index);
}

bool net_pin_is_ours(const char *netns)
{
	return str_starts(netns, PIN_DIR "/");
}

int net_pin_make(const char *pin, const char *netns, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	int r = path_mkdirs(PIN_DIR, 0700, e);

	if (r < 0)
		return r;
	fd = open(pin, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create %s", pin);
	if (mount(netns, pin, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "bind mount %s at %s", netns, pin);
	return 0;
}

bool net_pin_is_there(const char *pin)
{
	return is_namespace(pin);
}

int net_pin_remove(const char *pin, struct err *e)
{
	/* EINVAL: not mounted.  Whoever is looking at the namespace does not keep it here. */
	if (umount2(pin, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_sys(e, "umount %s", pin);
	if (unlink(pin) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", pin);
	return 0;
}
