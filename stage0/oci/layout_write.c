#include "stage0/oci/layout_write.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/cli/output.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/layout_tar.h"

#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

/* --- beginning --- */

static bool is_empty(int dir)
{
	_cleanup_dir_ DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			return false;
	return d != NULL;
}

/* The one that is there, if it is a layout that we know. */
static int check_layout(int dir, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(dir, LAYOUT_FILE, LAYOUT_FILE_MAX, &text, &len, e);

	if (r == -ENOENT)
		return err_set(e, ENOTEMPTY, "it is there, and no image layout");
	return r < 0 ? r : layout_check_version(text, len, e);
}

static int make_directory(const char *path, struct layout_writer *w, struct err *e)
{
	_cleanup_free_ char *copy = xstrdup(path), *above = NULL;
	size_t len = strlen(copy);
	const char *name;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	name = path_last(copy);
	if (!path_is_name(name))
		return err_set(e, EINVAL, "not the name of a directory that can be made");
	above = xstrndup(copy, (size_t) (name - copy));
	w->parent = open(*above ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->parent < 0)
		return err_sys(e, "open %s", q(above));
	w->name = xstrdup(name);
	w->temp = xasprintf(".%.200s.%d", name, (int) getpid());
	if (mkdirat(w->parent, w->temp, 0755) < 0)
		return err_sys(e, "mkdir %s", q(w->temp));
	w->dir = openat(w->parent, w->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return w->dir < 0 ? err_sys(e, "open %s", q(w->temp)) : 0;
}

static int open_directory(const char *path, struct layout_writer *w, struct err *e)
{
	_cleanup_fd_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (dir < 0)
		return errno == ENOENT ? make_directory(path, w, e) : err_sys(e, "open");
	if (!is_empty(dir))
		r = check_layout(dir, e);
	/* Two who write one index must not lose each other's images. */
	if (r == 0)
		r = w->dir = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, true, e);
	return r < 0 ? r : 0;
}

int layout_writer_directory(const char *path, struct layout_writer *ret, struct err *e)
{
	struct layout_writer w = LAYOUT_WRITER_INIT;
	int r = open_directory(path, &w, e);

	if (r == 0 && ((mkdirat(w.dir, LAYOUT_BLOBS, 0755) < 0 && errno != EEXIST) ||
		       (mkdirat(w.dir, LAYOUT_BLOBS "/sha256", 0755) < 0 && errno != EEXIST)))
		r = err_sys(e, "mkdir " LAYOUT_BLOBS);
	if (r < 0) {
		layout_writer_done(&w);
		return err_ctx(e, r, "image layout %s", q(path));
	}
	*ret = w;
	return 0;
}

int layout_writer_tar(int fd, struct layout_writer *ret, struct err *e)
{
	*ret = (struct layout_writer) LAYOUT_WRITER_INIT;
	ret->tar = fd;
	return layout_tar_file(fd, LAYOUT_FILE, LAYOUT_TEXT, strlen(LAYOUT_TEXT), e);
}

void layout_writer_done(struct layout_writer *w)
{
	w->dir = fd_close(w->dir);
	if (w->temp)
		(void) path_remove_tree(w->parent, w->temp, NULL);
	w->parent = fd_close(w->parent);
	free(take_ptr(w->temp));
	free(take_ptr(w->name));
	cJSON_Delete(take_ptr(w->more));
}

/* --- blobs --- */

