#include "cni-plugins/dhcp/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cni-plugins/dhcp/internal.h"
#include "cni-plugins/dhcp/lease_file.h"

/* A plugin sends its question in one go. */
#define QUESTION_MS 30000
#define GUESTS_MAX 256
#define LISTEN_PAUSE_MS 1000

/* epoll(7) hands these back: what it is about is found by descriptor, which is never stale. */
static void watch(struct dhcp_daemon *d, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 && errno == EEXIST)
		(void) epoll_ctl(d->epoll, EPOLL_CTL_MOD, fd, &ev);
}

void daemon_watch_lease(struct dhcp_daemon *d, struct lease *l, int before)
{
	if (l->fd >= 0 && l->fd != before)
		watch(d, l->fd, EPOLLIN);
}

void daemon_drop_lease(struct dhcp_daemon *d, struct lease *l)
{
	for (size_t i = 0; i < d->n_guests; i++)
		if (d->guests[i]->lease == l)
			d->guests[i]->lease = NULL;
	for (size_t i = 0; i < d->n_leases; i++)
		if (d->leases[i] == l) {
			d->leases[i] = d->leases[--d->n_leases];
			break;
		}
	lease_free(l);
}

void daemon_drop_guest(struct dhcp_daemon *d, struct guest *g)
{
	for (size_t i = 0; i < d->n_guests; i++)
		if (d->guests[i] == g) {
			d->guests[i] = d->guests[--d->n_guests];
			break;
		}
	if (d->n_guests == GUESTS_MAX - 1)
		watch(d, d->listener, EPOLLIN);
	(void) fd_close(g->fd);
	strbuf_done(&g->text);
	free(g);
}

/* --- guests --- */

static void take_guest(struct dhcp_daemon *d)
{
	int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who = {.uid = (uid_t) -1};
	socklen_t len = sizeof who;
	struct guest *g;

	if (fd < 0) {
		/* Out of descriptors: asking at once would ask without end. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			watch(d, d->listener, 0);
			d->listen_at = lease_now() + LISTEN_PAUSE_MS;
		}
		return;
	}
	g = xcalloc(1, sizeof *g);
	g->fd = fd;
	g->root = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == 0;
	g->deadline = lease_now() + QUESTION_MS;
	d->guests = xgrow(d->guests, d->n_guests, sizeof(*d->guests));
	d->guests[d->n_guests++] = g;
	watch(d, fd, EPOLLIN);
	if (d->n_guests == GUESTS_MAX)
		watch(d, d->listener, 0);
}

/*
 * Who waits for an address and goes away does not want it any more: what was asked for is ended.
 */
static void guest_left(struct dhcp_daemon *d, struct guest *g)
{
	if (g->lease)
		daemon_drop_lease(d, g->lease);
	daemon_drop_guest(d, g);
}

static void hear_guest(struct dhcp_daemon *d, struct guest *g, uint32_t events)
{
	char buf[16384];
	ssize_t n;

	if (g->lease || (events & (EPOLLERR | EPOLLHUP)) == EPOLLERR) {
		guest_left(d, g);
		return;
	}
	n = recv(g->fd, buf, sizeof buf, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || g->text.len + (size_t) n > CALL_MAX) {
		guest_left(d, g);
		return;
	}
	if (n > 0) {
		/* Who may not ask is told so, not listened to. */
		if (g->root)
			strbuf_add(&g->text, buf, (size_t) n);
		return;
	}
	/* Said everything; from now on only its leaving is of interest (EPOLLHUP). */
	watch(d, g->fd, 0);
	g->deadline = LEASE_NEVER;
	daemon_serve(d, g);
}

/* --- the loop --- */

static int64_t next_deadline(const struct dhcp_daemon *d)
{
	int64_t next = d->listen_at;

	for (size_t i = 0; i < d->n_leases; i++)
		if (d->leases[i]->deadline < next)
			next = d->leases[i]->deadline;
	for (size_t i = 0; i < d->n_guests; i++)
		if (d->guests[i]->deadline < next)
			next = d->guests[i]->deadline;
	return next;
}

static void set_timer(const struct dhcp_daemon *d)
{
	int64_t ms = next_deadline(d);
	struct itimerspec t = {0};

	/* Zero would switch it off. */
	if (ms != LEASE_NEVER) {
		ms = ms > 0 ? ms : 1;
		t.it_value.tv_sec = (time_t) (ms / 1000);
		t.it_value.tv_nsec = (long) (ms % 1000) * 1000000;
	}
	(void) timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void time_is_up(struct dhcp_daemon *d)
{
	int64_t now = lease_now();
	uint64_t n;

	(void) !read(d->timer, &n, sizeof n);
	if (d->listen_at <= now) {
		d->listen_at = LEASE_NEVER;
		if (d->n_guests < GUESTS_MAX)
			watch(d, d->listener, EPOLLIN);
	}
	/* Backwards: what is dropped is replaced by the last one, which was looked at. */
	for (size_t i = d->n_leases; i-- > 0;) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct lease *l;
		int before;

		if (i >= d->n_leases || d->leases[i]->deadline > now)
			continue;
		l = d->leases[i];
		before = l->fd;
		daemon_lease_event(d, l, lease_timer(l, &e), &e);
		if (i < d->n_leases && d->leases[i] == l)
			daemon_watch_lease(d, l, before);
	}
	for (size_t i = d->n_guests; i-- > 0;)
		if (d->guests[i]->deadline <= now)
			guest_left(d, d->guests[i]);
}

static void dispatch(struct dhcp_daemon *d, int fd, uint32_t events)
{
	if (fd == d->listener) {
		take_guest(d);
		return;
	}
	for (size_t i = 0; i < d->n_guests; i++)
		if (d->guests[i]->fd == fd) {
			hear_guest(d, d->guests[i], events);
			return;
		}
	for (size_t i = 0; i < d->n_leases; i++)
		if (d->leases[i]->fd == fd) {
			_cleanup_err_ struct err e = ERR_INIT;
			struct lease *l = d->leases[i];

			daemon_lease_event(d, l, lease_input(l, &e), &e);
			return;
		}
}

static int loop(struct dhcp_daemon *d, struct err *e)
{
	for (;;) {
		struct epoll_event ev;

		set_timer(d);
		/* One at a time: what one event frees, no other one of the same round names. */
		if (epoll_wait(d->epoll, &ev, 1, -1) < 1) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "epoll_wait");
		}
		if (ev.data.fd == d->signals)
			return 0;
		if (ev.data.fd == d->timer)
			time_is_up(d);
		else
			dispatch(d, ev.data.fd, ev.events);
	}
}

