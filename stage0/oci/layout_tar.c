#include "stage0/oci/layout_tar.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"

#define BLOCK 512u
#define NAME_MAX_USTAR 100
#define SIZE_MAX_USTAR ((1ull << 33) - 1) /* 11 octal digits */

/* pax(1), "ustar Interchange Format". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static int put(int fd, const void *data, size_t len, struct err *e)
{
	int r = write_all(fd, data, len);

	return r < 0 ? err_sysr(e, r, "write archive") : 0;
}

static int put_header(int fd, const char *name, char type, uint64_t size, struct err *e)
{
	struct header h = {.type = type, .magic = "ustar", .version = {'0', '0'}};
	unsigned sum = 0;

	memcpy(h.name, name, strnlen(name, sizeof h.name));
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	memcpy(h.mtime, "00000000000", 12);
	(void) snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long) (size > SIZE_MAX_USTAR ? 0 : size));
	memset(h.checksum, ' ', sizeof h.checksum);
	for (size_t i = 0; i < sizeof h; i++)
		sum += ((const unsigned char *) &h)[i];
	(void) snprintf(h.checksum, sizeof h.checksum, "%06o", sum);
	return put(fd, &h, sizeof h, e);
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
static void add_record(struct strbuf *sb, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, len = rest + 1;

	for (size_t was = 0; was != len;) {
		char digits[24];

		was = len;
		len = rest + (size_t) snprintf(digits, sizeof digits, "%zu", len);
	}
	strbuf_addf(sb, "%zu %s=%s\n", len, key, value);
}

int layout_tar_header(int fd, const char *name, uint64_t size, struct err *e)
{
	_cleanup_strbuf_ struct strbuf pax = STRBUF_INIT;
	char number[24];
	int r = 0;

	(void) snprintf(number, sizeof number, "%llu", (unsigned long long) size);
	if (strlen(name) > NAME_MAX_USTAR)
		add_record(&pax, "path", name);
	if (size > SIZE_MAX_USTAR)
		add_record(&pax, "size", number);
	if (pax.len) {
		r = put_header(fd, "pax", 'x', pax.len, e);
		if (r == 0)
			r = put(fd, pax.buf, pax.len, e);
		if (r == 0)
			r = layout_tar_pad(fd, pax.len, e);
	}
	return r == 0 ? put_header(fd, name, '0', size, e) : r;
}

int layout_tar_pad(int fd, uint64_t size, struct err *e)
{
	static const char zeros[BLOCK];
	size_t over = size % BLOCK;

	return over ? put(fd, zeros, BLOCK - over, e) : 0;
}

int layout_tar_file(int fd, const char *name, const void *data, size_t len, struct err *e)
{
	int r = layout_tar_header(fd, name, len, e);

	if (r == 0)
		r = put(fd, data, len, e);
	return r == 0 ? layout_tar_pad(fd, len, e) : r;
}

int layout_tar_end(int fd, struct err *e)
{
	static const char zeros[2 * BLOCK];

	return put(fd, zeros, sizeof zeros, e);
}
