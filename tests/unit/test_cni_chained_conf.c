/* What the chained plugins (portmap, bandwidth, tuning, firewall) and static make of a configuration. */
#include "cni-plugins/bandwidth/conf.h"
#include "cni-plugins/firewall/conf.h"
#include "cni-plugins/portmap/conf.h"
#include "cni-plugins/static/static_ipam.h"
#include "cni-plugins/tuning/conf.h"
#include "tests/unit/cni_request.h"

/* Each decoder, and what it understood as one line. */
typedef int (*decode_fn)(const struct cni_request *rq, struct strbuf *sb, struct err *e);

/* " [!s 10.0.0.0/8 10.1.0.0/16][dport 1-2]*2": not of the source; a port; two rules */
static void add_conditions(struct strbuf *sb, const struct conditions *c)
{
	static const char *const names[] = {"s", "d", "stype", "dtype", "i", "o", "p", "sport", "dport", "state", "mark"};
	char text[CIDR_TEXT_MAX];

	strbuf_adds(sb, c->text ? " " : "");
	for (size_t i = 0; i < c->n; i++) {
		const struct condition *x = &c->list[i];

		strbuf_addf(sb, "[%s%s", x->not ? "!" : "", names[x->field]);
		for (size_t k = 0; k < x->n; k++) {
			const struct condition_value *v = &x->values[k];

			if (x->field <= CONDITION_DESTINATION)
				strbuf_addf(sb, " %s", cidr_text(&v->net, text));
			else if (x->field == CONDITION_INPUT || x->field == CONDITION_OUTPUT)
				strbuf_addf(sb, " %s%s", v->link, v->prefix ? "*" : "");
			else if (v->high && v->high != v->low)
				strbuf_addf(sb, " %u-%u", v->low, v->high);
			else
				strbuf_addf(sb, " %u", v->low);
		}
		strbuf_adds(sb, "]");
	}
	if (conditions_rules(c) > 1)
		strbuf_addf(sb, "*%zu", conditions_rules(c));
}

static int portmap(const struct cni_request *rq, struct strbuf *sb, struct err *e)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	int r = portmap_conf_decode(rq, &c, e);
	char text[IP_TEXT_MAX];

	strbuf_addf(sb, "%s%s", c.snat ? "snat" : "", c.masq_all ? " all" : "");
	add_conditions(sb, &c.conditions[0]);
	add_conditions(sb, &c.conditions[1]);
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
		{"", "\"masqAll\":true,\"backend\":\"iptables\"", "snat all", 0},
		{"", "\"snat\":false,\"masqAll\":true,\"backend\":\"iptables\"", "", 0},
		{"", "\"externalSetMarkChain\":\"X\",\"backend\":\"nftables\"",
		 "nftables backend was requested but configuration contains iptables-specific options [externalSetMarkChain]",
		 CNI_BAD_CONFIG},
		{"", "\"markMasqBit\":32", "markMasqBit: 32 is not within 0..31", CNI_BAD_CONFIG},
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
		{"", "\"snat\":1", "snat: expected true or false", CNI_BAD_CONFIG},
	};

	assert_rows(portmap, rows, ELEMENTSOF(rows));
}

#define V4(...) "\"conditionsV4\":[" #__VA_ARGS__ "]"
#define V6(...) "\"conditionsV6\":[" #__VA_ARGS__ "]"

