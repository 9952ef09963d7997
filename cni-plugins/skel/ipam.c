#include "cni-plugins/skel/ipam.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/skel.h"

/* A DHCP exchange may take its time; for ever it must not. */
#define TIMEOUT_MS (5 * 60 * 1000)
#define OUTPUT_MAX (1u << 20)
#define LOG_MAX (64u << 10)

static const char *const command_env[] = {
	[CNI_ADD] = "CNI_COMMAND=ADD",	     [CNI_DEL] = "CNI_COMMAND=DEL",
	[CNI_CHECK] = "CNI_COMMAND=CHECK",   [CNI_GC] = "CNI_COMMAND=GC",
	[CNI_STATUS] = "CNI_COMMAND=STATUS", [CNI_VERSION] = "CNI_COMMAND=VERSION",
};

/* The first regular file of that name along CNI_PATH, as libcni looks for it. */
static char *find_plugin(const struct cni_request *rq, struct stat *st)
{
	_cleanup_strv_ char **dirs = strv_split(rq->path, ':');

	for (char **d = dirs; *d; d++) {
		_cleanup_free_ char *path = **d ? path_join(*d, rq->ipam) : NULL;

		if (path && stat(path, st) == 0 && S_ISREG(st->st_mode))
			return take_ptr(path);
	}
	return NULL;
}

/* The file found is the one that stands beside this program. */
static bool is_sibling(const char *name, const struct stat *found)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	_cleanup_free_ char *path = NULL;
	struct stat st;

	if (n <= 0)
		return false;
	self[n] = '\0';
	path = xasprintf("%.*s%s", (int) (path_last(self) - self), self, name);
	return stat(path, &st) == 0 && st.st_dev == found->st_dev && st.st_ino == found->st_ino;
}

static const struct cni_plugin *find_builtin(const struct cni_request *rq, const struct stat *found)
{
	for (const struct cni_plugin *const *p = rq->builtin_ipam; p && *p; p++)
		if (!strcmp((*p)->name, rq->ipam) && is_sibling(rq->ipam, found))
			return *p;
	return NULL;
}

static int call_builtin(const struct cni_plugin *p, const struct cni_request *rq,
			enum cni_command command, struct cni_result *ret, struct err *e)
{
	switch (command) {
	case CNI_ADD:
		return p->add(rq, ret, e);
	case CNI_DEL:
		return p->del(rq, e);
	case CNI_CHECK:
		return p->check(rq, e);
	case CNI_GC:
		return p->gc(rq, e);
	case CNI_STATUS:
		return p->status(rq, e);
	case CNI_VERSION:
		break;
	}
	return 0;
}

/* The plugin's own error object, code and all; else what it left on standard error. */
static int plugin_failed(const struct cni_request *rq, const struct proc_io *io, int status,
			 struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(io->out, io->out_len, OUTPUT_MAX, NULL);
	const char *msg = json_get_str(j, "msg"), *details = json_get_str(j, "details");
	const cJSON *code = json_get(j, "code");
	_cleanup_free_ char *how = proc_describe(status);
	int64_t n = CNI_OTHER;

	if (!msg)
		return err_set(e, CNI_CODE(CNI_OTHER), "IPAM plugin %s %s: %s", rq->ipam, how,
			       io->err_len ? q(io->err) : "no message");
	(void) json_int(code, JSON_TOP, 1, 1 << 20, &n, NULL);
	return err_set(e, CNI_CODE((int) n), "%s%s%s", msg, details && *details ? ": " : "",
		       details && *details ? details : "");
}

static int take_result(const struct cni_request *rq, const struct proc_io *io,
		       struct cni_result *ret, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(io->out, io->out_len, OUTPUT_MAX, e);
	int r;

	if (!j) {
		_cleanup_free_ char *why = xstrdup(err_text(e));

		return err_set(e, CNI_CODE(CNI_DECODE), "result of IPAM plugin %s: %s", rq->ipam,
			       why);
	}
	r = cni_result_decode(j, JSON_TOP, rq->version, ret, e);
	return r < 0 ? err_ctx(e, r, "result of IPAM plugin %s", rq->ipam) : 0;
}

static int execute(const char *path, const struct cni_request *rq, enum cni_command command,
		   struct cni_result *ret, struct err *e)
{
	char *argv[] = {(char *) path, NULL};
	struct spawn sp = SPAWN_INIT;
	struct proc_io io = {.input = rq->text,
			     .input_len = rq->text_len,
			     .out_limit = OUTPUT_MAX,
			     .err_limit = LOG_MAX,
			     .timeout_ms = TIMEOUT_MS};
	_cleanup_strv_ char **env = NULL;
	int r;

	strv_add(&env, command_env[command]);
	for (char **v = environ; *v; v++)
		if (!str_starts(*v, "CNI_COMMAND="))
			strv_add(&env, *v);
	sp.path = path;
	sp.argv = argv;
	sp.env = env;
	sp.die_with_parent = true;
	r = proc_run(&sp, &io, e);
	if (io.err_len)
		(void) write_all(STDERR_FILENO, io.err, io.err_len);
	if (r > 0)
		r = plugin_failed(rq, &io, r, e);
	else if (r == 0 && ret)
		r = take_result(rq, &io, ret, e);
	free(io.out);
	free(io.err);
	return r;
}

bool ipam_is_builtin(const struct cni_request *rq)
{
	struct stat st;
	_cleanup_free_ char *path = rq->ipam ? find_plugin(rq, &st) : NULL;

	return path && find_builtin(rq, &st);
}

int ipam_call(const struct cni_request *rq, enum cni_command command, struct cni_result *ret,
	      struct err *e)
{
	_cleanup_free_ char *path = NULL;
	const struct cni_plugin *builtin;
	struct stat st;

	if (!rq->ipam)
		return 0;
	path = find_plugin(rq, &st);
	if (!path)
		return err_set(e, CNI_CODE(CNI_OTHER), "failed to find plugin %s in path %s",
			       q(rq->ipam), q(rq->path));
	builtin = find_builtin(rq, &st);
	if (builtin)
		return call_builtin(builtin, rq, command, ret, e);
	return execute(path, rq, command, ret, e);
}

int ipam_del_with_link(const struct cni_request *rq,
		       int (*link_del)(const struct cni_request *rq, struct err *e), struct err *e)
{
	int r;

	if (rq->ipam && !strcmp(rq->ipam, "dhcp")) {
		r = ipam_call(rq, CNI_DEL, NULL, e);
		return r < 0 ? r : link_del(rq, e);
	}
	r = link_del(rq, e);
	return r < 0 ? r : ipam_call(rq, CNI_DEL, NULL, e);
}
