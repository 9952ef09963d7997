/*
 * Who has which ids: the host's own users and groups, what subuid(5) sets aside for them, other pods.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/users.h"

#define ACCOUNTS_MAX (16u << 20) /* bytes of a file of /etc */

/* The field of a line; owned by the caller, or NULL when the line has fewer. */
static char *field(const char *line, size_t len, unsigned n)
{
	const char *end = line + len, *colon;

	for (; (colon = memchr(line, ':', (size_t) (end - line))) && n; n--)
		line = colon + 1;
	return n ? NULL : xstrndup(line, (size_t) ((colon ? colon : end) - line));
}

void users_read(const char *text, unsigned first, unsigned count, struct id_ranges *ret)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		_cleanup_free_ char *id = field(line, len, first), *n = count ? field(line, len, count) : xstrdup("1");
		uint64_t many;
		uid_t one;

		if (id && n && parse_uid(id, &one) == 0 && parse_u64(n, UINT32_MAX - one, &many) == 0)
			id_ranges_add(ret, one, (uint32_t) many);
	}
}

static int of_host(struct id_ranges *ret, struct err *e)
{
	static const struct {
		const char *path;
		unsigned first, count;
	} files[] = {
		{"/etc/passwd", 2, 0},
		{"/etc/group", 2, 0},
		{"/etc/subuid", 1, 2},
		{"/etc/subgid", 1, 2},
	};

	for (size_t i = 0; i < ELEMENTSOF(files); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len;
		int r;

		if (access(files[i].path, F_OK) < 0 && errno == ENOENT)
			continue;
		r = file_read_at(AT_FDCWD, files[i].path, ACCOUNTS_MAX, &text, &len, e);
		if (r < 0)
			return err_ctx(e, r, "--private-users");
		users_read(text, files[i].first, files[i].count, ret);
	}
	return 0;
}

/*
 * Pods only move on, so that a look from where one was met finds it, or it is gone.  Without its lock, in
 * whose way a look would be.
 */
static int of_pod(int pods, const struct pod_ref *ref, struct id_map *ret, struct err *e)
{
	*ret = (struct id_map) {0};
	for (enum pod_phase phase = ref->phase; phase < PHASE_MAX; phase++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", pod_phase_dir(phase), ref->uuid);
		_cleanup_fd_ int dir = openat(pods, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r = dir < 0 ? err_sys(e, "open %s", path) : users_of_pod(dir, ret, e);

		/* Removed while we looked; or one that nobody can start any more, whose ids nobody can know. */
		if (dir >= 0 && (r == -ENOENT || r == -EINVAL))
			return 0;
		if (dir >= 0 || r != -ENOENT)
			return r < 0 ? err_ctx(e, r, "--private-users: pod %s", ref->uuid) : 0;
	}
	return 0;
}

/* In whatever phase: files of a pod that is only waiting to be removed have its ids, too. */
static int of_pods(int pods, const char *own_uuid, struct id_ranges *ret, struct err *e)
{
	_cleanup_free_ struct pod_ref *refs = NULL;
	size_t n;
	int r = pods_look(pods, PHASES_ALL, &refs, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct id_map m;

		if (!strcmp(refs[i].uuid, own_uuid))
			continue;
		r = of_pod(pods, &refs[i], &m, e);
		if (r == 0)
			id_ranges_add(ret, m.shift, m.count);
	}
	return r;
}

int users_taken(int pods, const char *own_uuid, struct id_ranges *ret, struct err *e)
{
	int r = of_host(ret, e);

	return r < 0 ? r : of_pods(pods, own_uuid, ret, e);
}
