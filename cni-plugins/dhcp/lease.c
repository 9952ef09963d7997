#include "cni-plugins/dhcp/lease.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cni-plugins/dhcp/change.h"
#include "cni-plugins/dhcp/lease_message.h"
#include "cni-plugins/skel/code.h"

/*
 * The first question is often lost while the link comes up, so that the second one follows soon;
 * from there on it takes twice as long each time (RFC 2131, section 4.1).
 */
#define RESEND_DISCOVER_MS 50
#define RESEND_REQUEST_MS 1000
#define REQUEST_TRIES 4
/* Discoveries after which another address than the old one is better than none. */
#define OTHER_ADDRESS_TRIES 4
/* RFC 2131, section 4.4.5; leases of a few minutes could not afford it. */
#define RENEW_RESEND_MS 60000
/* Packets taken at once: one lease must not keep the others waiting. */
#define INPUT_MAX 16

int64_t lease_now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct lease *lease_new(const struct lease_options *opts, struct call *call)
{
	struct lease *l = xcalloc(1, sizeof *l);

	l->opts = opts;
	l->call = *call;
	*call = (struct call) CALL_INIT;
	l->place = (struct place) PLACE_INIT;
	l->fd = -EBADF;
	l->deadline = LEASE_NEVER;
	return l;
}

void lease_free(struct lease *l)
{
	if (!l)
		return;
	l->fd = fd_close(l->fd);
	place_close(&l->place);
	call_done(&l->call);
	free(l);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int open_socket(struct lease *l, struct err *e)
{
	if (l->fd >= 0)
		return 0;
	l->fd = place_socket(&l->place, e);
	return l->fd < 0 ? l->fd : 0;
}

/* --- sending --- */

static void new_xid(struct lease *l)
{
	if (getrandom(&l->xid, sizeof l->xid, 0) != sizeof l->xid)
		l->xid = (uint32_t) lease_now();
}

/* A link that is down or gone shows when nobody answers. */
static void ask(struct lease *l, enum dhcp_type type)
{
	bool direct = type == DHCP_RELEASE || l->state == LEASE_RENEWING;
	struct in_addr any = {htonl(INADDR_ANY)}, all = {htonl(INADDR_BROADCAST)};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = l->place.link,
		.sll_halen = DHCP_MAC_LEN,
	};
	bool bound = direct || l->state == LEASE_REBINDING;
	struct dhcp_build b;
	struct frame f;

	l->sent = lease_now();
	if (lease_message(l, type, &b) < 0)
		return;
	memset(to.sll_addr, 0xff, DHCP_MAC_LEN);
	if (direct)
		memcpy(to.sll_addr, l->hop, DHCP_MAC_LEN);
	frame_build(&f, bound ? l->terms.addr : any, direct ? l->terms.server : all, b.data, b.len);
	if (sendto(l->fd, f.data, f.len, MSG_NOSIGNAL, (struct sockaddr *) &to, sizeof to) < 0)
		log_debug("%s: send: %s", l->call.container_id, strerror(errno));
}

/* Give or take an eighth, so that many containers do not ask in step. */
static int64_t resend_after(const struct lease *l)
{
	int64_t first = l->state == LEASE_SELECTING ? RESEND_DISCOVER_MS : RESEND_REQUEST_MS;
	int64_t ms = earlier(first << (l->tries < 20 ? l->tries : 20), l->opts->resend_max_ms);
	uint32_t n = 0;

	if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n)
		n = l->xid;
	return ms - ms / 8 + (int64_t) (n % (uint32_t) (ms / 4 + 1));
}

static void ask_again(struct lease *l, enum dhcp_type type)
{
	ask(l, type);
	l->deadline = earlier(l->sent + resend_after(l), l->give_up);
	l->tries++;
}

static void select_server(struct lease *l)
{
	l->state = LEASE_SELECTING;
	l->tries = 0;
	new_xid(l);
	ask_again(l, DHCP_DISCOVER);
}

