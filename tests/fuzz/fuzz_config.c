/*
 * The operator's settings: the bytes, cut at NULs, are two files of the vendor's and one of the administrator's
 * directory.  Each lies in every place where there are settings.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/config/config.h"
#include "stage0/config/print.h"
#include "stage0/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const places[] = {"auth.d", "paths.d", "stage1.d", "registries.d"};
static const char *const files[] = {"s/%s/a.json", "s/%s/b.json", "l/%s/a.json"};
static char top[] = "/tmp/gantry-fuzz-XXXXXX";

static void must(bool so)
{
	if (!so)
		abort();
}

static void clean_up(void)
{
	(void) path_remove_tree(AT_FDCWD, top, NULL);
}

static void begin(void)
{
	must(mkdtemp(top));
	must(atexit(clean_up) == 0);
	for (size_t i = 0; i < ELEMENTSOF(places); i++)
		for (const char *d = "sl"; *d; d++) {
			_cleanup_free_ char *dir = xasprintf("%s/%c/%s", top, *d, places[i]);

			must(path_mkdirs(dir, 0700, NULL) == 0);
		}
}

/* Text or, where the bytes have an end already, no file. */
static void put(const char *form, const char *text, size_t len)
{
	for (size_t i = 0; i < ELEMENTSOF(places); i++) {
		_cleanup_free_ char *name = xasprintf(form, places[i]), *path = path_join(top, name);

		if (text)
			must(file_write_at(AT_FDCWD, path, text, len, 0600, FILE_FAST, NULL) == 0);
		else
			(void) unlink(path);
	}
}

/* What becomes a line of a header, or a word of a command, is one. */
static void is_word(const char *s)
{
	must(s && *s);
	for (; *s; s++)
		must((unsigned char) *s >= ' ' && *s != 0x7f);
}

static int credentials(const struct gantry *g)
{
	_cleanup_auth_ struct auth_list hosts = AUTH_LIST_INIT;
	_cleanup_docker_auth_ struct docker_auth_list registries = DOCKER_AUTH_LIST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int r = config_load_auth(g, &hosts, &e);

	must(r == 0 || e.msg);
	for (size_t i = 0; i < hosts.n; i++) {
		const struct auth *a = &hosts.v[i];

		is_word(a->domain);
		must(!i || strcmp(hosts.v[i - 1].domain, a->domain) < 0);
		must(auth_for(&hosts, a->domain) == a);
		switch (a->type) {
		case AUTH_BASIC:
			is_word(a->user);
			is_word(a->password);
			must(!strchr(a->user, ':'));
			break;
		case AUTH_OAUTH:
			is_word(a->token);
			break;
		case AUTH_AWS:
			is_word(a->access_key_id);
			is_word(a->secret_key);
			is_word(a->region);
			break;
		}
	}
	if (config_load_docker_auth(g, &registries, NULL) < 0)
		return -1;
	for (size_t i = 0; i < registries.n; i++) {
		is_word(registries.v[i].registry);
		is_word(registries.v[i].user);
		is_word(registries.v[i].password);
	}
	return r;
}

static int registries(const struct gantry *g)
{
	_cleanup_registry_confs_ struct registry_conf_list l = REGISTRY_CONF_LIST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int r = config_load_registries(g, &l, &e);
	unsigned defaults = 0;

	must(r == 0 || e.msg);
	for (size_t i = 0; i < l.n; i++) {
		const struct registry_conf *c = &l.v[i];

		is_word(c->registry);
		for (const char *p = c->registry; *p; p++)
			must(!isupper((unsigned char) *p));
		must(!i || strcmp(l.v[i - 1].registry, c->registry) < 0);
		must(registry_conf_for(&l, c->registry) == c);
		defaults += c->is_default;
		must(!c->ca || *c->ca == '/');
		for (char **m = c->mirrors; m && *m; m++)
			must(**m && !strpbrk(*m, " ?#@%\r\n\t") && !strstr(*m, "/.") && !strstr(*m, "//"));
	}
	must(defaults <= 1 && registry_conf_default(&l));
	return r;
}

static int places_of_files(const struct gantry *g)
{
	_cleanup_config_paths_ struct config_paths paths = CONFIG_PATHS_INIT;
	_cleanup_config_stage1_ struct config_stage1 stage1 = CONFIG_STAGE1_INIT;
	int r = config_load_paths(g, &paths, NULL), s = config_load_stage1(g, &stage1, NULL);

	must(!paths.data || *paths.data == '/');
	must(!paths.stage1_images || *paths.stage1_images == '/');
	must(!stage1.name == !stage1.version);
	return r < 0 ? r : s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data, *end = text + size;
	struct gantry g = {.data_fd = -EBADF};
	bool good;
	cJSON *doc;

	if (str_ends(top, "XXXXXX"))
		begin();
	for (size_t i = 0; i < ELEMENTSOF(files); i++) {
		const char *nul = text ? memchr(text, '\0', (size_t) (end - text)) : NULL;

		put(files[i], text, text ? (size_t) ((nul ? nul : end) - text) : 0);
		text = nul ? nul + 1 : NULL;
	}
	g.system_config = path_join(top, "s");
	g.local_config = path_join(top, "l");
	good = credentials(&g) == 0;
	good = registries(&g) == 0 && good;
	good = places_of_files(&g) == 0 && good;
	doc = config_print(&g, false, NULL);
	must(!doc || good);
	cJSON_Delete(doc);
	free(g.system_config);
	free(g.local_config);
	return 0;
}
