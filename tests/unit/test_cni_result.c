#include "tests/unit/unit.h"

#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/result.h"

static const char full[] =
	"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400},"
	"{\"name\":\"eth0\",\"sandbox\":\"/ns\",\"socketPath\":\"/s\",\"pciID\":\"0000:00:1f.6\"}],"
	"\"ips\":[{\"interface\":1,\"address\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\"},"
	"{\"interface\":1,\"address\":\"10.9.0.3/16\"},"
	"{\"interface\":1,\"address\":\"fd00::3/64\",\"gateway\":\"fd00::1\"}],"
	"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\",\"mtu\":1300,\"advmss\":1200,\"priority\":0,"
	"\"table\":100,\"scope\":253},{\"dst\":\"fd01::/32\"}],"
	"\"dns\":{\"nameservers\":[\"10.0.0.53\"],\"domain\":\"d\",\"search\":[\"a\",\"b\"],\"options\":[\"ndots:2\"]}}";

/* The document decoded as `from` (unless it says another version), encoded as `to`. */
static char *convert(const char *text, enum cni_version from, enum cni_version to)
{
	_cleanup_cni_result_ struct cni_result r = CNI_RESULT_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *in = json_parse(text, strlen(text), 1 << 20, &e), *out = NULL;

	if (!in || cni_result_decode(in, JSON_TOP, from, &r, &e) < 0)
		fail_msg("%s", err_text(&e));
	out = cni_result_encode(&r, to);
	return json_print(out, false);
}

static void assert_convert(const char *text, enum cni_version from, enum cni_version to, const char *want)
{
	_cleanup_free_ char *have = convert(text, from, to);

	assert_string_equal(have, want);
}

static void test_round_trip(void **state _unused_)
{
	assert_convert(full, CNI_0_1_0, CNI_1_1_0, full);
}

static void test_1_0_0(void **state _unused_)
{
	assert_convert(full, CNI_1_1_0, CNI_1_0_0,
		       "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"br0\",\"mac\":\"02:00:00:00:00:01\"},"
		       "{\"name\":\"eth0\",\"sandbox\":\"/ns\"}],"
		       "\"ips\":[{\"interface\":1,\"address\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\"},"
		       "{\"interface\":1,\"address\":\"10.9.0.3/16\"},"
		       "{\"interface\":1,\"address\":\"fd00::3/64\",\"gateway\":\"fd00::1\"}],"
		       "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\"},{\"dst\":\"fd01::/32\"}],"
		       "\"dns\":{\"nameservers\":[\"10.0.0.53\"],\"domain\":\"d\",\"search\":[\"a\",\"b\"],"
		       "\"options\":[\"ndots:2\"]}}");
}

static void test_0_4_0(void **state _unused_)
{
	static const char text[] = "{\"ips\":[{\"version\":\"4\",\"interface\":0,\"address\":\"10.1.2.3/24\"},"
				   "{\"version\":\"6\",\"address\":\"fd00::3/64\"}],\"dns\":{}}";

	assert_convert(text, CNI_0_3_1, CNI_0_4_0,
		       "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"interface\":0,"
		       "\"address\":\"10.1.2.3/24\"},{\"version\":\"6\",\"address\":\"fd00::3/64\"}],\"dns\":{}}");
}

static void test_0_2_0(void **state _unused_)
{
	static const char old[] = "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.2.3/24\",\"gateway\":\"10.1.2.1\","
				  "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\"}]},"
				  "\"ip6\":{\"ip\":\"fd00::3/64\",\"gateway\":\"fd00::1\","
				  "\"routes\":[{\"dst\":\"fd01::/32\"}]},\"dns\":{\"domain\":\"d\"}}";

	assert_convert(old, CNI_1_0_0, CNI_0_2_0, old);
	/* One address of a family. */
	assert_convert("{\"ips\":[{\"address\":\"10.1.2.3/24\"},{\"address\":\"10.9.0.3/16\"}]}", CNI_1_0_0, CNI_0_1_0,
		       "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.1.2.3/24\"},\"dns\":{}}");
	assert_convert(old, CNI_1_0_0, CNI_0_3_0,
		       "{\"cniVersion\":\"0.3.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.1.2.3/24\","
		       "\"gateway\":\"10.1.2.1\"},{\"version\":\"6\",\"address\":\"fd00::3/64\",\"gateway\":\"fd00::1\"}],"
		       "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.2.1\"},{\"dst\":\"fd01::/32\"}],"
		       "\"dns\":{\"domain\":\"d\"}}");
	/* The shape of one version is nothing in the other: no error, as everywhere in CNI. */
	assert_convert("{\"ip4\":{\"ip\":\"10.1.2.3/24\"}}", CNI_1_0_0, CNI_1_0_0,
		       "{\"cniVersion\":\"1.0.0\",\"dns\":{}}");
}

