/* What the chained plugins (portmap, bandwidth, tuning, firewall) and static make of a configuration. */
#include "cni-plugins/bandwidth/conf.h"
#include "cni-plugins/firewall/conf.h"
#include "cni-plugins/portmap/conf.h"
#include "cni-plugins/static/static_ipam.h"
#include "cni-plugins/tuning/conf.h"
#include "tests/unit/cni_request.h"

/* Each decoder, and what it understood as one line. */
typedef int (*decode_fn)(const struct cni_request *rq, struct strbuf *sb, struct err *e);

static int portmap(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	int r = portmap_conf_decode(rq, &c, e);
	char text[IP_TEXT_MAX];

	strbuf_addf(sb, "%s%s", c.snat ? "snat" : "", c.masq_all ? " all" : "");
	for (size_t i = 0; i < c.n; i++) {
		const struct port_mapping *m = &c.list[i];

		strbuf_addf(sb, " %s:%u:%u", port_protocol_name(m->protocol), m->host_port, m->container_port);
		if (ip_is_set(&m->host_ip))
			strbuf_addf(sb, "@%s", ip_text(&m->host_ip, text));
		strbuf_addf(sb, "%s%s%s", port_mapping_has_address(m) ? "!" : "", port_mapping_has(m, AF_INET) ? "4" : "",
			    port_mapping_has(m, AF_INET6) ? "6" : "");
	}
	return r;
}

static int bandwidth(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	struct bandwidth_conf c = {0};
	int r = bandwidth_conf_decode(rq, &c, e);

	strbuf_addf(sb, "%lld/%lld %lld/%lld%s", (long long) c.ingress_rate, (long long) c.ingress_burst,
		    (long long) c.egress_rate, (long long) c.egress_burst, bandwidth_conf_is_empty(&c) ? " empty" : "");
	return r;
}

static int tuning(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	_cleanup_tuning_conf_ struct tuning_conf c = {0};
	int r = tuning_conf_decode(rq, &c, e);
	_cleanup_json_ cJSON *j = tuning_link_encode(&c.link);
	_cleanup_free_ char *text = json_print(j, false);

	strbuf_adds(sb, text);
	for (size_t i = 0; i < c.n_sysctls; i++)
		strbuf_addf(sb, " %s=%s", c.sysctls[i].path, c.sysctls[i].value);
	return r;
}

static int firewall(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	_cleanup_firewall_conf_ struct firewall_conf c = {0};
	int r = firewall_conf_decode(rq, &c, e);

	strbuf_addf(sb, "%s %d", c.admin_chain ? c.admin_chain : "", (int) c.ingress);
	return r;
}

static int addresses(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	_cleanup_cni_result_ struct cni_result res = CNI_RESULT_INIT;
	int r = static_plugin.add(rq, &res, e);
	char text[CIDR_TEXT_MAX];

	for (size_t i = 0; i < res.n_ips; i++) {
		strbuf_addf(sb, "%s%s", i ? " " : "", cidr_text(&res.ips[i].addr, text));
		if (ip_is_set(&res.ips[i].gw))
			strbuf_addf(sb, ">%s", ip_text(&res.ips[i].gw, text));
	}
	strbuf_addf(sb, " %zu", res.n_routes);
	return r;
}

struct row {
	const char *args, *members, *want;
	int code; /* 0: want is what is understood; else the message */
};

static void assert_rows(decode_fn decode, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_cni_request_ struct cni_request rq;
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		make_request(&rq, "ADD", rows[i].args, rows[i].members);
		assert_int_equal(decode(&rq, &sb, &e) < 0, rows[i].code != 0);
		assert_int_equal(e.msg ? cni_code_of(e.code) : 0, rows[i].code);
		assert_string_equal(rows[i].code ? err_text(&e) : sb.buf, rows[i].want);
	}
}

#define MAPPINGS(text) "\"runtimeConfig\":{\"portMappings\":" text "}"
#define MAPPING(text) MAPPINGS("[{" text "}]")

