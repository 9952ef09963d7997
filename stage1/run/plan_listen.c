/*
 * Which app gets which of the service manager's sockets: the one whose port it is on, of those that
 * an image calls socketActivated.  --port says that the host's socket is on another port than the
 * image's.
 */
#include "base/str.h"
#include "stage1/run/plan.h"

static int64_t host_port(const struct pod *pod, const struct app_port *p)
{
	for (size_t i = 0; i < pod->manifest->n_ports; i++)
		if (str_eq(pod->manifest->ports[i].name, p->name))
			return pod->manifest->ports[i].host_port;
	return p->port;
}

static bool is_taken(const struct plan *plan, int fd)
{
	for (size_t i = 0; i < plan->n_apps; i++)
		for (size_t j = 0; j < plan->apps[i].n_listen; j++)
			if (plan->apps[i].listen[j] == fd)
				return true;
	return false;
}

static void add(struct plan_app *pa, int fd, char *text)
{
	pa->listen = xgrow(pa->listen, pa->n_listen, sizeof *pa->listen);
	pa->listen[pa->n_listen++] = fd;
	strv_push(&pa->record.listen, text);
}

/*
 * One number of a port: every socket on it (IPv4 and IPv6 are two), or else one that is to be made.
 */
static void add_port(const struct pod *pod, const struct app_port *p, int64_t k,
		     const struct host_facts *facts, struct plan *plan, struct plan_app *pa)
{
	bool udp = str_eq(p->protocol, "udp"), any = false;

	for (size_t i = 0; facts->listening && i < facts->listening->n; i++) {
		const struct listening *l = &facts->listening->v[i];

		if (l->udp != udp || (int64_t) l->port != host_port(pod, p) + k ||
		    is_taken(plan, l->fd))
			continue;
		add(pa, l->fd, xasprintf("fd %s", p->name));
		any = true;
	}
	if (!any)
		add(pa, -1,
		    xasprintf("%s %lld %s", udp ? "udp" : "tcp", (long long) (p->port + k),
			      p->name));
}

void plan_listen(const struct pod *pod, const struct app *app, const struct host_facts *facts,
		 struct plan *plan, struct plan_app *pa)
{
	for (size_t i = 0; i < app->n_ports; i++) {
		const struct app_port *p = &app->ports[i];

		for (int64_t k = 0; p->socket_activated && k < (p->count ? p->count : 1); k++)
			add_port(pod, p, k, facts, plan, pa);
	}
}

void plan_listen_rest(const struct host_facts *facts, struct plan *plan)
{
	for (size_t i = 0; facts->listening && i < facts->listening->n; i++) {
		const struct listening *l = &facts->listening->v[i];

		if (is_taken(plan, l->fd))
			continue;
		strv_push(&plan->notes, l->port ? xasprintf("socket activation: no app has a "
							    "socketActivated port %s %u",
							    l->udp ? "udp" : "tcp", l->port)
						: xasprintf("socket activation: socket %zu has no "
							    "port, no app gets it",
							    i));
	}
}
