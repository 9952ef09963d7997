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
		{"", "\"vlan\":5", "vlan: VLANs are not supported", CNI_UNSUPPORTED_FIELD},
		{"", "\"vlan\":4095", "vlan: 4095 is not within 0..4094", CNI_BAD_CONFIG},
		{"", "\"vlanTrunk\":[{\"id\":1}]", "vlanTrunk: VLANs are not supported", CNI_UNSUPPORTED_FIELD},
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
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
