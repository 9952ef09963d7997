#include "cni-plugins/dnsname/domains.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/dnsname/server.h"

#define DOMAIN_FILE "domain"
#define FILE_MAX 65536

struct part {
	char *path;  /* the network's directory */
	char *lines; /* of its domain */
};

struct parts {
	struct part *v;
	size_t n;
};

static void parts_done(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].path);
		free(p->v[i].lines);
	}
	free(p->v);
}
#define _cleanup_parts_ __attribute__((cleanup(parts_done)))

static char *read_text(int dir, const char *file)
{
	char *text = NULL;
	size_t len;

	return file_read_at(dir, file, FILE_MAX, &text, &len, NULL) < 0 ? NULL : text;
}

static int collect(struct parts *ret, struct err *e)
{
	_cleanup_dir_ DIR *d = opendir(SERVER_DIR);
	struct dirent *de;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "open " SERVER_DIR);
	while ((de = readdir(d))) {
		_cleanup_free_ char *file = path_join(de->d_name, DOMAIN_FILE),
				    *lines = *de->d_name == '.' ? NULL : read_text(dirfd(d), file);

		if (!lines)
			continue;
		ret->v = xgrow(ret->v, ret->n, sizeof *ret->v);
		ret->v[ret->n++] = (struct part) {.path = path_join(SERVER_DIR, de->d_name),
						  .lines = take_ptr(lines)};
	}
	return 0;
}

/* "server=/DOMAIN/" at the beginning: two networks of one domain would ask each other in a circle. */
static bool same_domain(const char *a, const char *b)
{
	const char *slash = strchr(a, '/'), *end = slash ? strchr(slash + 1, '/') : NULL;

	return end && !strncasecmp(a, b, (size_t) (end - a) + 1);
}

static int tell(const struct parts *all, const struct part *one, struct err *e)
{
	_cleanup_free_ char *file = path_join(one->path, SERVERS_FILE), *now = read_text(AT_FDCWD, file);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *text;
	int r;

	for (size_t i = 0; i < all->n; i++)
		if (&all->v[i] != one && !same_domain(all->v[i].lines, one->lines))
			strbuf_adds(&sb, all->v[i].lines);
	text = sb.buf ? sb.buf : "";
	if (now && !strcmp(now, text))
		return 0;
	/* The server has given up root by the time it reads it again. */
	r = file_write_at(AT_FDCWD, file, text, strlen(text), 0644, FILE_FAST, e);
	if (r == 0)
		r = server_reload(one->path, e);
	return r == -ESRCH ? 0 : r;
}

int domains_spread(struct err *e)
{
	_cleanup_parts_ struct parts all = {0};
	int r = collect(&all, e);

	for (size_t i = 0; i < all.n && r == 0; i++)
		r = tell(&all, &all.v[i], e);
	return r;
}

bool domains_have(int dir)
{
	return faccessat(dir, DOMAIN_FILE, F_OK, 0) == 0;
}

int domains_put(int dir, const char *domain, char *const *addresses, struct err *e)
{
	_cleanup_free_ char *now = read_text(dir, DOMAIN_FILE);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *text;
	int r = 0;

	for (char *const *a = domain ? addresses : NULL; a && *a; a++)
		strbuf_addf(&sb, "server=/%s/%s\n", domain, *a);
	text = sb.buf ? sb.buf : "";
	if (addresses ? now && !strcmp(now, text) : !now)
		return 0;
	if (addresses)
		r = file_write_at(dir, DOMAIN_FILE, text, strlen(text), 0644, FILE_FAST, e);
	else if (unlinkat(dir, DOMAIN_FILE, 0) < 0)
		r = err_sys(e, "remove " DOMAIN_FILE);
	return r == 0 ? domains_spread(e) : r;
}
