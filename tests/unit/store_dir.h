/*
 * For the tests of the store: one in a scratch directory, and images put into it as the pipeline does.
 */
#pragma once

#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/store/store.h"

struct store_dir {
	int top, store;
	struct gantry g;
};

static inline _unused_ void store_dir_open(struct store_dir *s)
{
	_cleanup_err_ struct err e = ERR_INIT;

	s->top = scratch_open();
	s->g = (struct gantry) {.data_dir = xasprintf("%s/data", scratch_path), .data_fd = -EBADF};
	s->store = store_open(&s->g, &e);
	if (s->store < 0)
		fail_msg("%s", err_text(&e));
}

static inline _unused_ void store_dir_close(struct store_dir *s)
{
	(void) fd_close(s->store);
	free(s->g.data_dir);
	scratch_close(s->top);
}

/* An id that begins with these digits. */
static inline _unused_ void make_id(char id[IMAGE_ID_LEN + 1], const char *begins)
{
	(void) snprintf(id, IMAGE_ID_LEN + 1, "sha512-%s", begins);
	memset(id + 7 + strlen(begins), '0', 128 - strlen(begins));
	id[IMAGE_ID_LEN] = '\0';
}

static inline _unused_ void write_file(int dir, const char *path, const char *text)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (file_write_at(dir, path, text, strlen(text), 0644, FILE_FAST, &e) < 0)
		fail_msg("%s", err_text(&e));
}

/* Publish an image: its tree has one file "f" with the text. `labels`: JSON, or NULL for the version alone. */
static inline _unused_ void put_image(struct store_dir *s, const char *begins, const char *name, const char *version,
				      const char *labels, const char *text)
{
	static int64_t clock = 1600000000000000000;
	struct store_tmp tmp = STORE_TMP_INIT;
	struct store_info info = {.import_time_ns = clock += 1000, .blob_size = 4, .tree_size = 7};
	_cleanup_free_ char *manifest = xasprintf(
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\",\"labels\":[%s%s%s%s]}", name,
		version ? "{\"name\":\"version\",\"value\":\"" : "", version ? version : "",
		version ? "\"}" : "", labels ? labels : "");
	_cleanup_err_ struct err e = ERR_INIT;

	make_id(info.id, begins);
	info.name = (char *) name;
	info.version = (char *) version;
	assert_int_equal(store_tmp_new(s->store, &tmp, &e), 0);
	assert_int_equal(mkdirat(tmp.dir, "image", 0700), 0);
	assert_int_equal(mkdirat(tmp.dir, "tree", 0700), 0);
	assert_int_equal(mkdirat(tmp.dir, "tree/rootfs", 0755), 0);
	write_file(tmp.dir, "tree/rootfs/f", text);
	write_file(tmp.dir, "image/manifest", manifest);
	write_file(tmp.dir, "image/blob", "blob");
	if (store_publish(s->store, &tmp, &info, &e) < 0)
		fail_msg("%s", err_text(&e));
	store_tmp_done(s->store, &tmp);
}

static inline _unused_ unsigned count_entries(int dir, const char *path)
{
	_cleanup_dir_ DIR *d = fdopendir(openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}
