#include "stage0/image/fetchers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

static void end(struct fetcher *f, bool ours)
{
	f->requests = fd_close(f->requests);
	if (ours) {
		worker_kill(&f->worker);
	} else { /* the parent's: let go of it */
		f->worker.pidfd = fd_close(f->worker.pidfd);
		f->worker.result = fd_close(f->worker.result);
	}
	free(f->site);
	free(f);
}

void fetchers_done(struct fetchers *p)
{
	bool ours = p->owner == getpid();

	while (p->first) {
		struct fetcher *f = p->first;

		p->first = f->next;
		end(f, ours);
	}
}

void fetchers_drop(struct fetchers *p, struct fetcher *f)
{
	struct fetcher **at = &p->first;

	while (*at && *at != f)
		at = &(*at)->next;
	if (*at)
		*at = f->next;
	end(f, p->owner == getpid());
}

void fetchers_give_back(struct fetcher *f)
{
	f->busy = false;
}

static int start(const struct gantry *g, struct fetcher *f, struct err *e)
{
	int pair[2], r;

	/* Non-blocking is no matter: a request is a byte and descriptors, and one is under way at most. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");

	const struct fd_name names[] = {{"requests", pair[1]}};

	r = worker_start(g, "fetch", NULL, names, ELEMENTSOF(names), &f->worker, e);
	(void) fd_close(pair[1]);
	f->requests = pair[0];
	return r;
}

int fetchers_take(struct fetchers *p, const struct gantry *g, const char *url, struct fetcher **ret, struct err *e)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
	size_t len = strcspn(host, "/?#");
	struct fetcher *f;
	int r;

	if (p->owner != getpid()) {
		fetchers_done(p);
		p->owner = getpid();
	}
	for (f = p->first; f; f = f->next)
		if (!f->busy && strlen(f->site) == len && !strncasecmp(f->site, host, len))
			break;
	if (!f) {
		f = xcalloc(1, sizeof *f);
		*f = (struct fetcher) {.worker = WORKER_INIT, .requests = -EBADF};
		f->site = xstrndup(host, len);
		r = start(g, f, e);
		if (r < 0) {
			end(f, true);
			return r;
		}
		f->next = p->first;
		p->first = f;
	}
	f->busy = true;
	*ret = f;
	return 0;
}

int fetcher_ask(struct fetcher *f, const int fds[FETCH_FDS], struct err *e)
{
	size_t n = fds[FETCH_BODY] < 0 ? FETCH_BODY : FETCH_FDS;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FETCH_FDS)];
	} control = {0};
	struct iovec iov = {.iov_base = (char[]) {0}, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			   .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	return sendmsg(f->requests, &m, MSG_NOSIGNAL) < 0 ? err_sys(e, "image fetch") : 0;
}
