#include "stage1/net/plugin.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"

#define PLUGIN_TIMEOUT_MS 60000
#define PLUGIN_OUTPUT_MAX (1u << 20)
#define PLUGIN_STDERR_MAX (64u << 10)
#define SHOWN_MAX 512
#define BUSY_TRIES 5

/* Ours, beside the running stage1, then where distributions and Kubernetes put them. */
char **cni_plugin_path(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	char **path = NULL;

	if (n > 0) {
		_cleanup_free_ char *up = NULL;

		exe[n] = '\0';
		/* libexec/gantry/stage1/ns/rootfs/run -> libexec/gantry/cni */
		up = xasprintf("%s/../../../../cni", exe);
		strv_push(&path, path_clean(up));
	}
	strv_add(&path, "/usr/lib/cni");
	strv_add(&path, "/opt/cni/bin");
	return path;
}

int cni_plugin_find(char *const *path, const char *type, char **ret, struct err *e)
{
	for (char *const *dir = path; dir && *dir; dir++) {
		_cleanup_free_ char *file = path_join(*dir, type);
		struct stat st;

		if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
			*ret = take_ptr(file);
			return 0;
		}
	}
	_cleanup_free_ char *dirs = strv_join(path, ":");

	return err_set(e, ENOENT, "plugin %s: not found in %s", type, dirs);
}

/*
 * The six CNI variables, always set, and PATH, with which plugins find iptables and the like.
 * Nothing of the caller's: DEL is run by others than ADD was, and must find the same.
 */
static char **environment(const struct cni_call *call)
{
	_cleanup_free_ char *path = strv_join(call->path, ":");
	char **env = NULL;

	strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_push(&env, xasprintf("CNI_COMMAND=%s", call->command));
	strv_push(&env, xasprintf("CNI_CONTAINERID=%s", call->container_id));
	strv_push(&env, xasprintf("CNI_NETNS=%s", call->netns));
	strv_push(&env, xasprintf("CNI_IFNAME=%s", call->ifname));
	strv_push(&env, xasprintf("CNI_ARGS=%s", call->args));
	strv_push(&env, xasprintf("CNI_PATH=%s", path));
	return env;
}

/* Text of a plugin for one line of ours: without line feeds at its end, of bounded length. */
static char *shown(const char *text, size_t len)
{
	while (len && text[len - 1] == '\n')
		len--;
	return str_escape(text, len > SHOWN_MAX ? SHOWN_MAX : len);
}

/* The error object {code, msg, details}, else whatever it said. */
static int plugin_error(const char *type, int status, const struct proc_io *io, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(io->out, io->out_len, PLUGIN_OUTPUT_MAX, NULL);
	const char *msg = json_get_str(j, "msg"), *details = json_get_str(j, "details");
	_cleanup_free_ char *how = proc_describe(status), *text = NULL, *more = NULL;

	if (msg) {
		text = shown(msg, strlen(msg));
		more = details && *details ? shown(details, strlen(details)) : NULL;
		return err_set(e, EIO, "plugin %s: %s%s%s%s", type, text, more ? " (" : "",
			       more ? more : "", more ? ")" : "");
	}
	if (!io->err_len && !io->out_len)
		return err_set(e, EIO, "plugin %s: %s and said nothing", type, how);
	text = io->err_len ? shown(io->err, io->err_len) : shown(io->out, io->out_len);
	return err_set(e, EIO, "plugin %s: %s: %s", type, how, text);
}

/* Objects and arrays inside each other. */
static unsigned depth_of(const cJSON *j)
{
	unsigned deepest = 0;

	if (!cJSON_IsObject(j) && !cJSON_IsArray(j))
		return 0;
	for (const cJSON *c = j->child; c; c = c->next) {
		unsigned depth = depth_of(c);

		if (depth > deepest)
			deepest = depth;
	}
	return deepest + 1;
}

static int take_result(const char *type, const struct proc_io *io, cJSON **ret, struct err *e)
{
	_cleanup_json_ cJSON *j = NULL;

	if (!io->out[strspn(io->out, " \t\r\n")])
		return err_set(e, EINVAL, "plugin %s: no result", type);
	j = json_parse(io->out, io->out_len, PLUGIN_OUTPUT_MAX, e);
	if (!j)
		return err_ctx(e, -EINVAL, "plugin %s: result", type);
	if (cJSON_IsNull(j)) {
		/* What Go's nil becomes; libcni takes it for a result without anything in it. */
		*ret = cJSON_CreateObject();
		return 0;
	}
	if (!cJSON_IsObject(j))
		return err_set(e, EINVAL, "plugin %s: result: expected object", type);
	/* It becomes a member: of the next plugin's input, and of what is recorded for DEL. */
	if (depth_of(j) >= JSON_DEPTH_MAX)
		return err_set(e, EINVAL, "plugin %s: result: nested too deep", type);
	*ret = take_ptr(j);
	return 0;
}

static int run_once(struct spawn *sp, struct proc_io *io, struct err *e)
{
	int r = -ETXTBSY;

	/* Somebody may be replacing the plugin at this moment: libcni waits too. */
	for (int i = 0; i < BUSY_TRIES && r == -ETXTBSY; i++) {
		static const struct timespec pause = {.tv_nsec = 200000000};

		if (i)
			(void) nanosleep(&pause, NULL);
		free(io->out);
		free(io->err);
		io->out = io->err = NULL;
		r = proc_run(sp, io, e);
	}
	return r;
}

int cni_plugin_run(const struct cni_call *call, const char *type, const cJSON *conf,
		   cJSON **ret_result, struct err *e)
{
	_cleanup_free_ char *program = NULL, *input = json_print(conf, false);
	_cleanup_strv_ char **env = environment(call);
	char *argv[] = {(char *) type, NULL};
	struct spawn sp = SPAWN_INIT;
	struct proc_io io = {.input = input,
			     .input_len = strlen(input),
			     .out_limit = PLUGIN_OUTPUT_MAX,
			     .err_limit = PLUGIN_STDERR_MAX,
			     .timeout_ms = PLUGIN_TIMEOUT_MS};
	int r = cni_plugin_find(call->path, type, &program, e);

	if (r < 0)
		return r;
	sp.path = program;
	sp.argv = argv;
	sp.env = env;
	/* Killed with us: gc must not meet an ADD that is still at work. */
	sp.die_with_parent = true;
	r = run_once(&sp, &io, e);
	if (r < 0)
		r = err_ctx(e, r, "plugin %s", type);
	else if (r != 0)
		r = plugin_error(type, r, &io, e);
	else if (ret_result)
		r = take_result(type, &io, ret_result, e);
	if (r == 0 && io.err_len) {
		_cleanup_free_ char *said = shown(io.err, io.err_len);

		log_debug("plugin %s: %s", type, said);
	}
	free(io.out);
	free(io.err);
	return r;
}
