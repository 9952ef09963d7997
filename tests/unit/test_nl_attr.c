/* Netlink's layout: as the kernel's headers have it, and no step over the end of what arrived. */
#include "tests/unit/unit.h"

#include <linux/rtnetlink.h>

#include "sys/nl_attr.h"

static void written(void **state)
{
	uint32_t buf[64];
	struct nlmsghdr *h = nl_msg_begin(memset(buf, 0xff, sizeof buf));
	struct ifinfomsg *m = nl_msg_extend(h, sizeof *m);
	struct nlattr *nest;

	(void) state;
	assert_int_equal(m->ifi_index, 0);
	nl_attr_put_strz(h, IFLA_IFNAME, "lo");
	nest = nl_attr_nest_begin(h, IFLA_LINKINFO);
	nl_attr_put_u8(h, 1, 0x12);
	nl_attr_put_u16(h, 2, 0x1234);
	nl_attr_put_u64(h, 3, 0x123456789abcdef0ull);
	nl_attr_nest_end(h, nest);
	nl_attr_put(h, 4, 0, NULL);
	nl_attr_put_u32(h, IFLA_MTU, 1500);
	/* 16 + 16 + 8 (4 + 3 and padding) + 4 + 8 + 8 + 12 + 4 + 8 */
	assert_int_equal(h->nlmsg_len, 84);
	assert_int_equal(nest->nla_type, IFLA_LINKINFO | NLA_F_NESTED);
	assert_int_equal(nest->nla_len, 32);
	/* Padding is written. */
	assert_int_equal(((char *) buf)[39], 0);
	assert_int_equal(((char *) buf)[84], (char) 0xff);
}

static void read_back(void **state)
{
	uint32_t buf[64];
	struct nlmsghdr *h = nl_msg_begin(buf);
	const struct nlattr *a, *b;
	struct nlattr *nest;
	int n = 0, inner = 0;

	(void) state;
	(void) nl_msg_extend(h, sizeof(struct ifinfomsg));
	nl_attr_put_strz(h, IFLA_IFNAME, "lo");
	nest = nl_attr_nest_begin(h, IFLA_LINKINFO);
	nl_attr_put_u8(h, 1, 0x12);
	nl_attr_put_u64(h, 2, 0x123456789abcdef0ull);
	nl_attr_nest_end(h, nest);
	nl_attr_put(h, IFLA_QDISC, 2, "lo");
	nl_attr_for_each(a, h, sizeof(struct ifinfomsg)) {
		n++;
		if (nl_attr_type(a) == IFLA_IFNAME)
			assert_string_equal(nl_attr_str(a), "lo");
		if (nl_attr_type(a) == IFLA_QDISC)
			assert_null(nl_attr_str(a));
		if (nl_attr_type(a) != IFLA_LINKINFO)
			continue;
		nl_attr_for_each_nested(b, a) {
			inner++;
			if (nl_attr_type(b) == 1)
				assert_int_equal(nl_attr_u8(b), 0x12);
			else
				assert_true(nl_attr_u64(b) == 0x123456789abcdef0ull);
		}
	}
	assert_int_equal(n, 3);
	assert_int_equal(inner, 2);
}

/* Lengths that lie: too short for a header, longer than what is there, payload shorter than its header. */
static void hostile(void **state)
{
	static const uint16_t lengths[] = {0, 1, 3, 9, 100, 0xffff};
	struct nlmsghdr *h = xcalloc(1, NLMSG_HDRLEN + 8), *next;
	const struct nlattr *a;
	size_t left = NLMSG_HDRLEN + 8;
	int n = 0;

	(void) state;
	h->nlmsg_len = NLMSG_HDRLEN + 8;
	for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
		((struct nlattr *) nl_msg_payload(h))->nla_len = lengths[i];
		nl_attr_for_each(a, h, 0)
			n++;
	}
	nl_attr_for_each(a, h, 64)
		n++;
	assert_int_equal(n, 0);
	assert_true(nl_msg_ok(h, left));
	assert_false(nl_msg_ok(h, left - 1));
	assert_false(nl_msg_ok(h, 3));
	next = nl_msg_next(h, &left);
	assert_ptr_equal(next, (char *) h + NLMSG_HDRLEN + 8);
	assert_int_equal(left, 0);
	assert_false(nl_msg_ok(next, left));
	/* The last one of a datagram may lack its padding. */
	h->nlmsg_len = NLMSG_HDRLEN + 5;
	left = NLMSG_HDRLEN + 5;
	(void) nl_msg_next(h, &left);
	assert_int_equal(left, 0);
	h->nlmsg_len = NLMSG_HDRLEN - 1;
	assert_false(nl_msg_ok(h, 1000));
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
		cmocka_unit_test(read_back),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
