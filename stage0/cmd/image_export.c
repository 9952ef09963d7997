/*
 * gantry image export: the archive out of the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/kept.h"

#define COPY_CHUNK (16u << 20)

enum { EXIT_CLOSE = 1 };

struct target {
	bool overwrite, uncompressed;
};

static const struct opt opts[] = {
	{.name = "overwrite",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, overwrite),
	 .help = "replace the file if it is there"},
	{.name = "uncompressed",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, uncompressed),
	 .help = "as a plain tar, whose SHA-512 is the image's id; also when the file's name ends "
		 "in .tar, or when called as rkt"},
};

/*
 * Where the bytes go. The file has no name before it is whole (O_TMPFILE), or one of its own where the
 * file system cannot do that; a pipe or a device is written into.
 */
struct output {
	const char *path;
	bool special;
	char *temp; /* NULL: no name, or special */
	int fd;
};

static int open_failed(const char *path, struct err *e)
{
	if (errno == EEXIST)
		return err_set(e, EEXIST,
			       "unable to open output file %s: file exists (try --overwrite)",
			       q(path));
	return err_sys(e, "unable to open output file %s", q(path));
}

static char *temp_name(const char *path)
{
	return xasprintf("%s.%d", path, (int) getpid());
}

static int open_unnamed(const char *path)
{
	const char *name = path_last(path);
	_cleanup_free_ char *dir = xstrndup(path, (size_t) (name - path));

	return open(*dir ? dir : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);
}

static int open_named(struct output *o)
{
	int fd;

	o->temp = temp_name(o->path);
	fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		free(take_ptr(o->temp));
	return fd;
}

static int open_output(struct output *o, bool overwrite, struct err *e)
{
	struct stat st;
	bool is_there = lstat(o->path, &st) == 0;

	if (is_there && !overwrite) {
		errno = EEXIST;
		return open_failed(o->path, e);
	}
	if (is_there && !S_ISREG(st.st_mode)) {
		o->special = true;
		o->fd = open(o->path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
		return o->fd < 0 ? open_failed(o->path, e) : 0;
	}
	o->fd = open_unnamed(o->path);
	if (o->fd < 0)
		o->fd = open_named(o);
	return o->fd < 0 ? open_failed(o->path, e) : 0;
}

static int read_and_write(int from, int to)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof buf)) > 0) {
		int r = write_all(to, buf, (size_t) n);

		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : 0;
}

/* Within a file system, or the kernel, as far as that can be had. */
static int copy_all(int from, int to)
{
	ssize_t n;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while ((n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0)) > 0)
		;
	if (n == 0)
		return 0;
	if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
	    errno != EBADF)
		return -errno;
	return read_and_write(from, to);
}

static int copy_blob(int store, const char *id, int out, struct err *e)
{
	_cleanup_fd_ int blob = store_blob_open(store, id, e);
	int r = blob < 0 ? blob : copy_all(blob, out);

	return r < 0 && blob >= 0 ? err_sysr(e, r, "copy image %s", id) : r;
}

static int give_name(const struct output *o, const char *name)
{
	char fd_path[32];

	(void) snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, o->temp ? o->temp : fd_path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static int put_in_place(struct output *o, bool overwrite)
{
	if (!overwrite)
		return give_name(o, o->path);
	/* A second name is needed for what replaces something. */
	if (!o->temp) {
		_cleanup_free_ char *temp = temp_name(o->path);

		if (give_name(o, temp) < 0)
			return -1;
		o->temp = take_ptr(temp);
	}
	return rename(o->temp, o->path);
}

/* That the file cannot be closed has a status of its own, as in rkt. */
static int finish(struct output *o, bool overwrite, struct err *e)
{
	if (!o->special && put_in_place(o, overwrite) < 0)
		return open_failed(o->path, e);
	if (close(take_fd(o->fd)) < 0) {
		log_error("close output file %s: %s", q(o->path), strerror(errno));
		return EXIT_CLOSE;
	}
	return 0;
}

static void discard(struct output *o)
{
	(void) fd_close(o->fd);
	if (o->temp)
		(void) unlink(o->temp);
	free(o->temp);
}

static bool wants_plain(const struct gantry *g, const struct target *t, const char *path)
{
	return t->uncompressed || g->rkt || str_ends(path, ".tar");
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	struct output o = {.fd = -EBADF};
	_cleanup_free_ char *id = NULL;
	_cleanup_fd_ int store = -EBADF;
	int r;

	if (strv_len(words) != 2)
		return err_set(e, EINVAL, "must provide an image and an output file");
	o.path = words[1];
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	r = store_find(store, words[0], &id, e);
	if (r == 0)
		r = open_output(&o, t->overwrite, e);
	if (r == 0)
		r = wants_plain(g, t, words[1]) ? kept_inflate(g, store, id, o.fd, e)
						: copy_blob(store, id, o.fd, e);
	if (r == 0)
		r = finish(&o, t->overwrite, e);
	discard(&o);
	return r;
}

const struct command cmd_image_export = {
	.name = "image export",
	.usage = "[options] IMAGE FILE",
	.summary = "write the archive of an image into a file",
	.details = "The bytes are those that were downloaded. Their SHA-512, when they are "
		   "inflated, is the image's id.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
