#include "tests/unit/unit.h"

#include "cni-plugins/host-local/range.h"

static struct ip ip(const char *s)
{
	struct ip r = {0};

	if (s && ip_parse(s, &r) < 0)
		fail_msg("%s", s);
	return r;
}

static struct range incomplete(const char *subnet, const char *start, const char *end, const char *gw)
{
	struct range r = {.start = ip(start), .end = ip(end), .gw = ip(gw)};

	if (subnet && cidr_parse(subnet, &r.subnet) < 0)
		fail_msg("%s", subnet);
	return r;
}

static struct range range(const char *subnet, const char *start, const char *end, const char *gw)
{
	struct range r = incomplete(subnet, start, end, gw);
	_cleanup_err_ struct err e = ERR_INIT;

	if (range_complete(&r, &e) < 0)
		fail_msg("%s", err_text(&e));
	return r;
}

static void assert_ip(const struct ip *a, const char *text)
{
	char buf[IP_TEXT_MAX];

	assert_string_equal(ip_text(a, buf), text);
}

static void test_defaults(void **state _unused_)
{
	struct range a = range("10.1.2.0/24", NULL, NULL, NULL), b = range("fd00::/64", NULL, NULL, NULL);
	struct range c = range("10.1.2.0/30", NULL, NULL, "10.1.2.2");

	assert_ip(&a.start, "10.1.2.1");
	assert_ip(&a.end, "10.1.2.254");
	assert_ip(&a.gw, "10.1.2.1");
	assert_ip(&b.start, "fd00::1");
	assert_ip(&b.end, "fd00::ffff:ffff:ffff:ffff");
	assert_ip(&b.gw, "fd00::1");
	assert_ip(&c.gw, "10.1.2.2");
	assert_ip(&c.end, "10.1.2.2");
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *subnet, *start, *end, *gw, *error;
	} rows[] = {
		{NULL, NULL, NULL, NULL, "subnet is missing"},
		{"10.1.2.0/31", NULL, NULL, NULL, "network 10.1.2.0/31 is too small to allocate from"},
		{"fd00::/127", NULL, NULL, NULL, "network fd00::/127 is too small to allocate from"},
		{"10.1.2.3/24", NULL, NULL, NULL,
		 "network 10.1.2.3/24 has host bits set; the network is 10.1.2.0/24"},
		{"10.1.2.0/24", "10.1.3.1", NULL, NULL, "rangeStart 10.1.3.1 is not in network 10.1.2.0/24"},
		{"10.1.2.0/24", NULL, "10.1.3.1", NULL, "rangeEnd 10.1.3.1 is not in network 10.1.2.0/24"},
		{"10.1.2.0/24", "fd00::1", NULL, NULL, "rangeStart fd00::1 is not in network 10.1.2.0/24"},
		{"10.1.2.0/24", "10.1.2.9", "10.1.2.8", NULL,
		 "range 10.1.2.9-10.1.2.8 ends before it starts"},
		{"10.1.2.0/24", NULL, NULL, "fd00::1", "gateway and subnet are of different families"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct range r = incomplete(rows[i].subnet, rows[i].start, rows[i].end, rows[i].gw);
		_cleanup_err_ struct err e = ERR_INIT;

		assert_int_equal(range_complete(&r, &e), -EINVAL);
		assert_err(&e, rows[i].error);
	}
}

static void test_sets(void **state _unused_)
{
	struct range a[] = {
		range("10.1.0.0/24", "10.1.0.10", "10.1.0.20", NULL), range("10.1.1.0/24", NULL, NULL, NULL),
	};
	struct range b[] = {range("10.1.0.0/16", "10.1.0.21", "10.1.0.30", NULL)};
	struct range c[] = {range("10.1.0.0/16", "10.1.0.20", "10.1.0.30", NULL)};
	struct range mixed[] = {a[0], range("fd00::/64", NULL, NULL, NULL)}, twice[] = {a[0], c[0]};
	struct range_set sa = {a, 2}, sb = {b, 1}, sc = {c, 1}, sm = {mixed, 2}, st = {twice, 2}, none = {NULL, 0};
	struct ip in = ip("10.1.1.7"), out = ip("10.1.0.9");
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(range_set_check(&sa, &e), 0);
	assert_int_equal(range_set_check(&none, &e), -EINVAL);
	assert_err(&e, "empty range set");
	assert_int_equal(range_set_check(&sm, &e), -EINVAL);
	assert_err(&e, "mixed address families");
	assert_int_equal(range_set_check(&st, &e), -EINVAL);
	assert_err(&e, "subnets overlap: 10.1.0.10-10.1.0.20 and 10.1.0.20-10.1.0.30");
	assert_false(range_set_overlaps(&sa, &sb));
	assert_true(range_set_overlaps(&sa, &sc));
	assert_ptr_equal(range_set_find(&sa, &in), &a[1]);
	assert_null(range_set_find(&sa, &out));
}

/* All addresses of a walk, in one string. */
static char *walk(const struct range_set *s, const char *last)
{
	struct strbuf sb = STRBUF_INIT;
	struct ip from = ip(last), next;
	const struct range *r;
	struct range_walk w;
	char text[IP_TEXT_MAX];

	range_walk_init(&w, s, &from);
	while (range_walk_next(&w, &next, &r)) {
		assert_ptr_equal(range_set_find(s, &next), r);
		strbuf_addf(&sb, "%s%s", sb.len ? " " : "", ip_text(&next, text));
	}
	return strbuf_take(&sb);
}

static void assert_walk(const struct range_set *s, const char *last, const char *want)
{
	_cleanup_free_ char *have = walk(s, last);

	assert_string_equal(have, want);
}

static void test_walk(void **state _unused_)
{
	struct range one[] = {range("10.0.0.0/29", NULL, NULL, NULL)};
	struct range two[] = {
		range("10.0.0.0/29", "10.0.0.3", "10.0.0.4", NULL), range("10.0.1.0/29", "10.0.1.1", "10.0.1.3", NULL),
	};
	struct range single[] = {range("10.0.0.0/29", "10.0.0.5", "10.0.0.5", NULL)};
	struct range only_gw[] = {range("10.0.0.0/29", "10.0.0.1", "10.0.0.1", NULL)};
	struct range_set s1 = {one, 1}, s2 = {two, 2}, s3 = {single, 1}, s4 = {only_gw, 1};

	assert_walk(&s1, NULL, "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6");
	/* Behind the last one, and round to it. */
	assert_walk(&s1, "10.0.0.4", "10.0.0.5 10.0.0.6 10.0.0.2 10.0.0.3 10.0.0.4");
	assert_walk(&s1, "10.0.0.6", "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6");
	/* Of a configuration that has changed. */
	assert_walk(&s1, "192.168.0.1", "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6");
	assert_walk(&s2, NULL, "10.0.0.3 10.0.0.4 10.0.1.2 10.0.1.3");
	assert_walk(&s2, "10.0.0.4", "10.0.1.2 10.0.1.3 10.0.0.3 10.0.0.4");
	assert_walk(&s3, "10.0.0.5", "10.0.0.5");
	assert_walk(&s4, NULL, "");
}

/* The end of the whole address space is no place to step over. */
static void test_walk_top(void **state _unused_)
{
	struct range top[] = {range("255.255.255.248/29", "255.255.255.253", "255.255.255.255", NULL)};
	struct range_set s = {top, 1};

	assert_walk(&s, "255.255.255.255", "255.255.255.253 255.255.255.254 255.255.255.255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_refused), cmocka_unit_test(test_sets),
		cmocka_unit_test(test_walk),	 cmocka_unit_test(test_walk_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