static void test_empty(void **state _unused_)
{
	assert_convert("{}", CNI_1_0_0, CNI_1_0_0, "{\"cniVersion\":\"1.0.0\",\"dns\":{}}");
	assert_convert("{\"ips\":null,\"dns\":null,\"unknown\":[1]}", CNI_1_0_0, CNI_1_0_0,
		       "{\"cniVersion\":\"1.0.0\",\"dns\":{}}");
	assert_convert("{\"ips\":[{\"address\":\"10.1.2.3/24\",\"gateway\":\"\"}]}", CNI_1_0_0, CNI_1_0_0,
		       "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.2.3/24\"}],\"dns\":{}}");
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *text, *error;
		int code;
	} rows[] = {
		{"[]", "expected object", CNI_DECODE},
		{"{\"cniVersion\":\"x\"}", "cniVersion \"x\": not a version", CNI_DECODE},
		{"{\"cniVersion\":\"2.0\"}",
		 "incompatible CNI versions; config is \"2.0\", plugin supports 0.1.0 to 1.1.0", CNI_INCOMPATIBLE_VERSION},
		{"{\"ips\":{}}", "ips: expected array", CNI_DECODE},
		{"{\"ips\":[{}]}", "ips[0].address: required member is missing", CNI_DECODE},
		{"{\"ips\":[{\"address\":\"10.1.2.3\"}]}",
		 "ips[0].address: \"10.1.2.3\": not an address with a prefix length", CNI_DECODE},
		{"{\"ips\":[{\"address\":\"10.1.2.3/24\",\"gateway\":\"x\"}]}",
		 "ips[0].gateway: \"x\": not an IP address", CNI_DECODE},
		{"{\"interfaces\":[{\"name\":\"a\"}],\"ips\":[{\"address\":\"10.1.2.3/24\",\"interface\":1}]}",
		 "ips[0].interface: there is no interface 1", CNI_DECODE},
		{"{\"ips\":[{\"address\":\"10.1.2.3/24\",\"interface\":-2}]}",
		 "ips[0].interface: -2 is not within -1..2147483647", CNI_DECODE},
		{"{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"fd00::1\"}]}",
		 "routes[0]: gateway and destination are of different families", CNI_DECODE},
		{"{\"dns\":{\"search\":\"a\"}}", "dns.search: expected array", CNI_DECODE},
		{"{\"interfaces\":[{\"mac\":\"x\"}]}", "interfaces[0].name: required member is missing", CNI_DECODE},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_cni_result_ struct cni_result r = CNI_RESULT_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = json_parse(rows[i].text, strlen(rows[i].text), 1 << 20, &e);

		assert_non_null(j);
		assert_int_equal(cni_result_decode(j, JSON_TOP, CNI_1_0_0, &r, &e), -CNI_CODE(rows[i].code));
		assert_int_equal(cni_code_of(e.code), rows[i].code);
		assert_err(&e, rows[i].error);
	}
}

static void test_questions(void **state _unused_)
{
	_cleanup_cni_result_ struct cni_result r = CNI_RESULT_INIT;
	struct cidr v4, any6 = {.ip = {.family = AF_INET6}};
	char text[IP_TEXT_MAX];
	struct ip gw;

	assert_int_equal(cidr_parse("10.1.2.3/24", &v4), 0);
	cni_result_add_ip(&r, &v4);
	gw = cni_result_gateway(&r, AF_INET);
	assert_false(ip_is_set(&gw));
	assert_int_equal(ip_parse("10.1.2.1", &cni_result_add_ip(&r, &v4)->gw), 0);
	gw = cni_result_gateway(&r, AF_INET);
	assert_string_equal(ip_text(&gw, text), "10.1.2.1");
	cni_result_add_route(&r, &any6);
	assert_true(cni_result_has_default(&r, AF_INET6));
	assert_false(cni_result_has_default(&r, AF_INET));
	cni_result_add_interface(&r, "eth0", NULL, "");
	cni_result_add_interface(&r, "eth0", NULL, "/ns");
	assert_ptr_equal(cni_result_find(&r, "eth0", false), &r.interfaces[0]);
	assert_ptr_equal(cni_result_find(&r, "eth0", true), &r.interfaces[1]);
	assert_null(cni_result_find(&r, "eth1", true));
}

static void test_dns_merge(void **state _unused_)
{
	struct cni_dns a = {0}, over = {0}, nothing = {0};

	strv_add(&a.nameservers, "1.1.1.1");
	cni_dns_merge(&a, &nothing);
	assert_int_equal(strv_len(a.nameservers), 1);
	strv_add(&over.search, "x");
	cni_dns_merge(&a, &over);
	assert_int_equal(strv_len(a.nameservers), 0);
	assert_string_equal(a.search[0], "x");
	cni_dns_done(&a);
	cni_dns_done(&over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_1_0_0), cmocka_unit_test(test_0_4_0),
		cmocka_unit_test(test_0_2_0),	   cmocka_unit_test(test_empty), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_questions),  cmocka_unit_test(test_dns_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