int lease_start(struct lease *l, struct err *e)
{
	struct dhcp_build b;
	int r = place_open(&l->call.rq, &l->place, e);

	if (r >= 0 && lease_message(l, DHCP_DISCOVER, &b) < 0)
		r = err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			    "the options do not fit into a DHCP message");
	if (r >= 0)
		r = open_socket(l, e);
	if (r < 0)
		return r;
	l->begun = lease_now();
	l->give_up = l->begun + l->opts->timeout_ms;
	select_server(l);
	return 0;
}

void lease_release(struct lease *l)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (!l->granted || l->state == LEASE_LOST)
		return;
	if (open_socket(l, &e) < 0) {
		log_debug("%s: release: %s", l->call.container_id, err_text(&e));
		return;
	}
	new_xid(l);
	ask(l, DHCP_RELEASE);
}

/* --- renewing --- */

static void bind_to(struct lease *l)
{
	l->fd = fd_close(l->fd);
	l->state = LEASE_BOUND;
	l->deadline = l->t1;
}

void lease_resume(struct lease *l)
{
	l->granted = true;
	l->deadline = 0;
	l->tries = 0;
	l->begun = lease_now();
	l->give_up = l->expire;
	new_xid(l);
	/* Expired: nothing is asked any more, the timer ends it. */
	l->state = l->begun < l->expire ? LEASE_REBOOTING : LEASE_REBINDING;
}

static enum lease_event reboot(struct lease *l)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (l->tries < REQUEST_TRIES && open_socket(l, &e) >= 0)
		ask_again(l, DHCP_REQUEST);
	else
		bind_to(l);
	return LEASE_NOTHING;
}

static enum lease_event end(struct lease *l, const char *why)
{
	_cleanup_err_ struct err e = ERR_INIT;

	log_warning("%s/%s/%s: %s, bringing the interface down", l->call.container_id,
		    l->call.rq.name, l->call.ifname, why);
	if (place_down(&l->place, l->call.ifname, &e) < 0)
		log_warning("%s: %s", l->call.container_id, err_text(&e));
	l->fd = fd_close(l->fd);
	l->state = LEASE_LOST;
	l->deadline = LEASE_NEVER;
	return LEASE_ENDED;
}

/* Half of what is left until the phase ends. */
static void ask_to_renew(struct lease *l, int64_t until)
{
	int64_t length = l->expire - l->t1, floor = earlier(RENEW_RESEND_MS, length / 8 + 1000);
	int64_t half;

	ask(l, DHCP_REQUEST);
	half = (until - l->sent) / 2;
	l->deadline = earlier(l->sent + (half > floor ? half : floor), until);
}

static enum lease_event renew(struct lease *l)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (!place_is_there(&l->call.rq, &l->place)) {
		lease_release(l);
		return LEASE_GONE;
	}
	if (open_socket(l, &e) < 0) {
		log_warning("%s: %s", l->call.container_id, err_text(&e));
		l->deadline = earlier(lease_now() + RENEW_RESEND_MS, l->expire);
		return lease_now() >= l->expire ? end(l, "lease expired") : LEASE_NOTHING;
	}
	l->state = LEASE_RENEWING;
	l->begun = lease_now();
	new_xid(l);
	ask_to_renew(l, l->t2);
	return LEASE_NOTHING;
}

static enum lease_event give_up(struct lease *l, struct err *e)
{
	if (l->granted)
		return end(l, "the server refuses the lease");
	if (!e->msg)
		(void) err_set(e, CNI_CODE(CNI_OTHER), "no DHCP server granted an address in %lld s",
			       (long long) (l->opts->timeout_ms + 999) / 1000);
	return LEASE_FAILED;
}

enum lease_event lease_timer(struct lease *l, struct err *e)
{
	int64_t now = lease_now();

