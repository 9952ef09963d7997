/*
 * gantry metadata-service: make the sockets, then become the program that serves (stage0/service).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/metadata.h"
#include "contract/layout.h"
#include "stage0/command.h"
#include "stage0/service/sockets.h"

struct target {
	int64_t port;
};

static int set_port(void *target, const char *value, struct err *e);

static const struct opt opts[] = {
	{.name = "listen-port", .type = OPT_CALL, .call = set_port, .arg = "PORT",
	 .help = "where pods ask, on all addresses (18112)"},
};

static int set_port(void *target, const char *value, struct err *e)
{
	struct target *t = target;
	uint64_t port;

	if (parse_u64(value, 65535, &port) < 0 || !port)
		return err_set(e, EINVAL, "not a port (1 to 65535)");
	t->port = (int64_t) port;
	return 0;
}

/* The service's own directory, locked: one service at a time. */
static int open_state(int run_dir, const char *run, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (mkdirat(run_dir, RUN_METADATA, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s/" RUN_METADATA, run);
	fd = openat(run_dir, RUN_METADATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s/" RUN_METADATA, run);
	r = lock_fd(fd, LOCK_EXCLUSIVE, false);
	if (r == -EWOULDBLOCK)
		return err_set(e, EBUSY, "another metadata service is running");
	return r < 0 ? err_sysr(e, r, "lock %s/" RUN_METADATA, run) : take_fd(fd);
}

static int become_service(const struct gantry *g, const struct service_sockets *s, int state,
			  struct err *e)
{
	_cleanup_free_ char *path = path_join(g->libexec, "metadata");
	/* What it says is said in the name of the command. */
	char *const argv[] = {(char *) "metadata",
			      (char *) (g->rkt ? "metadata-service" : "gantry: metadata-service"),
			      NULL};
	_cleanup_strv_ char **env = NULL;
	const struct fd_name fds[] = {
		{"public", s->public_fd}, {"registration", s->registration_fd}, {"state", state}};

	strv_add(&env, "PATH=/usr/bin:/bin");
	if (g->debug)
		strv_add(&env, "GANTRY_DEBUG=1");
	return exec_fds(-EBADF, path, argv, env, fds, ELEMENTSOF(fds), e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	const char *run = g->rkt ? RKT_RUN_DIR : RUN_DIR;
	_cleanup_service_sockets_ struct service_sockets s = SERVICE_SOCKETS_INIT;
	_cleanup_free_ char *path = path_join(run, RUN_METADATA_SOCKET);
	_cleanup_fd_ int run_dir = -EBADF, state = -EBADF;
	int r;

	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	r = service_sockets_take(&s, e);
	if (r == 0)
		r = path_mkdirs(run, 0700, e);
	if (r < 0)
		return r;
	run_dir = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run_dir < 0)
		return err_sys(e, "open %s", run);
	state = open_state(run_dir, run, e);
	if (state < 0)
		return state;
	if (s.registration_fd < 0)
		s.registration_fd = service_listen_registration(run_dir, path, e);
	if (s.registration_fd < 0)
		return s.registration_fd;
	if (s.public_fd < 0)
		s.public_fd = service_listen_public(t->port ? (unsigned) t->port : METADATA_PORT,
						    e);
	return s.public_fd < 0 ? s.public_fd : become_service(g, &s, state, e);
}

const struct command cmd_metadata_service = {
	.name = "metadata-service",
	.usage = "[--listen-port=PORT]",
	.summary = "tell apps about their pods, over HTTP (appc metadata service)",
	.details =
		"\tServes until it is told to end by SIGTERM. Pods that are started meanwhile are\n"
		"\tregistered by themselves and find the address in AC_METADATA_URL.\n",
	COMMAND_OPTS(opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run,
};