static void test_conditions_of_iptables(void **state _unused_)
{
	static const struct row rows[] = {
		{"", "\"conditionsV4\":null," V6(), "snat", 0},
		{"", V4("!", "-d", "192.0.2.0/24") "," V6("!", "-d", "fc00::/7"), "snat [!d 192.0.2.0/24] [!d fc00::/7]", 0},
		{"", V4("-s", "10.0.0.0/8,192.0.2.7", "--dst=10.0.0.0/255.255.0.0"),
		 "snat [s 10.0.0.0/8 192.0.2.7/32][d 10.0.0.0/16]*2", 0},
		{"", V4("-ieth+", "!", "-o", "lo", "-i", "+"), "snat [i eth*][!o lo]", 0},
		{"", V4("-p", "TCP", "-p", "all", "!", "-p", "47"), "snat [p 6][!p 47]", 0},
		{"", V4("-m", "addrtype", "--dst-type", "LOCAL,UNICAST", "!", "--src-type", "BROADCAST"),
		 "snat [dtype 2 1][!stype 3]*2", 0},
		{"", V4("-m", "comment", "--comment", "-d is not here", "--sport", "1024:"), "snat [sport 1024-65535]", 0},
		{"", V4("-m", "conntrack", "!", "--ctstate", "INVALID,UNTRACKED", "-m", "state", "--state", "NEW"),
		 "snat [!state 65][state 8]", 0},
		{"", V4("-m", "mark", "!", "--mark", "0x10/0xf0", "--mark", "7"), "snat [!mark 16-240][mark 7-4294967295]", 0},
		{"", V4("-m", "udp", "--dport", "53"), "snat [p 17][dport 53]", 0},
		{"", V4("-m", "multiport", "--dports", "80,443,8000:8100"), "snat [dport 80 443 8000-8100]*3", 0},
		{"", V4("-d", "here"), "conditionsV4: -d \"here\": not an address or a network", CNI_BAD_CONFIG},
		{"", V4("-d", "::1"), "conditionsV4: -d \"::1\": of the other family", CNI_BAD_CONFIG},
		{"", V6("-d", "10.0.0.0/8"), "conditionsV6: -d \"10.0.0.0/8\": of the other family", CNI_BAD_CONFIG},
		{"", V4("-d", "10.0.0.0/255.0.255.0"),
		 "conditionsV4: -d \"10.0.0.0/255.0.255.0\": not an address or a network", CNI_BAD_CONFIG},
		{"", V4("-d"), "conditionsV4: \"-d\": lacks its value", CNI_BAD_CONFIG},
		{"", V4("-i", "a/b"), "conditionsV4: -i \"a/b\": not an interface's name", CNI_BAD_CONFIG},
		{"", V4("!"), "conditionsV4: \"!\": nothing follows", CNI_BAD_CONFIG},
		{"", V4("!", "!", "-d", "10.0.0.1"), "conditionsV4: \"!\": there twice", CNI_BAD_CONFIG},
		{"", V4("-m", "set", "--match-set", "white", "src"), "conditionsV4: -m \"set\": not supported", CNI_BAD_CONFIG},
		{"", V4("-j", "ACCEPT"), "conditionsV4: \"-j\": not supported", CNI_BAD_CONFIG},
		{"", V4("--ctstate", "NEW"), "conditionsV4: \"--ctstate\": needs -m conntrack", CNI_BAD_CONFIG},
		{"", V4("-m", "conntrack", "--ctstate", "DNAT"),
		 "conditionsV4: --ctstate \"DNAT\": not a state that is supported", CNI_BAD_CONFIG},
		{"", V4("--dport", "70000"), "conditionsV4: --dport \"70000\": not a port's number or a range", CNI_BAD_CONFIG},
		{"", V4("--dport", "9:1"), "conditionsV4: --dport \"9:1\": not a port's number or a range", CNI_BAD_CONFIG},
		{"", V4("-s", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9", "-d",
			"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8"),
		 "conditionsV4: more than 12 comparisons, or 64 combinations of values", CNI_BAD_CONFIG},
		{"", "\"conditionsV4\":[7]", "conditionsV4[0]: expected string", CNI_BAD_CONFIG},
		{"", "\"backend\":\"nftables\"," V4("-d", "10.0.0.1"),
		 "nftables backend was requested but configuration contains iptables-specific options [conditionsV4]",
		 CNI_BAD_CONFIG},
	};

	assert_rows(portmap, rows, ELEMENTSOF(rows));
}

static void test_conditions_of_nft(void **state _unused_)
{
	static const struct row rows[] = {
		{"", V4(""), "snat", 0},
		{"", V4("ip", "daddr", "!=", "192.0.2.0/24") "," V6("ip6 daddr != fc00::/7"),
		 "snat [!d 192.0.2.0/24] [!d fc00::/7]", 0},
		{"", V4("ip saddr {10.0.0.0/8,192.0.2.7,} iifname != \"eth*\""), "snat [s 10.0.0.0/8 192.0.2.7/32][!i eth*]*2", 0},
		{"", V4("tcp dport { 80, 8000-8100 } ct state new,established"), "snat [p 6][dport 80 8000-8100][state 10]*2", 0},
		{"", V4("fib", "daddr", "type", "local", "meta mark and 0xf0 == 0x10", "meta mark != 3"),
		 "snat [dtype 2][mark 16-240][!mark 3-4294967295]", 0},
		{"", V4("meta l4proto != udp th sport 1024-2048 comment \"a b\""), "snat [!p 17][sport 1024-2048]", 0},
		{"", V4("ip6 daddr ::1"), "conditionsV4: \"ip6\" \"daddr\": not supported", CNI_BAD_CONFIG},
		{"", V4("ip saddr @set"), "conditionsV4: ip saddr \"@set\": not an address or a network", CNI_BAD_CONFIG},
		{"", V4("drop"), "conditionsV4: \"drop\": not supported", CNI_BAD_CONFIG},
		{"", V4("ip saddr"), "conditionsV4: \"ip saddr\": lacks its value", CNI_BAD_CONFIG},
		{"", V4("ip saddr { 10.0.0.1"), "conditionsV4: \"ip saddr\": a } is missing", CNI_BAD_CONFIG},
		{"", V4("ip saddr { }"), "conditionsV4: ip saddr \"}\": not an address or a network", CNI_BAD_CONFIG},
		{"", V4("comment"), "conditionsV4: \"comment\": lacks its value", CNI_BAD_CONFIG},
		{"", V4("meta mark and"), "conditionsV4: \"meta mark\": lacks its value", CNI_BAD_CONFIG},
		{"", "\"backend\":\"iptables\"," V6("ip6 daddr ::1"),
		 "iptables backend was requested but configuration contains nftables-specific options [conditionsV6]",
		 CNI_BAD_CONFIG},
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
		cmocka_unit_test(test_conditions_of_iptables),
		cmocka_unit_test(test_conditions_of_nft),
		cmocka_unit_test(test_portmap),	 cmocka_unit_test(test_bandwidth), cmocka_unit_test(test_tuning),
		cmocka_unit_test(test_firewall), cmocka_unit_test(test_static),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
