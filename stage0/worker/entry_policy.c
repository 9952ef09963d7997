/*
 * Which names and attributes an image may have.
 */
#include <errno.h>
#include <string.h>

#include "stage0/worker/untar_internal.h"

#define ROOTFS "rootfs"

int policy_clean(const char *path, unsigned max_depth, char *ret, struct err *e)
{
	unsigned depth = 0;
	size_t n = 0;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !strncmp(path, "..", 2))
			return err_set(e, EINVAL, "name with \"..\"");
		if (len && !(len == 1 && *path == '.')) {
			if (len > NAME_MAX)
				return err_set(e, ENAMETOOLONG, "name too long");
			if (++depth > max_depth)
				return err_set(e, ELOOP, "path too deep");
			if (n + len + 2 > PATH_MAX)
				return err_set(e, ENAMETOOLONG, "path too long");
			if (n)
				ret[n++] = '/';
			memcpy(ret + n, path, len);
			n += len;
		}
		path += len + (path[len] == '/');
	}
	ret[n] = '\0';
	return 0;
}

int policy_place(const char *path, unsigned max_depth, char *ret, struct err *e)
{
	size_t root = strlen(ROOTFS);
	int r = *path == '/' ? err_set(e, EINVAL, "absolute name") : policy_clean(path, max_depth, ret, e);

	if (r < 0)
		return r;
	if (!*ret)
		return PLACE_TOP;
	if (!strcmp(ret, "manifest"))
		return PLACE_MANIFEST;
	if (!strcmp(ret, ROOTFS)) {
		*ret = '\0';
		return PLACE_ROOT;
	}
	if (!strncmp(ret, ROOTFS "/", root + 1)) {
		memmove(ret, ret + root + 1, strlen(ret) - root);
		return PLACE_BELOW;
	}
	return err_set(e, EINVAL, "an image has nothing beside manifest and rootfs");
}

int policy_hard_link(const char *target, unsigned max_depth, char *ret, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = policy_place(target, max_depth, ret, &why);

	if (r != PLACE_BELOW)
		return err_set(e, EINVAL, "hard link to %s, which is not in the image's rootfs", q(target));
	return 0;
}

/*
 * overlayfs reads its own attributes from the lower directories (CVE-2023-0386 and kin); trusted and
 * security attributes are the host's business, but for file capabilities, which are kept.
 */
int policy_xattr(const struct tar_entry *entry, const char *name, struct err *e)
{
	if (str_starts(name, "trusted.") || strstr(name, ".overlay."))
		return 0;
	if (str_starts(name, "security."))
		return !strcmp(name, "security.capability") && entry->type == TAR_FILE;
	if (entry->type != TAR_FILE && entry->type != TAR_DIR)
		return err_set(e, ENOTSUP, "extended attribute %s on what is neither file nor directory", q(name));
	return 1;
}

/* --- paths --- */

static size_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char) *s) * 0x100000001b3u;
	return (size_t) h;
}

/* Where the path is, or the free slot where it would be. */
static size_t find(const struct path_set *s, const char *path)
{
	size_t i = hash(path) & (s->slots - 1);

	while (s->v[i] && strcmp(s->v[i], path))
		i = (i + 1) & (s->slots - 1);
	return i;
}

bool path_set_add(struct path_set *s, const char *path)
{
	size_t i;

	if (2 * s->n >= s->slots) {
		struct path_set old = *s;

		s->slots = s->slots ? 2 * s->slots : 64;
		s->v = xcalloc(s->slots, sizeof *s->v);
		for (i = 0; i < old.slots; i++)
			if (old.v[i])
				s->v[find(s, old.v[i])] = old.v[i];
		free(old.v);
	}
	i = find(s, path);
	if (s->v[i])
		return false;
	s->v[i] = xstrdup(path);
	s->n++;
	return true;
}

bool path_set_remove(struct path_set *s, const char *path)
{
	size_t i;

	if (!s->n)
		return false;
	i = find(s, path);
	if (!s->v[i])
		return false;
	free(s->v[i]);
	s->v[i] = NULL;
	s->n--;
	/* Those that stand behind the gap because of it move up. */
	for (i = (i + 1) & (s->slots - 1); s->v[i]; i = (i + 1) & (s->slots - 1)) {
		char *moved = s->v[i];

		s->v[i] = NULL;
		s->v[find(s, moved)] = moved;
	}
	return true;
}

void path_set_done(struct path_set *s)
{
	for (size_t i = 0; i < s->slots; i++)
		free(s->v[i]);
	free(s->v);
}
