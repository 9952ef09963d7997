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
	return file_write_at(image_dir, INFO_FILE, sb.buf, sb.len, 0640, FILE_DURABLE, e);
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

/* `image list` reads all of them: as few system calls as there can be (path: below the store, to the image). */
static int read_small(int store, const char *path, char **ret, size_t *ret_len)
{
	char buf[INFO_USUAL];
	_cleanup_fd_ int fd = openat(store, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);

	if (n < 0)
		return -errno;
	if (n == sizeof buf) /* there may be more */
		return -EFBIG;
	*ret = xmemdup(buf, (size_t) n);
	*ret_len = (size_t) n;
	return 0;
}

int store_info(int store, const char *id, struct store_info *ret, struct err *e)
{
	char path[sizeof DATA_CAS_IMAGE + IMAGE_ID_LEN + 16];
	struct stat st;
	char *data;
	size_t len;
	int r;

	if (image_id_check(id))
		return err_set(e, EINVAL, "%s: %s", q(id), image_id_check(id));
	(void) snprintf(path, sizeof path, "%s/%s/%s", DATA_CAS_IMAGE, id, INFO_FILE);
	r = read_small(store, path, &data, &len);
	if (r == -EFBIG)
		r = file_read_at(store, path, INFO_LIMIT, &data, &len, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "image %s is not in the store", id);
	if (r == 0)
		r = store_info_parse(data, len, ret, e);
	else
		r = err_sysr(e, r, "read");
	if (r < 0)
		return err_ctx(e, r, "image %s: %s", id, INFO_FILE);
	(void) snprintf(path, sizeof path, "%s/%s/%s", DATA_CAS_IMAGE, id, LAST_USED_FILE);
	if (fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		int64_t used = (int64_t) st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;

		if (used > ret->last_used_ns)
			ret->last_used_ns = used;
	}
	return 0;
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
		info.tree_size = size;
		(void) info_write(open_dir, &info, NULL);
	}
	store_info_done(&info);
}
