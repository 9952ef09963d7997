#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "sys/cgroup_ops.h"

/* What gantry uses; other controllers of the host are left alone. */
static const char *const used[] = {"cpu", "memory", "pids", "devices", "freezer", "blkio"};

static bool is_used(char *const *controllers)
{
	for (size_t i = 0; i < ELEMENTSOF(used); i++)
		if (strv_has(controllers, used[i]))
			return true;
	return false;
}

static bool has_hierarchy(const struct cg_host *h, const char *controller)
{
	for (size_t i = 0; i < h->n_v1; i++)
		if (strv_has(h->v1[i].controllers, controller))
			return true;
	return false;
}

/* Nothing that is mounted later can be what we look for. */
static bool is_complete(const struct cg_host *h)
{
	for (size_t i = 0; i < ELEMENTSOF(used); i++)
		if (!has_hierarchy(h, used[i]))
			return false;
	return h->v2;
}

/* A v1 mount: its super options name the controllers. The first mount of each one counts. */
static void add_v1(struct cg_host *h, const char *mount, const char *options)
{
	_cleanup_strv_ char **controllers = strv_split(options, ',');

	if (!is_used(controllers))
		return;
	for (size_t i = 0; i < ELEMENTSOF(used); i++)
		if (strv_has(controllers, used[i]) && has_hierarchy(h, used[i]))
			return;
	h->v1 = xgrow(h->v1, h->n_v1, sizeof *h->v1);
	h->v1[h->n_v1++] = (struct cg_hierarchy) {xstrdup(mount), take_ptr(controllers)};
}

/* proc_pid_mountinfo(5): "36 35 98:0 /root /mount opts optional... - type source superopts". */
static void read_mount(struct cg_host *h, char *line)
{
	_cleanup_strv_ char **head = NULL, **tail = NULL;
	char *dash = strstr(line, " - ");

	if (!dash)
		return;
	*dash = '\0';
	head = strv_split(line, ' ');
	tail = strv_split(dash + 3, ' ');
	if (strv_len(head) < 5 || strv_len(tail) < 3 || strcmp(head[3], "/"))
		return;
	if (!strcmp(tail[0], "cgroup"))
		add_v1(h, head[4], tail[2]);
	else if (!strcmp(tail[0], "cgroup2") && !h->v2)
		h->v2 = xstrdup(head[4]);
}

static int read_mounts(struct cg_host *h, struct err *e)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t alloc = 0;
	ssize_t n;

	if (!f)
		return err_sys(e, "open /proc/self/mountinfo");
	while (!is_complete(h) && (n = getline(&line, &alloc, f)) > 0) {
		/* Most lines are of no interest; a host may have thousands. */
		if (!strstr(line, " - cgroup"))
			continue;
		line[n - 1] = '\0';
		read_mount(h, line);
	}
	return 0;
}

static void collect_controllers(struct cg_host *h)
{
	_cleanup_free_ char *path = NULL, *text = NULL;

	if (h->version == CG_V1) {
		for (size_t i = 0; i < h->n_v1; i++)
			for (char **c = h->v1[i].controllers; *c; c++)
				strv_add(&h->controllers, *c);
		return;
	}
	path = path_join(h->v2, "cgroup.controllers");
	if (file_read_line_at(AT_FDCWD, path, &text, NULL) == 0)
		h->controllers = strv_split(text, ' ');
	/* By the name of v1, which is known to all. */
	if (strv_has(h->controllers, "io"))
		strv_add(&h->controllers, "blkio");
	/* The device hook and cgroup.kill or cgroup.freeze belong to v2 itself. */
	strv_add(&h->controllers, "devices");
	strv_add(&h->controllers, "freezer");
}

struct cg_host *cg_host_detect(struct err *e)
{
	struct cg_host *h = xcalloc(1, sizeof *h);

	if (read_mounts(h, e) < 0) {
		cg_host_free(h);
		return NULL;
	}
	if (!h->n_v1 && !h->v2) {
		err_set(e, ENOTSUP, "no cgroup hierarchy is mounted on this host");
		cg_host_free(h);
		return NULL;
	}
	h->version = h->n_v1 ? CG_V1 : CG_V2;
	h->ops = h->n_v1 ? &cg_v1_ops : &cg_v2_ops;
	collect_controllers(h);
	return h;
}

void cg_host_free(struct cg_host *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_v1; i++) {
		free(h->v1[i].mount);
		strv_free(h->v1[i].controllers);
	}
	free(h->v1);
	free(h->v2);
	strv_free(h->controllers);
	free(h);
}

enum cg_version cg_host_version(const struct cg_host *h)
{
	return h->version;
}

/* The controllers besides the freezer. */
static const char *const limiting[] = {"memory", "cpu", "pids", "devices", "blkio"};

