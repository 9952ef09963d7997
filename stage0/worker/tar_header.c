/*
 * One header block (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/worker/tar_internal.h"

struct ustar {
	char name[100];
	uint8_t mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[8], uname[32], gname[32];
	uint8_t major[8], minor[8];
	char prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a tar header is one block");

/* GNU's sparse header uses the prefix for other things. */
#define GNU_REALSIZE 483

bool tar_block_is_zero(const uint8_t block[TAR_BLOCK])
{
	return block[0] == 0 && !memcmp(block, block + 1, TAR_BLOCK - 1);
}

/* GNU's form for what does not fit: the first byte is 0x80 (positive) or 0xff, the rest big-endian. */
static int base256(const uint8_t *field, size_t len, int64_t *ret)
{
	bool minus = field[0] == 0xff;
	uint64_t value = minus ? UINT64_MAX : 0;

	if (field[0] != 0x80 && !minus)
		return -ERANGE;
	for (size_t i = 1; i < len; i++) {
		/* What is shifted out must be mere sign. */
		if (i + 8 < len && field[i] != (minus ? 0xff : 0))
			return -ERANGE;
		value = value << 8 | field[i];
	}
	if ((value >> 63 != 0) != minus)
		return -ERANGE;
	*ret = (int64_t) value;
	return 0;
}

int tar_number(const uint8_t *field, size_t len, bool negative, int64_t *ret)
{
	int64_t value = 0;
	size_t i = 0;

	if (field[0] & 0x80) {
		int r = base256(field, len, &value);

		if (r == 0 && value < 0 && !negative)
			r = -ERANGE;
		if (r == 0)
			*ret = value;
		return r;
	}
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		value = value * 8 + (field[i] - '0'); /* twelve digits: 36 bits */
	for (; i < len; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -EINVAL;
	*ret = value;
	return 0;
}

static int number(const uint8_t *field, size_t len, const char *what, uint64_t max, uint64_t *ret, struct err *e)
{
	int64_t value;
	int r = tar_number(field, len, false, &value);

	if (r < 0 || (uint64_t) value > max)
		return err_set(e, EINVAL, "header with a malformed %s", what);
	*ret = (uint64_t) value;
	return 0;
}

/* Both sums: some old programs added up signed characters. */
static int check_sum(const struct ustar *h, struct err *e)
{
	const uint8_t *p = (const uint8_t *) h;
	int64_t want, plain = 0, with_sign = 0;

	if (tar_number(h->sum, sizeof h->sum, false, &want) < 0)
		return err_set(e, EINVAL, "no tar archive: header without a checksum");
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool blank = i >= offsetof(struct ustar, sum) && i < offsetof(struct ustar, sum) + sizeof h->sum;

		plain += blank ? ' ' : p[i];
		with_sign += blank ? ' ' : (int8_t) p[i];
	}
	if (want != plain && want != with_sign)
		return err_set(e, EINVAL, "no tar archive, or a damaged one: wrong checksum of a header");
	return 0;
}

static char *join_name(const struct ustar *h)
{
	size_t prefix = strnlen(h->prefix, sizeof h->prefix);
	size_t name = strnlen(h->name, sizeof h->name);

	/* GNU's magic ("ustar  ") means other fields there, and so does star's trailer. */
	if (memcmp(h->magic, "ustar", 6) != 0 || !prefix)
		return xstrndup(h->name, name);
	if (!memcmp(h->pad + 8, "tar", 4))
		prefix = strnlen(h->prefix, 131);
	return xasprintf("%.*s%s%.*s", (int) prefix, h->prefix, prefix ? "/" : "", (int) name, h->name);
}

