#include "tests/unit/unit.h"

#include <arpa/inet.h>

#include "cni-plugins/dhcp/frame.h"
#include "cni-plugins/dhcp/terms.h"

static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};

/* A server's answer, built as our own questions are. */
struct reply {
	uint8_t p[DHCP_MESSAGE_MAX];
	size_t len;
};

static void put(struct reply *r, uint8_t code, size_t n, const void *data)
{
	assert_true(r->len + 2 + n <= sizeof r->p);
	r->p[r->len++] = code;
	r->p[r->len++] = (uint8_t) n;
	memcpy(r->p + r->len, data, n);
	r->len += n;
}

static struct reply begin(uint8_t type)
{
	struct dhcp_head h = {.type = (enum dhcp_type) type, .xid = 7, .mac = mac};
	struct dhcp_build b;
	struct reply r = {.len = 243};

	dhcp_begin(&b, &h);
	memcpy(r.p, b.data, r.len);
	r.p[0] = 2;
	memcpy(r.p + 16, "\x0a\x07\x00\x09", 4);
	return r;
}

static struct reply granted(void)
{
	struct reply r = begin(DHCP_ACK);

	put(&r, DHCP_OPT_SERVER, 4, "\x0a\x07\x00\x01");
	put(&r, DHCP_OPT_LEASE_TIME, 4, "\x00\x00\x00\x78");
	put(&r, DHCP_OPT_MASK, 4, "\xff\xff\xff\x00");
	return r;
}

static int parse(const struct reply *r, struct dhcp_message *m)
{
	/* On the heap and of the exact size, so that a sanitizer sees a byte too many. */
	_cleanup_free_ uint8_t *copy = xmemdup(r->p, r->len);

	return dhcp_parse(copy, r->len, m);
}

static void test_parse(void **state _unused_)
{
	struct reply r = granted();
	struct dhcp_message m;
	uint32_t v;

	assert_int_equal(parse(&r, &m), 0);
	assert_int_equal(m.type, DHCP_ACK);
	assert_int_equal(m.xid, 7);
	assert_memory_equal(m.mac, mac, 6);
	assert_true(dhcp_get_u32(&m, DHCP_OPT_LEASE_TIME, &v));
	assert_int_equal(v, 120);
	assert_false(dhcp_get_u32(&m, DHCP_OPT_T1, &v));
}

static void test_every_cut(void **state _unused_)
{
	struct reply whole = granted();
	struct dhcp_message m;

	for (size_t n = 0; n < whole.len; n++) {
		struct reply r = whole;
		int got;

		r.len = n;
		got = parse(&r, &m);
		/* Between two options it may end. */
		if (got != 0)
			assert_int_equal(got, -EBADMSG);
		else
			assert_true(n == 243 || n == 249 || n == 255);
	}
}

static void test_refused(void **state _unused_)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{0, 1}, {1, 6}, {2, 16}, {236, 0}, {239, 98}, {242, 1}, {242, 4}, {241, 2}};
	struct dhcp_message m;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct reply r = granted();

		r.p[rows[i].at] = rows[i].value;
		assert_int_equal(parse(&r, &m), -EBADMSG);
	}
}

static void test_option_beyond_the_end(void **state _unused_)
{
	struct reply r = granted();
	struct dhcp_message m;

	put(&r, DHCP_OPT_DOMAIN, 3, "abc");
	r.p[r.len - 4] = 4;
	assert_int_equal(parse(&r, &m), -EBADMSG);
}

/* RFC 3396: the parts are joined, those of file before those of sname. */
static void test_overload_joins(void **state _unused_)
{
	struct reply r = granted();
	struct dhcp_message m;
	const uint8_t *p;
	size_t n;

	put(&r, DHCP_OPT_DOMAIN, 2, "a.");
	put(&r, DHCP_OPT_OVERLOAD, 1, "\x03");
	put(&r, DHCP_OPT_DOMAIN, 2, "b.");
	memcpy(r.p + 44, "\x0f\x01" "d\xff", 4);
	memcpy(r.p + 108, "\x00\x0f\x02" "c.\xff", 6);
	assert_int_equal(parse(&r, &m), 0);
	p = dhcp_get(&m, DHCP_OPT_DOMAIN, &n);
	assert_int_equal(n, 7);
	assert_memory_equal(p, "a.b.c.d", 7);
}

