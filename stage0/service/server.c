#include "stage0/service/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/service/answer.h"
#include "stage0/service/route.h"

#define PUBLIC_CONNECTIONS 512
#define PUBLIC_PER_ADDRESS 64
#define REGISTRATIONS 64
#define IDLE_SECONDS 10	   /* without a byte */
#define REQUEST_SECONDS 30 /* a whole request, however often a byte comes */
#define HEADER_BYTES 16384 /* request line, headers and what the library keeps of a connection */
#define SWEEP_MS 1000

/* One side, with the connections that it has open. */
struct side {
	struct server *server;
	bool is_public;
	struct MHD_Daemon *daemon;
	int epoll;
	struct connection *open; /* list */
};

struct connection {
	struct side *side;
	struct connection *next, **at;
	int fd;
	int64_t since; /* of the request, in ms */
};

/* One request while it arrives. */
struct arriving {
	struct strbuf body;
	bool too_large;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void) sig;
	stopped = 1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void on_connection(void *cls, struct MHD_Connection *mc, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct side *side = cls;
	struct connection *c = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = xcalloc(1, sizeof *c);
		c->side = side;
		c->fd = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->since = now_ms();
		c->next = side->open;
		c->at = &side->open;
		if (c->next)
			c->next->at = &c->next;
		side->open = c;
		*socket_context = c;
	} else if (c) {
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
		free(c);
		*socket_context = NULL;
	}
}

static void on_completed(void *cls, struct MHD_Connection *mc, void **request,
			 enum MHD_RequestTerminationCode why)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *c = info ? info->socket_context : NULL;
	struct arriving *a = *request;

	(void) cls;
	(void) why;
	if (c)
		c->since = now_ms();
	if (a)
		strbuf_done(&a->body);
	free(a);
	*request = NULL;
}

/* Those whose request takes too long: the library times silence, not slowness. */
static void sweep(const struct side *side)
{
	int64_t now = now_ms();

	for (struct connection *c = side->open; c; c = c->next)
		if (now - c->since > REQUEST_SECONDS * 1000)
			(void) shutdown(c->fd, SHUT_RDWR);
}

/*
 * Who is on the other end of the registration socket. The mode of a socket that was handed to us is
 * not ours.
 */
static bool is_root(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t len = sizeof peer;

	return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       peer.uid == 0;
}

static enum MHD_Result reply(struct MHD_Connection *mc, struct answer *a)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(a->len, a->body,
								 MHD_RESPMEM_MUST_FREE);
	enum MHD_Result done;

	if (!r) {
		free(a->body);
		return MHD_NO;
	}
	(void) MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
	/* The URL holds a secret, the answer may change. */
	(void) MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (a->allow)
		(void) MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, a->allow);
	done = MHD_queue_response(mc, a->status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result reply_error(struct MHD_Connection *mc, unsigned status, const char *why)
{
	struct answer a = {.status = status,
			   .type = "text/plain; charset=us-ascii",
			   .body = xstrdup(why),
			   .len = strlen(why)};

	return reply(mc, &a);
}

static const char *header(struct MHD_Connection *mc, const char *name)
{
	return MHD_lookup_connection_value(mc, MHD_HEADER_KIND, name);
}

/* Whether anybody is known by the token in this URL. */
static bool is_known(const struct side *side, const char *url)
{
	struct route r;

	route_public(url, &r);
	return registry_by_token(side->server->registry, r.token) != NULL;
}

/*
 * The headers are there. What needs no body is refused without reading it: a stranger who knows no
 * token makes nothing be kept.
 */
static enum MHD_Result begin(struct side *side, struct MHD_Connection *mc, const char *url,
			     void **request)
{
	if (!side->is_public && !is_root(mc))
		return reply_error(mc, MHD_HTTP_FORBIDDEN, "only root registers pods\n");
	if (side->is_public && !is_known(side, url))
		return reply_error(mc, MHD_HTTP_UNAUTHORIZED, "unknown token\n");
	*request = xcalloc(1, sizeof(struct arriving));
	return MHD_YES;
}

static enum MHD_Result collect(struct arriving *a, size_t max, const char *data, size_t *size)
{
	if (a->too_large || *size > max - a->body.len) {
		a->too_large = true;
		strbuf_done(&a->body);
	} else {
		strbuf_add(&a->body, data, *size);
	}
	*size = 0;
	return MHD_YES;
}

/* Of a form, of a manifest; nothing else has a body. */
static size_t body_max(const struct side *side, const char *method)
{
	if (side->is_public)
		return !strcmp(method, MHD_HTTP_METHOD_POST) ? ANSWER_FORM_MAX : 0;
	return JSON_MANIFEST_MAX;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mc, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **request)
{
	struct side *side = cls;
	struct arriving *a = *request;
	struct answer answer;

	(void) version;
	if (!a)
		return begin(side, mc, url, request);
	if (*size)
		return collect(a, body_max(side, method), data, size);
	if (a->too_large)
		return reply_error(mc, 413, "too large\n");
	const struct request rq = {
		.method = method,
		.path = url,
		.content_type = header(mc, MHD_HTTP_HEADER_CONTENT_TYPE),
		.body = a->body.buf ? a->body.buf : "",
		.len = a->body.len,
		.token = MHD_lookup_connection_value(mc, MHD_GET_ARGUMENT_KIND, "token"),
		.data_dir = MHD_lookup_connection_value(mc, MHD_GET_ARGUMENT_KIND, "data-dir"),
	};

	if (side->is_public)
		answer_public(side->server->registry, &rq, &answer);
	else
		answer_registration(side->server->registry, side->server->port, &rq, &answer);
	return reply(mc, &answer);
}

static int side_start(struct side *side, int fd, unsigned connections, unsigned per_address,
		      struct err *e)
{
	side->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ITC, 0, NULL, NULL, on_request, side,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned) IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HEADER_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, side, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, side, MHD_OPTION_END);
	if (!side->daemon)
		return err_set(e, EIO, "the HTTP server does not start");
	side->epoll = MHD_get_daemon_info(side->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return 0;
}

