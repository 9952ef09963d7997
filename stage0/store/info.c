/*
 * cas/image/ID/info: what is known of an image beside its bytes, as a flat record.
 */
#include "stage0/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/record.h"
#include "contract/layout.h"

#define INFO_VERSION 1
#define INFO_LIMIT 65536
#define INFO_USUAL 4096

int info_write(int image_dir, const struct store_info *info, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, INFO_VERSION);
	record_add(&sb, "id", info->id);
	record_add(&sb, "name", info->name);
	if (info->version)
		record_add(&sb, "image-version", info->version);
	record_addf(&sb, "importtime", "%lld", (long long) info->import_time_ns);
	record_addf(&sb, "blobsize", "%lld", (long long) info->blob_size);
	record_addf(&sb, "treesize", "%lld", (long long) info->tree_size);
	record_add(&sb, "signer", info->signer ? info->signer : "none");
	record_add(&sb, "source", info->source ? info->source : "");
	/*
	 * Written to by the group where there is one (modes.h): whoever uses an image touches this.
	 */
	return file_write_at(image_dir, INFO_FILE, sb.buf, sb.len, 0660, FILE_DURABLE, e);
}

static int decode(const char *key, const char *value, struct store_info *info)
{
	if (!strcmp(key, "id")) {
		if (image_id_check(value))
			return -EINVAL;
		memcpy(info->id, value, IMAGE_ID_LEN + 1);
	} else if (!strcmp(key, "name")) {
		free(info->name);
		info->name = xstrdup(value);
	} else if (!strcmp(key, "image-version")) {
		free(info->version);
		info->version = xstrdup(value);
	} else if (!strcmp(key, "importtime")) {
		return parse_i64(value, 0, INT64_MAX, &info->import_time_ns);
	} else if (!strcmp(key, "blobsize")) {
		return parse_i64(value, 0, INT64_MAX, &info->blob_size);
	} else if (!strcmp(key, "treesize")) {
		return parse_i64(value, 0, INT64_MAX, &info->tree_size);
	} else if (!strcmp(key, "signer")) {
		free(info->signer);
		info->signer = strcmp(value, "none") ? xstrdup(value) : NULL;
	} else if (!strcmp(key, "source")) {
		free(info->source);
		info->source = xstrdup(value);
	}
	/* A later gantry may know more of an image than this one; nothing here grants anything. */
	return 0;
}

int store_info_parse(char *data, size_t len, struct store_info *ret, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	struct store_info info = {0};
	const char *key, *value;
	int r = record_parse(&rec, data, len, INFO_VERSION, e);

	if (r < 0)
		return r;
	while (record_next(&rec, &key, &value))
		if (decode(key, value, &info) < 0) {
			r = err_set(e, EINVAL, "%s: malformed value %s", key, q(value));
			store_info_done(&info);
			return r;
		}
	if (!info.id[0] || !info.name) {
		store_info_done(&info);
		return err_set(e, EINVAL, "no id or no name");
	}
	info.last_used_ns = info.import_time_ns;
	*ret = info;
	return 0;
}

/* The whole file, and when it was touched last. */
static int read_file(int dirfd, const char *path, char **ret, size_t *ret_len,
		     struct timespec *ret_time)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char buf[INFO_USUAL];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_time = st.st_mtim;
	n = read(fd, buf, sizeof buf);
	if (n < 0)
		return -errno;
	if (n == sizeof buf) /* there may be more */
		return file_read_at(dirfd, path, INFO_LIMIT, ret, ret_len, NULL);
	*ret = xmemdup(buf, (size_t) n);
	*ret_len = (size_t) n;
	return 0;
}

/*
 * `image list` does this for each image: four system calls, and short paths.  The time of the file
 * is when the image was used last; it is no part of what was written.
 */
int store_info_at(int images, const char *id, struct store_info *ret, struct err *e)
{
	char path[IMAGE_ID_LEN + sizeof INFO_FILE + 1];
	struct timespec used;
	int64_t used_ns;
	char *data;
	size_t len;
	int r;

	(void) snprintf(path, sizeof path, "%s/%s", id, INFO_FILE);
	r = read_file(images, path, &data, &len, &used);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "image %s is not in the store", id);
	if (r == 0)
		r = store_info_parse(data, len, ret, e);
	else
		r = err_sysr(e, r, "read");
	if (r < 0)
		return err_ctx(e, r, "image %s: %s", id, INFO_FILE);
	used_ns = (int64_t) used.tv_sec * 1000000000 + used.tv_nsec;
	if (used_ns > ret->last_used_ns)
		ret->last_used_ns = used_ns;
	return 0;
}

int store_info(int store, const char *id, struct store_info *ret, struct err *e)
{
	_cleanup_fd_ int images = -EBADF;

	if (image_id_check(id))
		return err_set(e, EINVAL, "%s: %s", q(id), image_id_check(id));
	images = openat(store, DATA_CAS_IMAGE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (images < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "image %s is not in the store", id);
	return images < 0 ? err_sys(e, "open %s", DATA_CAS_IMAGE)
			  : store_info_at(images, id, ret, e);
}

void store_touch(int store, const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/%s", DATA_CAS_IMAGE, id, INFO_FILE);

	(void) utimensat(store, path, NULL, AT_SYMLINK_NOFOLLOW);
}

void store_info_done(struct store_info *info)
{
	free(info->name);
	free(info->version);
	free(info->signer);
	free(info->source);
	*info = (struct store_info) {0};
}

void store_set_tree_size(int store, const char *id, int64_t size)
{
	_cleanup_fd_ int dir = store_image_dir(store, id, NULL), open_dir = -EBADF;
	struct store_info info = {0};

	if (dir < 0 || store_info(store, id, &info, NULL) < 0)
		return;
	open_dir = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (open_dir >= 0 && info.tree_size != size) {
		struct timespec used = {info.last_used_ns / 1000000000,
					info.last_used_ns % 1000000000};
		struct timespec times[2] = {used, used};

		info.tree_size = size;
		/* That is no use of the image. */
		if (info_write(open_dir, &info, NULL) == 0)
			(void) utimensat(open_dir, INFO_FILE, times, AT_SYMLINK_NOFOLLOW);
	}
	store_info_done(&info);
}
