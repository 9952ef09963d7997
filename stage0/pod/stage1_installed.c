#include "stage0/pod/stage1_installed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "stage0/context.h"
#include "stage0/image/image.h"

#define RKT_NAME "coreos.com/rkt/stage1-"

/* rkt's flavours with namespaces differ in the userland that they bring: ours has none. */
static const struct {
	const char *flavour, *dir;
} flavours[] = {
	{"coreos", "ns"},
	{"src", "ns"},
	{"host", "ns"},
	{"fly", "fly"},
};

char *stage1_installed_dir(const struct gantry *g)
{
	return path_join(g->libexec, "stage1");
}

bool stage1_is_installed(const struct gantry *g, const char *path)
{
	_cleanup_free_ char *dir = stage1_installed_dir(g), *real = realpath(dir, NULL);

	return real && path_is_below(path, real) && strcmp(path, real) != 0;
}

static int open_flavour(const struct gantry *g, const char *flavour, size_t len, struct stage1 *ret,
			struct err *e)
{
	_cleanup_free_ char *dir = stage1_installed_dir(g), *path = NULL;
	int r;

	if (len >= 3 && !strncmp(flavour, "kvm", 3))
		return err_set(e, ENOTSUP, "stage1 kvm (virtual machines) is not supported");
	for (size_t i = 0; i < ELEMENTSOF(flavours); i++) {
		if (strlen(flavours[i].flavour) != len ||
		    strncmp(flavours[i].flavour, flavour, len) != 0)
			continue;
		path = path_join(dir, flavours[i].dir);
		r = stage1_from_directory(path, ret, e);
		return r < 0 ? r : 1;
	}
	return 0;
}

int stage1_installed_by_rkt_name(const struct gantry *g, const char *name, struct stage1 *ret,
				 struct err *e)
{
	if (!str_starts(name, RKT_NAME))
		return 0;
	name += strlen(RKT_NAME);
	return open_flavour(g, name, strcspn(name, ":,"), ret, e);
}

int stage1_installed_by_file(const struct gantry *g, const char *file, struct stage1 *ret,
			     struct err *e)
{
	if (!str_starts(file, "stage1-") || !str_ends(file, ".aci"))
		return 0;
	file += strlen("stage1-");
	return open_flavour(g, file, strlen(file) - strlen(".aci"), ret, e);
}

/* Name and all labels that were asked for. */
static bool is_meant(const char *dir, const struct image_ref *ref)
{
	_cleanup_free_ char *path = path_join(dir, "manifest"), *text = NULL;
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	size_t len;

	if (file_read_at(AT_FDCWD, path, JSON_MANIFEST_MAX, &text, &len, NULL) < 0)
		return false;
	m = image_manifest_parse(text, len, NULL);
	if (!m || strcmp(m->name, ref->location) != 0)
		return false;
	for (size_t i = 0; i < ref->labels.n; i++)
		if (!str_eq(nameval_get(&m->labels, ref->labels.v[i].name), ref->labels.v[i].value))
			return false;
	return true;
}

int stage1_installed_by_name(const struct gantry *g, const char *name, struct stage1 *ret,
			     struct err *e)
{
	_cleanup_image_ref_ struct image_ref ref = {0};
	_cleanup_free_ char *dir = stage1_installed_dir(g);
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int r = image_ref_parse_name(name, &ref, e);

	if (r < 0)
		return r;
	d = opendir(dir);
	while (d && (de = readdir(d))) {
		_cleanup_free_ char *path = path_join(dir, de->d_name);

		if (de->d_name[0] == '.' || !is_meant(path, &ref))
			continue;
		r = stage1_from_directory(path, ret, e);
		return r < 0 ? r : 1;
	}
	return 0;
}
