#include "tests/unit/unit.h"

#include "sys/ip.h"

static struct ip ip(const char *s)
{
	struct ip r;

	if (ip_parse(s, &r) < 0)
		fail_msg("%s", s);
	return r;
}

static struct cidr cidr(const char *s)
{
	struct cidr r;

	if (cidr_parse(s, &r) < 0)
		fail_msg("%s", s);
	return r;
}

static void assert_ip(struct ip a, const char *text)
{
	char buf[IP_TEXT_MAX];

	assert_string_equal(ip_text(&a, buf), text);
}

static void test_parse(void **state _unused_)
{
	static const char *const bad[] = {
		"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "::g", "1.2.3.4/8",
		"fe80::1%eth0", "1:2:3:4:5:6:7:8:9",
	};
	static const char *const bad_cidr[] = {
		"", "/", "1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/ 8", "1.2.3.4/8/9", "::1/129",
		"::ffff:1.2.3.4/104", "1.2.3.4/0x8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/8",
	};
	struct ip r = {0};
	struct cidr c = {.prefix = 7};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		if (ip_parse(bad[i], &r) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_false(ip_is_set(&r));
	for (size_t i = 0; i < ELEMENTSOF(bad_cidr); i++)
		if (cidr_parse(bad_cidr[i], &c) != -EINVAL)
			fail_msg("%s", bad_cidr[i]);
	assert_int_equal(c.prefix, 7);
	assert_ip(ip("10.0.0.1"), "10.0.0.1");
	assert_ip(ip("FD00:0:0::00A"), "fd00::a");
	assert_ip(ip("::ffff:10.0.0.1"), "10.0.0.1");
	assert_ip((struct ip) {0}, "(none)");
}

static void test_steps(void **state _unused_)
{
	struct ip a = ip("10.0.255.255"), top = ip("255.255.255.255"), zero = ip("::");

	assert_true(ip_next(&a));
	assert_ip(a, "10.1.0.0");
	assert_true(ip_prev(&a));
	assert_ip(a, "10.0.255.255");
	assert_false(ip_next(&top));
	assert_ip(top, "255.255.255.255");
	assert_false(ip_prev(&zero));
	assert_ip(zero, "::");
	assert_true(ip_next(&zero));
	assert_ip(zero, "::1");
}

static void test_order(void **state _unused_)
{
	struct ip a = ip("10.0.0.9"), b = ip("10.0.0.10"), v6 = ip("::1");

	assert_true(ip_cmp(&a, &b) < 0);
	assert_true(ip_cmp(&b, &a) > 0);
	assert_true(ip_eq(&a, &a));
	assert_true(ip_cmp(&a, &v6) < 0);
}

static void test_networks(void **state _unused_)
{
	struct cidr odd = cidr("10.1.2.77/27"), v6 = cidr("fd00:1:2:3::5/63"), all = cidr("0.0.0.0/0");
	struct cidr net = cidr_network(&odd);
	char text[CIDR_TEXT_MAX];
	struct ip in = ip("10.1.2.95"), out = ip("10.1.2.96"), other = ip("::1");

	assert_string_equal(cidr_text(&net, text), "10.1.2.64/27");
	assert_ip(cidr_last(&odd), "10.1.2.95");
	assert_ip(cidr_first(&v6), "fd00:1:2:2::");
	assert_ip(cidr_last(&v6), "fd00:1:2:3:ffff:ffff:ffff:ffff");
	assert_ip(cidr_last(&all), "255.255.255.255");
	assert_true(cidr_contains(&odd, &in));
	assert_false(cidr_contains(&odd, &out));
	assert_false(cidr_contains(&all, &other));
	net = cidr_host(&in);
	assert_string_equal(cidr_text(&net, text), "10.1.2.95/32");
}

static void test_overlaps(void **state _unused_)
{
	struct cidr a = cidr("10.0.0.0/8"), b = cidr("10.200.0.0/16"), c = cidr("11.0.0.0/8"), d = cidr("::/0");

	assert_true(cidr_overlaps(&a, &b));
	assert_true(cidr_overlaps(&b, &a));
	assert_false(cidr_overlaps(&a, &c));
	assert_false(cidr_overlaps(&a, &d));
	assert_false(cidr_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	 cmocka_unit_test(test_steps),	  cmocka_unit_test(test_order),
		cmocka_unit_test(test_networks), cmocka_unit_test(test_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
