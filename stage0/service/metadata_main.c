/*
 * libexec/gantry/metadata: the metadata service (appc specification, "App Container Metadata
 * Service").
 *
 * Who am I: what `gantry metadata-service` became.  I am given two listening sockets (`public`,
 * `registration`) and my own directory (`state`), locked.  As root I look which pods are gone; then
 * my directory is all that I see, I am nobody who owns anything else, and my network namespace is
 * empty: the sockets, which stay in the host's, are all that leads out, and only to who connects.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/service/server.h"
#include "stage0/worker/jail.h"

static int port_of(int fd, unsigned *ret, struct err *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} a = {0};
	socklen_t len = sizeof a;

	if (getsockname(fd, &a.any, &len) < 0)
		return err_sys(e, "public socket");
	*ret = ntohs(a.any.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
	return 0;
}

/* A file that somebody else put there is not read: everything in it was written by this user. */
static int own_directory(int dir, struct err *e)
{
	if (fchown(dir, JAIL_UID_METADATA, JAIL_UID_METADATA) < 0 || fchmod(dir, 0700) < 0)
		return err_sys(e, "owner of the service's directory");
	return 0;
}

static int enter_jail(int state, struct err *e)
{
	const struct jail jail = {
		.uid = JAIL_UID_METADATA,
		.root = state,
		.lives_on = true,
		.filter = JAIL_FILTER_DENY,
		.memory = 1ull << 30,
		.file_size = 16u << 20,
		.files = 1024,
		.processes = 16,
	};
	int r = jail_enter(&jail, e);

	return r == 0 ? err_set(e, EPERM, "cannot run as unprivileged user") : r;
}

static int run(struct err *e)
{
	struct server server = {.public_fd = fds_take("public"),
				.registration_fd = fds_take("registration")};
	_cleanup_registry_ struct registry reg = REGISTRY_INIT;
	/* Kept for its lock. */
	_cleanup_fd_ int state = fds_take("state");
	int r;

	if (server.public_fd < 0 || server.registration_fd < 0 || state < 0)
		return err_set(e, EBADF, "this program is started by gantry only");
	r = port_of(server.public_fd, &server.port, e);
	if (r == 0)
		r = registry_prune(state, e);
	/* Now, while its files can be read. */
	if (r == 0 && !OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL))
		r = err_set(e, EIO, "OpenSSL");
	if (r == 0)
		r = own_directory(state, e);
	if (r == 0)
		r = enter_jail(state, e);
	if (r < 0)
		return r;
	reg.dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reg.dir < 0)
		return err_sys(e, "open the service's directory");
	r = registry_load(&reg, e);
	if (r < 0)
		return r;
	log_info("listening on port %u, %zu pods are registered", server.port, reg.n);
	server.registry = &reg;
	return server_run(&server, e);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	fd_sanitize_stdio();
	log_init(argc > 1 ? argv[1] : "metadata");
	r = fds_init(&e);
	if (r == 0)
		r = run(&e);
	if (r < 0)
		log_error("%s", err_text(&e));
	err_done(&e);
	/* No destructors of libraries, which may look for files outside of the jail. */
	_exit(r < 0 ? EXIT_FAILED : EXIT_OK);
}
