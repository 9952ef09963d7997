/* What the daemon does for each question. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cni-plugins/dhcp/internal.h"
#include "cni-plugins/dhcp/lease_file.h"
#include "cni-plugins/skel/code.h"

/* An answer is small, and the socket's buffer was empty: it takes it at once. */
static bool answer(struct guest *g, cJSON *j)
{
	_cleanup_free_ char *text = json_print(j, false);
	size_t len = strlen(text);

	cJSON_Delete(j);
	return send(g->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) len;
}

static void answer_error(struct guest *g, const struct err *e)
{
	_cleanup_free_ char *text = str_escape(err_text(e), strlen(err_text(e)));
	cJSON *j = cJSON_CreateObject();

	(void) cJSON_AddNumberToObject(j, "code", cni_code_of(e->code));
	(void) cJSON_AddStringToObject(j, "msg", text);
	(void) answer(g, j);
}

static int answer_result(struct guest *g, const struct lease *l, struct err *e)
{
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	cJSON *j;
	int r = lease_result(l, &res, e);

	if (r < 0)
		return r;
	j = cJSON_CreateObject();
	cJSON_AddItemToObject(j, "result", cni_result_encode(&res, CNI_LATEST));
	return answer(g, j) ? 0 : err_set(e, EPIPE, "nobody waits for the answer");
}

static struct lease *find(struct dhcp_daemon *d, const struct cni_request *rq)
{
	for (size_t i = 0; i < d->n_leases; i++) {
		const struct call *c = &d->leases[i]->call;

		if (!strcmp(c->container_id, rq->container_id) &&
		    !strcmp(c->rq.name, rq->name) && !strcmp(c->ifname, rq->ifname))
			return d->leases[i];
	}
	return NULL;
}

static struct guest *guest_of(const struct dhcp_daemon *d, const struct lease *l)
{
	for (size_t i = 0; i < d->n_guests; i++)
		if (d->guests[i]->lease == l)
			return d->guests[i];
	return NULL;
}

/* --- the commands: 1 when the answer comes later --- */

static int add(struct dhcp_daemon *d, struct guest *g, struct call *c, struct err *e)
{
	struct lease *l = find(d, &c->rq);
	int r;

	if (l)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "%s %s has a lease already, a second ADD is not allowed",
			       c->container_id, c->ifname);
	l = lease_new(&d->o->lease, c);
	r = lease_start(l, e);
	if (r < 0) {
		lease_free(l);
		return r;
	}
	d->leases = xgrow(d->leases, d->n_leases, sizeof(*d->leases));
	d->leases[d->n_leases++] = l;
	daemon_watch_lease(d, l, -EBADF);
	g->lease = l;
	return 1;
}

static int forget(struct dhcp_daemon *d, const struct call *c, struct err *e)
{
	return lease_file_remove(d->dir, c->rq.name, c->container_id, c->ifname, e);
}

/* The file goes first: were it left, a new daemon would take the address for leased. */
static int release(struct dhcp_daemon *d, struct lease *l, struct err *e)
{
	int r = forget(d, &l->call, e);

	if (r < 0)
		return r;
	log_info("%s/%s/%s: releasing lease", l->call.container_id, l->call.rq.name,
		 l->call.ifname);
	lease_release(l);
	daemon_drop_lease(d, l);
	return 0;
}

static int del(struct dhcp_daemon *d, const struct call *c, struct err *e)
{
	struct lease *l = find(d, &c->rq);
	struct guest *waiting = l ? guest_of(d, l) : NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	/* What could not be gone on with may have left a file. */
	int r = l ? release(d, l, e) : forget(d, c, e);

	if (r < 0 || !waiting)
		return r;
	/* An ADD that is still under way. */
	(void) err_set(&why, CNI_CODE(CNI_OTHER), "the lease was released before it was granted");
	answer_error(waiting, &why);
	daemon_drop_guest(d, waiting);
	return 0;
}

static int check(struct dhcp_daemon *d, struct guest *g, const struct call *c, struct err *e)
{
	struct lease *l = find(d, &c->rq);

	if (!l || !l->granted)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "dhcp: no lease is known for container %s, interface %s",
			       c->container_id, c->ifname);
	if (!place_is_there(&c->rq, &l->place))
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "dhcp: %s in %s is not the link that the lease is for", c->ifname,
			       c->netns);
	return answer_result(g, l, e) < 0 ? err_ctx(e, -CNI_CODE(CNI_OTHER), "CHECK") : 1;
}