static void test_portmap(void **state _unused_)
{
	static const struct row rows[] = {
		{"", "\"x\":1", "snat", 0},
		{"", "\"snat\":null,\"backend\":\"\",\"runtimeConfig\":{\"portMappings\":null}", "snat", 0},
		{"", "\"snat\":false,\"masqAll\":true,\"backend\":\"iptables\"", " all", 0},
		{"", MAPPING("\"hostPort\":1,\"containerPort\":65535,\"protocol\":\"UDP\",\"hostIP\":\"\""),
		 "snat udp:1:6553546", 0},
		{"", MAPPING("\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\",\"hostIP\":\"0.0.0.0\""),
		 "snat tcp:8080:80@0.0.0.04", 0},
		{"", MAPPING("\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"sctp\",\"hostIP\":\"::\""),
		 "snat sctp:8080:80@::6", 0},
		{"", MAPPING("\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\",\"hostIP\":\"2001:db8::1\""),
		 "snat tcp:8080:80@2001:db8::1!6", 0},
		{"", MAPPINGS("{}"), "runtimeConfig.portMappings: expected array", CNI_BAD_CONFIG},
		{"", MAPPINGS("[7]"), "runtimeConfig.portMappings[0]: expected object", CNI_BAD_CONFIG},
		{"", MAPPING("\"hostPort\":0,\"containerPort\":80,\"protocol\":\"tcp\""),
		 "runtimeConfig.portMappings[0]: invalid host port number: 0", CNI_BAD_CONFIG},
		{"", MAPPING("\"hostPort\":65536,\"containerPort\":80,\"protocol\":\"tcp\""),
		 "runtimeConfig.portMappings[0]: invalid host port number: 65536", CNI_BAD_CONFIG},
		{"", MAPPING("\"hostPort\":1,\"containerPort\":-1,\"protocol\":\"tcp\""),
		 "runtimeConfig.portMappings[0]: invalid container port number: -1", CNI_BAD_CONFIG},
		{"", MAPPING("\"hostPort\":1,\"containerPort\":1"),
		 "runtimeConfig.portMappings[0]: unknown port protocol \"\"", CNI_BAD_CONFIG},
		{"", MAPPING("\"hostPort\":1,\"containerPort\":1,\"protocol\":\"tcp\",\"hostIP\":\"1.2.3\""),
		 "runtimeConfig.portMappings[0]: hostIP \"1.2.3\": not an IP address", CNI_BAD_CONFIG},
		{"", "\"backend\":\"ebtables\"", "backend: \"ebtables\": unknown backend", CNI_BAD_CONFIG},
		{"", "\"conditionsV6\":[\"!\",\"-d\",\"::1\"]", "conditionsV6: arguments of iptables are not supported",
		 CNI_UNSUPPORTED_FIELD},
		{"", "\"snat\":1", "snat: expected true or false", CNI_BAD_CONFIG},
	};

	assert_rows(portmap, rows, ELEMENTSOF(rows));
}

static void test_bandwidth(void **state _unused_)
{
	static const struct row rows[] = {
		{"", "\"x\":1", "0/0 0/0 empty", 0},
		{"", "\"runtimeConfig\":{\"bandwidth\":null}", "0/0 0/0 empty", 0},
		{"", "\"ingressRate\":8,\"ingressBurst\":8", "8/8 0/0", 0},
		{"", "\"runtimeConfig\":{\"bandwidth\":{\"egressRate\":100,\"egressBurst\":34359738352}}",
		 "0/0 100/34359738352", 0},
		/* The file's own words go first. */
		{"", "\"ingressRate\":8,\"ingressBurst\":9,\"runtimeConfig\":{\"bandwidth\":{\"egressRate\":1}}", "8/9 0/0", 0},
		{"", "\"runtimeConfig\":{\"bandwidth\":7}", "runtimeConfig.bandwidth: expected object", CNI_BAD_CONFIG},
		{"", "\"ingressRate\":8", "ingress: if rate is set, burst must also be set", CNI_BAD_CONFIG},
		{"", "\"egressBurst\":8", "egress: if burst is set, rate must also be set", CNI_BAD_CONFIG},
		{"", "\"egressRate\":7,\"egressBurst\":8", "egress: rate must be at least 8 bits a second", CNI_BAD_CONFIG},
		{"", "\"egressRate\":8,\"egressBurst\":7", "egress: burst must be at least 8 bits", CNI_BAD_CONFIG},
		{"", "\"egressRate\":-8,\"egressBurst\":8", "egress: rate and burst must not be negative", CNI_BAD_CONFIG},
		{"", "\"egressRate\":8,\"egressBurst\":34359738360", "egress: burst cannot be more than 4GB", CNI_BAD_CONFIG},
	};

	assert_rows(bandwidth, rows, ELEMENTSOF(rows));
}

