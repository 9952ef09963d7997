#include "sys/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define ANSWER_MAX 32768
/* Acknowledgements of one sending must fit into the socket's receive buffer, or they are lost. */
#define SEND_MAX 64
#define DUMP_TRIES 32
#define ACK_COST 768 /* of the receive buffer, about: a message is accounted with its overhead */

/*
 * The usual batch and the answers to it lie in memory that is there already: seldom are there two at a time, and
 * malloc(3) would map and unmap pages for each.  For processes of one thread.
 */
struct room {
	char *at;
	size_t size;
	bool taken;
};
static _Alignas(8) char request_bytes[2 * NL_REQUEST_MAX], answer_bytes[ANSWER_MAX];
static struct room for_requests = {.at = request_bytes, .size = sizeof request_bytes};
static struct room for_answers = {.at = answer_bytes, .size = sizeof answer_bytes};

static char *room_take(struct room *m)
{
	if (m->taken)
		return xmalloc(m->size);
	m->taken = true;
	return m->at;
}

static void room_give(struct room *m, char *p)
{
	if (p == m->at)
		m->taken = false;
	else
		free(p);
}

int nl_open(struct nl *nl, int bus, struct err *e)
{
	int on = 1;

	*nl = (struct nl) {
		.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus), .bus = bus, .seq = 1};
	if (nl->fd < 0)
		return err_sys(e, "netlink socket");
	/*
	 * Each is a convenience: shorter acknowledgements, the kernel's reason in words, filtered
	 * dumps.
	 */
	(void) setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	(void) setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	if (bus == NETLINK_ROUTE)
		(void) setsockopt(nl->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	return 0;
}

void nl_close(struct nl *nl)
{
	nl->fd = fd_close(nl->fd);
}

static void grow(struct nl_batch *b)
{
	char *old = b->buf;

	if (!old) {
		b->buf = room_take(&for_requests);
		b->alloc = for_requests.size;
		return;
	}
	b->alloc *= 2;
	b->buf = xmalloc(b->alloc);
	memcpy(b->buf, old, b->len);
	room_give(&for_requests, old);
}

void *nl_add(struct nl_batch *b, uint16_t type, uint16_t flags, size_t header, const char *what,
	     ...)
{
	struct nl_request *r;
	va_list ap;

	if (b->cur)
		b->len = (size_t) ((char *) nl_msg_tail(b->cur) - b->buf);
	if (b->alloc - b->len < NL_REQUEST_MAX)
		grow(b);
	b->requests = xgrow(b->requests, b->n, sizeof *b->requests);
	r = &b->requests[b->n++];
	*r = (struct nl_request) {.offset = b->len};
	va_start(ap, what);
	(void) vsnprintf(r->what, sizeof r->what, what, ap);
	va_end(ap);
	b->cur = nl_msg_begin(b->buf + b->len);
	b->cur->nlmsg_type = type;
	b->cur->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | NLM_F_ACK | flags);
	return nl_msg_extend(b->cur, header);
}

void nl_ignore(struct nl_batch *b, int code)
{
	struct nl_request *r = &b->requests[b->n - 1];

	r->ignore[r->ignore[0] ? 1 : 0] = code;
}

void nl_batch_done(struct nl_batch *b)
{
	room_give(&for_requests, b->buf);
	free(b->requests);
	*b = (struct nl_batch) NL_BATCH_INIT;
}

static void batch_close(struct nl_batch *b)
{
	if (b->cur)
		b->len = (size_t) ((char *) nl_msg_tail(b->cur) - b->buf);
	b->cur = NULL;
}

