/* Building and searching results; result_decode.c and result_encode.c know their JSON. */
#include "cni-plugins/skel/result.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void cni_dns_done(struct cni_dns *dns)
{
	strv_free(dns->nameservers);
	strv_free(dns->search);
	strv_free(dns->options);
	free(dns->domain);
	*dns = (struct cni_dns) {0};
}

void cni_result_done(struct cni_result *r)
{
	for (size_t i = 0; i < r->n_interfaces; i++) {
		struct cni_interface *f = &r->interfaces[i];

		free(f->name);
		free(f->mac);
		free(f->sandbox);
		free(f->socket_path);
		free(f->pci_id);
	}
	free(r->interfaces);
	free(r->ips);
	free(r->routes);
	cni_dns_done(&r->dns);
	*r = (struct cni_result) CNI_RESULT_INIT;
}

bool cni_dns_is_empty(const struct cni_dns *dns)
{
	return !strv_len(dns->nameservers) && !strv_len(dns->search) && !strv_len(dns->options) &&
	       (!dns->domain || !*dns->domain);
}

void cni_dns_merge(struct cni_dns *dns, const struct cni_dns *over)
{
	if (cni_dns_is_empty(over))
		return;
	cni_dns_done(dns);
	*dns = (struct cni_dns) {
		.nameservers = strv_copy(over->nameservers),
		.search = strv_copy(over->search),
		.options = strv_copy(over->options),
		.domain = xstrdup_null(over->domain),
	};
}

struct cni_interface *cni_result_add_interface(struct cni_result *r, const char *name,
					       const char *mac, const char *sandbox)
{
	struct cni_interface *f;

	r->interfaces = xgrow(r->interfaces, r->n_interfaces, sizeof *r->interfaces);
	f = &r->interfaces[r->n_interfaces++];
	*f = (struct cni_interface) {
		.name = xstrdup_null(name),
		.mac = xstrdup_null(mac),
		.sandbox = xstrdup_null(sandbox),
	};
	return f;
}

struct cni_address *cni_result_add_ip(struct cni_result *r, const struct cidr *addr)
{
	r->ips = xgrow(r->ips, r->n_ips, sizeof *r->ips);
	r->ips[r->n_ips] = (struct cni_address) {.addr = *addr, .interface = -1};
	return &r->ips[r->n_ips++];
}

struct cni_route *cni_result_add_route(struct cni_result *r, const struct cidr *dst)
{
	r->routes = xgrow(r->routes, r->n_routes, sizeof *r->routes);
	r->routes[r->n_routes] =
		(struct cni_route) {.dst = *dst, .priority = -1, .table = -1, .scope = -1};
	return &r->routes[r->n_routes++];
}

bool cni_result_has_default(const struct cni_result *r, int family)
{
	for (size_t i = 0; i < r->n_routes; i++)
		if (r->routes[i].dst.prefix == 0 && r->routes[i].dst.ip.family == family)
			return true;
	return false;
}

struct ip cni_result_gateway(const struct cni_result *r, int family)
{
	for (size_t i = 0; i < r->n_ips; i++)
		if (r->ips[i].gw.family == family)
			return r->ips[i].gw;
	return (struct ip) {0};
}

const struct cni_interface *cni_result_find(const struct cni_result *r, const char *name,
					    bool sandboxed)
{
	for (size_t i = 0; i < r->n_interfaces; i++) {
		const struct cni_interface *f = &r->interfaces[i];

		if (str_eq(f->name, name) && (f->sandbox && *f->sandbox) == sandboxed)
			return f;
	}
	return NULL;
}
