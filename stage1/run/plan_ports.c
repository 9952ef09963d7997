/*
 * Port forwarding: the pod manifest's ports, each resolved to numbers.  A port of a pod is named after
 * one of an app, or says itself ("podPort") what it leads to.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage1/run/plan.h"

/* The app's port of that name; among several apps it must be the only one. */
static int find_port(const struct pod *pod, const char *name, const struct app_port **ret,
		     struct err *e)
{
	*ret = NULL;
	for (size_t i = 0; i < pod->n_apps; i++) {
		const struct app *app = pod->apps[i].app;

		for (size_t j = 0; j < app->n_ports; j++) {
			if (strcmp(app->ports[j].name, name))
				continue;
			if (*ret)
				return err_set(e, EINVAL, "port %s: more than one app has it",
					       q(name));
			*ret = &app->ports[j];
		}
	}
	return *ret ? 0 : err_set(e, ENOENT, "port %s: no app has it", q(name));
}

static int add_port(const struct pod *pod, const struct pod_port *p, struct plan *plan,
		    struct err *e)
{
	const struct app_port *to = p->port;
	int64_t port, count;
	int r = 0;

	if (!to || !to->protocol)
		r = find_port(pod, p->name, &to, e);
	if (r < 0)
		return r;
	/* systemd listens there already; what it accepts reaches the app by a descriptor. */
	if (to->socket_activated)
		return 0;
	port = p->port ? p->port->port : to->port;
	count = to->count ? to->count : 1;
	if (p->host_port < 1 || p->host_port + count - 1 > 65535)
		return err_set(e, EINVAL, "port %s: host ports %lld to %lld do not exist",
			       q(p->name), (long long) p->host_port,
			       (long long) (p->host_port + count - 1));
	plan->ports = xgrow(plan->ports, plan->n_ports, sizeof *plan->ports);
	plan->ports[plan->n_ports++] = (struct net_port) {
		.protocol = xstrdup(to->protocol),
		.host_ip = xstrdup_null(p->host_ip),
		.host_port = (unsigned) p->host_port,
		.port = (unsigned) port,
		.count = (unsigned) count,
	};
	return 0;
}

int plan_ports(const struct pod *pod, struct plan *plan, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pod->manifest->n_ports; i++)
		r = add_port(pod, &pod->manifest->ports[i], plan, e);
	if (r == 0 && plan->n_ports && !plan->nets)
		return err_set(e, EINVAL, "port %s: there is no network to forward it to (--net)",
			       q(pod->manifest->ports[0].name));
	return r;
}
