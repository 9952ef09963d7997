#include "stage0/pod/name.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/ac_name.h"

#define NAME_MAX_LEN 63 /* a label of the DNS, RFC 1035 section 2.3.4 */

bool pod_name_is_uuid_start(const char *word)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i = 0;

	for (; word[i] && form[i]; i++)
		if (form[i] == '-' ? word[i] != '-' : !strchr("0123456789abcdef", word[i]))
			return false;
	return !word[i];
}

const char *pod_name_check(const char *name)
{
	const char *why = ac_name_check(name);

	if (why)
		return why;
	if (strlen(name) > NAME_MAX_LEN)
		return "longer than 63 characters";
	return pod_name_is_uuid_start(name) ? "a UUID may begin like this" : NULL;
}

/* The directory of names, locked; made when missing. */
static int names_lock(int pods, struct err *e)
{
	if (mkdirat(pods, DATA_POD_NAMES, 0750) < 0 && errno != EEXIST)
		return err_sys(e, "create pods/" DATA_POD_NAMES);
	return lock_dir_at(pods, DATA_POD_NAMES, LOCK_EXCLUSIVE, true, e);
}

static int read_link(int dir, const char *name, char ret_uuid[UUID_LEN + 1])
{
	char text[UUID_LEN + 2];
	ssize_t n = readlinkat(dir, name, text, sizeof text);

	if (n < 0)
		return -errno;
	if (n != UUID_LEN)
		return -EINVAL;
	memcpy(ret_uuid, text, UUID_LEN);
	ret_uuid[UUID_LEN] = '\0';
	return uuid_check(ret_uuid) ? -EINVAL : 0;
}

int pod_name_look_up(int pods, const char *name, char ret_uuid[UUID_LEN + 1])
{
	_cleanup_free_ char *path = xasprintf(DATA_POD_NAMES "/%s", name);

	return read_link(pods, path, ret_uuid);
}

/* Whether a pod is there that has its name for good: not what a failed or killed start left. */
static bool is_taken(int pods, const char *uuid, enum pod_state *ret)
{
	_cleanup_pod_ struct pod p = POD_INIT;

	if (pod_open(pods, uuid, &p, NULL) < 0)
		return false;
	*ret = p.state;
	return PHASES_SHOWN & 1u << p.phase && p.state != POD_STATE_ABORTED_PREPARE;
}

static int taken(const char *name, const char *uuid, enum pod_state state, struct err *e)
{
	/* A second start of the same pod is what mostly comes here: it is not over with the first one's end. */
	if (state == POD_STATE_EXITED || state == POD_STATE_EXITED_GARBAGE)
		return err_set(e, EEXIST, "--pod-name %s: pod %s has that name, and has exited (gantry rm %s removes it)",
			       q(name), uuid, name);
	return err_set(e, EEXIST, "--pod-name %s: pod %s has that name", q(name), uuid);
}

int pod_name_is_free(int pods, const char *name, struct err *e)
{
	char uuid[UUID_LEN + 1];
	enum pod_state state;

	if (pod_name_look_up(pods, name, uuid) < 0 || !is_taken(pods, uuid, &state))
		return 0;
	return taken(name, uuid, state, e);
}

int pod_name_claim(const struct pod *p, const char *name, struct err *e)
{
	_cleanup_fd_ int dir = names_lock(p->pods, e);
	char uuid[UUID_LEN + 1];
	enum pod_state state;
	int r;

	if (dir < 0)
		return dir;
	if (symlinkat(p->uuid, dir, name) < 0) {
		if (errno != EEXIST)
			return err_sys(e, "create pods/" DATA_POD_NAMES "/%s", name);
		if (read_link(dir, name, uuid) == 0 && is_taken(p->pods, uuid, &state))
			return taken(name, uuid, state, e);
		if (unlinkat(dir, name, 0) < 0 || symlinkat(p->uuid, dir, name) < 0)
			return err_sys(e, "replace pods/" DATA_POD_NAMES "/%s", name);
	}
	r = file_write_at(p->dir, POD_NAME, name, strlen(name), 0644, FILE_FAST, e);
	if (r < 0)
		(void) unlinkat(dir, name, 0);
	return r;
}

char *pod_name_of(const struct pod *p)
{
	char *name = NULL;

	if (file_read_line_at(p->dir, POD_NAME, &name, NULL) < 0)
		return NULL;
	/* After a power cut it may be anything. */
	if (!pod_name_check(name))
		return name;
	free(name);
	return NULL;
}

void pod_name_release(const struct pod *p)
{
	_cleanup_free_ char *name = pod_name_of(p);
	char uuid[UUID_LEN + 1];
	int dir;

	if (!name)
		return;
	dir = names_lock(p->pods, NULL);
	/* A pod that took the name over from an unfinished one keeps it. */
	if (dir >= 0 && read_link(dir, name, uuid) == 0 && !strcmp(uuid, p->uuid))
		(void) unlinkat(dir, name, 0);
	(void) fd_close(dir);
}

void pod_names_sweep(int pods)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(pods, DATA_POD_NAMES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	d = lock_fd(fd, LOCK_EXCLUSIVE, true) < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return;
	}
	while ((de = readdir(d))) {
		_cleanup_pod_ struct pod p = POD_INIT;
		char uuid[UUID_LEN + 1];

		if (read_link(fd, de->d_name, uuid) == 0 &&
		    pod_open(pods, uuid, &p, NULL) == -ENOENT)
			(void) unlinkat(fd, de->d_name, 0);
	}
}
