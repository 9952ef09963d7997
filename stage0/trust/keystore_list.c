/*
 * What is trusted for what, and how it is trusted no more.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/context.h"
#include "stage0/trust/keystore.h"

#define DEPTH_MAX 64
#define ROOT "root.d"
#define PREFIX "prefix.d"

void trust_entries_done(struct trust_entries *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].prefix);
		free(l->v[i].fpr);
	}
	free(l->v);
	*l = (struct trust_entries) {0};
}

static struct trust_entry *find(struct trust_entries *l, const char *prefix, const char *fpr)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].prefix, prefix) && !strcmp(l->v[i].fpr, fpr))
			return &l->v[i];
	return NULL;
}

/* The administrator's are read first: what he has counts, empty or not. */
static void add(struct trust_entries *l, const char *prefix, const char *fpr, bool vendor,
		bool empty)
{
	if (find(l, prefix, fpr))
		return;
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = (struct trust_entry) {
		.prefix = xstrdup(prefix),
		.fpr = xstrdup(fpr),
		.vendor = vendor,
		.masked = empty,
	};
}

/* Keys in the directory, and prefixes below it. */
static int walk(const char *path, const char *prefix, bool vendor, int depth,
		struct trust_entries *l, struct err *e)
{
	_cleanup_dir_ DIR *d = opendir(path);
	struct dirent *de;
	struct stat st;
	int r = 0;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "open %s", path);
	while (r == 0 && (de = readdir(d))) {
		_cleanup_free_ char *below = NULL, *name = NULL;

		if (de->d_name[0] == '.' || fstatat(dirfd(d), de->d_name, &st, 0) < 0)
			continue;
		if (S_ISREG(st.st_mode) && trust_is_fingerprint(de->d_name))
			add(l, prefix, de->d_name, vendor, st.st_size == 0);
		name = *prefix ? xasprintf("%s/%s", prefix, de->d_name) : xstrdup(de->d_name);
		if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX || ac_identifier_check(name))
			continue;
		below = path_join(path, de->d_name);
		r = walk(below, name, vendor, depth + 1, l, e);
	}
	return r;
}

static int by_prefix(const void *a, const void *b)
{
	const struct trust_entry *x = a, *y = b;
	int r = strcmp(x->prefix, y->prefix);

	return r ? r : strcmp(x->fpr, y->fpr);
}

int trust_list(const struct gantry *g, struct trust_entries *ret, struct err *e)
{
	const char *const configs[] = {g->local_config, g->system_config};
	struct trust_entries l = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ELEMENTSOF(configs); i++) {
		_cleanup_free_ char *root = xasprintf("%s/trustedkeys/" ROOT, configs[i]);
		_cleanup_free_ char *prefixes = xasprintf("%s/trustedkeys/" PREFIX, configs[i]);

		/* Only files count in the root's directory. */
		r = walk(root, "", i == 1, DEPTH_MAX, &l, e);
		if (r == 0)
			r = walk(prefixes, "", i == 1, 0, &l, e);
	}
	if (r < 0) {
		trust_entries_done(&l);
		return r;
	}
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_prefix);
	*ret = l;
	return 0;
}

static int mask(const char *dir, const char *fpr, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	int r = path_mkdirs(dir, 0755, e);

	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", dir)
		      : file_write_at(fd, fpr, "", 0, 0644, FILE_DURABLE, e);
}

int trust_key_remove(const struct gantry *g, const char *prefix, const char *fpr, struct err *e)
{
	_cleanup_free_ char *place = prefix ? xasprintf(PREFIX "/%s", prefix) : xstrdup(ROOT);
	_cleanup_free_ char *dir = xasprintf("%s/trustedkeys/%s", g->local_config, place);
	_cleanup_free_ char *own = path_join(dir, fpr);
	_cleanup_free_ char *vendor =
		xasprintf("%s/trustedkeys/%s/%s", g->system_config, place, fpr);
	struct stat st;
	bool have = stat(own, &st) == 0 && S_ISREG(st.st_mode);

	if (access(vendor, F_OK) == 0 && !(have && !st.st_size))
		return mask(dir, fpr, e);
	if (!have || !st.st_size)
		return err_set(e, ENOENT, "key %s is not trusted for %s", fpr,
			       prefix ? prefix : "all images");
	return unlink(own) < 0 ? err_sys(e, "remove %s", own) : 0;
}
