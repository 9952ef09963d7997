/*
 * floor_root.c - the root of one app: overlay, proc, sys, dev, masks, pivot_root.
 *
 * Everything is mounted inside the app's own mount namespace, below the overlay, before
 * pivot_root(2); what was the host's root then goes by one lazy unmount.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define RESTRICTED (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct node {
	const char *path;
	unsigned char major, minor;
};

static const struct node nodes[] = {
	{ "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "pts/ptmx", "dev/ptmx" },	       { "/proc/self/fd", "dev/fd" },
	{ "/proc/self/fd/0", "dev/stdin" },    { "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" },
};

static const char *const read_only[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static const char *const masked_files[] = { "proc/kcore", "proc/keys", "proc/timer_list" };
static const char *const masked_dirs[] = { "proc/acpi", "proc/scsi" };

static void mount_fs(const char *type, const char *to, unsigned long flags, const char *data)
{
	if (mount(type, to, type, flags, data) < 0)
		floor_die(to);
}

static void make_dev(void)
{
	mode_t mask = umask(0);

	mount_fs("tmpfs", "dev", MS_NOSUID, "mode=755,size=65536k");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)))
			floor_die(nodes[i].path);
	umask(mask);
	if (mkdir("dev/pts", 0755) || mkdir("dev/shm", 01777) || mkdir("dev/mqueue", 0755))
		floor_die("mkdir in dev");
	mount_fs("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
		 "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_fs("tmpfs", "dev/shm", RESTRICTED, "mode=1777,size=65536k");
	mount_fs("mqueue", "dev/mqueue", RESTRICTED, NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			floor_die(links[i][1]);
}

/* Kernels differ in what they have below /proc: what is not there needs no mask. */
static void mask(void)
{
	for (size_t i = 0; i < sizeof(read_only) / sizeof(*read_only); i++) {
		const char *path = read_only[i];

		if (mount(path, path, NULL, MS_BIND, NULL) < 0) {
			if (errno == ENOENT)
				continue;
			floor_die(path);
		}
		if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | RESTRICTED, NULL))
			floor_die(path);
	}
	for (size_t i = 0; i < sizeof(masked_files) / sizeof(*masked_files); i++)
		if (mount("dev/null", masked_files[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			floor_die(masked_files[i]);
	for (size_t i = 0; i < sizeof(masked_dirs) / sizeof(*masked_dirs); i++)
		if (mount("tmpfs", masked_dirs[i], "tmpfs", RESTRICTED | MS_RDONLY, "size=0k") < 0 &&
		    errno != ENOENT)
			floor_die(masked_dirs[i]);
}

void floor_root(const char *rootfs, const char *layer)
{
	char path[160], data[640];

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		floor_die("mount slave");
	(void)snprintf(path, sizeof(path), "%s/m", layer);
	(void)snprintf(data, sizeof(data), "lowerdir=%s,upperdir=%s/u,workdir=%s/w", rootfs, layer,
		       layer);
	mount_fs("overlay", path, MS_NODEV, data);
	if (chdir(path) < 0)
		floor_die(path);
	mount_fs("proc", "proc", RESTRICTED, NULL);
	mount_fs("sysfs", "sys", RESTRICTED | MS_RDONLY, NULL);
	make_dev();
	mask();
	/* pivot_root(2): "." as both arguments stacks the old root over the new one. */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		floor_die("pivot_root");
}
