#include "stage0/context.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/command.h"
#include "stage0/config/config.h"

static int set_insecure(void *target, const char *value, struct err *e)
{
	static const struct {
		const char *word;
		unsigned bits;
	} words[] = {
		{"none", 0},
		{"image", INSECURE_IMAGE},
		{"tls", INSECURE_TLS},
		{"http", INSECURE_HTTP},
		{"pubkey", INSECURE_PUBKEY},
		{"capabilities", INSECURE_CAPABILITIES},
		{"paths", INSECURE_PATHS},
		{"seccomp", INSECURE_SECCOMP},
		{"ondisk", 0}, /* of older rkts; there is nothing to switch off */
		{"all-fetch", INSECURE_ALL_FETCH},
		{"all-run", INSECURE_ALL_RUN},
		{"all", INSECURE_ALL},
	};
	struct gantry *g = target;
	_cleanup_strv_ char **parts = strv_split(value, ',');

	for (char **p = parts; *p; p++) {
		size_t i = 0;

		while (i < ELEMENTSOF(words) && strcmp(words[i].word, *p))
			i++;
		if (i == ELEMENTSOF(words))
			return err_set(e, EINVAL, "unknown word %s", q(*p));
		g->insecure |= words[i].bits;
	}
	return 0;
}

const struct opt global_opts[] = {
	{.name = "help", .short_name = 'h',
	 .type = OPT_FLAG, .offset = offsetof(struct gantry, help),
	 .help = "tell about the command"},
	{.name = "debug", .type = OPT_FLAG, .offset = offsetof(struct gantry, debug),
	 .help = "say more on standard error"},
	{.name = "dir", .type = OPT_STRING,
	 .arg = "DIR", .offset = offsetof(struct gantry, data_dir),
	 .help = "data directory (" DATA_DIR "; as rkt " RKT_DATA_DIR ")"},
	{.name = "system-config", .type = OPT_STRING,
	 .arg = "DIR", .offset = offsetof(struct gantry, system_config),
	 .help = "the vendor's configuration (" SYSTEM_CONFIG_DIR "; as rkt " RKT_SYSTEM_CONFIG_DIR ")"},
	{.name = "local-config", .type = OPT_STRING,
	 .arg = "DIR", .offset = offsetof(struct gantry, local_config),
	 .help = "the administrator's configuration (" LOCAL_CONFIG_DIR "; as rkt " RKT_LOCAL_CONFIG_DIR
		 ")"},
	{.name = "user-config", .type = OPT_STRING,
	 .arg = "DIR", .offset = offsetof(struct gantry, user_config),
	 .help = "the user's configuration; wins over both (none)"},
	{.name = "insecure-options", .type = OPT_CALL, .arg = "WORDS", .call = set_insecure,
	 .help = "waive checks: none, image, tls, http, pubkey, capabilities, paths, seccomp, "
		 "all-fetch, all-run, all"},
	{.name = "trust-keys-from-https",
	 .type = OPT_FLAG, .offset = offsetof(struct gantry, trust_keys_from_https),
	 .help = "trust discovered keys without review if they came over https"},
	{.name = "cpuprofile", .type = OPT_STRING,
	 .arg = "PATH", .refused = "there is no Go runtime here to profile"},
	{.name = "memprofile", .type = OPT_STRING,
	 .arg = "PATH", .refused = "there is no Go runtime here to profile"},
};
const size_t n_global_opts = ELEMENTSOF(global_opts);

/* ../libexec/gantry of the running program, wherever it was installed (or built). */
static int find_libexec(struct gantry *g, struct err *e)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	_cleanup_free_ char *up = NULL;

	if (n < 0)
		return err_sys(e, "read /proc/self/exe");
	exe[n] = '\0';
	up = xasprintf("%s/../../libexec/gantry", exe);
	g->libexec = path_clean(up);
	return 0;
}

/* Absolute, without links where it exists: the pod records it, and overlay mounts use it. */
static int resolve_dir(char **dir, const char *standard, struct err *e)
{
	char *real;

	/* An empty one, of a script's unset variable, is none: never the current directory. */
	if (!*dir || !**dir) {
		free(*dir);
		*dir = xstrdup(standard);
	}
	real = realpath(*dir, NULL);
	if (!real && errno == ENOENT) {
		char cwd[PATH_MAX];

		if (**dir == '/')
			return 0;
		if (!getcwd(cwd, sizeof cwd))
			return err_sys(e, "current directory");
		real = path_join(cwd, *dir);
	}
	if (!real)
		return err_sys(e, "directory %s", q(*dir));
	free(*dir);
	*dir = real;
	return 0;
}

/* --dir wins over what is configured; both over what is built in. */
static int find_data_dir(struct gantry *g, struct err *e)
{
	_cleanup_config_paths_ struct config_paths paths = CONFIG_PATHS_INIT;

	if (!g->data_dir || !*g->data_dir) {
		int r = config_load_paths(g, &paths, e);

		if (r < 0)
			return r;
		if (paths.data) {
			free(g->data_dir);
			g->data_dir = take_ptr(paths.data);
		}
	}
	return resolve_dir(&g->data_dir, g->rkt ? RKT_DATA_DIR : DATA_DIR, e);
}

void context_name(struct gantry *g, const char *argv0)
{
	g->rkt = argv0 && !strcmp(path_last(argv0), "rkt");
	g->program = g->rkt ? "rkt" : "gantry";
}

int context_open(struct gantry *g, struct err *e)
{
	int r = find_libexec(g, e);

	if (g->debug)
		log_set_debug(true);
	if (r == 0)
		r = resolve_dir(&g->system_config,
				g->rkt ? RKT_SYSTEM_CONFIG_DIR : SYSTEM_CONFIG_DIR, e);
	if (r == 0)
		r = resolve_dir(&g->local_config, g->rkt ? RKT_LOCAL_CONFIG_DIR : LOCAL_CONFIG_DIR,
				e);
	if (r == 0 && g->user_config && *g->user_config)
		r = resolve_dir(&g->user_config, "", e);
	if (r == 0)
		r = find_data_dir(g, e);
	if (r < 0)
		return r;
	g->data_fd = open(g->data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g->data_fd < 0 && errno != ENOENT)
		return err_sys(e, "data directory %s", g->data_dir);
	return 0;
}

void context_done(struct gantry *g)
{
	free(g->data_dir);
	free(g->system_config);
	free(g->local_config);
	free(g->user_config);
	free(g->libexec);
	g->data_fd = fd_close(g->data_fd);
}