static void test_tuning(void **state _unused_)
{
	static const struct row rows[] = {
		{"", "\"mac\":\"\",\"mtu\":0", "{}", 0},
		{"", "\"mtu\":1400,\"txQLen\":0,\"promisc\":true,\"allmulti\":false",
		 "{\"mtu\":1400,\"txQLen\":0,\"promisc\":true,\"allmulti\":false}", 0},
		{"MAC=02:00:00:00:00:01", "\"mac\":\"02:00:00:00:00:00\"", "{\"mac\":\"02:00:00:00:00:01\"}", 0},
		{"MAC=02:00:00:00:00:01", "\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:02\"}", "{\"mac\":\"02:00:00:00:00:02\"}", 0},
		{"", "\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:02\"},\"args\":{\"cni\":{\"mac\":\"02:00:00:00:00:03\",\"mtu\":9}}",
		 "{\"mac\":\"02:00:00:00:00:03\",\"mtu\":9}", 0},
		{"", "\"sysctl\":{\"net.ipv4.conf.IFNAME.arp_filter\":\"1\",\"net/ipv4/conf/eth0.5/arp_ignore\":\"2\"}",
		 "{} net/ipv4/conf/eth0/arp_filter=1 net/ipv4/conf/eth0.5/arp_ignore=2", 0},
		{"", "\"sysctl\":{\"kernel.domainname\":\"x\"}", "sysctl \"kernel.domainname\": is not below net", CNI_BAD_CONFIG},
		{"", "\"sysctl\":{\"net/../kernel/domainname\":\"x\"}",
		 "sysctl \"net/../kernel/domainname\": is not below net", CNI_BAD_CONFIG},
		{"", "\"sysctl\":{\"net..x\":\"1\"}", "sysctl \"net..x\": is not below net", CNI_BAD_CONFIG},
		{"", "\"sysctl\":{\"net\":\"1\"}", "sysctl \"net\": is not below net", CNI_BAD_CONFIG},
		{"", "\"sysctl\":{\"net.x\":1}", "sysctl \"net.x\": expected string", CNI_BAD_CONFIG},
		{"", "\"sysctl\":{\"net.IFNAME\":\"1\",\"net/eth0\":\"2\"}", "sysctl \"net/eth0\": is there twice", CNI_BAD_CONFIG},
		{"", "\"sysctl\":[]", "sysctl: expected object", CNI_BAD_CONFIG},
		{"", "\"mac\":\"zz\"", "mac: \"zz\": not a MAC address", CNI_BAD_CONFIG},
		{"MAC=zz", "\"x\":1", "mac \"zz\": not a MAC address", CNI_BAD_CONFIG},
		{"", "\"mtu\":2147483648", "mtu: 2147483648 is not within 0..2147483647", CNI_BAD_CONFIG},
		{"FOO=1", "\"x\":1", "CNI_ARGS: unknown args \"FOO\"", CNI_BAD_ENV},
	};

	assert_rows(tuning, rows, ELEMENTSOF(rows));
}