static void test_overload_refused(void **state _unused_)
{
	struct reply r = granted(), twice = granted(), wrong = granted(), out = granted();
	struct dhcp_message m;

	put(&r, DHCP_OPT_OVERLOAD, 1, "\x01");
	/* An option in the last byte of `file` must not read into the cookie behind it. */
	memset(r.p + 108, 0, 128);
	r.p[235] = DHCP_OPT_DOMAIN;
	assert_int_equal(parse(&r, &m), -EBADMSG);
	put(&twice, DHCP_OPT_OVERLOAD, 1, "\x01");
	put(&twice, DHCP_OPT_OVERLOAD, 1, "\x01");
	assert_int_equal(parse(&twice, &m), -EBADMSG);
	put(&wrong, DHCP_OPT_OVERLOAD, 1, "\x04");
	assert_int_equal(parse(&wrong, &m), -EBADMSG);
	put(&out, DHCP_OPT_OVERLOAD, 2, "\x01\x01");
	assert_int_equal(parse(&out, &m), -EBADMSG);
}

/* A number that comes twice is of no length that a number has. */
static void test_doubled_number(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct reply r = granted();
	struct dhcp_message m;
	struct terms t;

	put(&r, DHCP_OPT_LEASE_TIME, 4, "\x00\x00\x00\x78");
	assert_int_equal(parse(&r, &m), 0);
	assert_true(terms_decode(&m, &t, &e) < 0);
	assert_string_equal(err_text(&e), "DHCP server grants no lease time");
}

static void test_build(void **state _unused_)
{
	struct dhcp_head h = {.type = DHCP_DISCOVER, .xid = 1, .mac = mac, .broadcast = true};
	struct dhcp_build b;
	char text[300];

	dhcp_begin(&b, &h);
	assert_int_equal(dhcp_end(&b), 0);
	assert_int_equal(b.len, 300);
	assert_int_equal(b.data[10], 0x80);
	/* Longer than one option holds: in two parts. */
	memset(text, 'x', sizeof text);
	dhcp_begin(&b, &h);
	dhcp_put(&b, DHCP_OPT_CLIENT_ID, text, sizeof text);
	assert_int_equal(b.data[244], 255);
	assert_int_equal(b.data[244 + 256], DHCP_OPT_CLIENT_ID);
	assert_int_equal(b.data[244 + 257], 45);
	for (int i = 0; i < 5; i++)
		dhcp_put(&b, 200, text, sizeof text);
	assert_int_equal(dhcp_end(&b), -E2BIG);
	assert_true(b.len <= sizeof b.data);
}

static void test_times(void **state _unused_)
{
	static const struct {
		uint32_t lease, t1, t2, want1, want2;
	} rows[] = {
		{120, 0, 0, 60, 105},	  {120, 4, 0, 4, 105},	   {120, 0, 10, 10, 10},
		{120, 50, 200, 50, 105},  {120, 110, 100, 60, 100}, {1, 0, 0, 1, 1},
		{TERMS_FOREVER, 5, 6, TERMS_FOREVER, TERMS_FOREVER},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint32_t lease = htonl(rows[i].lease), t1 = htonl(rows[i].t1), t2 = htonl(rows[i].t2);
		struct reply r = begin(DHCP_ACK);
		struct dhcp_message m;
		struct terms t;

		put(&r, DHCP_OPT_SERVER, 4, "\x0a\x07\x00\x01");
		put(&r, DHCP_OPT_LEASE_TIME, 4, &lease);
		if (t1)
			put(&r, DHCP_OPT_T1, 4, &t1);
		if (t2)
			put(&r, DHCP_OPT_T2, 4, &t2);
		assert_int_equal(parse(&r, &m), 0);
		assert_int_equal(terms_decode(&m, &t, NULL), 0);
		assert_int_equal(t.t1, rows[i].want1);
		assert_int_equal(t.t2, rows[i].want2);
	}
}

static void test_no_address(void **state _unused_)
{
	static const char *const bad[] = {"\0\0\0\0", "\x7f\0\0\1", "\xe0\0\0\1", "\xff\xff\xff\xff"};
	struct dhcp_message m;
	struct terms t;

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		struct reply r = granted();

		memcpy(r.p + 16, bad[i], 4);
		assert_int_equal(parse(&r, &m), 0);
		assert_true(terms_decode(&m, &t, NULL) < 0);
	}
}

static int result(const struct reply *r, struct cni_result *res, struct err *e)
{
	static const struct terms_wish wish = {.priority = -1};
	struct dhcp_message m;

	assert_int_equal(parse(r, &m), 0);
	return terms_result(&m, &wish, res, e);
}

static void test_masks(void **state _unused_)
{
	static const struct {
		const char *mask;
		int prefix;
	} rows[] = {{"\xff\xff\xff\xff", 32}, {"\xff\xff\xff\0", 24}, {"\x80\0\0\0", 1},
		    {"\0\0\0\0", -1},	      {"\xff\0\xff\0", -1},   {"\0\0\0\1", -1}};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
		struct reply r = begin(DHCP_ACK);
		int got;

		put(&r, DHCP_OPT_MASK, 4, rows[i].mask);
		got = result(&r, &res, NULL);
		assert_int_equal(got < 0 ? -1 : (int) res.ips[0].addr.prefix, rows[i].prefix);
	}
}