static bool needs(const struct cg_limits *l, const char *controller)
{
	switch (*controller) {
	case 'm':
		return l->memory_bytes >= 0 || l->memory_request >= 0;
	case 'c':
		return l->cpu_milli >= 0 || l->cpu_shares >= 0;
	case 'p':
		return l->pids >= 0;
	case 'b':
		return l->block_bytes >= 0 || l->block_ops >= 0;
	default:
		return l->devices;
	}
}

int cg_host_can(const struct cg_host *h, const struct cg_limits *l, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(limiting); i++)
		if (needs(l, limiting[i]) && !strv_has(h->controllers, limiting[i]))
			return err_set(e, ENOTSUP, "this host has no cgroup controller %s", limiting[i]);
	return 0;
}

static void drop_hierarchy(struct cg_host *h, size_t i)
{
	free(h->v1[i].mount);
	strv_free(h->v1[i].controllers);
	memmove(&h->v1[i], &h->v1[i + 1], (--h->n_v1 - i) * sizeof *h->v1);
}

static bool has_any(char *const *of, char *const *wanted)
{
	for (; wanted && *wanted; wanted++)
		if (strv_has(of, *wanted))
			return true;
	return false;
}

void cg_host_restrict(struct cg_host *h, const struct cg_limits *const *limits, size_t n)
{
	_cleanup_strv_ char **keep = NULL;

	for (size_t i = 0; i < ELEMENTSOF(limiting); i++)
		for (size_t j = 0; j < n; j++)
			if (needs(limits[j], limiting[i]) && strv_has(h->controllers, limiting[i]) &&
			    !strv_has(keep, limiting[i]))
				strv_add(&keep, limiting[i]);
	if (strv_has(h->controllers, "freezer"))
		strv_add(&keep, "freezer");
	/* A host without a freezer: one hierarchy at least, by which a pod's processes are known. */
	for (size_t i = h->n_v1; i > 0 && h->n_v1 > 1; i--)
		if (!has_any(h->v1[i - 1].controllers, keep))
			drop_hierarchy(h, i - 1);
	strv_free(h->controllers);
	h->controllers = take_ptr(keep);
}

int cg_host_restrict_to(struct cg_host *h, const char *group, struct err *e)
{
	for (size_t i = h->n_v1; i > 0; i--) {
		_cleanup_free_ char *dir = path_join(h->v1[i - 1].mount, group);

		if (access(dir, F_OK) < 0)
			drop_hierarchy(h, i - 1);
	}
	if (h->version == CG_V1 && !h->n_v1)
		return err_set(e, ENOENT, "there is no control group %s", group);
	return 0;
}

char **cg_paths(const struct cg_host *h, const char *group)
{
	return h->ops->paths(h, group);
}

int cg_make(const struct cg_host *h, const char *group, const struct cg_limits *l, struct err *e)
{
	int r = cg_host_can(h, l, e);

	return r < 0 ? r : h->ops->make(h, group, l, e);
}

int cg_open_leaf(const struct cg_host *h, const char *group, struct cg_leaf *ret, struct err *e)
{
	*ret = (struct cg_leaf) CG_LEAF_INIT;
	return h->ops->open_leaf(h, group, ret, e);
}

char **cg_init_paths(const struct cg_host *h, const char *group, const char *leaf)
{
	return h->ops->init_paths(h, group, leaf);
}

int cg_make_init(const struct cg_host *h, const char *group, const char *leaf, struct cg_leaf *ret, struct err *e)
{
	*ret = (struct cg_leaf) CG_LEAF_INIT;
	return h->ops->make_init(h, group, leaf, ret, e);
}

void cg_leaf_close(struct cg_leaf *leaf)
{
	for (size_t i = 0; i < leaf->n_join; i++)
		leaf->join[i] = fd_close(leaf->join[i]);
	leaf->n_join = 0;
	leaf->dir = fd_close(leaf->dir);
	leaf->freezer = fd_close(leaf->freezer);
}

int cg_write(int dirfd, const char *dir, const char *file, const char *text, struct err *e)
{
	int r = file_poke_at(dirfd, file, text);

	if (r < 0)
		return err_sysr(e, r, "cgroup %s: write %s to %s", dir, text, file);
	return 0;
}

/* The directory and those above it, below the mount. */
static int mkdir_parents(char *path, size_t mount_len)
{
	for (char *s = path + mount_len + 1;; s++) {
		char c = *s;
		int r;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*s = c;
		if (r < 0 || !c)
			return r;
	}
}

int cg_mkdirs(const char *mount, const char *group, struct err *e)
{
	_cleanup_free_ char *path = path_join(mount, group);
	int r = -ENOENT;

	/* The leaf first: its parents mostly exist already. */
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, "mkdir %s", path);
	/* A gc takes the topmost away when it is empty, also between two steps of ours. */
	for (int i = 0; i < CG_TRIES && r == -ENOENT; i++)
		r = mkdir_parents(path, strlen(mount));
	return r < 0 ? err_sysr(e, r, "mkdir %s", path) : 0;
}
