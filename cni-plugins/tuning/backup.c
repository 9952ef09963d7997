#include "cni-plugins/tuning/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define BACKUP_MAX 65536
#define SUFFIX ".json"

static char *backup_path(const struct cni_request *rq, const char *dir)
{
	return xasprintf("%s/%s_%s" SUFFIX, dir, rq->container_id, rq->ifname);
}

int backup_save(const struct cni_request *rq, const char *dir, const struct tuning_link *before,
		struct err *e)
{
	_cleanup_json_ cJSON *j = tuning_link_encode(before);
	_cleanup_free_ char *text = NULL, *path = backup_path(rq, dir);
	char owner[CNI_OWNER_MAX];
	int r = path_mkdirs(dir, 0700, e);

	if (r < 0)
		return r;
	cni_owner(rq->name, rq->container_id, rq->ifname, owner);
	cJSON_AddStringToObject(j, "owner", owner);
	text = json_print(j, false);
	return file_write_at(AT_FDCWD, path, text, strlen(text), 0600, FILE_FAST, e);
}

static cJSON *read_backup(int dir, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	return file_read_at(dir, path, BACKUP_MAX, &text, &len, NULL) < 0
		       ? NULL
		       : json_parse(text, len, BACKUP_MAX, NULL);
}

bool backup_load(const struct cni_request *rq, const char *dir, struct tuning_link *ret)
{
	_cleanup_free_ char *path = backup_path(rq, dir);
	_cleanup_json_ cJSON *j = read_backup(AT_FDCWD, path);

	if (j && tuning_link_decode(j, JSON_TOP, ret, NULL) >= 0)
		return true;
	tuning_link_done(ret);
	return false;
}

int backup_remove(const struct cni_request *rq, const char *dir, struct err *e)
{
	_cleanup_free_ char *path = backup_path(rq, dir);

	return unlink(path) < 0 && errno != ENOENT ? err_sys(e, "remove %s", path) : 0;
}

static bool is_stale(const struct cni_request *rq, int dir, const char *name)
{
	_cleanup_json_ cJSON *j = str_ends(name, SUFFIX) ? read_backup(dir, name) : NULL;
	const char *owner = json_get_str(j, "owner");

	return owner && cni_owner_is_stale(owner, rq->name, &rq->valid);
}

int backup_gc(const struct cni_request *rq, const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *x;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "%s", dir);
	while (r >= 0 && (x = readdir(d)))
		if (is_stale(rq, fd, x->d_name) && unlinkat(fd, x->d_name, 0) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s/%s", dir, x->d_name);
	return r;
}
