#include "cni-plugins/dhcp/message.h"

#include <errno.h>
#include <string.h>

/* RFC 2131, figure 1. */
#define OFF_OP 0
#define OFF_HTYPE 1
#define OFF_HLEN 2
#define OFF_XID 4
#define OFF_SECS 8
#define OFF_FLAGS 10
#define OFF_CIADDR 12
#define OFF_YIADDR 16
#define OFF_CHADDR 28
#define OFF_SNAME 44
#define OFF_FILE 108
#define OFF_COOKIE 236
#define OFF_OPTIONS 240

#define OP_REQUEST 1
#define OP_REPLY 2
#define HTYPE_ETHERNET 1
#define FLAG_BROADCAST 0x8000
/* Some relays drop what is shorter than BOOTP was (RFC 1542, section 2.1). */
#define MESSAGE_MIN 300

#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

static const uint8_t cookie[] = {99, 130, 83, 99};

/* A part of the message that holds options. */
struct area {
	const uint8_t *p;
	size_t len;
};

/* The next option; 0 at the end, -EBADMSG when it reaches over the end of its area. */
static int next_option(struct area *a, uint8_t *code, const uint8_t **data, uint8_t *len)
{
	while (a->len && *a->p == DHCP_OPT_PAD) {
		a->p++;
		a->len--;
	}
	/* An area that just ends, without the option that says so, is read as if it did. */
	if (!a->len || *a->p == DHCP_OPT_END)
		return 0;
	if (a->len < 2 || a->len - 2 < a->p[1])
		return -EBADMSG;
	*code = a->p[0];
	*len = a->p[1];
	*data = a->p + 2;
	a->p += 2 + *len;
	a->len -= 2u + *len;
	return 1;
}

static int count_area(struct area a, struct dhcp_message *m)
{
	const uint8_t *data;
	uint8_t code, len;
	int r;

	while ((r = next_option(&a, &code, &data, &len)) > 0) {
		m->present[code] = true;
		m->length[code] = (uint16_t) (m->length[code] + len);
	}
	return r;
}

static void copy_area(struct area a, struct dhcp_message *m, uint16_t *filled)
{
	const uint8_t *data;
	uint8_t code, len;

	while (next_option(&a, &code, &data, &len) > 0) {
		memcpy(m->data + m->offset[code] + filled[code], data, len);
		filled[code] = (uint16_t) (filled[code] + len);
	}
}

/* Which of the two old fields hold options as well: it stands in the options proper, once. */
static int find_overload(struct area a, uint8_t *ret)
{
	bool seen = false;
	const uint8_t *data;
	uint8_t code, len;
	int r;

	*ret = 0;
	while ((r = next_option(&a, &code, &data, &len)) > 0) {
		if (code != DHCP_OPT_OVERLOAD)
			continue;
		if (seen || len != 1 || *data < 1 || *data > 3)
			return -EBADMSG;
		*ret = *data;
		seen = true;
	}
	return r;
}

/* RFC 3396, section 5: first the options, then file, then sname; parts are joined in that order. */
static int parse_options(const uint8_t *p, size_t len, struct dhcp_message *m)
{
	struct area areas[3] = {{p + OFF_OPTIONS, len - OFF_OPTIONS}};
	uint16_t filled[256] = {0}, at = 0;
	size_t n = 1;
	uint8_t overload;
	int r = find_overload(areas[0], &overload);

	if (r < 0)
		return r;
	if (overload & OVERLOAD_FILE)
		areas[n++] = (struct area) {p + OFF_FILE, OFF_COOKIE - OFF_FILE};
	if (overload & OVERLOAD_SNAME)
		areas[n++] = (struct area) {p + OFF_SNAME, OFF_FILE - OFF_SNAME};
	for (size_t i = 0; i < n; i++) {
		r = count_area(areas[i], m);
		if (r < 0)
			return r;
	}
	/* The areas do not overlap, so that together they fit. */
	for (size_t i = 0; i < 256; i++) {
		m->offset[i] = at;
		at = (uint16_t) (at + m->length[i]);
	}
	for (size_t i = 0; i < n; i++)
		copy_area(areas[i], m, filled);
	return 0;
}

