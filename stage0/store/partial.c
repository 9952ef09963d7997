#include "stage0/store/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/record.h"
#include "stage0/store/internal.h"

#define STATE_VERSION 1
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static char *name_of(const char *url)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a; the URL stands in the state and is compared */

	for (const char *p = url; *p; p++)
		h = (h ^ (unsigned char) *p) * 0x100000001b3u;
	return xasprintf(STORE_PARTIAL "/%016llx", (unsigned long long) h);
}

/* gc, or a download that came to its end, may have taken it between mkdir(2) and flock(2). */
static bool is_still_there(int store, const char *name, int dir)
{
	struct stat a, b;

	return fstatat(store, name, &a, AT_SYMLINK_NOFOLLOW) == 0 && fstat(dir, &b) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int open_locked(int store, const char *name, bool wait, struct err *e)
{
	for (;;) {
		_cleanup_fd_ int parent = store_dir(store, STORE_PARTIAL, e), dir = -EBADF;

		if (parent < 0)
			return parent;
		if (mkdirat(store, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "mkdir %s", name);
		dir = lock_dir_at(store, name, LOCK_EXCLUSIVE, wait, NULL);
		if (dir < 0 && dir != -ENOENT)
			return err_sysr(e, dir, "lock %s", name);
		if (dir >= 0 && is_still_there(store, name, dir))
			return take_fd(dir);
	}
}

/* A power cut may have kept the file's length and lost its bytes: another boot's are not used. */
static char *boot_id(void)
{
	char *id = NULL;

	return file_read_line_at(AT_FDCWD, BOOT_ID, &id, NULL) < 0 ? xstrdup("") : id;
}

static int read_state(struct partial *p, const char *url, unsigned waived)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *boot = boot_id();
	const char *validator, *length, *how;
	uint64_t whole = UINT64_MAX, n;
	struct stat st;
	char *data;
	size_t len;

	if (file_read_at(p->dir, PARTIAL_STATE, 65536, &data, &len, NULL) < 0 ||
	    fstat(p->blob, &st) < 0)
		return -ENOENT;
	if (record_parse(&rec, data, len, STATE_VERSION, NULL) < 0)
		return -EINVAL;
	validator = record_get(&rec, "validator");
	how = record_get(&rec, "waived");
	length = record_get(&rec, "length");
	if (!validator || !str_eq(record_get(&rec, "url"), url) ||
	    !str_eq(record_get(&rec, "boot"), boot) || !how || parse_u64(how, UINT32_MAX, &n) < 0 ||
	    n & ~(uint64_t) waived)
		return -EINVAL;
	if (length && parse_u64(length, INT64_MAX, &whole) < 0)
		return -EINVAL;
	if ((uint64_t) st.st_size > whole)
		return -EINVAL;
	p->size = (uint64_t) st.st_size;
	/* The last byte once more: a request for nothing is an error in HTTP, and tells nothing. */
	if (p->size && p->size == whole && ftruncate(p->blob, (off_t) --p->size) < 0)
		return -errno;
	p->validator = xstrdup(validator);
	return 0;
}

static int forget(struct partial *p, struct err *e)
{
	p->size = 0;
	free(take_ptr(p->validator));
	if (unlinkat(p->dir, PARTIAL_STATE, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s/%s", p->name, PARTIAL_STATE);
	if (ftruncate(p->blob, 0) < 0 || lseek(p->blob, 0, SEEK_SET) < 0)
		return err_sys(e, "truncate %s/%s", p->name, BLOB_FILE);
	return 0;
}

int partial_open(int store, const char *url, unsigned waived, bool wait, struct partial *ret,
		 struct err *e)
{
	struct partial p = {.store = store, .dir = -EBADF, .blob = -EBADF, .name = name_of(url)};
	int r = p.dir = open_locked(store, p.name, wait, e);

	if (r >= 0) {
		p.blob = openat(p.dir, BLOB_FILE,
				O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
		r = p.blob < 0 ? err_sys(e, "open %s/%s", p.name, BLOB_FILE) : 0;
	}
	if (r == 0 && (read_state(&p, url, waived) < 0 || !p.size))
		r = forget(&p, e);
	if (r == 0 && lseek(p.blob, 0, SEEK_END) < 0)
		r = err_sys(e, "seek %s/%s", p.name, BLOB_FILE);
	if (r < 0)
		partial_close(&p);
	else
		*ret = p;
	return r;
}

int partial_begin(struct partial *p, const char *url, unsigned waived, const char *validator,
		  int64_t length, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *boot = boot_id(), *kept = xstrdup_null(validator);
	int r = forget(p, e);

	if (r < 0 || !kept)
		return r;
	record_begin(&sb, STATE_VERSION);
	record_add(&sb, "url", url);
	record_add(&sb, "boot", boot);
	record_addf(&sb, "waived", "%u", waived);
	record_add(&sb, "validator", kept);
	if (length >= 0)
		record_addf(&sb, "length", "%lld", (long long) length);
	r = file_write_at(p->dir, PARTIAL_STATE, sb.buf, sb.len, 0640, FILE_FAST, e);
	if (r == 0)
		p->validator = take_ptr(kept);
	return r;
}

int partial_take(struct partial *p, int to_dir, struct err *e)
{
	if (renameat(p->dir, BLOB_FILE, to_dir, BLOB_FILE) < 0)
		return err_sys(e, "rename %s/%s", p->name, BLOB_FILE);
	free(take_ptr(p->validator));
	return 0;
}

void partial_drop(struct partial *p, bool bad)
{
	p->bad = bad;
	if (p->blob >= 0)
		(void) forget(p, NULL);
}

void partial_close(struct partial *p)
{
	/* Under the lock: whoever waits for it sees that the name is another's, or nobody's. */
	if (p->dir >= 0 && !p->validator)
		(void) path_remove_tree(p->store, p->name, NULL);
	else if (p->dir >= 0) /* gc's clock */
		(void) futimens(p->dir, NULL);
	free(p->name);
	free(p->validator);
	p->blob = fd_close(p->blob);
	p->dir = fd_close(p->dir);
	p->name = p->validator = NULL;
}
