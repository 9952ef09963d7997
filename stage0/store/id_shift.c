#include "stage0/store/id_shift.h"

#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

/* include/uapi/linux/posix_acl_xattr.h: a version, then entries; each 2 bytes tag, 2 permissions, 4 id. */
#define ACL_VERSION 2u
#define ACL_HEADER 4
#define ACL_ENTRY 8
#define ACL_TAG_USER 0x02
#define ACL_TAG_GROUP 0x08

/* include/uapi/linux/capability.h: magic and flags, twice permitted and inheritable, from revision 3 on a root. */
#define CAP_SIZE_2 20
#define CAP_SIZE_3 24

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

int id_shift(const struct id_shift *s, uint32_t id, uint32_t *ret)
{
	uint32_t base = s && s->to == ID_SHIFT_TO_POD ? s->map.shift : 0;

	if (!s || !s->map.count) {
		*ret = id;
		return 0;
	}
	if (id < base || id - base >= s->map.count)
		return -ERANGE;
	*ret = s->to == ID_SHIFT_TO_POD ? id - s->map.shift : id + s->map.shift;
	return 0;
}

static int shift_acl(const struct id_shift *s, uint8_t *value, size_t len)
{
	if (len < ACL_HEADER || get32(value) != ACL_VERSION || (len - ACL_HEADER) % ACL_ENTRY)
		return -EINVAL;
	for (uint8_t *entry = value + ACL_HEADER; entry < value + len; entry += ACL_ENTRY) {
		unsigned tag = (unsigned) entry[0] | (unsigned) entry[1] << 8;
		uint32_t id;
		int r;

		/* The other tags name nobody. */
		if (tag != ACL_TAG_USER && tag != ACL_TAG_GROUP)
			continue;
		r = id_shift(s, get32(entry + 4), &id);
		if (r < 0)
			return r;
		put32(entry + 4, id);
	}
	return 0;
}

/* Revision 2 is for the root of the first user namespace, which is what id 0 of a tree stands for. */
static int shift_capability(const struct id_shift *s, uint8_t *value, size_t *len)
{
	uint32_t magic = *len < CAP_SIZE_2 ? 0 : get32(value), root = 0;
	int r;

	if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && *len == CAP_SIZE_3)
		root = get32(value + CAP_SIZE_2);
	else if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2 || *len != CAP_SIZE_2)
		return -EINVAL;
	r = id_shift(s, root, &root);
	if (r < 0)
		return r;
	*len = root ? CAP_SIZE_3 : CAP_SIZE_2;
	put32(value, (magic & ~(uint32_t) VFS_CAP_REVISION_MASK) | (root ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2));
	if (root)
		put32(value + CAP_SIZE_2, root);
	return 0;
}

int id_shift_xattr(const struct id_shift *s, const char *name, uint8_t *value, size_t *len)
{
	if (!s || !s->map.count)
		return 0;
	if (!strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default"))
		return shift_acl(s, value, *len);
	if (!strcmp(name, "security.capability"))
		return shift_capability(s, value, len);
	return 0;
}