static int set_kind(const struct ustar *h, struct tar_header *ret, struct err *e)
{
	static const struct {
		char flag;
		enum tar_kind kind;
		enum tar_type type;
	} kinds[] = {
		{'\0', TAR_KIND_ENTRY, TAR_FILE},      {'0', TAR_KIND_ENTRY, TAR_FILE},
		{'7', TAR_KIND_ENTRY, TAR_FILE},       {'S', TAR_KIND_ENTRY, TAR_FILE},
		{'1', TAR_KIND_ENTRY, TAR_HARDLINK},   {'2', TAR_KIND_ENTRY, TAR_SYMLINK},
		{'3', TAR_KIND_ENTRY, TAR_CHR},	       {'4', TAR_KIND_ENTRY, TAR_BLK},
		{'5', TAR_KIND_ENTRY, TAR_DIR},	       {'6', TAR_KIND_ENTRY, TAR_FIFO},
		{'x', TAR_KIND_PAX, TAR_FILE},	       {'X', TAR_KIND_PAX, TAR_FILE},
		{'g', TAR_KIND_PAX_GLOBAL, TAR_FILE},  {'L', TAR_KIND_LONG_NAME, TAR_FILE},
		{'K', TAR_KIND_LONG_LINK, TAR_FILE},
	};

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		if (kinds[i].flag == h->type) {
			ret->kind = kinds[i].kind;
			ret->entry.type = kinds[i].type;
			ret->old_sparse = h->type == 'S';
			return 0;
		}
	return err_set(e, ENOTSUP, "entry of a type that no image has (0x%02x)", (unsigned char) h->type);
}

static int numbers(const struct ustar *h, struct tar_entry *entry, struct err *e)
{
	uint64_t mode = 0, uid = 0, gid = 0, major = 0, minor = 0;
	bool device = entry->type == TAR_CHR || entry->type == TAR_BLK;
	int64_t mtime;
	int r = number(h->size, sizeof h->size, "size", INT64_MAX, &entry->stored, e);

	if (r == 0)
		r = number(h->mode, sizeof h->mode, "mode", INT64_MAX, &mode, e);
	if (r == 0)
		r = number(h->uid, sizeof h->uid, "owner", UINT32_MAX - 1, &uid, e);
	if (r == 0)
		r = number(h->gid, sizeof h->gid, "group", UINT32_MAX - 1, &gid, e);
	if (r == 0 && device)
		r = number(h->major, sizeof h->major, "device number", UINT32_MAX, &major, e);
	if (r == 0 && device)
		r = number(h->minor, sizeof h->minor, "device number", UINT32_MAX, &minor, e);
	if (r < 0)
		return r;
	if (tar_number(h->mtime, sizeof h->mtime, true, &mtime) < 0)
		return err_set(e, EINVAL, "header with a malformed time");
	entry->mode = (uint32_t) mode & 07777;
	entry->uid = (uid_t) uid;
	entry->gid = (gid_t) gid;
	entry->major = (uint32_t) major;
	entry->minor = (uint32_t) minor;
	entry->mtime.tv_sec = mtime;
	entry->size = entry->stored;
	return 0;
}

static int old_sparse(const uint8_t *block, struct tar_header *ret, struct err *e)
{
	return number(block + GNU_REALSIZE, 12, "size", INT64_MAX, &ret->entry.size, e);
}

int tar_header_parse(const uint8_t block[TAR_BLOCK], struct tar_header *ret, struct err *e)
{
	const struct ustar *h = (const struct ustar *) block;
	int r = check_sum(h, e);

	*ret = (struct tar_header) {0};
	if (r == 0)
		r = set_kind(h, ret, e);
	if (r == 0)
		r = numbers(h, &ret->entry, e);
	if (r == 0 && ret->old_sparse)
		r = old_sparse(block, ret, e);
	if (r < 0)
		return r;
	ret->entry.path = join_name(h);
	if (ret->entry.type == TAR_HARDLINK || ret->entry.type == TAR_SYMLINK)
		ret->entry.link = xstrndup(h->link, strnlen(h->link, sizeof h->link));
	/* Before there were directory entries a name told by its slash. */
	if (ret->kind == TAR_KIND_ENTRY && h->type == '\0' && str_ends(ret->entry.path, "/"))
		ret->entry.type = TAR_DIR;
	return 0;
}

void tar_xattrs_done(struct tar_xattr **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		free((*v)[i].name);
		free((*v)[i].value);
	}
	free(*v);
	*v = NULL;
	*n = 0;
}

void tar_entry_done(struct tar_entry *entry)
{
	free(entry->path);
	free(entry->link);
	free(entry->pieces);
	tar_xattrs_done(&entry->xattrs, &entry->n_xattrs);
	*entry = (struct tar_entry) {0};
}
