/*
 * Mount objects: made here with the host's view, handed to init as descriptors, attached only inside the
 * pod.  In the host's namespace no mount ever appears; when the last descriptor and the pod's namespace
 * are gone, so are they.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "contract/layout.h"
#include "stage1/run/sandbox.h"
#include "stage1/run/source.h"
#include "sys/fd_limit.h"
#include "sys/mountapi.h"
#include "sys/overlay.h"

/* upper becomes what the top looks like to the app: mode and owner are those of the image's directory. */
static int make_upper(int pod, const char *upper, const struct stat *st, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;

	if (mkdirat(pod, upper, st->st_mode & 07777) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", upper);
	fd = openat(pod, upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", upper);
	if (((st->st_uid || st->st_gid) && fchown(fd, st->st_uid, st->st_gid) < 0) ||
	    fchmod(fd, st->st_mode & 07777) < 0)
		return err_sys(e, "owner and mode of %s", upper);
	return 0;
}

static int make_layers(int pod, const char *upper, const char *work, const struct stat *st, struct err *e)
{
	int r = make_upper(pod, upper, st, e);

	if (r < 0)
		return r;
	return mkdirat(pod, work, 0700) < 0 && errno != EEXIST ? err_sys(e, "mkdir %s", work) : 0;
}

/* That of the pod's user namespace: the layers lie in these directories. */
static struct overlay_map mapped(const struct sandbox *sb, char *const *tops)
{
	return (struct overlay_map) {sb->users, sb->plan->ids.shift, tops};
}

/* Paths relative to the working directory, which is the pod's: no colon and no comma can be in them. */
static int overlay_root(const struct sandbox *sb, const struct plan_app *pa, struct err *e)
{
	const struct plan *plan = sb->plan;
	_cleanup_free_ char *top = xasprintf(POD_APPSINFO "/%s", pa->name);
	const struct overlay_map map = mapped(sb, (char *[]) {(char *) POD_STORE_TREE, top, NULL});
	_cleanup_free_ char *upper = xasprintf(POD_APPSINFO "/%s/" APP_UPPER, pa->name);
	_cleanup_free_ char *work = xasprintf(POD_APPSINFO "/%s/" APP_WORK, pa->name);
	const struct overlay o = {
		.dir = AT_FDCWD,
		.lower = pa->tree->layers,
		.n_lower = pa->tree->n,
		.upper = upper,
		.work = work,
		/* By this name fly's gc knows the pod's processes in /proc/PID/mountinfo. */
		.source = plan->chroot ? plan->uuid : NULL,
		.map = plan->ids.count ? &map : NULL,
	};
	struct stat st;
	int r;

	if (fstatat(sb->pod, tree_top(pa->tree), &st, 0) < 0)
		return err_sys(e, "stat the image's tree %s", tree_top(pa->tree));
	r = make_layers(sb->pod, upper, work, &st, e);
	return r < 0 ? r : overlay_new(&o, MNT_ATTR_NODEV, e);
}

/* stage2 takes it out of the host's peer group and sets its attributes, in the call that attaches it. */
static int clone_mount(int dirfd, const char *path, bool recursive, const char *shown, struct err *e)
{
	int fd = mnt_clone(dirfd, path, recursive);

	return fd < 0 ? err_sysr(e, fd, "open_tree %s", q(shown)) : fd;
}

static int make_root(struct sandbox *sb, const struct plan_app *pa, struct err *e)
{
	if (sb->plan->overlay)
		return overlay_root(sb, pa, e);
	return clone_mount(sb->pod, tree_top(pa->tree), false, tree_top(pa->tree), e);
}

/* The source may have become something else since the plan looked at it. */
static int open_host(const struct plan_mount *m, struct err *e)
{
	struct stat st;
	_cleanup_fd_ int fd = m->volume ? source_open(m->path, &st, e) : source_open_own(m->path, &st, e);
	bool device = fd >= 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));

	if (fd < 0)
		return fd;
	if (S_ISDIR(st.st_mode) != m->dir || device != (m->device != 0) || (device && st.st_rdev != m->device))
		return err_set(e, ESTALE, "%s changed while the pod was starting", q(m->path));
	return take_fd(fd);
}