static int send_range(struct nl *nl, struct nl_batch *b, size_t from, size_t to, struct err *e)
{
	size_t begin = b->requests[from].offset;
	size_t end = to < b->n ? b->requests[to].offset : b->len;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	for (size_t i = from; i < to; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *) (void *) (b->buf + b->requests[i].offset);

		h->nlmsg_seq = nl->seq + (uint32_t) i;
	}
	while (sendto(nl->fd, b->buf + begin, end - begin, 0, (struct sockaddr *) &kernel,
		      sizeof kernel) < 0)
		if (errno != EINTR)
			return err_sys(e, "%s: netlink", b->requests[from].what);
	return 0;
}

static void answers_done(struct nl *nl)
{
	if (nl->buf)
		room_give(&for_answers, nl->buf);
	nl->buf = NULL;
}

/* One datagram into nl->buf; 0: nothing there. */
static ssize_t receive(struct nl *nl, size_t size, int flags)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_len = size};
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (!nl->buf)
		nl->buf = room_take(&for_answers);
	iov.iov_base = nl->buf;
	do {
		m.msg_namelen = sizeof from;
		n = recvmsg(nl->fd, &m, flags);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* The kernel's own words about a failure (extended acknowledgement), or NULL. */
static const char *reason(const struct nlmsghdr *h, const struct nlmsgerr *m)
{
	size_t skip = sizeof *m;
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && m->msg.nlmsg_len >= NLMSG_HDRLEN)
		skip += NLMSG_ALIGN(m->msg.nlmsg_len) - NLMSG_HDRLEN;
	nl_attr_for_each(a, h, skip)
		if (nl_attr_type(a) == NLMSGERR_ATTR_MSG)
			return nl_attr_str(a);
	return NULL;
}

static int request_failed(const struct nl_request *r, const struct nlmsghdr *h, struct err *e)
{
	const struct nlmsgerr *m = nl_msg_payload(h);
	const char *text = reason(h, m);
	int code = -m->error;

	if (code == r->ignore[0] || code == r->ignore[1])
		return 0;
	if (text)
		return err_set(e, code, "%s: %s (%s)", r->what, strerror(code), text);
	return err_sysr(e, -code, "%s", r->what);
}

struct answers {
	struct nl_batch *b;
	size_t from, to, acks;
	nl_answer_fn fn;
	void *arg;
	int first; /* the first failure */
	struct err *e;
};

static void take_answers(struct nl *nl, struct answers *a, ssize_t n)
{
	size_t left = (size_t) n;

	for (struct nlmsghdr *h = (struct nlmsghdr *) (void *) nl->buf; nl_msg_ok(h, left);
	     h = nl_msg_next(h, &left)) {
		size_t i = h->nlmsg_seq - nl->seq;

		if (i < a->from || i >= a->to)
			continue;
		if (h->nlmsg_type != NLMSG_ERROR) {
			if (h->nlmsg_type >= NLMSG_MIN_TYPE && a->fn)
				a->fn(h, i, a->arg);
			continue;
		}
		if (nl_msg_payload_len(h) < sizeof(struct nlmsgerr))
			continue;
		a->acks++;
		if (!a->first && ((struct nlmsgerr *) nl_msg_payload(h))->error)
			a->first = request_failed(&a->b->requests[i], h, a->e);
	}
}

static size_t wanted_acks(const struct nl_batch *b, size_t from, size_t to)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		const struct nlmsghdr *h = (const void *) (b->buf + b->requests[i].offset);

		n += (h->nlmsg_flags & NLM_F_ACK) != 0;
	}
	return n;
}

/*
 * A transaction cannot be split, so the socket must take all of it, and all acknowledgements: thousands of
 * ports in one.  Where that is refused the usual limits hold, and the kernel says so.
 */
static void make_room(struct nl *nl, const struct nl_batch *b, size_t acks)
{
	int send = b->len < INT32_MAX / 4 ? (int) b->len * 2 : INT32_MAX / 2;
	int answers = acks < INT32_MAX / ACK_COST ? (int) acks * ACK_COST : INT32_MAX / 2;

	if (!b->one_piece || acks <= SEND_MAX)
		return;
	(void) setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof send);
	(void) setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &answers, sizeof answers);
}

