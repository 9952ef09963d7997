#include "stage0/pod/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/pod/pod.h"

#define N_SLOTS ((USERS_LAST - USERS_FIRST) / USERS_COUNT + 1)
#define LIMIT_FILE "/proc/sys/user/max_user_namespaces"
#define LIMIT_TEXT_MAX 64

void id_ranges_add(struct id_ranges *r, uint32_t first, uint32_t count)
{
	if (!count)
		return;
	r->v = xgrow(r->v, r->n, sizeof *r->v);
	r->v[r->n++] = (struct id_range) {first, count};
}

void id_ranges_done(struct id_ranges *r)
{
	free(r->v);
	*r = (struct id_ranges) {0};
}

/* FNV-1a: near enough to evenly, and the same everywhere. */
static uint32_t slot_of(const char *seed)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *seed; seed++)
		h = (h ^ (unsigned char) *seed) * 0x100000001b3u;
	return (uint32_t) (h % N_SLOTS);
}

/* Every slot that the range has an id of; ids below the first one and above the last one are nobody's concern. */
static void mark(bool *used, const struct id_range *r)
{
	uint64_t first = r->first, end = (uint64_t) r->first + r->count;

	if (first < USERS_FIRST)
		first = USERS_FIRST;
	if (end > (uint64_t) USERS_LAST + USERS_COUNT)
		end = (uint64_t) USERS_LAST + USERS_COUNT;
	for (uint64_t id = first; id < end; id = (id / USERS_COUNT + 1) * USERS_COUNT)
		used[(id - USERS_FIRST) / USERS_COUNT] = true;
}

bool users_pick(const char *seed, const struct id_ranges *taken, struct id_map *ret)
{
	_cleanup_free_ bool *used = xcalloc(N_SLOTS, sizeof *used);
	uint32_t start = slot_of(seed);

	for (size_t i = 0; i < taken->n; i++)
		mark(used, &taken->v[i]);
	for (uint32_t i = 0; i < N_SLOTS; i++) {
		uint32_t slot = (start + i) % N_SLOTS;

		if (used[slot])
			continue;
		*ret = (struct id_map) {USERS_FIRST + slot * USERS_COUNT, USERS_COUNT};
		return true;
	}
	return false;
}

int users_supported(struct err *e)
{
	_cleanup_free_ char *text = NULL;

	if (access("/proc/self/ns/user", F_OK) < 0 && errno == ENOENT)
		return err_set(e, EOPNOTSUPP, "--private-users: the kernel has no user namespaces (CONFIG_USER_NS)");
	/* user_namespaces(7); root is counted like everybody else. */
	if (file_read_line_at(AT_FDCWD, LIMIT_FILE, &text, NULL) == 0 && str_eq(text, "0"))
		return err_set(e, EOPNOTSUPP, "--private-users: user namespaces are switched off here "
					      "(user.max_user_namespaces is 0)");
	return 0;
}

/* Not in place of another file: nothing of the kind is in a pod that is being made. */
static int write_down(const struct pod *p, const struct id_map *m, struct err *e)
{
	_cleanup_fd_ int fd = openat(p->dir, POD_PRIVATE_USERS, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char buf[ID_MAP_TEXT_MAX];
	_cleanup_free_ char *text = xasprintf("%s\n", id_map_text(m, buf));
	int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));

	return r < 0 ? err_sysr(e, r, "write " POD_PRIVATE_USERS) : 0;
}

int users_prepare(const struct pod *p, int data, struct id_map *ret, struct err *e)
{
	struct id_ranges taken = {0};
	/* Until it is written down: whoever comes next sees it there. */
	_cleanup_fd_ int lock = lock_file_at(data, DATA_USERS_LOCK, LOCK_EXCLUSIVE, true, e);
	int r = lock < 0 ? lock : users_taken(p->pods, p->uuid, &taken, e);

	if (r == 0 && !users_pick(p->uuid, &taken, ret))
		r = err_set(e, ENOSPC, "--private-users: no %u ids in a row are free", USERS_COUNT);
	if (r == 0)
		r = write_down(p, ret, e);
	id_ranges_done(&taken);
	return r;
}

int users_of_pod(int pod_dir, struct id_map *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r;

	*ret = (struct id_map) {0};
	if (faccessat(pod_dir, POD_PRIVATE_USERS, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	r = file_read_line_at(pod_dir, POD_PRIVATE_USERS, &text, e);
	/* What a power cut has emptied must not run with the host's ids. */
	if (r == 0 && id_map_parse(text, ret) < 0)
		r = err_set(e, EINVAL, POD_PRIVATE_USERS ": %s is no SHIFT:COUNT of ids", q(text));
	return r;
}
