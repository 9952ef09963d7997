#include "stage0/build/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "stage0/build/result.h"
#include "stage0/context.h"
#include "stage0/worker/worker.h"

#define SIGN_MS (3600 * 1000) /* somebody has to find a passphrase */

/*
 * Unlike the workers it has the caller's environment and process group: gpg looks for its keyring,
 * its agent and the terminal there, and who reads from a terminal must not be in the background.
 */
static int start_signer(const struct gantry *g, char *const *argv, int file, int out,
			struct worker *ret, struct err *e)
{
	_cleanup_free_ char *path = path_join(g->libexec, "sign");
	_cleanup_fd_ int result = -EBADF;
	struct spawn sp = SPAWN_INIT;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	ret->result = fds[0];
	result = fds[1];

	const struct fd_name names[] = {{"file", file}, {"out", out}, {"result", result}};

	sp.path = path;
	sp.argv = argv;
	sp.env = environ;
	sp.fds = names;
	sp.n_fds = ELEMENTSOF(names);
	sp.die_with_parent = true;
	pid = proc_spawn(&sp, &ret->pidfd, e);
	if (pid < 0)
		return err_ctx(e, (int) pid, "start %s", path);
	ret->name = "sign";
	ret->pid = pid;
	return 0;
}

static char **words_of(const struct sign_request *rq)
{
	char **argv = NULL;

	strv_add(&argv, "sign");
	if (rq->key)
		strv_push(&argv, xasprintf("key=%s", rq->key));
	if (rq->homedir)
		strv_push(&argv, xasprintf("homedir=%s", rq->homedir));
	return argv;
}

int sign_file(const struct gantry *g, const struct sign_request *rq, const char *path,
	      char **ret_signer, struct err *e)
{
	_cleanup_free_ char *beside = rq->output ? NULL : xasprintf("%s.asc", path);
	_cleanup_fd_ int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_cleanup_result_ struct result_file out = RESULT_FILE_INIT;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_strv_ char **argv = words_of(rq);
	const char *signer;
	struct stat st;
	int r;

	if (file < 0 || fstat(file, &st) < 0)
		return err_sys(e, "open %s", q(path));
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is no regular file", q(path));
	r = result_open(&out, rq->output ? rq->output : beside, rq->overwrite, e);
	if (r == 0)
		r = start_signer(g, argv, file, out.fd, &w, e);
	if (r == 0)
		r = worker_finish(&w, SIGN_MS, &rec, e);
	if (r < 0)
		return r;
	signer = record_get(&rec, "signer");
	if (!signer)
		return err_set(e, EPROTO, "image sign gave a malformed answer");
	r = result_publish(&out, rq->overwrite, e);
	if (r == 0)
		*ret_signer = str_escape(signer, strlen(signer));
	return r;
}