static int run_range(struct nl *nl, struct answers *a)
{
	size_t want = wanted_acks(a->b, a->from, a->to);
	int r;

	make_room(nl, a->b, want);
	r = send_range(nl, a->b, a->from, a->to, a->e);
	if (r < 0)
		return r;
	a->acks = 0;
	while (a->acks < want) {
		ssize_t n = receive(nl, ANSWER_MAX, MSG_DONTWAIT);

		if (n < 0)
			return err_sysr(a->e, (int) n, "%s: netlink answer",
					a->b->requests[a->from].what);
		if (n == 0)
			break;
		take_answers(nl, a, n);
	}
	/* A transaction that failed early is not acknowledged to its end. */
	if (!a->first && a->acks < want)
		return err_set(a->e, EIO, "%s: the kernel did not answer",
			       a->b->requests[a->from].what);
	return a->first;
}

int nl_run(struct nl *nl, struct nl_batch *b, nl_answer_fn fn, void *arg, struct err *e)
{
	struct answers a = {.b = b, .fn = fn, .arg = arg, .e = e};
	int r = 0;

	batch_close(b);
	while (a.to < b->n && r == 0) {
		a.from = a.to;
		a.to = b->one_piece || b->n - a.from <= SEND_MAX ? b->n : a.from + SEND_MAX;
		r = run_range(nl, &a);
	}
	answers_done(nl);
	nl->seq += (uint32_t) b->n;
	b->n = 0;
	b->len = 0;
	return r;
}

/* Returns 1 at the end of the dump, 0 to go on. */
static int take_dump(struct nl *nl, const struct nl_dump *d, ssize_t n, bool *interrupted)
{
	size_t left = (size_t) n;

	for (struct nlmsghdr *h = (struct nlmsghdr *) (void *) nl->buf; nl_msg_ok(h, left);
	     h = nl_msg_next(h, &left)) {
		int r;

		if (h->nlmsg_seq != nl->seq)
			continue;
		*interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (h->nlmsg_type == NLMSG_DONE) {
			r = nl_msg_payload_len(h) >= sizeof(int)
				    ? *(int *) nl_msg_payload(h)
				    : 0;
			return r < 0 ? r : 1;
		}
		if (h->nlmsg_type == NLMSG_ERROR) {
			if (nl_msg_payload_len(h) < sizeof(struct nlmsgerr))
				return -EBADMSG;
			r = ((struct nlmsgerr *) nl_msg_payload(h))->error;
			return r < 0 ? r : 1;
		}
		r = h->nlmsg_type >= NLMSG_MIN_TYPE && !*interrupted ? d->each(h, d->arg) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int nl_dump(struct nl *nl, struct nl_batch *b, const struct nl_dump *d, struct err *e)
{
	int r = -EINTR;

	b->cur->nlmsg_flags = (uint16_t) ((b->cur->nlmsg_flags & ~NLM_F_ACK) | NLM_F_DUMP);
	batch_close(b);
	for (int tries = 0; r == -EINTR && tries < DUMP_TRIES; tries++) {
		bool interrupted = false;

		if (d->restart)
			d->restart(d->arg);
		nl->seq++;
		r = send_range(nl, b, 0, 1, e);
		if (r < 0)
			break;
		while (r == 0) {
			ssize_t n = receive(nl, d->piece ? d->piece : ANSWER_MAX, 0);

			r = n < 0 ? (int) n : take_dump(nl, d, n, &interrupted);
		}
		/*
		 * netlink(7): the list changed between two parts; entries may be missing or
		 * doubled.
		 */
		if (r == 1 && interrupted)
			r = -EINTR;
	}
	answers_done(nl);
	nl->seq++;
	if (r < 0)
		r = err_sysr(e, r, "%s", b->requests[0].what);
	b->n = 0;
	b->len = 0;
	return r < 0 ? r : 0;
}