	if (now < l->deadline)
		return LEASE_NOTHING;
	switch (l->state) {
	case LEASE_SELECTING:
	case LEASE_REQUESTING:
		if (now >= l->give_up)
			return give_up(l, e);
		if (l->state == LEASE_SELECTING)
			ask_again(l, DHCP_DISCOVER);
		else if (l->tries < REQUEST_TRIES)
			ask_again(l, DHCP_REQUEST);
		else
			select_server(l);
		return LEASE_NOTHING;
	case LEASE_REBOOTING:
		return reboot(l);
	case LEASE_BOUND:
		return renew(l);
	case LEASE_RENEWING:
	case LEASE_REBINDING:
		if (now >= l->expire)
			return end(l, "lease expired");
		if (now >= l->t2)
			l->state = LEASE_REBINDING;
		ask_to_renew(l, now >= l->t2 ? l->expire : l->t2);
		return LEASE_NOTHING;
	case LEASE_LOST:
		break;
	}
	l->deadline = LEASE_NEVER;
	return LEASE_NOTHING;
}

/* --- answers --- */

struct answer {
	struct dhcp_message m;
	const uint8_t *data;
	size_t len;
	uint8_t hop[DHCP_MAC_LEN];
};

static int64_t after(int64_t ms, uint32_t s)
{
	return s == TERMS_FOREVER ? LEASE_NEVER : ms + (int64_t) s * 1000;
}

/* The time runs from the question, which was before the server began to count. */
static enum lease_event commit(struct lease *l, const struct answer *a, const struct terms *t)
{
	bool first = !l->granted;
	struct dhcp_message before = {0};

	if (!first)
		(void) dhcp_parse(l->ack, l->ack_len, &before);
	l->terms = *t;
	l->t1 = after(l->sent, t->t1);
	l->t2 = after(l->sent, t->t2);
	l->expire = after(l->sent, t->lease);
	memcpy(l->hop, a->hop, sizeof l->hop);
	memcpy(l->ack, a->data, a->len);
	l->ack_len = a->len;
	l->granted = true;
	bind_to(l);
	if (first)
		return LEASE_GRANTED;
	change_apply(l, &before, &a->m);
	return LEASE_RENEWED;
}

static bool same(struct in_addr a, struct in_addr b)
{
	return a.s_addr == b.s_addr;
}

/* What cannot be used is passed over: another server may do better. */
static enum lease_event take_offer(struct lease *l, const struct answer *a)
{
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	_cleanup_err_ struct err why = ERR_INIT;
	struct terms_wish wish = {.priority = -1};

	if (terms_decode(&a->m, &l->offer, &why) < 0 ||
	    terms_result(&a->m, &wish, &res, &why) < 0) {
		log_debug("%s: offer passed over: %s", l->call.container_id, err_text(&why));
		return LEASE_NOTHING;
	}
	if (l->granted && !same(l->offer.addr, l->terms.addr) && l->tries < OTHER_ADDRESS_TRIES)
		return LEASE_NOTHING;
	l->state = LEASE_REQUESTING;
	l->tries = 0;
	ask_again(l, DHCP_REQUEST);
	return LEASE_NOTHING;
}

/* Nobody in particular was asked, and whoever knows may answer. */
static bool is_for_all(const struct lease *l)
{
	return l->state == LEASE_REBINDING || l->state == LEASE_REBOOTING;
}

static enum lease_event take_ack(struct lease *l, const struct answer *a)
{
	const struct terms *want = l->state == LEASE_REQUESTING ? &l->offer : &l->terms;
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	struct terms_wish wish = {.priority = -1};
	struct terms t;

	if (terms_decode(&a->m, &t, NULL) < 0 || !same(t.addr, want->addr) ||
	    (!is_for_all(l) && !same(t.server, want->server)) ||
	    terms_result(&a->m, &wish, &res, NULL) < 0)
		return LEASE_NOTHING;
	return commit(l, a, &t);
}

static enum lease_event take_nak(struct lease *l, const struct answer *a, struct err *e)
{
	struct in_addr server;
	const struct terms *t = l->state == LEASE_REQUESTING ? &l->offer : &l->terms;

