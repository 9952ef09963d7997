#include "stage0/service/registry_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/record.h"
#include "base/str.h"
#include "contract/layout.h"

#define KEY_FILE "hmac-key"

static int put(int dir, const char *name, const struct strbuf *sb, struct err *e)
{
	return dir < 0 ? 0 : file_write_at(dir, name, sb->buf, sb->len, 0600, FILE_FAST, e);
}

int registry_file_put_pod(int dir, const struct registered_pod *p, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, 1);
	record_add(&sb, "token", p->token);
	if (p->data_dir)
		record_add(&sb, "data-dir", p->data_dir);
	record_add(&sb, "manifest", p->manifest);
	return put(dir, p->uuid, &sb, e);
}

int registry_file_put_app(int dir, const char *uuid, const char *app, const char *manifest,
			  size_t len, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *name = xasprintf("%s.%s", uuid, app), *text = xstrndup(manifest, len);

	record_begin(&sb, 1);
	record_add(&sb, "manifest", text);
	return put(dir, name, &sb, e);
}

void registry_file_remove(int dir, const struct registered_pod *p)
{
	if (dir < 0)
		return;
	(void) unlinkat(dir, p->uuid, 0);
	for (size_t i = 0; i < p->n_apps; i++) {
		_cleanup_free_ char *name = xasprintf("%s.%s", p->uuid, p->apps[i].name);

		(void) unlinkat(dir, name, 0);
	}
}

/* Names in the directory: those of pods, or those of apps ("UUID.APP"). Sorted. */
static int names(int dir, bool apps, char ***ret, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read the service's directory");
	}
	while ((de = readdir(d))) {
		_cleanup_free_ char *uuid = xstrndup(de->d_name, UUID_LEN);

		if (uuid_check(uuid) ||
		    (apps ? de->d_name[UUID_LEN] != '.' : de->d_name[UUID_LEN] != '\0'))
			continue;
		strv_add(ret, de->d_name);
	}
	strv_sort(*ret);
	return 0;
}

static int read_record(int dir, const char *name, struct record *ret, const char **manifest,
		       struct err *e)
{
	char *data = NULL;
	size_t len;
	int r = file_read_at(dir, name, RECORD_MAX, &data, &len, e);

	if (r == 0)
		r = record_parse(ret, data, len, 1, e);
	if (r < 0)
		return err_ctx(e, r, "%s", name);
	*manifest = record_get(ret, "manifest");
	return *manifest ? 0 : err_set(e, EINVAL, "%s: no manifest", name);
}

static int load_pod(struct registry *reg, const char *name, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *manifest, *token;
	int r = read_record(reg->dir, name, &rec, &manifest, e);

	if (r < 0)
		return r;
	token = record_get(&rec, "token");
	if (!token)
		return err_set(e, EINVAL, "%s: no token", name);
	return registry_put_pod(reg, name, token, record_get(&rec, "data-dir"), manifest,
				strlen(manifest), e);
}

static int load_app(struct registry *reg, const char *name, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *uuid = xstrndup(name, UUID_LEN);
	const char *manifest;
	int r = read_record(reg->dir, name, &rec, &manifest, e);

	return r < 0 ? r
		     : registry_put_app(reg, uuid, name + UUID_LEN + 1, manifest, strlen(manifest),
					e);
}

static int load_all(struct registry *reg, bool apps, struct err *e)
{
	_cleanup_strv_ char **v = NULL;
	int dir = reg->dir, r = names(dir, apps, &v, e);

	for (char **n = v; r == 0 && n && *n; n++) {
		_cleanup_err_ struct err why = ERR_INIT;

		if ((apps ? load_app(reg, *n, &why) : load_pod(reg, *n, &why)) == 0)
			continue;
		log_warning("forgotten: %s", err_text(&why));
		(void) unlinkat(dir, *n, 0);
	}
	return r;
}

static int load_key(struct registry *reg, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	int r = file_read_at(reg->dir, KEY_FILE, REGISTRY_KEY_LEN, &data, &len, NULL);

	if (r == 0 && len == REGISTRY_KEY_LEN) {
		memcpy(reg->key, data, len);
		explicit_bzero(data, len);
		return 0;
	}
	/* random(7): up to 256 bytes come whole. */
	if (getrandom(reg->key, sizeof reg->key, 0) != (ssize_t) sizeof reg->key)
		return err_sys(e, "getrandom");
	return file_write_at(reg->dir, KEY_FILE, reg->key, sizeof reg->key, 0600, FILE_FAST, e);
}

int registry_load(struct registry *reg, struct err *e)
{
	int r = load_key(reg, e);

	if (r == 0)
		r = load_all(reg, false, e);
	return r < 0 ? r : load_all(reg, true, e);
}

/* It is in one of the phases in which it can still be run, or is running. */
static bool is_there(const char *data_dir, const char *uuid)
{
	static const char *const phases[] = {"prepare", "prepared", "run", "exited-garbage"};

	for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
		_cleanup_free_ char *path = xasprintf("%s/" DATA_PODS "/%s/%s", data_dir, phases[i],
						      uuid);

		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

/* Half-written files of a service that was killed (file_write_at()). */
static int remove_temporary(int dir, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read the service's directory");
	}
	while ((de = readdir(d)))
		if (de->d_name[0] == '.' && str_ends(de->d_name, ".tmp"))
			(void) unlinkat(dir, de->d_name, 0);
	return 0;
}

int registry_prune(int dir, struct err *e)
{
	_cleanup_strv_ char **pods = NULL, **apps = NULL;
	int r = remove_temporary(dir, e);

	if (r == 0)
		r = names(dir, false, &pods, e);

	for (char **n = pods; r == 0 && n && *n; n++) {
		_cleanup_record_ struct record rec = RECORD_INIT;
		const char *manifest, *data_dir = NULL;

		if (read_record(dir, *n, &rec, &manifest, NULL) == 0)
			data_dir = record_get(&rec, "data-dir");
		if (data_dir && !is_there(data_dir, *n))
			(void) unlinkat(dir, *n, 0);
	}
	if (r == 0)
		r = names(dir, true, &apps, e);
	for (char **n = apps; r == 0 && n && *n; n++) {
		_cleanup_free_ char *uuid = xstrndup(*n, UUID_LEN);

		if (faccessat(dir, uuid, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			(void) unlinkat(dir, *n, 0);
	}
	return r;
}
