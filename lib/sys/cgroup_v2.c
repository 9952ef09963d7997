/*
 * cgroup v2: one directory.  Controllers are enabled for the children on the way down; processes live
 * only in the leaves ("no internal processes").
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/path.h"
#include "sys/cgroup_ops.h"

#define CPU_PERIOD_US 100000

static char **v2_paths(const struct cg_host *h, const char *group)
{
	char **v = NULL;

	strv_push(&v, path_join(h->v2, group));
	return v;
}

/* Enable in `dir` what is needed of what the host has, for the directories below it. */
static int enable_controllers(const struct cg_host *h, const char *dir, struct err *e)
{
	static const struct {
		const char *name, *of_v1;
	} wanted[] = {{"cpu", "cpu"}, {"memory", "memory"}, {"pids", "pids"}, {"io", "blkio"}};
	_cleanup_free_ char *path = path_join(dir, "cgroup.subtree_control"), *now = NULL;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_strv_ char **have = NULL;
	int r = file_read_line_at(AT_FDCWD, path, &now, e);

	if (r < 0)
		return r;
	have = strv_split(now, ' ');
	for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
		if (strv_has(h->controllers, wanted[i].of_v1) && !strv_has(have, wanted[i].name))
			strbuf_addf(&sb, "%s+%s", sb.len ? " " : "", wanted[i].name);
	return sb.len ? cg_write(AT_FDCWD, dir, path, sb.buf, e) : 0;
}

static int make_path_once(const struct cg_host *h, const char *group, struct err *e)
{
	_cleanup_free_ char *path = path_join(h->v2, group);

	for (char *s = path + strlen(h->v2);; s++) {
		char c = *s;
		int r;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		r = cg_mkdirs(h->v2, path + strlen(h->v2), e);
		if (r == 0 && c)
			r = enable_controllers(h, path, e);
		*s = c;
		if (r < 0 || !c)
			return r;
	}
}

static int make_path(const struct cg_host *h, const char *group, struct err *e)
{
	int r = -ENOENT;

	/* A gc takes the topmost away when it is empty: then from its beginning. */
	for (int i = 0; i < CG_TRIES && (r == -ENOENT || r == -ENODEV); i++)
		r = make_path_once(h, group, e);
	return r;
}

/*
 * cpu.shares 2..262144 to cpu.weight 1..10000.  The curve through (2,1), (1024,100), (262144,10000): the
 * default stays the default and the extremes meet; the straight line would make 1024 a weight of 39.
 */
int64_t cg_weight_of_shares(int64_t shares)
{
	/* log2 in 16 fractional bits, by squaring: no libm in what may be linked statically. */
	uint64_t x = (uint64_t) shares, l, y;
	int64_t lg, e10;
	double exponent, w = 1, base = 10;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = 63 - (uint64_t) __builtin_clzll(x);
	lg = (int64_t) l << 16;
	y = x << (31 - l);
	for (int bit = 15; bit >= 0; bit--) {
		y = (y * y) >> 31;
		if (y >> 32) {
			y >>= 1;
			lg |= 1 << bit;
		}
	}
	exponent = (double) lg / 65536;
	/* 10 ** ((l*l + 125*l) / 612 - 7/34) */
	exponent = (exponent * exponent + 125 * exponent) / 612 - 7.0 / 34;
	e10 = (int64_t) (exponent * 65536);
	for (int64_t n = e10 >> 16; n > 0; n--)
		w *= 10;
	for (int bit = 15; bit >= 0; bit--) {
		/* base becomes its square root: a few steps of Newton's method. */
		double root = base > 2 ? base / 2 : base;

		for (int i = 0; i < 20; i++)
			root = (root + base / root) / 2;
		base = root;
		if (e10 & (1 << bit))
			w *= base;
	}
	return w < 1 ? 1 : w > 10000 ? 10000 : (int64_t) (w + 0.999);
}

static void add_rate(char *text, size_t size, const char *keys, int64_t value)
{
	size_t len = strlen(text);

	if (value >= 0)
		(void) snprintf(text + len, size - len, keys, (long long) value, (long long) value);
}

static int apply_blocks(const char *dir, int dirfd, const struct cg_limits *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n_disks && r == 0; i++) {
		char text[160];

		(void) snprintf(text, sizeof text, "%u:%u", l->disks[i].major, l->disks[i].minor);
		add_rate(text, sizeof text, " rbps=%lld wbps=%lld", l->block_bytes);
		add_rate(text, sizeof text, " riops=%lld wiops=%lld", l->block_ops);
		r = cg_write(dirfd, dir, "io.max", text, e);
	}
	return r;
}

