#include "cni-plugins/dhcp/lease_message.h"

#include <string.h>

#include "base/mem.h"

static bool is_given(const struct dhcp_conf *c, uint8_t code)
{
	for (size_t i = 0; i < c->n_given; i++)
		if (c->given[i].code == code)
			return true;
	return false;
}

/*
 * RFC 2132, section 9.14: type 0, then what the reference plugin says, so that a server keeps the
 * address when either follows the other.
 */
static void put_client_id(const struct lease *l, struct dhcp_build *b)
{
	_cleanup_free_ char *id = xasprintf("%c%s/%s/%s", 'x', l->call.container_id,
					    l->call.rq.name, l->call.ifname);
	size_t n = strlen(id);

	id[0] = '\0';
	dhcp_put(b, DHCP_OPT_CLIENT_ID, id, n);
}

static void put_wishes(const struct lease *l, struct dhcp_build *b)
{
	const struct dhcp_conf *c = &l->call.conf;
	/* The packet with its headers, which is what an Ethernet frame carries. */
	uint16_t size = htons(FRAME_MAX);

	dhcp_put(b, DHCP_OPT_MAX_SIZE, &size, sizeof size);
	if (c->n_wanted)
		dhcp_put(b, DHCP_OPT_PARAMETERS, c->wanted, c->n_wanted);
	for (size_t i = 0; i < c->n_given; i++)
		if (c->given[i].code != DHCP_OPT_CLIENT_ID)
			dhcp_put(b, c->given[i].code, c->given[i].value, strlen(c->given[i].value));
}

static void put_ids(const struct lease *l, struct dhcp_build *b)
{
	const struct dhcp_conf *c = &l->call.conf;

	if (!is_given(c, DHCP_OPT_CLIENT_ID)) {
		put_client_id(l, b);
		return;
	}
	for (size_t i = 0; i < c->n_given; i++)
		if (c->given[i].code == DHCP_OPT_CLIENT_ID)
			dhcp_put(b, DHCP_OPT_CLIENT_ID, c->given[i].value,
				 strlen(c->given[i].value));
}

int lease_message(const struct lease *l, enum dhcp_type type, struct dhcp_build *b)
{
	bool bound = type == DHCP_RELEASE || l->state == LEASE_RENEWING ||
		     l->state == LEASE_REBINDING;
	int64_t s = (lease_now() - l->begun) / 1000;
	struct dhcp_head h = {
		.type = type,
		.xid = l->xid,
		.secs = type == DHCP_RELEASE || !l->begun ? 0 : s < UINT16_MAX ? (uint16_t) s : UINT16_MAX,
		.broadcast = l->opts->broadcast && !bound,
		.mac = l->place.mac,
	};

	if (bound)
		h.ciaddr = l->terms.addr;
	dhcp_begin(b, &h);
	put_ids(l, b);
	if (type == DHCP_RELEASE) {
		dhcp_put_addr(b, DHCP_OPT_SERVER, l->terms.server);
		return dhcp_end(b);
	}
	if (type == DHCP_REQUEST && l->state == LEASE_REBOOTING) {
		/* RFC 2131, section 4.3.2: no server is named. */
		dhcp_put_addr(b, DHCP_OPT_ADDRESS, l->terms.addr);
	} else if (type == DHCP_REQUEST && !bound) {
		dhcp_put_addr(b, DHCP_OPT_ADDRESS, l->offer.addr);
		dhcp_put_addr(b, DHCP_OPT_SERVER, l->offer.server);
	} else if (type == DHCP_DISCOVER && l->granted) {
		dhcp_put_addr(b, DHCP_OPT_ADDRESS, l->terms.addr);
	}
	put_wishes(l, b);
	return dhcp_end(b);
}
