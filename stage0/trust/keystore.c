#include "stage0/trust/keystore.h"

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

#define KEYS_MAX 256 /* that apply to one name */

void trust_keys_done(struct trust_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		free(keys->v[i].path);
		free(keys->v[i].fpr);
		free(keys->v[i].data);
	}
	free(keys->v);
	*keys = (struct trust_keys) {0};
}

bool trust_is_fingerprint(const char *s)
{
	return strlen(s) == TRUST_FPR_LEN && strspn(s, "0123456789abcdef") == TRUST_FPR_LEN;
}

static bool has_key(const struct trust_keys *keys, const char *fpr)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->v[i].fpr, fpr))
			return true;
	return false;
}

/* The place's directory below one configuration directory; -ENOENT when it has none. */
static int open_place(const char *config, const char *place, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/trustedkeys/%s", config, place);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

/* An empty file of the administrator says: not this one. */
static bool is_masked(int local, const char *fpr)
{
	struct stat st;

	return local >= 0 && fstatat(local, fpr, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

bool trust_key_is_masked(const struct gantry *g, const char *prefix, const char *fpr)
{
	_cleanup_free_ char *place = xasprintf("prefix.d/%s", prefix);
	_cleanup_fd_ int local = open_place(g->local_config, place, NULL);

	return is_masked(local, fpr);
}

static int add_key(struct trust_keys *keys, int dir, char *path, const char *fpr, struct err *e)
{
	struct trust_key key = {.path = path, .fpr = xstrdup(fpr)};
	int r;

	if (keys->n >= KEYS_MAX) {
		r = err_set(e, E2BIG, "more than %d trusted keys for one name", KEYS_MAX);
	} else {
		r = file_read_at(dir, fpr, TRUST_KEY_MAX, &key.data, &key.len, e);
		if (r < 0)
			r = err_ctx(e, r, "trusted key %s", path);
	}
	if (r < 0) {
		free(key.path);
		free(key.fpr);
		return r;
	}
	keys->v = xgrow(keys->v, keys->n, sizeof *keys->v);
	keys->v[keys->n++] = key;
	return 0;
}

/* The keys of one directory; `local` is the administrator's for the same place, or -1. */
static int read_place(const char *config, const char *place, int dir, int local, struct trust_keys *keys, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	struct stat st;
	int fd = fd_copy(dir), r = 0;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read %s/trustedkeys/%s", config, place);
	}
	while (r == 0 && (de = readdir(d))) {
		_cleanup_free_ char *path = NULL;

		if (de->d_name[0] == '.' || fstatat(dir, de->d_name, &st, 0) < 0 || S_ISDIR(st.st_mode))
			continue;
		path = xasprintf("%s/trustedkeys/%s/%s", config, place, de->d_name);
		if (!trust_is_fingerprint(de->d_name))
			r = err_set(e, EINVAL, "trusted key %s: its name is no fingerprint", path);
		else if (!is_masked(local, de->d_name) && !has_key(keys, de->d_name))
			r = add_key(keys, dir, take_ptr(path), de->d_name, e);
	}
	return r;
}

/*
 * The administrator's own first: where both have a key, his counts, and where his is empty, none does.
 * A mask is for its own place only.
 */
static int add_place(const struct gantry *g, const char *place, struct trust_keys *keys, struct err *e)
{
	_cleanup_fd_ int local = open_place(g->local_config, place, e);
	_cleanup_fd_ int vendor = -EBADF;
	int r = 0;

	if (local < 0 && local != -ENOENT)
		return local;
	vendor = open_place(g->system_config, place, e);
	if (vendor < 0 && vendor != -ENOENT)
		return vendor;
	if (local >= 0)
		r = read_place(g->local_config, place, local, local, keys, e);
	if (r == 0 && vendor >= 0)
		r = read_place(g->system_config, place, vendor, local, keys, e);
	return r;
}

int trust_keys_for(const struct gantry *g, const char *image_name, struct trust_keys *ret, struct err *e)
{
	_cleanup_trust_keys_ struct trust_keys keys = {0};
	const char *bad = ac_identifier_check(image_name);
	int r;

	if (bad)
		return err_set(e, EINVAL, "image name %s: %s", q(image_name), bad);
	r = add_place(g, "root.d", &keys, e);
	/* Whole components only: a key for a.com/ap is none for a.com/app. */
	for (size_t len = 0; r == 0;) {
		_cleanup_free_ char *place = NULL;

		len += strcspn(image_name + len, "/");
		place = xasprintf("prefix.d/%.*s", (int) len, image_name);
		r = add_place(g, place, &keys, e);
		if (!image_name[len])
			break;
		len++;
	}
	if (r < 0)
		return r;
	*ret = keys;
	keys = (struct trust_keys) {0};
	return 0;
}

/* Every directory from the configuration's down to the key's gets its name on the disk. */
static int sync_parents(const char *config, const char *below, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", config, below);

	for (;;) {
		_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r = fd < 0 ? err_sys(e, "open %s", path) : file_sync_dir(fd, e);

		if (r < 0)
			return r;
		if (strlen(path) <= strlen(config))
			return 0;
		*strrchr(path, '/') = '\0';
	}
}

int trust_key_store(const struct gantry *g, const char *prefix, const char *fpr, const void *data, size_t len,
		    char **ret_path, struct err *e)
{
	_cleanup_free_ char *place = NULL, *path = NULL;
	_cleanup_fd_ int dir = -EBADF;
	int r;

	if (prefix && ac_identifier_check(prefix))
		return err_set(e, EINVAL, "prefix %s: %s", q(prefix), ac_identifier_check(prefix));
	if (!trust_is_fingerprint(fpr) || !len)
		return err_set(e, EINVAL, "key without a fingerprint");
	place = prefix ? xasprintf("trustedkeys/prefix.d/%s", prefix) : xstrdup("trustedkeys/root.d");
	path = path_join(g->local_config, place);
	r = path_mkdirs(path, 0755, e);
	if (r < 0)
		return r;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", path);
	/* A torn write would be an empty file, and that has a meaning: never this key. */
	r = file_write_at(dir, fpr, data, len, 0644, FILE_DURABLE, e);
	if (r == 0)
		r = sync_parents(g->local_config, place, e);
	if (r == 0 && ret_path)
		*ret_path = path_join(path, fpr);
	return r;
}