static int gc_file(int dir, const struct lease_name *name, void *arg, struct err *e)
{
	return cni_attachments_have(arg, name->id, name->ifname)
		       ? 0
		       : lease_file_remove(dir, name->network, name->id, name->ifname, e);
}

static int gc(struct dhcp_daemon *d, const struct call *c, struct err *e)
{
	const struct cni_attachments *valid = &c->rq.valid;
	int r = 0;

	if (!valid->known)
		return 0;
	for (size_t i = d->n_leases; r >= 0 && i-- > 0;) {
		struct lease *l = d->leases[i];

		if (l->granted && !strcmp(l->call.rq.name, c->rq.name) &&
		    !cni_attachments_have(valid, l->call.container_id, l->call.ifname))
			r = release(d, l, e);
	}
	return r < 0 ? r : lease_file_each(d->dir, c->rq.name, gc_file, (void *) valid, e);
}

static int run(struct dhcp_daemon *d, struct guest *g, struct call *c, struct err *e)
{
	switch (c->rq.command) {
	case CNI_ADD:
		return add(d, g, c, e);
	case CNI_DEL:
		return del(d, c, e);
	case CNI_CHECK:
		return check(d, g, c, e);
	case CNI_GC:
		return gc(d, c, e);
	case CNI_STATUS:
	case CNI_VERSION:
		break;
	}
	return 0;
}

void daemon_serve(struct dhcp_daemon *d, struct guest *g)
{
	_cleanup_call_ struct call c = CALL_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	if (!g->root)
		r = err_set(&e, CNI_CODE(CNI_OTHER), "only root may ask the DHCP daemon");
	else
		r = call_decode(g->text.buf ? g->text.buf : "", g->text.len, d->o->prefix, &c, &e);
	if (r >= 0)
		r = run(d, g, &c, &e);
	strbuf_done(&g->text);
	if (r < 0)
		answer_error(g, &e);
	else if (r == 0)
		(void) answer(g, cJSON_CreateObject());
	if (r <= 0 || !g->lease)
		daemon_drop_guest(d, g);
}

/* --- what becomes of leases --- */

/* On disk before anybody hears of it. */
static void granted(struct dhcp_daemon *d, struct lease *l)
{
	struct guest *g = guest_of(d, l);
	_cleanup_err_ struct err e = ERR_INIT;
	int r = lease_file_write(d->dir, l, &e);

	if (r >= 0 && g)
		r = answer_result(g, l, &e);
	if (r < 0 || !g) {
		/* Nobody knows of it, so nobody will give it back. */
		if (g)
			answer_error(g, &e);
		(void) release(d, l, NULL);
	} else {
		log_info("%s/%s/%s: lease acquired", l->call.container_id, l->call.rq.name,
			 l->call.ifname);
	}
	if (g)
		daemon_drop_guest(d, g);
}

static void note(struct dhcp_daemon *d, struct lease *l)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (lease_file_write(d->dir, l, &e) < 0)
		log_warning("%s", err_text(&e));
}

void daemon_lease_event(struct dhcp_daemon *d, struct lease *l, enum lease_event event,
			struct err *e)
{
	struct guest *g;

	switch (event) {
	case LEASE_NOTHING:
		break;
	case LEASE_GRANTED:
		granted(d, l);
		break;
	case LEASE_RENEWED:
		log_info("%s/%s/%s: lease renewed", l->call.container_id, l->call.rq.name,
			 l->call.ifname);
		note(d, l);
		break;
	case LEASE_ENDED:
		note(d, l);
		break;
	case LEASE_FAILED:
		g = guest_of(d, l);
		daemon_drop_lease(d, l);
		if (g) {
			answer_error(g, e);
			daemon_drop_guest(d, g);
		}
		break;
	case LEASE_GONE:
		log_info("%s/%s/%s: the container is gone, dropping its lease",
			 l->call.container_id, l->call.rq.name, l->call.ifname);
		(void) forget(d, &l->call, NULL);
		daemon_drop_lease(d, l);
		break;
	}
}