static void test_classless(void **state _unused_)
{
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	struct reply r = granted();
	char text[CIDR_TEXT_MAX];

	put(&r, DHCP_OPT_ROUTER, 4, "\x0a\x07\x00\x01");
	/* 10.128.0.0/9 by 10.7.0.5 (host bits set), 192.168.1.0/24 on the link, default by .6 */
	put(&r, DHCP_OPT_CLASSLESS_ROUTES, 7, "\x09\x0a\xff\x0a\x07\x00\x05");
	put(&r, DHCP_OPT_CLASSLESS_ROUTES, 13, "\x18\xc0\xa8\x01\0\0\0\0\0\x0a\x07\x00\x06");
	assert_int_equal(result(&r, &res, NULL), 0);
	assert_int_equal(res.n_routes, 3);
	assert_string_equal(cidr_text(&res.routes[0].dst, text), "10.128.0.0/9");
	assert_string_equal(cidr_text(&res.routes[1].dst, text), "192.168.1.0/24");
	assert_false(ip_is_set(&res.routes[1].gw));
	assert_int_equal(res.routes[1].scope, 253);
	assert_string_equal(cidr_text(&res.routes[2].dst, text), "0.0.0.0/0");
	/* With a gateway the second one would be led through it. */
	assert_false(ip_is_set(&res.ips[0].gw));
}

/* Broken in the middle: as if it were not there. */
static void test_classless_broken(void **state _unused_)
{
	static const struct {
		const char *data;
		size_t n;
	} rows[] = {{"\x21\x0a\0\0\0\0\x0a\x07\0\1", 10}, {"\x18\x0a\x07", 3}, {"\x00\x0a\x07\0", 4},
		    {"\x08\x0a\xff\xff\xff\xff", 6}};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
		struct reply r = granted();

		put(&r, DHCP_OPT_ROUTER, 4, "\x0a\x07\x00\x01");
		put(&r, DHCP_OPT_CLASSLESS_ROUTES, rows[i].n, rows[i].data);
		assert_int_equal(result(&r, &res, NULL), 0);
		assert_int_equal(res.n_routes, 1);
		assert_int_equal(res.ips[0].gw.b[3], 1);
	}
}

static void test_names(void **state _unused_)
{
	static const struct {
		const char *data;
		size_t n;
		const char *want;
	} rows[] = {{"example.org", 11, "example.org"}, {"example.org\0\0", 13, "example.org"},
		    {"a\nnameserver 6.6.6.6", 20, NULL}, {"a b", 3, NULL}, {"a\0b", 3, NULL},
		    {"", 0, NULL}, {"-x", 2, NULL}};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
		struct reply r = granted();

		put(&r, DHCP_OPT_DOMAIN, rows[i].n, rows[i].data);
		put(&r, DHCP_OPT_DNS, 9, "\x0a\x07\x00\x01\xe0\0\0\1\x05");
		assert_int_equal(result(&r, &res, NULL), 0);
		assert_true(str_eq(res.dns.domain, rows[i].want));
		assert_int_equal(strv_len(res.dns.nameservers), 1);
	}
}

static void test_frame(void **state _unused_)
{
	struct in_addr from = {htonl(0x0a070009)}, to = {htonl(0x0a070001)};
	const uint8_t *p = NULL;
	struct frame f;
	size_t n = 0;

	/* Odd length; turned round, it is an answer, with the same sums. */
	frame_build(&f, from, to, "abcde", 5);
	assert_int_equal(frame_parse(f.data, f.len, true, &p, &n), -EBADMSG);
	f.data[21] = 67;
	f.data[23] = 68;
	assert_int_equal(frame_parse(f.data, f.len, true, &p, &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(p, "abcde", 5);
	for (size_t cut = 0; cut < f.len; cut++)
		assert_int_equal(frame_parse(f.data, cut, true, &p, &n), -EBADMSG);
	f.data[f.len - 1] ^= 1;
	assert_int_equal(frame_parse(f.data, f.len, true, &p, &n), -EBADMSG);
	assert_int_equal(frame_parse(f.data, f.len, false, &p, &n), 0);
	f.data[0] = 0x4f;
	assert_int_equal(frame_parse(f.data, f.len, false, &p, &n), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_option_beyond_the_end),
		cmocka_unit_test(test_overload_joins),
		cmocka_unit_test(test_overload_refused),
		cmocka_unit_test(test_doubled_number),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_classless),
		cmocka_unit_test(test_classless_broken),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