/* How long to sleep: the library's own timers, and the sweep while anybody is there. */
static int sleep_ms(const struct side *sides, size_t n)
{
	int ms = -1;

	for (size_t i = 0; i < n; i++) {
		MHD_UNSIGNED_LONG_LONG own;
		int want = sides[i].open ? SWEEP_MS : -1;

		if (MHD_get_timeout(sides[i].daemon, &own) == MHD_YES &&
		    (want < 0 || own < (unsigned) want))
			want = own > SWEEP_MS ? SWEEP_MS : (int) own;
		if (want >= 0 && (ms < 0 || want < ms))
			ms = want;
	}
	return ms;
}

static void serve(struct side *sides, size_t n, const sigset_t *outside)
{
	while (!stopped) {
		int ms = sleep_ms(sides, n);
		struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
		struct pollfd p[2] = {{sides[0].epoll, POLLIN, 0}, {sides[1].epoll, POLLIN, 0}};

		(void) ppoll(p, n, ms < 0 ? NULL : &ts, outside);
		for (size_t i = 0; i < n; i++) {
			sweep(&sides[i]);
			(void) MHD_run(sides[i].daemon);
		}
	}
}

int server_run(struct server *s, struct err *e)
{
	struct side sides[2] = {{.server = s, .is_public = true}, {.server = s}};
	struct sigaction act = {.sa_handler = on_signal};
	sigset_t stop, before;
	int r;

	/* Signals are let in only while it sleeps: none is lost between the look and the sleep. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	(void) sigprocmask(SIG_BLOCK, &stop, &before);
	sigdelset(&before, SIGTERM);
	sigdelset(&before, SIGINT);
	(void) sigaction(SIGTERM, &act, NULL);
	(void) sigaction(SIGINT, &act, NULL);
	(void) signal(SIGPIPE, SIG_IGN);
	r = side_start(&sides[0], s->public_fd, PUBLIC_CONNECTIONS, PUBLIC_PER_ADDRESS, e);
	if (r == 0)
		r = side_start(&sides[1], s->registration_fd, REGISTRATIONS, 0, e);
	if (r == 0)
		serve(sides, ELEMENTSOF(sides), &before);
	for (size_t i = 0; i < ELEMENTSOF(sides); i++)
		if (sides[i].daemon)
			MHD_stop_daemon(sides[i].daemon);
	return r;
}