static void test_firewall(void **state _unused_)
{
	static const struct row rows[] = {
		{"", "\"x\":1", "CNI-ADMIN 0", 0},
		{"", "\"iptablesAdminChainName\":\"A-B\",\"ingressPolicy\":\"isolated\",\"backend\":\"new\"", "A-B 2", 0},
		{"", "\"iptablesAdminChainName\":\"\",\"ingressPolicy\":\"\"", "CNI-ADMIN 0", 0},
		{"", "\"iptablesAdminChainName\":\"1234567890123456789012345678\",\"ingressPolicy\":\"same-bridge\"",
		 "1234567890123456789012345678 1", 0},
		{"", "\"iptablesAdminChainName\":\"12345678901234567890123456789\"",
		 "iptablesAdminChainName: \"12345678901234567890123456789\": longer than 28 characters", CNI_BAD_CONFIG},
		{"", "\"iptablesAdminChainName\":\"-A\"", "iptablesAdminChainName: \"-A\": not a chain's name", CNI_BAD_CONFIG},
		{"", "\"iptablesAdminChainName\":\"a b\"", "iptablesAdminChainName: \"a b\": not a chain's name", CNI_BAD_CONFIG},
		{"", "\"ingressPolicy\":\"closed\"", "unsupported ingress policy: \"closed\"", CNI_BAD_CONFIG},
		{"", "\"ingressPolicy\":[]", "ingressPolicy: expected string", CNI_BAD_CONFIG},
		{"", "\"backend\":\"firewalld\",\"firewalldZone\":\"public\"",
		 "firewalldZone: \"public\": only the zone trusted is supported", CNI_BAD_CONFIG},
	};

	assert_rows(firewall, rows, ELEMENTSOF(rows));
}

#define IPAM(text) "\"ipam\":{\"type\":\"static\"," text "}"

static void test_static(void **state _unused_)
{
	static const struct row rows[] = {
		{"", IPAM("\"addresses\":null"), " 0", 0},
		{"", IPAM("\"addresses\":[{\"address\":\"10.7.0.2/24\",\"gateway\":\"10.7.0.1\"},{\"address\":\"fd00::2/64\"}],"
			  "\"routes\":[{\"dst\":\"0.0.0.0/0\"}]"),
		 "10.7.0.2/24>10.7.0.1 fd00::2/64 1", 0},
		{"IP=10.7.0.2/24,fd00::2/64;GATEWAY=fd00::1,10.7.0.1", IPAM("\"x\":1"),
		 "10.7.0.2/24>10.7.0.1 fd00::2/64>fd00::1 0", 0},
		{"IP=10.7.0.2/24", IPAM("\"x\":1") ",\"args\":{\"cni\":{\"ips\":[\"10.8.0.2/24\"]}}", "10.8.0.2/24 0", 0},
		{"", IPAM("\"x\":1") ",\"args\":{\"cni\":{\"ips\":[\"10.8.0.2/24\"]}},\"runtimeConfig\":{\"ips\":[\"10.9.0.2/24\"]}",
		 "10.9.0.2/24 0", 0},
		{"", "\"x\":1", "IPAM config missing 'ipam' key", CNI_BAD_CONFIG},
		{"", IPAM("\"addresses\":[{}]"), "ipam.addresses[0]: address: missing", CNI_BAD_CONFIG},
		{"", IPAM("\"addresses\":[7]"), "ipam.addresses[0]: address: missing", CNI_BAD_CONFIG},
		{"", IPAM("\"addresses\":[{\"address\":\"10.7.0.2\"}]"),
		 "ipam.addresses[0]: address \"10.7.0.2\": not an address with its network's length", CNI_BAD_CONFIG},
		{"", IPAM("\"addresses\":[{\"address\":\"10.7.0.2/33\"}]"),
		 "ipam.addresses[0]: address \"10.7.0.2/33\": not an address with its network's length", CNI_BAD_CONFIG},
		{"", IPAM("\"addresses\":[{\"address\":\"10.7.0.2/24\",\"gateway\":\"x\"}]"),
		 "ipam.addresses[0]: invalid gateway \"x\"", CNI_BAD_CONFIG},
		{"", IPAM("\"x\":1") ",\"runtimeConfig\":{\"ips\":[7]}", "runtimeConfig.ips[0]: expected string", CNI_BAD_CONFIG},
		{"IP=10.7.0.2", IPAM("\"x\":1"), "CNI_ARGS: IP: \"10.7.0.2\" is not valid", CNI_BAD_ENV},
		{"IP=10.7.0.2/24;GATEWAY=y", IPAM("\"x\":1"), "CNI_ARGS: GATEWAY: \"y\" is not valid", CNI_BAD_ENV},
	};

	assert_rows(addresses, rows, ELEMENTSOF(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portmap),	 cmocka_unit_test(test_bandwidth), cmocka_unit_test(test_tuning),
		cmocka_unit_test(test_firewall), cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
