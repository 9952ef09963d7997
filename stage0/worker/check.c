#include "stage0/worker/check.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "stage0/worker/untar_internal.h"

enum kind { KIND_FREE, KIND_DIR, KIND_IMPLIED, KIND_LINK, KIND_OTHER };

/* What an entry, or something below it, has said of a name. */
struct name {
	char *path;
	enum kind kind;
};

struct check {
	const struct untar_limits *limits;
	struct check_findings *findings;
	struct untar_result done;
	struct name *names; /* open addressing */
	size_t n_names, slots;
	bool have_manifest, have_root;
};

void check_findings_done(struct check_findings *f)
{
	strv_free(f->v);
	*f = (struct check_findings) {0};
}

static void found(struct check *c, const char *path, const struct err *e)
{
	if (c->findings->n++ < CHECK_FINDINGS_MAX)
		strv_push(&c->findings->v,
			  path ? xasprintf("%s: %s", q(path), err_text(e)) : xstrdup(err_text(e)));
}

/* --- names --- */

static size_t place_of(const struct check *c, const char *path)
{
	size_t h = 0xcbf29ce484222325u, i; /* FNV-1a */

	for (const char *p = path; *p; p++)
		h = (h ^ (unsigned char) *p) * 0x100000001b3u;
	i = h & (c->slots - 1);
	while (c->names[i].path && strcmp(c->names[i].path, path))
		i = (i + 1) & (c->slots - 1);
	return i;
}

/* The slot of the name; a new one is KIND_FREE until it is filled. */
static struct name *slot(struct check *c, const char *path)
{
	if (2 * c->n_names >= c->slots) {
		struct name *old = c->names;
		size_t n = c->slots;

		c->slots = n ? 2 * n : 64;
		c->names = xcalloc(c->slots, sizeof *c->names);
		for (size_t i = 0; i < n; i++)
			if (old[i].path)
				c->names[place_of(c, old[i].path)] = old[i];
		free(old);
	}
	return &c->names[place_of(c, path)];
}

static void put(struct check *c, const char *path, enum kind kind)
{
	struct name *n = slot(c, path);

	if (!n->path) {
		n->path = xstrdup(path);
		c->n_names++;
	}
	n->kind = kind;
}

static int in_the_way(const struct name *n, struct err *e)
{
	if (n->kind == KIND_LINK)
		return err_set(e, ELOOP, "a symbolic link is in the way, in %s", q(n->path));
	return err_set(e, ENOTDIR, "%s is no directory", q(n->path));
}

/* Every directory above it is one, or becomes one by this. */
static int check_parents(struct check *c, char *path, struct err *e)
{
	char *slash = strrchr(path, '/');
	const struct name *n;
	int r = 0;

	if (!slash)
		return 0;
	*slash = '\0';
	n = slot(c, path);
	if (n->path && n->kind != KIND_DIR && n->kind != KIND_IMPLIED)
		r = in_the_way(n, e);
	/* One that is known stands below such as are known. */
	if (r == 0 && !n->path) {
		r = check_parents(c, path, e);
		if (r == 0)
			put(c, path, KIND_IMPLIED);
	}
	*slash = '/';
	return r;
}

/* --- entries --- */

static int check_link(struct check *c, const struct tar_entry *entry, struct err *e)
{
	char target[PATH_MAX];
	const struct name *n;
	int r = policy_hard_link(entry->link, c->limits->depth, target, e);

	if (r < 0)
		return r;
	if (entry->n_xattrs)
		return err_set(e, EINVAL, "hard link with attributes of its own");
	n = slot(c, target);
	if (!n->path)
		return err_set(e, ENOENT, "hard link to %s, which is not there before it",
			       q(entry->link));
	if (n->kind == KIND_DIR || n->kind == KIND_IMPLIED)
		return err_set(e, EPERM, "hard link to %s, which is a directory", q(entry->link));
	return 0;
}