int dhcp_parse(const void *data, size_t len, struct dhcp_message *ret)
{
	const uint8_t *p = data, *type;
	size_t n;
	int r;

	*ret = (struct dhcp_message) {0};
	if (len < OFF_OPTIONS || len > DHCP_MESSAGE_MAX || p[OFF_OP] != OP_REPLY ||
	    p[OFF_HTYPE] != HTYPE_ETHERNET || p[OFF_HLEN] != DHCP_MAC_LEN ||
	    memcmp(p + OFF_COOKIE, cookie, sizeof cookie) != 0)
		return -EBADMSG;
	memcpy(&ret->xid, p + OFF_XID, sizeof ret->xid);
	memcpy(&ret->yiaddr, p + OFF_YIADDR, sizeof ret->yiaddr);
	memcpy(ret->mac, p + OFF_CHADDR, DHCP_MAC_LEN);
	r = parse_options(p, len, ret);
	if (r < 0)
		return r;
	type = dhcp_get(ret, DHCP_OPT_TYPE, &n);
	if (!type || n != 1 || (*type != DHCP_OFFER && *type != DHCP_ACK && *type != DHCP_NAK))
		return -EBADMSG;
	ret->type = (enum dhcp_type) *type;
	return 0;
}

const uint8_t *dhcp_get(const struct dhcp_message *m, uint8_t code, size_t *len)
{
	*len = m->length[code];
	return m->present[code] ? m->data + m->offset[code] : NULL;
}

bool dhcp_get_u32(const struct dhcp_message *m, uint8_t code, uint32_t *ret)
{
	size_t len;
	const uint8_t *p = dhcp_get(m, code, &len);

	if (!p || len != 4)
		return false;
	*ret = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
	return true;
}

bool dhcp_get_addr(const struct dhcp_message *m, uint8_t code, struct in_addr *ret)
{
	uint32_t v;

	if (!dhcp_get_u32(m, code, &v))
		return false;
	ret->s_addr = htonl(v);
	return true;
}

/* --- questions --- */

void dhcp_begin(struct dhcp_build *b, const struct dhcp_head *h)
{
	uint16_t secs = htons(h->secs), flags = htons(h->broadcast ? FLAG_BROADCAST : 0);
	uint8_t type = (uint8_t) h->type;

	*b = (struct dhcp_build) {.len = OFF_OPTIONS};
	b->data[OFF_OP] = OP_REQUEST;
	b->data[OFF_HTYPE] = HTYPE_ETHERNET;
	b->data[OFF_HLEN] = DHCP_MAC_LEN;
	memcpy(b->data + OFF_XID, &h->xid, sizeof h->xid);
	memcpy(b->data + OFF_SECS, &secs, sizeof secs);
	memcpy(b->data + OFF_FLAGS, &flags, sizeof flags);
	memcpy(b->data + OFF_CIADDR, &h->ciaddr, sizeof h->ciaddr);
	memcpy(b->data + OFF_CHADDR, h->mac, DHCP_MAC_LEN);
	memcpy(b->data + OFF_COOKIE, cookie, sizeof cookie);
	dhcp_put(b, DHCP_OPT_TYPE, &type, 1);
}

void dhcp_put(struct dhcp_build *b, uint8_t code, const void *data, size_t len)
{
	const uint8_t *p = data;

	do {
		size_t n = len < 255 ? len : 255;

		/* One byte stays for the end. */
		if (b->len + 2 + n + 1 > sizeof b->data) {
			b->full = true;
			return;
		}
		b->data[b->len++] = code;
		b->data[b->len++] = (uint8_t) n;
		if (n)
			memcpy(b->data + b->len, p, n);
		b->len += n;
		p += n;
		len -= n;
	} while (len);
}

void dhcp_put_addr(struct dhcp_build *b, uint8_t code, struct in_addr addr)
{
	dhcp_put(b, code, &addr, sizeof addr);
}

int dhcp_end(struct dhcp_build *b)
{
	b->data[b->len++] = DHCP_OPT_END;
	if (b->len < MESSAGE_MIN)
		b->len = MESSAGE_MIN;
	return b->full ? -E2BIG : 0;
}
