#include "cni-plugins/bridge/conf.h"
#include "tests/unit/cni_request.h"

static void decode(const char *args, const char *members, struct bridge_conf *c, struct err *e)
{
	_cleanup_cni_request_ struct cni_request rq;

	make_request(&rq, "ADD", args, members);
	(void) bridge_conf_decode(&rq, c, e);
}

static void test_defaults(void **state _unused_)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	decode("", "\"unknown\":1", &c, &e);
	assert_null(e.msg);
	assert_string_equal(c.bridge, "cni0");
	assert_false(c.is_gateway || c.ip_masq || c.hairpin || c.promisc || c.dad || c.mac.wanted);
	assert_int_equal(c.mtu, 0);
}

static void test_keys(void **state _unused_)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	decode("", "\"bridge\":\"br7\",\"isDefaultGateway\":true,\"forceAddress\":true,\"ipMasq\":true,\"mtu\":1400,"
		   "\"hairpinMode\":true,\"enabledad\":true,\"portIsolation\":true,\"ipMasqBackend\":\"iptables\"", &c, &e);
	assert_null(e.msg);
	assert_string_equal(c.bridge, "br7");
	assert_true(c.is_gateway && c.is_default_gateway && c.force_address && c.ip_masq && c.hairpin && c.dad &&
		    c.isolated);
	assert_int_equal(c.mtu, 1400);
}

static void test_vlans(void **state _unused_)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	unsigned first = 1, last;

	decode("", "\"vlanTrunk\":[{\"minID\":62,\"maxID\":70},{\"id\":71},{\"id\":4094},{\"x\":1}]", &c, &e);
	assert_null(e.msg);
	assert_true(c.trunk.given && !c.preserve_default_vlan);
	assert_true(vlan_set_next(&c.trunk, &first, &last));
	assert_int_equal(first, 62);
	assert_int_equal(last, 71);
	first = last + 1;
	assert_true(vlan_set_next(&c.trunk, &first, &last));
	assert_int_equal(first, 4094);
	assert_int_equal(last, 4094);
	first = last + 1;
	assert_false(vlan_set_next(&c.trunk, &first, &last));
}

static void test_vlan(void **state _unused_)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	decode("", "\"vlan\":4094,\"vlanTrunk\":[],\"preserveDefaultVlan\":true,\"isGateway\":true,"
		   "\"bridge\":\"bridge-ten\"", &c, &e);
	assert_null(e.msg);
	assert_int_equal(c.vlan, 4094);
	assert_true(c.trunk.given && c.preserve_default_vlan);
}

static void assert_mac(const char *args, const char *members, const char *want)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	char text[LINK_MAC_TEXT];

	decode(args, members, &c, &e);
	assert_null(e.msg);
	assert_true(c.mac.wanted);
	assert_string_equal(link_mac_text(c.mac.mac, text), want);
}

static void test_mac(void **state _unused_)
{
	assert_mac("MAC=02:00:00:00:00:0A", "\"x\":1", "02:00:00:00:00:0a");
	assert_mac("MAC=02:00:00:00:00:0a", "\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:0b\"}}", "02:00:00:00:00:0b");
	assert_mac("MAC=02:00:00:00:00:0a",
		   "\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:0b\"}},\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:0c\"}",
		   "02:00:00:00:00:0c");
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *args, *members, *error;
		int code;
	} rows[] = {
		{"", "\"bridge\":\"a/b\"", "bridge: \"a/b\" contains /, : or white space", CNI_BAD_CONFIG},
		{"", "\"bridge\":\"..\"", "bridge: \"..\" is a directory", CNI_BAD_CONFIG},
		{"", "\"bridge\":\"all\"", "bridge: \"all\" is reserved by the kernel's parameters", CNI_BAD_CONFIG},
		{"", "\"hairpinMode\":true,\"promiscMode\":true",
		 "cannot set hairpin mode and promiscuous mode at the same time", CNI_BAD_CONFIG},
		{"", "\"disableContainerInterface\":true,\"ipam\":{\"type\":\"host-local\"}",
		 "cannot use IPAM when disableContainerInterface flag is set", CNI_BAD_CONFIG},
		{"", "\"vlan\":4095", "invalid VLAN ID 4095 (must be between 0 and 4094)", CNI_BAD_CONFIG},
		{"", "\"vlan\":-1", "invalid VLAN ID -1 (must be between 0 and 4094)", CNI_BAD_CONFIG},
		{"", "\"vlan\":5,\"vlanTrunk\":[{\"id\":1}]", "cannot set vlan and vlanTrunk at the same time",
		 CNI_BAD_CONFIG},
		{"", "\"vlan\":4000,\"isGateway\":true,\"bridge\":\"bridge-eleven\"",
		 "bridge: \"bridge-eleven\" leaves no room for the gateway's interface \"bridge-eleven.4000\"",
		 CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":{}", "vlanTrunk: expected array", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[7]", "vlanTrunk[0]: expected object", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"id\":0}]", "vlanTrunk[0]: incorrect trunk id parameter", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"id\":1},{\"id\":4095}]", "vlanTrunk[1]: incorrect trunk id parameter",
		 CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"minID\":0,\"maxID\":5}]", "vlanTrunk[0]: incorrect trunk minID parameter",
		 CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"minID\":5,\"maxID\":4095}]", "vlanTrunk[0]: incorrect trunk maxID parameter",
		 CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"minID\":5,\"maxID\":4}]",
		 "vlanTrunk[0]: minID is greater than maxID in trunk parameter", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"minID\":5}]",
		 "vlanTrunk[0]: minID and maxID should be configured simultaneously, maxID is missing", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"maxID\":5}]",
		 "vlanTrunk[0]: minID and maxID should be configured simultaneously, minID is missing", CNI_BAD_CONFIG},
		{"", "\"isGateway\":\"true\"", "isGateway: expected true or false", CNI_BAD_CONFIG},
		{"", "\"ipMasqBackend\":\"x\"", "ipMasqBackend: \"x\": unknown backend", CNI_BAD_CONFIG},
		{"", "\"mtu\":-1", "mtu: -1 is not within 0..65535", CNI_BAD_CONFIG},
		{"", "\"args\":{\"cni\":{\"mac\":\"zz\"}}", "args.cni.mac: \"zz\" is not a MAC address", CNI_BAD_CONFIG},
		{"FOO=1", "\"x\":1", "CNI_ARGS: unknown args \"FOO\"", CNI_BAD_ENV},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_bridge_conf_ struct bridge_conf c = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		decode(rows[i].args, rows[i].members, &c, &e);
		assert_int_equal(e.msg ? cni_code_of(e.code) : 0, rows[i].code);
		assert_err(&e, rows[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_keys), cmocka_unit_test(test_mac),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
