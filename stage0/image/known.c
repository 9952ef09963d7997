#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/image/internal.h"
#include "stage0/image/kept.h"

#define COMPARE (256u << 10)

/* Fill the buffer from `pos`, as far as the file goes. */
static ssize_t read_at(int fd, char *buf, off_t pos)
{
	size_t done = 0;

	while (done < COMPARE) {
		ssize_t n = pread(fd, buf + done, COMPARE - done, pos + (off_t) done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t) n;
	}
	return (ssize_t) done;
}

static bool is_same(int a, int b)
{
	_cleanup_free_ char *x = xmalloc(COMPARE), *y = xmalloc(COMPARE);
	ssize_t n, m;
	off_t pos = 0;

	do {
		n = read_at(a, x, pos);
		m = read_at(b, y, pos);
		if (n < 0 || n != m || memcmp(x, y, (size_t) n))
			return false;
		pos += n;
	} while (n == COMPARE);
	return true;
}

/* The stored image with these bytes: 1 with *ret (to be freed) and its blob open, 0. */
static int find_same(int store, int file, struct store_info *ret, int *ret_blob, struct err *e)
{
	struct store_list l = {0};
	struct stat st;
	int r = store_list(store, &l, e), found = 0;

	if (r < 0)
		return r;
	if (fstat(file, &st) < 0)
		st.st_size = -1;
	for (size_t i = 0; i < l.n && !found; i++) {
		_cleanup_fd_ int blob = -EBADF, tree = -EBADF;

		if (l.v[i].blob_size != st.st_size)
			continue;
		blob = store_blob_open(store, l.v[i].id, NULL);
		tree = store_tree_open(store, l.v[i].id, NULL);
		if (blob < 0 || tree < 0 || !is_same(file, blob))
			continue;
		*ret = l.v[i];
		l.v[i] = (struct store_info) {0};
		*ret_blob = take_fd(blob);
		found = 1;
	}
	store_list_done(&l);
	return found;
}

int known_image(const struct gantry *g, int store, const char *source, int file,
		const struct signature *sig, char **ret_id, struct err *e)
{
	_cleanup_fd_ int blob = -EBADF;
	struct store_info info = {0};
	struct timespec now;
	int r = find_same(store, file, &info, &blob, e);

	if (r <= 0)
		return r;
	if (sig) {
		free(take_ptr(info.signer));
		r = kept_check_blob(g, sig, blob, info.name, &info.signer, e);
	} else {
		r = 0;
	}
	if (r == 0) {
		(void) clock_gettime(CLOCK_REALTIME, &now);
		info.import_time_ns = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
		free(info.source);
		info.source = xstrdup(source);
		r = store_refresh(store, &info, e);
	}
	if (r == 0) {
		kept_note_signature(store, info.id, sig);
		*ret_id = xstrdup(info.id);
	}
	store_info_done(&info);
	return r < 0 ? r : 1;
}