static int apply(const char *dir, int dirfd, const struct cg_limits *l, struct err *e)
{
	char text[64];
	int r = 0;

	if (l->memory_bytes >= 0) {
		(void) snprintf(text, sizeof text, "%lld", (long long) l->memory_bytes);
		r = cg_write(dirfd, dir, "memory.max", text, e);
		/* Missing where swap is not accounted. */
		if (r == 0 && faccessat(dirfd, "memory.swap.max", F_OK, 0) == 0)
			r = cg_write(dirfd, dir, "memory.swap.max", "0", e);
	}
	if (r == 0 && l->memory_request >= 0) {
		(void) snprintf(text, sizeof text, "%lld", (long long) l->memory_request);
		r = cg_write(dirfd, dir, "memory.low", text, e);
	}
	if (r == 0 && l->cpu_milli >= 0) {
		int64_t quota = l->cpu_milli * CPU_PERIOD_US / 1000;

		(void) snprintf(text, sizeof text, "%lld %d", (long long) (quota < 1000 ? 1000 : quota), CPU_PERIOD_US);
		r = cg_write(dirfd, dir, "cpu.max", text, e);
	}
	if (r == 0 && l->cpu_shares >= 0) {
		(void) snprintf(text, sizeof text, "%lld", (long long) cg_weight_of_shares(l->cpu_shares));
		r = cg_write(dirfd, dir, "cpu.weight", text, e);
	}
	if (r == 0 && l->pids >= 0) {
		(void) snprintf(text, sizeof text, "%lld", (long long) l->pids);
		r = cg_write(dirfd, dir, "pids.max", text, e);
	}
	if (r == 0 && (l->block_bytes >= 0 || l->block_ops >= 0))
		r = apply_blocks(dir, dirfd, l, e);
	if (r == 0 && l->devices)
		r = cg_devices_attach(dirfd, l, e);
	return r;
}

/* What the pods ask for together. */
static uint64_t requested(DIR *d)
{
	struct dirent *de;
	uint64_t sum = 0;

	rewinddir(d);
	while ((de = readdir(d))) {
		_cleanup_free_ char *path = xasprintf("%s/memory.low", de->d_name), *low = NULL;
		uint64_t n;

		if (*de->d_name == '.' || file_read_line_at(dirfd(d), path, &low, NULL) < 0)
			continue;
		if (parse_u64(low, INT64_MAX / 2, &n) == 0 && sum < INT64_MAX / 2)
			sum += n;
	}
	return sum;
}

/*
 * A group's protection is bounded by that of the group above it, so the topmost of ours has the sum of
 * the pods'.  Counted anew each time: one that has ended without us needs no correction.
 */
static int reserve(const char *pod_dir, struct err *e)
{
	_cleanup_free_ char *top = xstrndup(pod_dir, (size_t) (path_last(pod_dir) - pod_dir - 1));
	_cleanup_dir_ DIR *d = opendir(top);
	char text[32];
	uint64_t sum;
	int r;

	if (!d)
		return err_sys(e, "open %s", top);
	/* One that came while we counted has written a sum of its own, which ours must not replace. */
	do {
		sum = requested(d);
		(void) snprintf(text, sizeof text, "%llu", (unsigned long long) sum);
		r = cg_write(dirfd(d), top, "memory.low", text, e);
	} while (r == 0 && requested(d) != sum);
	return r;
}

static int v2_make(const struct cg_host *h, const char *group, const struct cg_limits *l, struct err *e)
{
	_cleanup_free_ char *dir = path_join(h->v2, group);
	_cleanup_fd_ int dirfd = -EBADF;
	int r = make_path(h, group, e);

	if (r < 0)
		return r;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_sys(e, "open %s", dir);
	r = apply(dir, dirfd, l, e);
	/* "gantry/UUID": the inner group of a pod. */
	if (r == 0 && l->memory_request >= 0 && strchr(group, '/') == strrchr(group, '/'))
		r = reserve(dir, e);
	return r;
}

static int v2_open_leaf(const struct cg_host *h, const char *group, struct cg_leaf *ret, struct err *e)
{
	_cleanup_free_ char *dir = path_join(h->v2, group);

	ret->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return err_sys(e, "open %s", dir);
	/* For where CLONE_INTO_CGROUP cannot be had: the child writes "0". */
	ret->join[0] = openat(ret->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (ret->join[0] < 0) {
		int r = err_sys(e, "open %s/cgroup.procs", dir);

		cg_leaf_close(ret);
		return r;
	}
	ret->n_join = 1;
	return 0;
}

static char **v2_init_paths(const struct cg_host *h, const char *group, const char *leaf)
{
	_cleanup_free_ char *own = path_join(group, leaf);

	return v2_paths(h, own);
}

/* A process in the pod's group itself would keep its controllers from the apps (cgroups(7), no internal processes). */
static int v2_make_init(const struct cg_host *h, const char *group, const char *leaf, struct cg_leaf *ret, struct err *e)
{
	static const struct cg_limits none = CG_LIMITS_NONE;
	_cleanup_free_ char *own = path_join(group, leaf);
	int r = v2_make(h, own, &none, e);

	return r < 0 ? r : v2_open_leaf(h, own, ret, e);
}

const struct cg_ops cg_v2_ops = {
	.paths = v2_paths, .make = v2_make, .open_leaf = v2_open_leaf, .init_paths = v2_init_paths,
	.make_init = v2_make_init,
};