static int overlay_volume(struct sandbox *sb, const struct plan_mount *m, const struct stack_node *of_image,
			  struct err *e)
{
	_cleanup_free_ char *upper = xasprintf("%s/" APP_UPPER, m->path), *work = xasprintf("%s/" APP_WORK, m->path);
	const struct overlay_map map = mapped(sb, (char *[]) {(char *) POD_STORE_TREE, m->path, NULL});
	struct overlay o = {.dir = AT_FDCWD, .n_lower = of_image->dir.n, .upper = upper, .work = work,
			    .map = sb->plan->ids.count ? &map : NULL};
	_cleanup_strv_ char **lower = NULL;
	int r = make_layers(sb->pod, upper, work, &of_image->st, e);

	if (r < 0)
		return r;
	for (size_t i = of_image->dir.n; i-- > 0;)
		strv_push(&lower, xasprintf("/proc/self/fd/%d", of_image->dir.fds[i]));
	o.lower = lower;
	return overlay_new(&o, MNT_ATTR_NODEV, e);
}

/*
 * A volume over a directory of the image: that with a layer of the volume's on it, so that nothing is
 * copied.  Without overlays the app has a copy of the image already.
 */
static int filled_volume(struct sandbox *sb, const struct plan_app *pa, const struct plan_mount *m, struct err *e)
{
	_cleanup_fd_limit_ struct fd_limit limit = pa->tree->n > 64 ? fd_limit_raise() : (struct fd_limit) {0};
	_cleanup_stack_node_ struct stack_node node = STACK_NODE_INIT;
	int r = tree_find_dir(pa->tree, sb->pod, m->target, &node, e);

	/* The image has nothing there to begin with. */
	if (r == -ENOENT || r == -ENOTDIR)
		return clone_mount(sb->pod, m->path, false, m->path, e);
	if (r < 0)
		return err_sysr(e, r, "open %s of the image", q(m->target));
	if (!sb->plan->overlay)
		return clone_mount(node.dir.fds[0], "", false, m->target, e);
	return overlay_volume(sb, m, &node, e);
}

static int make_mount(struct sandbox *sb, const struct plan_app *pa, const struct plan_mount *m, struct err *e)
{
	static const struct mnt_option tmpfs[] = {{"mode", "1777"}, {NULL, NULL}};
	_cleanup_fd_ int source = -EBADF;

	if (m->source == SOURCE_TMPFS)
		return mnt_new("tmpfs", tmpfs, MNT_ATTR_NOSUID | MNT_ATTR_NODEV, e);
	if (m->filled)
		return filled_volume(sb, pa, m, e);
	if (m->source != SOURCE_HOST)
		return clone_mount(sb->pod, m->path, false, m->path, e);
	/* In a chroot /dev, /proc and /sys, which no operator has named. */
	if (!m->volume && m->dir)
		return clone_mount(AT_FDCWD, m->path, m->recursive, m->path, e);
	source = open_host(m, e);
	if (source < 0)
		return source;
	return clone_mount(source, "", m->recursive, m->path, e);
}

/*
 * In a chroot the app's mounts may lie in peer groups of the host's: those of its volumes shall, all
 * others only listen.  Elsewhere stage2 takes every one out of its group.
 */
static int set_propagation(const struct plan *plan, const struct plan_mount *m, int fd, struct err *e)
{
	int r = 0;

	if (plan->chroot && !m->back)
		r = mnt_set_attrs(fd, MNT_ATTR_SLAVE, m->recursive);
	return r < 0 ? err_sysr(e, r, "mount_setattr %s", q(m->target)) : 0;
}

int sandbox_mounts(struct sandbox *sb, struct err *e)
{
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		const struct plan_app *pa = &sb->plan->apps[i];
		struct sandbox_app *sa = &sb->apps[i];

		sa->root = make_root(sb, pa, e);
		if (sa->root < 0)
			return err_ctx(e, sa->root, "app %s: root", pa->name);
		sa->mounts = xcalloc(pa->n_mounts, sizeof *sa->mounts);
		while (sa->n_mounts < pa->n_mounts) {
			const struct plan_mount *m = &pa->mounts[sa->n_mounts];
			int r, fd = make_mount(sb, pa, m, e);

			if (fd < 0)
				return err_ctx(e, fd, "app %s: mount %s", pa->name,
					       q(m->volume ? m->volume : m->target));
			sa->mounts[sa->n_mounts++] = fd;
			r = set_propagation(sb->plan, m, fd, e);
			if (r < 0)
				return err_ctx(e, r, "app %s", pa->name);
		}
	}
	return 0;
}
