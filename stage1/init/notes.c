/*
 * What others read of us: files in the pod directory, lines on the status pipe.  No allocation:
 * names are made beforehand.  A file appears whole, by rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/layout.h"
#include "stage1/init/init.h"

/* Who may walk through the pod's directory may see how apps ended, not what they said. */
static const struct {
	const char *path;
	mode_t mode;
} dirs[NOTES_MAX] = {
	[NOTES_STATUS] = {POD_STATUS, 0755},
	[NOTES_STARTED] = {POD_STARTED, 0755},
	[NOTES_LOGS] = {POD_LOGS, 0750},
	[NOTES_HEALTH] = {POD_HEALTH, 0755},
};

/*
 * In a user namespace the way through the pod's directory is not ours to go: run has made the four for us
 * and opened them.  Moves *path on to what is to be looked for in the directory that is returned.
 */
static int place_of(const struct pod *pod, const char **path)
{
	for (size_t i = 0; i < NOTES_MAX && pod->dir < 0; i++) {
		size_t n = strlen(dirs[i].path);

		if (strncmp(*path, dirs[i].path, n) || (*path)[n] != '/')
			continue;
		*path += n + 1;
		return pod->notes[i];
	}
	return pod->dir;
}

static int open_note(const struct pod *pod, const char *path, int flags, mode_t mode)
{
	int dir = place_of(pod, &path);

	return openat(dir, path, flags | O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
}

static void rename_note(const struct pod *pod, const char *temp, const char *path)
{
	int from = place_of(pod, &temp), to = place_of(pod, &path);

	(void) renameat(from, temp, to, path);
}

static int open_log(struct pod *pod, struct app *a, struct err *e)
{
	a->log = open_note(pod, a->log_path, O_APPEND, 0640);
	return a->log < 0 ? err_sys(e, "open %s", a->log_path) : 0;
}

/*
 * The room for an app's exit status is taken while there is some: an app that fills the disk, with
 * its log if nothing else, must not be able to hide how it ended.  Where there is none, that is not
 * yet a loss.
 */
static void reserve_status(const struct pod *pod, const struct app *a)
{
	_cleanup_fd_ int fd = open_note(pod, a->status_temp, O_TRUNC, 0644);

	if (fd >= 0)
		(void) write_all(fd, "none\n", 5);
}

static bool tells_health(const struct app *a)
{
	return a->rec->n_checks || a->rec->restart > RESTART_NEVER;
}

static bool has_health(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++)
		if (tells_health(pod->apps + i))
			return true;
	return false;
}

static int make_dirs(const struct pod *pod, struct err *e)
{
	for (size_t i = 0; i < (has_health(pod) ? NOTES_MAX : NOTES_MAX - 1U) && pod->dir >= 0; i++)
		if (mkdirat(pod->dir, dirs[i].path, dirs[i].mode) < 0 && errno != EEXIST)
			return err_sys(e, "mkdir %s", dirs[i].path);
	return 0;
}

int notes_prepare(struct pod *pod, struct err *e)
{
	int r = make_dirs(pod, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *a = pod->apps + i;

		a->prefix = xasprintf("%.*s: ", 255, a->name);
		a->status_path = xasprintf(POD_STATUS "/%s", a->name);
		a->status_temp = xasprintf(POD_STATUS "/.%s.tmp", a->name);
		a->started_path = xasprintf(POD_STARTED "/%s", a->name);
		a->started_temp = xasprintf(POD_STARTED "/.%s.tmp", a->name);
		a->log_path = xasprintf(POD_LOGS "/%s.log", a->name);
		if (tells_health(a)) {
			a->health_path = xasprintf(POD_HEALTH "/%s", a->name);
			a->health_temp = xasprintf(POD_HEALTH "/.%s.tmp", a->name);
		}
		r = open_log(pod, a, e);
		if (r < 0)
			return r;
		reserve_status(pod, a);
	}
	return 0;
}

static void put_file(const struct pod *pod, const char *temp, const char *path, const char *text)
{
	_cleanup_fd_ int fd = open_note(pod, temp, O_TRUNC, 0644);

	/* Nobody to tell: whoever looks for the file finds that it is missing. */
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		return;
	rename_note(pod, temp, path);
}

void note_status(struct pod *pod, const struct app *a, int status)
{
	char text[16];

	int n = snprintf(text, sizeof text, "%d\n", status);
	_cleanup_fd_ int fd = open_note(pod, a->status_temp, 0, 0644);

	/* Written over what was reserved, cut afterwards: no moment without the room. */
	if (fd < 0 || write_all(fd, text, (size_t) n) < 0 || ftruncate(fd, n) < 0)
		return;
	rename_note(pod, a->status_temp, a->status_path);
}

void note_started(struct pod *pod, const struct app *a)
{
	put_file(pod, a->started_temp, a->started_path, a->host_pid);
}

void note_ready(struct pod *pod)
{
	if (pod->ready >= 0)
		(void) write_all(pod->ready, "\n", 1);
	(void) write_all(pod->status, "ready\n", 6);
	pod->ready = fd_close(pod->ready);
}

void note_health(struct pod *pod, const struct app *a)
{
	const char *health = watch_health(a);
	char text[128];

	if (!a->health_path)
		return;
	(void) snprintf(text, sizeof text, "health=%s\nready=%s\nrestarts=%u\nlast-exit=%u\n",
			health ? health : "none", watch_is_ready(a) ? "true" : "false", a->restarts,
			a->last_status);
	put_file(pod, a->health_temp, a->health_path, text);
}

void note_error(struct pod *pod, int code, const char *text)
{
	char line[1024];
	int n = snprintf(line, sizeof line - 1, "error %d %s", code, text);

	if ((size_t) n >= sizeof line - 1)
		n = sizeof line - 2;
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n] = '\n';
	(void) write_all(pod->status, line, (size_t) n + 1);
}

void note_exit(struct pod *pod, int status)
{
	char line[32];
	int n = snprintf(line, sizeof line, "exit %d\n", status);

	(void) write_all(pod->status, line, (size_t) n);
}
