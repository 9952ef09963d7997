/*
 * What a DHCP client hears from the network, and what it makes of it.  The first byte: even, the input
 * is a packet; odd, a DHCP message, so that the search need not find the sums first.
 */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/dhcp/frame.h"
#include "cni-plugins/dhcp/terms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_terms(const struct terms *t)
{
	if (t->t1 > t->t2 || t->t2 > t->lease || !t->t1)
		abort();
}

static void check_result(const struct cni_result *res)
{
	if (res->n_ips != 1 || res->ips[0].addr.prefix < 1 || res->ips[0].addr.prefix > 32)
		abort();
	for (size_t i = 0; i < res->n_routes; i++)
		if (res->routes[i].dst.prefix > 32)
			abort();
	for (const char *p = res->dns.domain; p && *p; p++)
		if (*p <= ' ' || *p > 'z')
			abort();
}

static void decode(const uint8_t *data, size_t size)
{
	for (int i = 0; i < 2; i++) {
		_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
		struct terms_wish wish = {.priority = i ? 7 : -1, .skip_gateway = i};
		_cleanup_err_ struct err e = ERR_INIT;
		struct dhcp_message m;
		struct terms t;

		if (dhcp_parse(data, size, &m) < 0)
			return;
		if (terms_decode(&m, &t, &e) >= 0)
			check_terms(&t);
		if (terms_result(&m, &wish, &res, &e) >= 0)
			check_result(&res);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p;
	size_t n;

	if (!size)
		return 0;
	if (*data & 1)
		decode(data + 1, size - 1);
	else if (frame_parse(data + 1, size - 1, (*data & 2) != 0, &p, &n) >= 0)
		decode(p, n);
	return 0;
}
