/*
 * The layout of netlink: messages and their attributes (netlink(7), linux/netlink.h), as inline functions.
 *
 * What is written here is what libmnl has, and not libmnl because Debian has that as a shared library only:
 * a plugin's start is most of its price, and a static program starts in a seventh of the time.  Writers trust the
 * caller for room (NL_REQUEST_MAX); readers trust nothing but that the message lies in the buffer.
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* --- messages --- */

static inline void *nl_msg_payload(const struct nlmsghdr *h)
{
	return (char *) (uintptr_t) h + NLMSG_HDRLEN;
}

static inline size_t nl_msg_payload_len(const struct nlmsghdr *h)
{
	return h->nlmsg_len - NLMSG_HDRLEN;
}

/* Where the next attribute goes. */
static inline void *nl_msg_tail(const struct nlmsghdr *h)
{
	return (char *) (uintptr_t) h + NLMSG_ALIGN(h->nlmsg_len);
}

/* Whether a whole message stands at h, of which `left` bytes are there. */
static inline bool nl_msg_ok(const struct nlmsghdr *h, size_t left)
{
	return left >= sizeof *h && h->nlmsg_len >= sizeof *h && h->nlmsg_len <= left;
}

static inline struct nlmsghdr *nl_msg_next(const struct nlmsghdr *h, size_t *left)
{
	size_t n = NLMSG_ALIGN(h->nlmsg_len);

	*left -= n < *left ? n : *left;
	return (struct nlmsghdr *) (void *) ((char *) (uintptr_t) h + n);
}

static inline struct nlmsghdr *nl_msg_begin(void *buf)
{
	struct nlmsghdr *h = buf;

	memset(h, 0, NLMSG_HDRLEN);
	h->nlmsg_len = NLMSG_HDRLEN;
	return h;
}

/* The header of the payload, or of one inside an attribute (VETH_INFO_PEER), zeroed. */
static inline void *nl_msg_extend(struct nlmsghdr *h, size_t size)
{
	void *at = nl_msg_tail(h);

	memset(at, 0, NLMSG_ALIGN(size));
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLMSG_ALIGN((uint32_t) size);
	return at;
}

/* --- reading attributes --- */

static inline uint16_t nl_attr_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static inline void *nl_attr_payload(const struct nlattr *a)
{
	return (char *) (uintptr_t) a + NLA_HDRLEN;
}

static inline size_t nl_attr_len(const struct nlattr *a)
{
	return (size_t) a->nla_len - NLA_HDRLEN;
}

/* Whether a whole attribute stands before `end`. */
static inline bool nl_attr_ok(const struct nlattr *a, const void *end)
{
	ptrdiff_t left = (const char *) end - (const char *) a;

	return left >= (ptrdiff_t) sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= left;
}

static inline struct nlattr *nl_attr_next(const struct nlattr *a)
{
	return (struct nlattr *) (void *) ((char *) (uintptr_t) a + NLA_ALIGN(a->nla_len));
}

#define nl_attr_for_each(a, h, header) \
	for ((a) = (const struct nlattr *) (const void *) ((char *) nl_msg_payload(h) + \
							   NLMSG_ALIGN(header)); \
	     nl_attr_ok((a), nl_msg_tail(h)); (a) = nl_attr_next(a))

#define nl_attr_for_each_nested(a, nest) \
	for ((a) = nl_attr_payload(nest); \
	     nl_attr_ok((a), (char *) nl_attr_payload(nest) + nl_attr_len(nest)); \
	     (a) = nl_attr_next(a))

/* The caller has looked at the length. */
static inline uint8_t nl_attr_u8(const struct nlattr *a)
{
	return *(uint8_t *) nl_attr_payload(a);
}

static inline uint16_t nl_attr_u16(const struct nlattr *a)
{
	uint16_t v;

	memcpy(&v, nl_attr_payload(a), sizeof v);
	return v;
}

static inline uint32_t nl_attr_u32(const struct nlattr *a)
{
	uint32_t v;

	memcpy(&v, nl_attr_payload(a), sizeof v);
	return v;
}

/* Attributes lie on multiples of four bytes only. */
static inline uint64_t nl_attr_u64(const struct nlattr *a)
{
	uint64_t v;

	memcpy(&v, nl_attr_payload(a), sizeof v);
	return v;
}

/* NULL: not a string that ends within the attribute. */
static inline const char *nl_attr_str(const struct nlattr *a)
{
	const char *s = nl_attr_payload(a);

	return nl_attr_len(a) && !s[nl_attr_len(a) - 1] ? s : NULL;
}

/* --- writing attributes --- */

static inline void nl_attr_put(struct nlmsghdr *h, uint16_t type, size_t len, const void *data)
{
	struct nlattr *a = nl_msg_tail(h);
	size_t padded = NLA_ALIGN(len);

	a->nla_type = type;
	a->nla_len = (uint16_t) (NLA_HDRLEN + len);
	if (len)
		memcpy(nl_attr_payload(a), data, len);
	memset((char *) nl_attr_payload(a) + len, 0, padded - len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + (uint32_t) (NLA_HDRLEN + padded);
}

static inline void nl_attr_put_u8(struct nlmsghdr *h, uint16_t type, uint8_t v)
{
	nl_attr_put(h, type, sizeof v, &v);
}

static inline void nl_attr_put_u16(struct nlmsghdr *h, uint16_t type, uint16_t v)
{
	nl_attr_put(h, type, sizeof v, &v);
}

static inline void nl_attr_put_u32(struct nlmsghdr *h, uint16_t type, uint32_t v)
{
	nl_attr_put(h, type, sizeof v, &v);
}

static inline void nl_attr_put_u64(struct nlmsghdr *h, uint16_t type, uint64_t v)
{
	nl_attr_put(h, type, sizeof v, &v);
}

static inline void nl_attr_put_strz(struct nlmsghdr *h, uint16_t type, const char *s)
{
	nl_attr_put(h, type, strlen(s) + 1, s);
}

static inline struct nlattr *nl_attr_nest_begin(struct nlmsghdr *h, uint16_t type)
{
	struct nlattr *a = nl_msg_tail(h);

	a->nla_type = NLA_F_NESTED | type;
	a->nla_len = NLA_HDRLEN;
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_HDRLEN;
	return a;
}

static inline void nl_attr_nest_end(struct nlmsghdr *h, struct nlattr *a)
{
	a->nla_len = (uint16_t) ((char *) nl_msg_tail(h) - (char *) a);
}
