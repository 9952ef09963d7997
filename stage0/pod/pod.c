#include "stage0/pod/pod.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/cli/input.h"
#include "stage0/context.h"
#include "stage0/store/modes.h"
#include "stage0/pod/name.h"

void pod_close(struct pod *p)
{
	p->dir = fd_close(p->dir);
}

/* Phases are looked at in the order in which pods move, so that a moving one is met. */
static const enum pod_phase search_order[] = {
	PHASE_PREPARE, PHASE_PREPARED, PHASE_RUN, PHASE_EXITED_GARBAGE, PHASE_EMBRYO, PHASE_GARBAGE,
};

int pods_open(const struct gantry *g, bool look_only, struct err *e)
{
	_cleanup_free_ char *path = path_join(g->data_dir, DATA_PODS);
	_cleanup_fd_ int data = -EBADF;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(e, "open %s", path);
	if (look_only)
		return err_set(e, ENOENT, "%s: there is no pod yet", path);
	data = modes_data_dir(g, e);
	if (data < 0)
		return data;
	/*
	 * Nobody but root walks through here, and who is of its group: roots of images hold setuid
	 * programs (CVE-2021-41091).
	 */
	r = modes_mkdir(g, data, DATA_PODS, 02750);
	if (r < 0)
		return err_sysr(e, r, "mkdir %s", path);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

int pods_make_phase(int pods, enum pod_phase phase)
{
	return mkdirat(pods, pod_phase_dir(phase), 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static char *phase_path(enum pod_phase phase, const char *uuid)
{
	return xasprintf("%s/%s", pod_phase_dir(phase), uuid);
}

#define UUID_FILE_MAX 4096
/* A gc would have to win as often in a row. */
#define CREATE_TRIES 100

/*
 * One fresh UUID. -ENOENT and -EWOULDBLOCK: a gc found the directory before it was locked, and took
 * it.
 */
static int create_locked(int pods, struct pod *p, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	int r;

	uuid_new(p->uuid);
	p->pods = pods;
	p->phase = PHASE_EMBRYO;
	path = phase_path(PHASE_EMBRYO, p->uuid);
	if (mkdirat(pods, path, 0750) < 0 &&
	    (errno != ENOENT || pods_make_phase(pods, PHASE_EMBRYO) < 0 ||
	     mkdirat(pods, path, 0750) < 0))
		return err_sys(e, "create pod directory %s", path);
	p->dir = openat(pods, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return err_sys(e, "open pod directory %s", path);
	/* Of the group, but what is made in it is not: an app would see that in its root and volumes. */
	if (fchmod(p->dir, 0750) < 0)
		return err_sys(e, "mode of pod directory %s", path);
	r = pod_lock(p);
	return r < 0 ? err_sysr(e, r, "lock pod directory %s", path) : 0;
}

int pod_create(int pods, struct pod *ret, struct err *e)
{
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = -ENOENT;

	for (int i = 0; i < CREATE_TRIES && (r == -ENOENT || r == -EWOULDBLOCK); i++) {
		pod_close(&p);
		r = create_locked(pods, &p, e);
	}
	/* Locked before it becomes visible in `prepare`: there it would look aborted. */
	if (r == 0)
		r = pod_move(&p, PHASE_PREPARE, false, e);
	if (r < 0)
		return r;
	p.state = POD_STATE_PREPARING;
	*ret = p;
	p.dir = -EBADF;
	return 0;
}

/*
 * Whether somebody holds the exclusive lock.  Not asked where the answer means nothing: whoever
 * makes or starts a pod at this moment would find our shared lock in the way.
 */
static bool is_locked(enum pod_phase phase, int dir)
{
	int r;

	if (!pod_phase_has_owner(phase))
		return false;
	r = lock_fd(dir, LOCK_SHARED, false);
	if (r == 0)
		(void) lock_fd(dir, LOCK_UNLOCK, false);
	return r == -EWOULDBLOCK;
}

bool pod_in_place(const struct pod *p)
{
	_cleanup_free_ char *path = phase_path(p->phase, p->uuid);
	struct stat mine, there;

	return fstat(p->dir, &mine) == 0 &&
	       fstatat(p->pods, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

/* -ENOENT when the pod is not in that phase. */
static int open_in_phase(int pods, enum pod_phase phase, const char *uuid, struct pod *ret)
{
	_cleanup_free_ char *path = phase_path(phase, uuid);
	int dir = openat(pods, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0)
		return -errno;
	*ret = (struct pod) {.pods = pods, .dir = dir, .phase = phase};
	memcpy(ret->uuid, uuid, UUID_LEN + 1);
	ret->state = pod_state_of(phase, is_locked(phase, dir));
	/* It may have moved between the open and the look at the lock. */
	if (pod_in_place(ret))
		return 0;
	pod_close(ret);
	return -ESTALE;
}

int pod_open(int pods, const char *uuid, struct pod *ret, struct err *e)
{
	/* A pod that moves while we look can be missed; it moves only a few times in its life. */
	for (int round = 0; round < 3 && pods >= 0; round++) {
		for (size_t i = 0; i < ELEMENTSOF(search_order); i++) {
			int r = open_in_phase(pods, search_order[i], uuid, ret);

			if (r == 0)
				return 0;
			if (r != -ENOENT && r != -ESTALE)
				return err_sysr(e, r, "open pod %s", uuid);
		}
	}
	return err_set(e, ENOENT, "no matches found for %s", q(uuid));
}

static int list_phase(int pods, enum pod_phase phase, char ***ret, size_t *n, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(pods, pod_phase_dir(phase), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open pods/%s", pod_phase_dir(phase));
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read pods/%s", pod_phase_dir(phase));
	}
	while ((errno = 0, de = readdir(d)))
		if (!uuid_check(de->d_name))
			strv_push_n(ret, n, xstrdup(de->d_name));
	return errno ? err_sys(e, "read pods/%s", pod_phase_dir(phase)) : 0;
}

/* A pod that moved while we looked was met twice. */
static void drop_doubles(char **sorted)
{
	size_t n = 0;

	for (size_t i = 0; sorted && sorted[i]; i++) {
		if (n && !strcmp(sorted[n - 1], sorted[i]))
			free(sorted[i]);
		else
			sorted[n++] = sorted[i];
	}
	if (sorted)
		sorted[n] = NULL;
}

int pods_list(int pods, unsigned phases, char ***ret, struct err *e)
{
	_cleanup_strv_ char **uuids = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ELEMENTSOF(search_order) && pods >= 0; i++) {
		int r = 0;

		if (phases & 1u << search_order[i])
			r = list_phase(pods, search_order[i], &uuids, &n, e);
		if (r < 0)
			return r;
	}
	strv_sort(uuids);
	drop_doubles(uuids);
	*ret = take_ptr(uuids);
	return 0;
}

static int no_match(const char *word, struct err *e)
{
	return err_set(e, ENOENT, "no matches found for %s", q(word));
}

/* Open by whole UUID, if it is a pod that is shown. */
static int open_shown(int pods, const char *uuid, const char *word, struct pod *ret,
		      struct err *e)
{
	int r = pod_open(pods, uuid, ret, e);

	if (r == -ENOENT)
		return no_match(word, e);
	if (r < 0 || PHASES_SHOWN & 1u << ret->phase)
		return r;
	pod_close(ret);
	return no_match(word, e);
}

static int find_by_name(int pods, const char *name, struct pod *ret, struct err *e)
{
	char uuid[UUID_LEN + 1];

	if (pod_name_check(name) || pod_name_look_up(pods, name, uuid) < 0)
		return no_match(name, e);
	return open_shown(pods, uuid, name, ret, e);
}

static int compare_refs(const void *a, const void *b)
{
	return memcmp(((const struct pod_ref *) a)->uuid, ((const struct pod_ref *) b)->uuid,
		      UUID_LEN);
}

int pods_look(int pods, unsigned phases, struct pod_ref **ret, size_t *ret_n, struct err *e)
{
	_cleanup_free_ struct pod_ref *refs = NULL;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < ELEMENTSOF(search_order) && pods >= 0; i++) {
		_cleanup_strv_ char **uuids = NULL;
		size_t m = 0;
		int r = 0;

		if (phases & 1u << search_order[i])
			r = list_phase(pods, search_order[i], &uuids, &m, e);
		if (r < 0)
			return r;
		for (size_t k = 0; k < m; k++) {
			refs = xgrow(refs, n, sizeof *refs);
			memcpy(refs[n].uuid, uuids[k], UUID_LEN + 1);
			refs[n++].phase = search_order[i];
		}
	}
	if (n)
		qsort(refs, n, sizeof *refs, compare_refs);
	/* A pod that moved while we looked was met twice. */
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(refs[i].uuid, refs[i - 1].uuid))
			refs[kept++] = refs[i];
	*ret = take_ptr(refs);
	*ret_n = kept;
	return 0;
}

int pod_open_ref(int pods, const struct pod_ref *ref, struct pod *ret, struct err *e)
{
	_cleanup_free_ char *path = phase_path(ref->phase, ref->uuid);
	int dir;

	/* Only there may a pod that has moved on look like one that was left behind. */
	if (ref->phase == PHASE_PREPARE)
		return pod_open(pods, ref->uuid, ret, e);
	dir = openat(pods, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return pod_open(pods, ref->uuid, ret, e);
	*ret = (struct pod) {.pods = pods, .dir = dir, .phase = ref->phase};
	memcpy(ret->uuid, ref->uuid, UUID_LEN + 1);
	/* The lock of a look goes with the descriptor, which the caller closes soon. */
	ret->state = pod_state_of(ref->phase,
				  pod_phase_has_owner(ref->phase) &&
					  lock_fd(dir, LOCK_SHARED, false) == -EWOULDBLOCK);
	return 0;
}

int pod_find(int pods, const char *word, struct pod *ret, struct err *e)
{
	_cleanup_free_ char *lower = xstrdup(word);
	_cleanup_strv_ char **uuids = NULL;
	const char *found = NULL;
	size_t n = 0;
	int r;

	if (!*word)
		return err_set(e, EINVAL, "UUID cannot be empty");
	for (char *s = lower; *s; s++)
		*s = (char) tolower((unsigned char) *s);
	if (!uuid_check(lower))
		return open_shown(pods, lower, word, ret, e);
	if (!pod_name_is_uuid_start(lower))
		return find_by_name(pods, word, ret, e);
	r = pods_list(pods, PHASES_SHOWN, &uuids, e);
	if (r < 0)
		return r;
	for (char **u = uuids; u && *u; u++) {
		if (!str_starts(*u, lower))
			continue;
		found = *u;
		n++;
	}
	if (!n)
		return no_match(word, e);
	if (n > 1)
		return err_set(e, ENOTUNIQ, "ambiguous uuid, %zu matches", n);
	return pod_open(pods, found, ret, e);
}

int pod_uuid_of_file(const char *path, char **ret, struct err *e)
{
	static const char space[] = " \t\r\n";
	_cleanup_free_ char *text = NULL;
	const char *start;
	size_t len;
	int r = input_read(path, UUID_FILE_MAX, &text, NULL, e);

	if (r < 0)
		return err_ctx(e, r, "unable to read UUID from file");
	start = text + strspn(text, space);
	len = strlen(start);
	while (len && strchr(space, start[len - 1]))
		len--;
	*ret = xstrndup(start, len);
	return 0;
}
