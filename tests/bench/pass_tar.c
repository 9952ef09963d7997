/*
 * pass_tar.c - extract a tar archive that arrives in pieces.
 *
 * It knows what the archives of the benchmark contain (GNU format: files, directories, symbolic and
 * hard links, long names), trusts them, and keeps modes and times as an unpacker has to.
 */
#include "pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512
#define NAME_MAX_LEN 4096

/* POSIX.1-1988 header, pax(1); GNU's long names come as entries of type L and K before it. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

struct directory {
	struct directory *next;
	struct timespec time;
	char name[];
};

struct tar {
	union {
		struct header h;
		char bytes[BLOCK];
	} head;
	size_t have;		/* bytes of the header */
	size_t body, padding;	/* what is left of the entry */
	int root, out, parent;
	char parent_name[NAME_MAX_LEN];
	char long_name[NAME_MAX_LEN], long_link[NAME_MAX_LEN];
	char *collect;		/* long_name or long_link while such an entry arrives */
	size_t collected;
	struct timespec time;
	struct directory *directories;
	long entries;
};

_Static_assert(sizeof(struct header) == BLOCK, "tar header");

struct tar *tar_open(const char *directory)
{
	struct tar *t = calloc(1, sizeof(*t));

	if (!t)
		pass_die("calloc");
	(void)umask(0);
	t->root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	t->out = t->parent = -1;
	if (t->root < 0)
		pass_die(directory);
	return t;
}

static size_t octal(const char *field, size_t len)
{
	size_t value = 0;

	for (size_t i = 0; i < len && field[i]; i++)
		if (field[i] >= '0' && field[i] <= '7')
			value = value * 8 + (size_t)(field[i] - '0');
	return value;
}

static void set_time(int at, const char *name, struct timespec time)
{
	struct timespec both[2] = { time, time };

	if (utimensat(at, name, both, AT_SYMLINK_NOFOLLOW) < 0)
		pass_die(name);
}

/* Entries of one directory follow each other: its descriptor is kept, and changes seldom. */
static int parent_of(struct tar *t, char *path, const char **base)
{
	char *slash = strrchr(path, '/');

	*base = slash ? slash + 1 : path;
	if (!slash)
		return t->root;
	*slash = '\0';
	if (strcmp(path, t->parent_name) != 0) {
		if (t->parent >= 0)
			close(t->parent);
		t->parent = openat(t->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (t->parent < 0)
			pass_die(path);
		memcpy(t->parent_name, path, strlen(path) + 1);
	}
	*slash = '/';
	return t->parent;
}

static void remember(struct tar *t, const char *path)
{
	size_t len = strlen(path) + 1;
	struct directory *d = malloc(sizeof(*d) + len);

	if (!d)
		pass_die("malloc");
	memcpy(d->name, path, len);
	d->time = t->time;
	d->next = t->directories;
	t->directories = d;
}

static void file_end(struct tar *t)
{
	struct timespec both[2] = { t->time, t->time };

	if (futimens(t->out, both) < 0 || close(t->out) < 0)
		pass_die("close");
	t->out = -1;
}

static void create(struct tar *t, char *path, const char *link)
{
	mode_t mode = (mode_t)octal(t->head.h.mode, sizeof(t->head.h.mode));
	const char *base;
	int at = parent_of(t, path, &base), r = 0;

	t->entries++;
	switch (t->head.h.type) {
	case '5':
		r = mkdirat(at, base, mode);
		remember(t, path);
		break;
	case '2':
		r = symlinkat(link, at, base);
		if (r == 0)
			set_time(at, base, t->time);
		break;
	case '1':
		r = linkat(t->root, link, at, base, 0);
		break;
	default:
		t->out = openat(at, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				mode);
		if (t->out < 0 || fchown(t->out, 0, 0) < 0)
			pass_die(path);
		if (t->body == 0)
			file_end(t);
	}
	if (r < 0)
		pass_die(path);
}

static void header_done(struct tar *t)
{
	const struct header *h = &t->head.h;
	char path[NAME_MAX_LEN], link[NAME_MAX_LEN];
	size_t len;

	t->have = 0;
	if (!h->name[0]) /* the blocks of zeroes at the end */
		return;
	t->body = octal(h->size, sizeof(h->size));
	t->padding = (BLOCK - t->body % BLOCK) % BLOCK;
	t->time.tv_sec = (time_t)octal(h->mtime, sizeof(h->mtime));
	if (h->type == 'L' || h->type == 'K') {
		t->collect = h->type == 'L' ? t->long_name : t->long_link;
		t->collected = 0;
		return;
	}
	if (t->long_name[0])
		(void)snprintf(path, sizeof(path), "%s", t->long_name);
	else
		(void)snprintf(path, sizeof(path), "%.100s", h->name);
	if (t->long_link[0])
		(void)snprintf(link, sizeof(link), "%s", t->long_link);
	else
		(void)snprintf(link, sizeof(link), "%.100s", h->link);
	t->long_name[0] = t->long_link[0] = '\0';
	for (len = strlen(path); len > 1 && path[len - 1] == '/';)
		path[--len] = '\0';
	create(t, path, link);
}

static void body(struct tar *t, const char *data, size_t n)
{
	t->body -= n;
	if (t->collect) {
		if (t->collected + n >= NAME_MAX_LEN) {
			errno = ENAMETOOLONG;
			pass_die("tar");
		}
		memcpy(t->collect + t->collected, data, n);
		t->collected += n;
		t->collect[t->collected] = '\0';
		if (t->body == 0)
			t->collect = NULL;
		return;
	}
	if (t->out >= 0 && write(t->out, data, n) != (ssize_t)n)
		pass_die("write");
	if (t->out >= 0 && t->body == 0)
		file_end(t);
}

void tar_feed(struct tar *t, const char *data, size_t len)
{
	while (len) {
		size_t want = t->body ? t->body : t->padding ? t->padding : BLOCK - t->have;
		size_t n = len < want ? len : want;

		if (t->body) {
			body(t, data, n);
		} else if (t->padding) {
			t->padding -= n;
		} else {
			memcpy(t->head.bytes + t->have, data, n);
			t->have += n;
			if (t->have == BLOCK)
				header_done(t);
		}
		data += n;
		len -= n;
	}
}

long tar_close(struct tar *t)
{
	long entries = t->entries;

	while (t->directories) {
		struct directory *d = t->directories;

		set_time(t->root, d->name, d->time);
		t->directories = d->next;
		free(d);
	}
	if (t->parent >= 0)
		close(t->parent);
	close(t->root);
	free(t);
	return entries;
}
