#include "cni-plugins/host-local/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define LEASE_MAX 1024

void store_close(struct store *st)
{
	/* Failing leaves no index, which only costs the next call its time. */
	if (st->index.wiped && st->index.valid)
		(void) lease_index_save(&st->index, st->lock, st->dir, NULL);
	lease_index_done(&st->index);
	st->dir = fd_close(st->dir);
	st->lock = fd_close(st->lock);
}

/* --- one lease --- */

struct lease {
	struct ip ip;
	const char *name; /* of the file */
	char text[LEASE_MAX];
	const char *id, *ifname; /* ifname NULL: a very old lease */
};

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	for (n = strlen(s); n && strchr(" \t\r\n", s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

/*
 * 1; 0 when the file is gone, empty, or not a lease. What cannot be read may be somebody's: an
 * error.
 */
static int read_lease(int dir, const char *name, struct lease *l)
{
	_cleanup_fd_ int fd = -EBADF;
	char *text, *eol;
	ssize_t n;

	if (ip_parse(name, &l->ip) < 0)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	n = read(fd, l->text, sizeof l->text - 1);
	if (n < 0)
		return errno == EISDIR ? 0 : -errno;
	l->text[n] = '\0';
	text = trim(l->text);
	if (!*text)
		return 0;
	l->name = name;
	l->id = text;
	l->ifname = NULL;
	eol = strpbrk(text, "\r\n");
	if (eol) {
		l->ifname = trim(eol);
		*eol = '\0';
	}
	return 1;
}

static bool lease_is(const struct lease *l, const char *id, const char *ifname)
{
	return !strcmp(l->id, id) && (!l->ifname || !strcmp(l->ifname, ifname));
}

/* --- all leases --- */

typedef int (*lease_fn)(int dir, const struct lease *l, void *arg);

static int for_each(const struct store *st, lease_fn fn, void *arg, struct err *e)
{
	int fd = openat(st->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	struct lease l;

	if (!d) {
		r = err_sys(e, "read the directory of leases");
		(void) fd_close(fd);
		return r;
	}
	while (r >= 0 && (de = readdir(d))) {
		r = read_lease(st->dir, de->d_name, &l);
		if (r > 0)
			r = fn(st->dir, &l, arg);
		if (r < 0)
			return err_sysr(e, r, "lease %s", de->d_name);
	}
	return 0;
}

static int index_one(int dir _unused_, const struct lease *l, void *arg)
{
	lease_index_add(arg, &l->ip, l->id, l->ifname);
	return 0;
}

/* Make sure that the index tells all leases. */
static int need_index(struct store *st, struct err *e)
{
	int r = 0;

	if (st->index.valid)
		return 0;
	lease_index_clear(&st->index);
	r = lease_index_wipe(&st->index, st->lock, e);
	if (r >= 0)
		r = for_each(st, index_one, &st->index, e);
	st->index.valid = r >= 0;
	return r;
}

int store_find(struct store *st, const char *id, const char *ifname, struct ip **ret, size_t *ret_n,
	       struct err *e)
{
	int r = need_index(st, e);

	if (r >= 0)
		lease_index_find(&st->index, id, ifname, ret, ret_n);
	return r;
}

int store_find_sure(struct store *st, const char *id, const char *ifname, struct ip **ret,
		    size_t *ret_n, struct err *e)
{
	bool fresh = !st->index.valid, sure = true;
	char name[IP_TEXT_MAX];
	struct lease l;
	int r = store_find(st, id, ifname, ret, ret_n, e);

	if (r < 0 || fresh)
		return r;
	for (size_t i = 0; i < *ret_n; i++) {
		r = read_lease(st->dir, ip_text(&(*ret)[i], name), &l);
		if (r < 0)
			return err_sysr(e, r, "lease %s", name);
		sure &= r > 0 && lease_is(&l, id, ifname);
	}
	if (sure && *ret_n)
		return 0;
	free(take_ptr(*ret));
	st->index.valid = false;
	return store_find(st, id, ifname, ret, ret_n, e);
}

static int drop(int dir, const char *name)
{
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int store_release_ip(struct store *st, const struct ip *ip, struct err *e)
{
	char name[IP_TEXT_MAX];
	int r = lease_index_wipe(&st->index, st->lock, e);

	if (r < 0)
		return r;
	r = drop(st->dir, ip_text(ip, name));
	if (r < 0)
		return err_sysr(e, r, "release %s", name);
	lease_index_remove(&st->index, ip);
	return 0;
}

/* Those of the index that the files confirm; *n counts them. */
static int release_found(struct store *st, const char *id, const char *ifname, size_t *n,
			 struct err *e)
{
	_cleanup_free_ struct ip *list = NULL;
	char name[IP_TEXT_MAX];
	struct lease l;
	size_t found;
	int r = store_find(st, id, ifname, &list, &found, e);

	*n = 0;
	for (size_t i = 0; r >= 0 && i < found; i++) {
		r = read_lease(st->dir, ip_text(&list[i], name), &l);
		if (r < 0)
			return err_sysr(e, r, "lease %s", name);
		if (r == 0 || !lease_is(&l, id, ifname))
			continue;
		r = store_release_ip(st, &list[i], e);
		++*n;
	}
	return r;
}

int store_release(struct store *st, const char *id, const char *ifname, struct err *e)
{
	bool fresh = !st->index.valid;
	size_t n;
	int r = release_found(st, id, ifname, &n, e);

	if (r < 0 || n || fresh)
		return r;
	/* Before we say that there is nothing, look at the files themselves. */
	st->index.valid = false;
	return release_found(st, id, ifname, &n, e);
}

static int gc_one(int dir, const struct lease *l, void *arg)
{
	return cni_attachments_have(arg, l->id, l->ifname) ? 0 : drop(dir, l->name);
}

int store_gc(struct store *st, const struct cni_attachments *valid, struct err *e)
{
	int r = lease_index_wipe(&st->index, st->lock, e);

	st->index.valid = false;
	return r < 0 ? r : for_each(st, gc_one, (void *) valid, e);
}

/* --- reserving --- */

static void last_name(size_t set, char name[static 40])
{
	(void) snprintf(name, 40, "last_reserved_ip.%zu", set);
}

struct ip store_last(const struct store *st, size_t set)
{
	_cleanup_free_ char *text = NULL;
	struct ip ip = {0};
	char name[40];

	last_name(set, name);
	if (file_read_at(st->dir, name, IP_TEXT_MAX + 2, &text, NULL, NULL) < 0 ||
	    ip_parse(trim(text), &ip) < 0)
		return (struct ip) {0};
	return ip;
}

/* A hint for the next search; written in place, since a wrong one costs nothing. */
static int note_last(const struct store *st, size_t set, const char *ip)
{
	_cleanup_fd_ int fd = -EBADF;
	char name[40];

	last_name(set, name);
	fd = openat(st->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || ftruncate(fd, (off_t) strlen(ip)) < 0)
		return -errno;
	return write_all(fd, ip, strlen(ip));
}

/*
 * An unnamed file that gets its name when it is complete; -EOPNOTSUPP where the file system has
 * none.
 */
static int link_lease(const struct store *st, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(st->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char path[32];
	int r;

	if (fd < 0)
		return errno == EISDIR ? -EOPNOTSUPP : -errno;
	r = write_all(fd, text, strlen(text));
	if (r < 0)
		return r;
	(void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, st->dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

bool store_is_taken(const struct store *st, const struct ip *ip)
{
	char name[IP_TEXT_MAX];
	struct stat s;

	return fstatat(st->dir, ip_text(ip, name), &s, AT_SYMLINK_NOFOLLOW) == 0 && s.st_size > 0;
}

int store_reserve(struct store *st, const struct ip *ip, const char *id, const char *ifname,
		  size_t set, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char name[IP_TEXT_MAX];
	int r;

	if (store_is_taken(st, ip))
		return 0;
	(void) ip_text(ip, name);
	text = xasprintf("%s\r\n%s", id, ifname);
	r = lease_index_wipe(&st->index, st->lock, e);
	if (r < 0)
		return r;
	r = link_lease(st, name, text);
	if (r == -EEXIST) {
		/* Empty, and we hold the lock: nobody is about to fill it. */
		(void) unlinkat(st->dir, name, 0);
		r = link_lease(st, name, text);
	}
	if (r == -EOPNOTSUPP)
		r = file_write_at(st->dir, name, text, strlen(text), 0600, FILE_FAST, e);
	if (r >= 0)
		r = note_last(st, set, name);
	if (r < 0) {
		(void) unlinkat(st->dir, name, 0);
		return err_sysr(e, r, "reserve %s", name);
	}
	lease_index_add(&st->index, ip, id, ifname);
	return 1;
}

/* --- opening, and the reboot --- */

static int drop_old(int dir, const struct lease *l, void *arg)
{
	const time_t *booted = arg;
	struct stat s;

	if (fstatat(dir, l->name, &s, AT_SYMLINK_NOFOLLOW) < 0 || s.st_mtime >= *booted)
		return 0;
	return drop(dir, l->name);
}

static int after_reboot(const struct store *st, struct err *e)
{
	struct timespec now, up;
	time_t booted;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
		return err_sys(e, "clock");
	booted = now.tv_sec - up.tv_sec;
	return for_each(st, drop_old, &booted, e);
}

/* The index is read already: its head says under which boot it was made. */
static int check_boot(struct store *st, struct err *e)
{
	char now[BOOT_ID_LEN + 1] = "";
	_cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	int r;

	/* Without the kernel's word nothing can be said. */
	if (fd < 0 || read_exact(fd, now, BOOT_ID_LEN) != BOOT_ID_LEN ||
	    !strcmp(st->index.boot, now))
		return 0;
	r = lease_index_wipe(&st->index, st->lock, e);
	if (r >= 0 && strlen(st->index.boot) == BOOT_ID_LEN) {
		st->index.valid = false;
		r = after_reboot(st, e);
	}
	if (r < 0)
		return r;
	memcpy(st->index.boot, now, sizeof now);
	if (pwrite(st->lock, now, BOOT_ID_LEN, 0) != BOOT_ID_LEN)
		r = err_sys(e, "write the lock file");
	return r;
}

int store_open(const char *data_dir, const char *network, bool create, struct store *st,
	       struct err *e)
{
	_cleanup_free_ char *path = path_join(data_dir, network);
	int r = 0;

	st->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->dir < 0 && errno == ENOENT && create) {
		r = path_mkdirs(path, 0755, e);
		if (r < 0)
			return r;
		st->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (st->dir < 0)
		return err_sys(e, "open %s", path);
	st->lock = lock_file_at(st->dir, "lock", LOCK_EXCLUSIVE, true, e);
	if (st->lock < 0) {
		r = st->lock;
		st->lock = -EBADF;
		return err_ctx(e, r, "%s", path);
	}
	r = lease_index_load(&st->index, st->lock, st->dir, e);
	return r < 0 ? r : check_boot(st, e);
}
