#include "stage0/oci/login.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "stage0/config/config.h"
#include "stage0/context.h"
#include "stage0/oci/ref.h"

#define HELPER_MS (60 * 1000) /* some ask their user, or a server */
#define HELPER_SAYS 512	      /* bytes of an error that are shown */

/* --- helpers --- */

/* The first of that name in $PATH that can be executed; only absolute directories count. */
static char *find_helper(const char *name)
{
	const char *path = getenv("PATH");
	_cleanup_strv_ char **dirs = strv_split(path && *path ? path : "/usr/bin:/bin", ':');

	for (size_t i = 0; dirs[i]; i++) {
		_cleanup_free_ char *program = path_is_absolute(dirs[i]) ? xasprintf("%s/docker-credential-%s", dirs[i], name) : NULL;
		struct stat st;

		if (program && stat(program, &st) == 0 && S_ISREG(st.st_mode) && access(program, X_OK) == 0)
			return take_ptr(program);
	}
	return NULL;
}

/* What it wrote, as one line for a message; a secret would stand on its standard output only if it succeeded. */
static char *one_line(const char *text)
{
	size_t n = strcspn(text, "\r\n");

	return str_escape(text, n > HELPER_SAYS ? HELPER_SAYS : n);
}

static bool has_none(const struct proc_io *io)
{
	return strstr(io->out, "credentials not found") || strstr(io->err, "credentials not found");
}

static int read_helper(const struct proc_io *io, int wstatus, struct login *ret, struct err *e)
{
	_cleanup_free_ char *says = NULL, *how = NULL;

	if (wstatus == 0)
		return login_from_helper(io->out, io->out_len, ret, e);
	if (has_none(io))
		return 0;
	how = proc_describe(wstatus);
	says = one_line(*io->out ? io->out : io->err);
	return err_set(e, EACCES, "it %s%s%s", how, *says ? ": " : "", says);
}

static int ask_helper(const char *name, const char *registry, struct login *ret, struct err *e)
{
	/* The key under which docker itself keeps its own. */
	const char *server = strcmp(registry, OCI_DEFAULT_REGISTRY) ? registry : "https://index.docker.io/v1/";
	_cleanup_free_ char *path = find_helper(name), *program = xasprintf("docker-credential-%s", name);
	struct proc_io io = {.input = server, .input_len = strlen(server), .out_limit = 64u << 10,
			     .err_limit = 4096, .timeout_ms = HELPER_MS};
	char *argv[] = {program, (char *) "get", NULL};
	struct spawn sp = SPAWN_INIT;
	int r;

	if (!path)
		return err_set(e, ENOENT, "credential helper %s: there is no such program in PATH", program);
	sp.path = path;
	sp.argv = argv;
	sp.env = environ;
	sp.own_group = true;
	sp.die_with_parent = true;
	r = proc_run(&sp, &io, e);
	if (r >= 0)
		r = read_helper(&io, r, ret, e);
	if (io.out)
		explicit_bzero(io.out, io.out_len);
	free(io.out);
	free(io.err);
	if (r < 0)
		return err_ctx(e, r, "credential helper %s", program);
	if (ret->user || ret->identity_token)
		ret->from = take_ptr(program);
	return 0;
}

/* --- files --- */

/* 0 as well when the file has nothing of it, or is not there. */
static int from_file(const char *path, const char *registry, const char *repository, struct login *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL, *helper = NULL;
	struct stat st;
	size_t len;
	int r;

	/* Not readable: another user's (a home that sudo kept). */
	if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	r = file_read_at(AT_FDCWD, path, LOGIN_FILE_MAX, &text, &len, e);
	if (r < 0)
		return err_ctx(e, r, "credentials");
	r = login_from_file(text, len, registry, repository, ret, &helper, e);
	explicit_bzero(text, len);
	if (r < 0)
		return err_ctx(e, r, "credentials %s", path);
	if (ret->user || ret->identity_token || ret->registry_token)
		ret->from = xstrdup(path);
	else if (helper)
		r = ask_helper(helper, registry, ret, e);
	return r;
}

static void add_path(char ***paths, const char *dir, const char *below)
{
	if (dir && path_is_absolute(dir))
		strv_push(paths, xasprintf("%s/%s", dir, below));
}

static char **list_files(void)
{
	const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG"), *file = getenv("REGISTRY_AUTH_FILE");
	_cleanup_free_ char *run = xasprintf("/run/containers/%u", geteuid());
	char **paths = NULL;

	if (file && *file)
		strv_add(&paths, file);
	if (getenv("XDG_RUNTIME_DIR"))
		add_path(&paths, getenv("XDG_RUNTIME_DIR"), "containers/auth.json");
	else
		add_path(&paths, run, "auth.json");
	if (getenv("XDG_CONFIG_HOME"))
		add_path(&paths, getenv("XDG_CONFIG_HOME"), "containers/auth.json");
	else
		add_path(&paths, home, ".config/containers/auth.json");
	if (docker && *docker)
		add_path(&paths, docker, "config.json");
	else
		add_path(&paths, home, ".docker/config.json");
	return paths;
}

/* --- gantry's own --- */

static int from_config(const struct gantry *g, const char *registry, struct login *ret, struct err *e)
{
	_cleanup_docker_auth_ struct docker_auth_list l = DOCKER_AUTH_LIST_INIT;
	int r = config_load_docker_auth(g, &l, e);

	for (size_t i = 0; i < l.n && r == 0 && !ret->user; i++) {
		_cleanup_free_ char *key = login_normal_key(l.v[i].registry);

		if (strcasecmp(key, registry))
			continue;
		ret->user = xstrdup(l.v[i].user);
		ret->password = xstrdup(l.v[i].password);
		ret->from = xstrdup("auth.d");
	}
	return r;
}

int login_find(const struct gantry *g, const char *registry, const char *repository, struct login *ret, struct err *e)
{
	_cleanup_free_ char *key = login_normal_key(registry);
	_cleanup_strv_ char **files = list_files();
	_cleanup_login_ struct login l = {0};
	int r = from_config(g, key, &l, e);

	for (size_t i = 0; files && files[i] && r == 0 && !l.from; i++)
		r = from_file(files[i], key, repository, &l, e);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct login) {0};
	return 0;
}
