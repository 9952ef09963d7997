#include "stage0/pod/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/pod/manifest.h"

#define PORT_MAX 65535

/* "NAME:[IP:]PORT"; the appc type of hostIP is IPv4. */
static int parse_port(const char *text, struct pod_port *ret, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(text, ':');
	size_t n = strv_len(parts);
	struct in_addr ip;
	const char *why;
	uint64_t port;

	if (n != 2 && n != 3)
		return err_set(e, EINVAL, "--port %s: expected NAME:[IP:]PORT", q(text));
	why = ac_name_check(parts[0]);
	if (why)
		return err_set(e, EINVAL, "--port %s: name %s: %s", q(text), q(parts[0]), why);
	if (n == 3 && inet_pton(AF_INET, parts[1], &ip) != 1)
		return err_set(e, EINVAL, "--port %s: %s is no IPv4 address", q(text), q(parts[1]));
	if (parse_u64(parts[n - 1], PORT_MAX, &port) < 0 || !port)
		return err_set(e, EINVAL, "--port %s: %s is no port number", q(text),
			       q(parts[n - 1]));
	*ret = (struct pod_port) {.name = xstrdup(parts[0]),
				  .host_ip = n == 3 ? xstrdup(parts[1]) : NULL,
				  .host_port = (int64_t) port,
				  .pod_port = -1};
	return 0;
}

int ports_add(char *const *texts, struct pod_manifest *pm, struct err *e)
{
	for (; texts && *texts; texts++) {
		struct pod_port p;
		int r = parse_port(*texts, &p, e);

		if (r < 0)
			return r;
		pm->ports = xgrow(pm->ports, pm->n_ports, sizeof *pm->ports);
		pm->ports[pm->n_ports++] = p;
	}
	return 0;
}

/* The port of that name, and how many apps have one. */
static const struct app_port *find_port(const struct pod_manifest *pm,
					const struct pod_image *images, const char *name,
					size_t *ret_n)
{
	const struct app_port *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < pm->n_apps; i++) {
		const struct app *app = pm->apps[i].app ? pm->apps[i].app : images[i].manifest->app;

		for (size_t k = 0; app && k < app->n_ports; k++) {
			if (strcmp(app->ports[k].name, name))
				continue;
			found = &app->ports[k];
			++*ret_n;
		}
	}
	return found;
}

/* No address is every address. */
static bool is_any(const char *ip)
{
	struct in_addr a;

	return !ip || (inet_pton(AF_INET, ip, &a) == 1 && a.s_addr == INADDR_ANY);
}

/* The first port of the host that both want, or 0. */
static int64_t collide(const struct pod_port *a, const struct app_port *to_a,
		       const struct pod_port *b, const struct app_port *to_b)
{
	int64_t first = a->host_port > b->host_port ? a->host_port : b->host_port;

	if (strcmp(to_a->protocol, to_b->protocol) || first >= a->host_port + to_a->count ||
	    first >= b->host_port + to_b->count)
		return 0;
	return is_any(a->host_ip) || is_any(b->host_ip) || !strcmp(a->host_ip, b->host_ip) ? first : 0;
}

/* Where one port of the pod leads; a podPort says it itself, and needs no app. */
static int target_of(const struct pod_manifest *pm, const struct pod_image *images,
		       const struct pod_port *p, const struct app_port **ret, struct err *e)
{
	const struct app_port *port = p->port;
	size_t n = 1;

	if (!port)
		port = find_port(pm, images, p->name, &n);
	if (!port)
		return err_set(e, ENOENT, "port %s: no app has a port of that name", q(p->name));
	if (n > 1)
		return err_set(e, ENOTUNIQ, "port %s: more than one app has a port of that name",
			       q(p->name));
	*ret = port;
	return 0;
}

int ports_check(const struct pod_manifest *pm, const struct pod_image *images, struct err *e)
{
	_cleanup_free_ const struct app_port **to = xcalloc(pm->n_ports + 1, sizeof *to);

	for (size_t i = 0; i < pm->n_ports; i++) {
		int r = target_of(pm, images, &pm->ports[i], &to[i], e);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++) {
			int64_t port = collide(&pm->ports[i], to[i], &pm->ports[k], to[k]);

			if (port)
				return err_set(e, EEXIST,
					       "port %s: port %s comes from the same %s port %lld "
					       "of the host",
					       q(pm->ports[i].name), q(pm->ports[k].name),
					       to[i]->protocol, (long long) port);
		}
	}
	return 0;
}