	if (!dhcp_get_addr(&a->m, DHCP_OPT_SERVER, &server) ||
	    (!is_for_all(l) && !same(server, t->server)))
		return LEASE_NOTHING;
	if (l->state == LEASE_REQUESTING) {
		/* Once more, not at once: two that do not agree would do nothing else. */
		(void) err_set(e, CNI_CODE(CNI_OTHER), "DHCP server refused what it had offered");
		l->state = LEASE_SELECTING;
		new_xid(l);
		l->deadline = earlier(lease_now() + RESEND_REQUEST_MS, l->give_up);
		return LEASE_NOTHING;
	}
	log_warning("%s: the server refuses to renew, asking for the same address anew",
		    l->call.container_id);
	l->begun = lease_now();
	l->give_up = earlier(l->expire, l->begun + l->opts->timeout_ms);
	select_server(l);
	return LEASE_NOTHING;
}

static enum lease_event handle(struct lease *l, const struct answer *a, struct err *e)
{
	if (a->m.xid != l->xid || memcmp(a->m.mac, l->place.mac, DHCP_MAC_LEN) != 0)
		return LEASE_NOTHING;
	if (l->state == LEASE_SELECTING)
		return a->m.type == DHCP_OFFER ? take_offer(l, a) : LEASE_NOTHING;
	if (l->state != LEASE_REQUESTING && l->state != LEASE_RENEWING && !is_for_all(l))
		return LEASE_NOTHING;
	if (a->m.type == DHCP_ACK)
		return take_ack(l, a);
	return a->m.type == DHCP_NAK ? take_nak(l, a, e) : LEASE_NOTHING;
}

/* packet(7), PACKET_AUXDATA: a packet of this host may still wait for its checksum. */
static bool is_summed(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof aux))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof aux);
		return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	}
	return true;
}

/* 1: an answer, 0: something else, < 0: nothing there. */
static int receive(int fd, uint8_t buf[static FRAME_MAX], struct answer *a)
{
	union {
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr align;
	} control;
	struct sockaddr_ll from = {0};
	struct iovec iov = {buf, FRAME_MAX};
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if ((m.msg_flags & MSG_TRUNC) || from.sll_halen != DHCP_MAC_LEN ||
	    frame_parse(buf, (size_t) n, is_summed(&m), &a->data, &a->len) < 0 ||
	    dhcp_parse(a->data, a->len, &a->m) < 0)
		return 0;
	memcpy(a->hop, from.sll_addr, DHCP_MAC_LEN);
	return 1;
}

enum lease_event lease_input(struct lease *l, struct err *e)
{
	enum lease_event event = LEASE_NOTHING;
	uint8_t buf[FRAME_MAX];
	struct answer a;

	for (int i = 0; i < INPUT_MAX && event == LEASE_NOTHING && l->fd >= 0; i++) {
		int r = receive(l->fd, buf, &a);

		/* ENETDOWN is told once and says nothing that the timer would not find out. */
		if (r < 0)
			break;
		if (r > 0)
			event = handle(l, &a, e);
	}
	return event;
}

struct terms_wish lease_wish(const struct lease *l)
{
	const struct dhcp_conf *c = &l->call.conf;

	return (struct terms_wish) {
		.priority = c->priority ? c->priority : -1,
		.skip_gateway = c->skip_gateway,
	};
}

int lease_result(const struct lease *l, struct cni_result *ret, struct err *e)
{
	struct terms_wish wish = lease_wish(l);
	struct dhcp_message m;

	if (!l->granted || l->state == LEASE_LOST)
		return err_set(e, ETIME, "dhcp: the lease of %s %s has expired",
			       l->call.container_id, l->call.ifname);
	if (dhcp_parse(l->ack, l->ack_len, &m) < 0)
		return err_set(e, EBADMSG, "dhcp: the lease's answer cannot be read");
	return terms_result(&m, &wish, ret, e);
}