int layout_writer_has(const struct layout_writer *w, const char *digest, int64_t size)
{
	_cleanup_free_ char *path = layout_blob_path(digest);
	struct stat st;

	return w->dir >= 0 && fstatat(w->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == size;
}

static int make_algorithm_dir(const struct layout_writer *w, const char *path, struct err *e)
{
	_cleanup_free_ char *dir = xstrndup(path, (size_t) (path_last(path) - path - 1));

	return mkdirat(w->dir, dir, 0755) < 0 && errno != EEXIST ? err_sys(e, "mkdir %s", dir) : 0;
}

int layout_writer_document(struct layout_writer *w, const char *digest, const char *data, size_t len, struct err *e)
{
	_cleanup_free_ char *path = layout_blob_path(digest);
	int r;

	if (w->tar >= 0)
		return layout_tar_file(w->tar, path, data, len, e);
	if (layout_writer_has(w, digest, (int64_t) len))
		return 0;
	r = make_algorithm_dir(w, path, e);
	return r < 0 ? r : file_write_at(w->dir, path, data, len, 0644, FILE_FAST, e);
}

static int write_blob(const struct layout_writer *w, const char *path, int fd, int64_t offset, int64_t size,
		      struct err *e)
{
	_cleanup_free_ char *temp = xasprintf("%s.%d", path, (int) getpid());
	_cleanup_fd_ int out = openat(w->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r;

	if (out < 0)
		return err_sys(e, "create %s", temp);
	r = output_copy_range(fd, offset, (uint64_t) size, out);
	if (r < 0)
		err_sysr(e, r, "write %s", path);
	else if (renameat(w->dir, temp, w->dir, path) < 0)
		r = err_sys(e, "rename %s", path);
	if (r < 0)
		(void) unlinkat(w->dir, temp, 0);
	return r;
}

int layout_writer_blob(struct layout_writer *w, const char *digest, int fd, int64_t offset, int64_t size,
		       struct err *e)
{
	_cleanup_free_ char *path = layout_blob_path(digest);
	int r;

	if (w->tar >= 0) {
		r = layout_tar_header(w->tar, path, (uint64_t) size, e);
		if (r < 0)
			return r;
		r = output_copy_range(fd, offset, (uint64_t) size, w->tar);
		return r < 0 ? err_sysr(e, r, "write %s", path) : layout_tar_pad(w->tar, (uint64_t) size, e);
	}
	if (layout_writer_has(w, digest, size))
		return 0;
	r = make_algorithm_dir(w, path, e);
	return r < 0 ? r : write_blob(w, path, fd, offset, size, e);
}

/* --- index.json --- */

static const char *name_of(const cJSON *entry)
{
	return json_get_str(json_get(entry, "annotations"), ANNOTATION_REF_NAME);
}

/* The same name, or no name and the same image. */
static bool is_replaced(const cJSON *entry, const cJSON *ours)
{
	const char *name = name_of(ours);

	return str_eq(name_of(entry), name) &&
	       (name || str_eq(json_get_str(entry, "digest"), json_get_str(ours, "digest")));
}

static void add_entry(cJSON *list, cJSON *ours)
{
	cJSON *entry, *next;

	for (entry = list->child; entry; entry = next) {
		next = entry->next;
		if (is_replaced(entry, ours))
			cJSON_Delete(cJSON_DetachItemViaPointer(list, entry));
	}
	cJSON_AddItemToArray(list, ours);
}

void layout_writer_add(struct layout_writer *w, const struct oci_descriptor *d)
{
	if (!w->more)
		w->more = cJSON_CreateArray();
	add_entry(w->more, layout_encode(d));
}

/* What stands in it stays as it stands, whatever members it has. */
static int read_index(const struct layout_writer *w, cJSON **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	size_t len;
	int r = w->dir < 0 ? -ENOENT : file_read_at(w->dir, LAYOUT_INDEX, OCI_DOCUMENT_MAX, &text, &len, e);

	if (r == -ENOENT) {
		if (e)
			err_done(e);
		*ret = cJSON_CreateObject();
		cJSON_AddNumberToObject(*ret, "schemaVersion", 2);
		cJSON_AddStringToObject(*ret, "mediaType", "application/vnd.oci.image.index.v1+json");
		cJSON_AddArrayToObject(*ret, "manifests");
		return 0;
	}
	if (r == 0)
		r = oci_document_kind(NULL, text, len, &kind, e);
	if (r == 0 && kind != OCI_MEDIA_INDEX)
		r = err_set(e, EINVAL, "it is no index");
	if (r == 0)
		*ret = json_parse(text, len, OCI_DOCUMENT_MAX, e);
	return r < 0 || !*ret ? err_ctx(e, r < 0 ? r : -EINVAL, LAYOUT_INDEX) : 0;
}

static int make_index(struct layout_writer *w, const struct oci_descriptor *top, char **ret, struct err *e)
{
	_cleanup_json_ cJSON *j = NULL;
	cJSON *list, *entry;
	int r = read_index(w, &j, e);

	if (r < 0)
		return r;
	list = json_get(j, "manifests");
	add_entry(list, layout_encode(top));
	while ((entry = w->more ? w->more->child : NULL))
		add_entry(list, cJSON_DetachItemViaPointer(w->more, entry));
	*ret = json_print(j, false);
	return 0;
}

static int finish_directory(struct layout_writer *w, const char *index, struct err *e)
{
	int r = file_write_at(w->dir, LAYOUT_FILE, LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0644, FILE_FAST, e);

	/* The bytes first, and then the name by which they are found. */
	if (r == 0 && syncfs(w->dir) < 0)
		r = err_sys(e, "sync");
	if (r == 0)
		r = file_write_at(w->dir, LAYOUT_INDEX, index, strlen(index), 0644, FILE_DURABLE, e);
	if (r < 0 || !w->temp)
		return r;
	if (file_rename_at(w->parent, w->temp, w->parent, w->name, RENAME_NOREPLACE) < 0 &&
	    (errno != EINVAL || renameat(w->parent, w->temp, w->parent, w->name) < 0))
		return err_sys(e, "rename to %s", q(w->name));
	free(take_ptr(w->temp));
	return file_sync_dir(w->parent, e);
}

int layout_writer_finish(struct layout_writer *w, const struct oci_descriptor *top, struct err *e)
{
	_cleanup_free_ char *index = NULL;
	int r = make_index(w, top, &index, e);

	if (r < 0)
		return r;
	if (w->tar < 0)
		return finish_directory(w, index, e);
	r = layout_tar_file(w->tar, LAYOUT_INDEX, index, strlen(index), e);
	return r == 0 ? layout_tar_end(w->tar, e) : r;
}