/* --- beginning and end --- */

/* What cannot be gone on with is a container's that is gone. */
static int resume(int dir, const struct lease_name *name, void *arg, struct err *e)
{
	struct dhcp_daemon *d = arg;
	_cleanup_err_ struct err why = ERR_INIT;
	struct lease *l;

	if (lease_file_read(dir, name, &d->o->lease, d->o->prefix, &l, &why) < 0) {
		log_info("%s, dropped", err_text(&why));
		return lease_file_remove(dir, name->network, name->id, name->ifname, e);
	}
	d->leases = xgrow(d->leases, d->n_leases, sizeof(*d->leases));
	d->leases[d->n_leases++] = l;
	return 0;
}

/* Each lease holds a descriptor. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int open_all(struct dhcp_daemon *d, struct err *e)
{
	_cleanup_free_ char *socket = xasprintf("%s%s", d->o->prefix, d->o->socket);
	_cleanup_free_ char *dir = dhcp_state_dir(socket);
	sigset_t set;

	(void) sigemptyset(&set);
	(void) sigaddset(&set, SIGTERM);
	(void) sigaddset(&set, SIGINT);
	(void) sigprocmask(SIG_BLOCK, &set, NULL);
	raise_limit();
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (d->epoll < 0 || d->timer < 0 || d->signals < 0)
		return err_sys(e, "start the daemon");
	d->dir = lease_dir_open(dir, e);
	return d->dir < 0 ? d->dir : 0;
}

static int write_pidfile(const char *path, struct err *e)
{
	char text[16];

	if (!*path)
		return 0;
	if (*path != '/')
		return err_set(e, EINVAL, "pidfile path %s is not absolute", q(path));
	(void) snprintf(text, sizeof text, "%d", (int) getpid());
	return file_write_at(AT_FDCWD, path, text, strlen(text), 0644, FILE_FAST, e);
}

static void close_all(struct dhcp_daemon *d)
{
	while (d->n_guests)
		daemon_drop_guest(d, d->guests[0]);
	while (d->n_leases)
		daemon_drop_lease(d, d->leases[0]);
	free(d->guests);
	free(d->leases);
	if (d->own_socket)
		(void) unlink(d->own_socket);
	free(d->own_socket);
	(void) fd_close(d->listener);
	(void) fd_close(d->dir);
	(void) fd_close(d->signals);
	(void) fd_close(d->timer);
	(void) fd_close(d->epoll);
}

int daemon_run(const struct daemon_options *o, struct err *e)
{
	struct dhcp_daemon d = {
		.o = o,
		.epoll = -EBADF,
		.listener = -EBADF,
		.timer = -EBADF,
		.signals = -EBADF,
		.dir = -EBADF,
		.listen_at = LEASE_NEVER,
	};
	int r = open_all(&d, e);

	/* The leases are known before the first question is heard. */
	if (r >= 0)
		r = daemon_listen(&d, e);
	if (r >= 0)
		r = lease_file_each(d.dir, NULL, resume, &d, e);
	if (r >= 0)
		r = write_pidfile(o->pidfile, e);
	if (r >= 0) {
		watch(&d, d.listener, EPOLLIN);
		watch(&d, d.timer, EPOLLIN);
		watch(&d, d.signals, EPOLLIN);
		r = loop(&d, e);
	}
	close_all(&d);
	return r;
}