static int check_below(struct check *c, const struct tar_entry *entry, char *path, struct err *e)
{
	const struct name *n;
	int r = *path ? check_parents(c, path, e) : 0;

	for (size_t i = 0; r >= 0 && i < entry->n_xattrs && entry->type != TAR_HARDLINK; i++)
		r = policy_xattr(entry, entry->xattrs[i].name, e);
	if (r >= 0 && entry->type == TAR_HARDLINK)
		r = check_link(c, entry, e);
	if (r < 0)
		return r;
	n = slot(c, path);
	if (n->path && !(entry->type == TAR_DIR && n->kind == KIND_IMPLIED))
		return err_set(e, EEXIST, "duplicate entry");
	put(c, path,
	    entry->type == TAR_DIR	 ? KIND_DIR
	    : entry->type == TAR_SYMLINK ? KIND_LINK
					 : KIND_OTHER);
	return 0;
}

static int check_manifest(struct check *c, struct tar *t, const struct tar_entry *entry,
			  untar_manifest fn, void *arg, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const uint8_t *data;
	uint64_t offset;
	size_t len;
	int r;

	if (c->have_manifest)
		return err_set(e, EEXIST, "duplicate entry");
	c->have_manifest = true;
	if (entry->type != TAR_FILE || entry->is_sparse)
		return err_set(e, EINVAL, "is no regular file");
	if (entry->size > JSON_MANIFEST_MAX)
		return err_set(e, EFBIG, "is larger than %u bytes", JSON_MANIFEST_MAX);
	while ((r = tar_data(t, &data, &len, &offset, e)) > 0)
		strbuf_add(&sb, data, len);
	return r < 0 ? r : fn(arg, sb.len ? sb.buf : "", sb.len, e);
}

static int check_entry(struct check *c, struct tar *t, const struct tar_entry *entry,
		       untar_manifest fn, void *arg, struct err *e)
{
	char path[PATH_MAX];
	int where = policy_place(entry->path, c->limits->depth, path, e);

	switch (where) {
	case PLACE_TOP:
		return entry->type == TAR_DIR ? 0 : err_set(e, EINVAL, "the top is no directory");
	case PLACE_MANIFEST:
		return check_manifest(c, t, entry, fn, arg, e);
	case PLACE_ROOT:
		c->have_root = true;
		return entry->type == TAR_DIR ? check_below(c, entry, path, e)
					      : err_set(e, EINVAL, "rootfs is no directory");
	case PLACE_BELOW:
		c->have_root = true;
		return check_below(c, entry, path, e);
	}
	return where;
}

/* Beyond a limit nothing is looked at: that is what it is for. */
static int count(struct check *c, const struct tar_entry *entry, struct err *e)
{
	if (++c->done.entries > c->limits->entries)
		return err_set(e, E2BIG, "the image has more than the limit of %llu entries",
			       (unsigned long long) c->limits->entries);
	if (entry->type == TAR_FILE && entry->size > c->limits->bytes - c->done.bytes)
		return err_set(e, EFBIG, "the image is larger than the limit of %llu bytes",
			       (unsigned long long) c->limits->bytes);
	if (entry->type == TAR_FILE)
		c->done.bytes += entry->size;
	return 0;
}

static void finish(struct check *c)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (!c->have_manifest) {
		err_set(&e, EINVAL, "the image has no manifest");
		found(c, NULL, &e);
	}
	if (!c->have_root) {
		err_set(&e, EINVAL, "the image has no rootfs");
		found(c, NULL, &e);
	}
}

int check_tar(struct tar *t, const struct untar_limits *limits, untar_manifest manifest, void *arg,
	      struct check_findings *ret, struct untar_result *done, struct err *e)
{
	struct check c = {.limits = limits, .findings = ret};
	const struct tar_entry *entry;
	int r;

	while ((r = tar_next(t, &entry, e)) > 0) {
		_cleanup_err_ struct err why = ERR_INIT;

		r = count(&c, entry, e);
		if (r < 0)
			break;
		if (check_entry(&c, t, entry, manifest, arg, &why) < 0)
			found(&c, entry->path, &why);
	}
	if (r == 0)
		finish(&c);
	*done = c.done;
	for (size_t i = 0; i < c.slots; i++)
		free(c.names[i].path);
	free(c.names);
	return r;
}
