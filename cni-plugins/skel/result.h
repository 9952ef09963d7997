/*
 * What an ADD returns: interfaces, addresses, routes, DNS.  One struct for all versions of the
 * specification; decoding and encoding know the differences:
 *
 *	0.1.0, 0.2.0   ip4 and ip6 objects, one address a family, no interfaces
 *	0.3.0 - 0.4.0  ips[].version "4" / "6"
 *	1.0.0          without it
 *	1.1.0          interfaces[].mtu, socketPath, pciID;
 *	               routes[].mtu, advmss, priority, table, scope
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "cni-plugins/skel/version.h"
#include "sys/ip.h"

/* A row of a json_field table: CNI_FIELD(struct foo, "key", STRING, member). */
#define CNI_FIELD(struct_, key_, type_, member_) \
	.key = (key_), .type = JSON_F_##type_, .offset = offsetof(struct_, member_)

struct cni_interface {
	char *name, *mac, *sandbox; /* owned; NULL: absent */
	int64_t mtu;		    /* 0: absent */
	char *socket_path, *pci_id;
};

struct cni_address {
	struct cidr addr;
	struct ip gw;
	int64_t interface; /* index into interfaces; -1: absent */
};

struct cni_route {
	struct cidr dst;
	struct ip gw;
	int64_t mtu, advmss;		/* 0: absent */
	int64_t priority, table, scope; /* -1: absent */
};

struct cni_dns {
	char **nameservers, **search, **options; /* strv, owned */
	char *domain;
};

struct cni_result {
	struct cni_interface *interfaces;
	size_t n_interfaces;
	struct cni_address *ips;
	size_t n_ips;
	struct cni_route *routes;
	size_t n_routes;
	struct cni_dns dns;
};
#define CNI_RESULT_INIT {0}

void cni_result_done(struct cni_result *r);
#define _cleanup_cni_result_ __attribute__((cleanup(cni_result_done)))

/*
 * The result's own cniVersion counts, `fallback` where it has none.  CNI_DECODE with a path on
 * anything that is not of that version's form. Members we do not know are passed over.
 */
int cni_result_decode(const cJSON *j, const struct json_at *at, enum cni_version fallback,
		      struct cni_result *ret, struct err *e);
int cni_dns_decode(const cJSON *j, const struct json_at *at, void *dns, struct err *e);
/* An element of a list of routes, appended to the struct cni_result that `result` is. */
int cni_route_decode(const cJSON *j, const struct json_at *at, void *result, struct err *e);
bool cni_dns_is_empty(const struct cni_dns *dns);
void cni_dns_done(struct cni_dns *dns);
/*
 * `over` replaces *dns, unless it says nothing: the network's configuration goes before IPAM's
 * answer.
 */
void cni_dns_merge(struct cni_dns *dns, const struct cni_dns *over);
/* As a document of that version; what the version cannot say is left out. */
cJSON *cni_result_encode(const struct cni_result *r, enum cni_version v);

struct cni_interface *cni_result_add_interface(struct cni_result *r, const char *name,
					       const char *mac, const char *sandbox);
struct cni_address *cni_result_add_ip(struct cni_result *r, const struct cidr *addr);
struct cni_route *cni_result_add_route(struct cni_result *r, const struct cidr *dst);
/* 0.0.0.0/0 or ::/0 is among the routes. */
bool cni_result_has_default(const struct cni_result *r, int family);
/* The first gateway of the family among the addresses, or an unset one. */
struct ip cni_result_gateway(const struct cni_result *r, int family);
/*
 * The interface with that name and a sandbox (or, sandboxed = false, without one); NULL when
 * there is none.
 */
const struct cni_interface *cni_result_find(const struct cni_result *r, const char *name,
					    bool sandboxed);
