/* What run and run-prepared are asked: networks, names, DNS; what goes together, and the files of it. */
#include "tests/unit/unit.h"

#include "base/file.h"
#include "stage0/pod/dns.h"
#include "stage0/pod/run.h"

#define S(...) ((char *[]) {__VA_ARGS__, NULL})
#define W(s) ((char *) (s))

static void fine(void **state)
{
	static char *none[] = {NULL};
	const struct run_request rows[] = {
		{0},
		{.nets = S(W("default"))},
		{.nets = S(W("default:IP=1.2.3.4;X=y,b"), W("c"))},
		{.nets = S(W("six:IP=2001:db8::5"))},
		{.nets = S(W("host"))},
		{.nets = S(W("none"))},
		{.nets = S(W("all"))},
		{.nets = S(W("all"), W("a:IP=1.2.3.4"))},
		{.hostname = W("a-B.9_z")},
		{.hostname = W("0123456789012345678901234567890123456789012345678901234567890123")},
		{.ipc = W("auto")},
		{.ipc = W("private")},
		{.ipc = W("parent")},
		{.dns = S(W("192.0.2.1,192.0.2.2"), W("2001:db8::1")), .dns_search = S(W("example.com")),
		 .dns_opt = S(W("ndots:3")), .dns_domain = W("example.org")},
		{.dns = S(W("host"))},
		{.dns = S(W("none"))},
		{.dns_search = S(W("example.com"))},
		{.hosts_entries = S(W("host"))},
		{.hosts_entries = S(W("192.0.2.1=a,::1=b"), W("192.0.2.1=c"))},
		{.hosts_entries = none},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;

		if (run_request_check(&rows[i], &e) < 0)
			fail_msg("%zu: %s", i, err_text(&e));
	}
}

static void refused(void **state)
{
	const struct {
		struct run_request req;
		const char *text;
	} rows[] = {
		{{.nets = S(W(""))}, "--net \"\": empty network name"},
		{{.nets = S(W(",default"))}, "--net \",default\": empty network name"},
		{{.nets = S(W(":IP=1"))}, "--net \":IP=1\": empty network name"},
		{{.nets = S(W("a,b,a"))}, "--net: network \"a\" is there twice"},
		{{.nets = S(W("a"), W("a:IP=1"))}, "--net: network \"a\" is there twice"},
		{{.nets = S(W("none"), W("none"))}, "--net: network \"none\" is there twice"},
		{{.nets = S(W("host:IP=1"))}, "--net: host takes no arguments"},
		{{.nets = S(W("all:IP=1"))}, "--net: all takes no arguments"},
		{{.nets = S(W("none:"))}, "--net: none takes no arguments"},
		{{.nets = S(W("a:IP"))}, "--net: network \"a\": argument \"IP\": expected NAME=VALUE"},
		{{.nets = S(W("a:=1"))}, "--net: network \"a\": argument \"=1\": expected NAME=VALUE"},
		{{.nets = S(W("a:"))}, "--net: network \"a\": argument \"\": expected NAME=VALUE"},
		{{.nets = S(W("b,a:IP=1;;X=2"))}, "--net: network \"a\": argument \"\": expected NAME=VALUE"},
		{{.interactive = true, .detach = true}, "--interactive and --detach exclude each other"},
		{{.nets = S(W("host,default"))}, "--net: host and none stand alone"},
		{{.nets = S(W("default"), W("none"))}, "--net: host and none stand alone"},
		{{.nets = S(W("all,host"))}, "--net: host and none stand alone"},
		{{.hostname = W("")}, "--hostname \"\": 1 to 64 characters"},
		{{.hostname = W("01234567890123456789012345678901234567890123456789012345678901234")},
		 "--hostname \"01234567890123456789012345678901234567890123456789012345678901234\": 1 to 64 characters"},
		{{.hostname = W("a b")}, "--hostname \"a b\": letters, digits, '-', '.' and '_' only"},
		{{.hostname = W("a\nb")}, "--hostname \"a\\nb\": letters, digits, '-', '.' and '_' only"},
		{{.ipc = W("shared")}, "--ipc \"shared\": auto, private or parent"},
		{{.ipc = W("")}, "--ipc \"\": auto, private or parent"},
		{{.dns = S(W("host"), W("192.0.2.1"))}, "--dns: host and none stand alone"},
		{{.dns = S(W("192.0.2.1,none"))}, "--dns: host and none stand alone"},
		{{.dns = S(W("host")), .dns_search = S(W("a"))}, "--dns=host cannot be combined with other --dns options"},
		{{.dns = S(W("none")), .dns_opt = S(W("a"))}, "--dns=none cannot be combined with other --dns options"},
		{{.dns = S(W("none")), .dns_domain = W("a")}, "--dns=none cannot be combined with other --dns options"},
		{{.dns = S(W("1.2.3"))}, "--dns \"1.2.3\": no IP address"},
		{{.dns = S(W(""))}, "--dns \"\": no IP address"},
		{{.dns = S(W("1.2.3.4 5"))}, "--dns \"1.2.3.4 5\": no IP address"},
		{{.dns_search = S(W("a b"))}, "--dns-search \"a b\": a single word is needed"},
		{{.dns_search = S(W("a\nnameserver 6.6.6.6"))},
		 "--dns-search \"a\\nnameserver 6.6.6.6\": a single word is needed"},
		{{.dns_opt = S(W(""))}, "--dns-opt \"\": a single word is needed"},
		{{.dns_opt = S(W("#x"))}, "--dns-opt \"#x\": a single word is needed"},
		{{.dns_domain = W(";x")}, "--dns-domain \";x\": a single word is needed"},
		{{.hosts_entries = S(W("nonsense"))}, "--hosts-entry \"nonsense\": expected IP=NAME"},
		{{.hosts_entries = S(W("300.1.1.1=a"))}, "--hosts-entry \"300.1.1.1=a\": expected IP=NAME"},
		{{.hosts_entries = S(W("192.0.2.1="))}, "--hosts-entry \"192.0.2.1=\": expected IP=NAME"},
		{{.hosts_entries = S(W("192.0.2.1=a b"))}, "--hosts-entry \"192.0.2.1=a b\": expected IP=NAME"},
		{{.hosts_entries = S(W("192.0.2.1=a#b"))}, "--hosts-entry \"192.0.2.1=a#b\": expected IP=NAME"},
		{{.hosts_entries = S(W("192.0.2.1=a"), W("host"))}, "--hosts-entry: host stands alone"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;

		assert_int_equal(run_request_check(&rows[i].req, &e), -EINVAL);
		assert_err(&e, rows[i].text);
	}
}

static void ports_need_a_network(void **state)
{
	const struct run_request none = {.nets = S(W("none"))}, host = {.nets = S(W("host"))}, some = {.nets = S(W("a"))};
	char *const *ports = S(W("web:80"));
	_cleanup_err_ struct err e = ERR_INIT;

	(void) state;
	assert_int_equal(run_request_check_ports(&none, NULL, &e), 0);
	assert_int_equal(run_request_check_ports(&some, ports, &e), 0);
	assert_int_equal(run_request_check_ports(&none, ports, &e), -EINVAL);
	assert_err(&e, "--port does not work with --net=none");
	assert_int_equal(run_request_check_ports(&host, ports, &e), -EINVAL);
	assert_err(&e, "--port does not work with --net=host");
}

static void modes(void **state)
{
	const struct {
		struct run_request req;
		const char *mode;
	} rows[] = {
		{{0}, "resolv=default,hosts=default"},
		{{.dns = S(W("host"))}, "resolv=host,hosts=default"},
		{{.dns = S(W("none")), .hosts_entries = S(W("host"))}, "resolv=none,hosts=host"},
		{{.dns = S(W("1.2.3.4"))}, "resolv=stage0,hosts=default"},
		{{.dns_search = S(W("a"))}, "resolv=stage0,hosts=default"},
		{{.dns_opt = S(W("a"))}, "resolv=stage0,hosts=default"},
		{{.dns_domain = W("a")}, "resolv=stage0,hosts=default"},
		{{.hosts_entries = S(W("1.2.3.4=a"))}, "resolv=default,hosts=stage0"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *mode = dns_mode(&rows[i].req);

		assert_string_equal(mode, rows[i].mode);
	}
}

static void files(void **state)
{
	const struct run_request all = {
		.dns = S(W("192.0.2.1,192.0.2.2"), W("2001:db8::1")), .dns_search = S(W("example.com"), W("example.net")),
		.dns_opt = S(W("ndots:3"), W("rotate")), .dns_domain = W("example.org"),
		.hosts_entries = S(W("192.0.2.1=a,192.0.2.10=b"), W("192.0.2.1=c")),
	};
	const struct run_request named = {.hosts_entries = S(W("::1=me"))};
	const struct run_request nothing = {.dns = S(W("host"))};
	_cleanup_free_ char *resolv = NULL, *hosts = NULL;
	int dir = scratch_open();

	(void) state;
	assert_int_equal(dns_write(&nothing, "gantry", "box", dir, &(struct id_map) {0}, NULL), 0);
	assert_int_equal(faccessat(dir, "etc", F_OK, 0), -1);
	assert_int_equal(dns_write(&all, "gantry", "gantry-UUID", dir, &(struct id_map) {0}, NULL), 0);
	assert_int_equal(file_read_at(dir, "etc/resolv.conf", 4096, &resolv, NULL, NULL), 0);
	/* the search list behind the domain: of the two the last one counts */
	assert_string_equal(resolv, "# Generated by gantry run\n\ndomain example.org\nsearch example.com example.net\n"
				    "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 2001:db8::1\n"
				    "options ndots:3 rotate\n");
	assert_int_equal(file_read_at(dir, "etc/hosts", 4096, &hosts, NULL, NULL), 0);
	assert_string_equal(hosts, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
				   "192.0.2.1 a c\n192.0.2.10 b\n127.0.0.1 gantry-UUID\n");
	free(hosts);
	assert_int_equal(dns_write(&named, "rkt", "box.example", dir, &(struct id_map) {0}, NULL), 0);
	assert_int_equal(file_read_at(dir, "etc/hosts", 4096, &hosts, NULL, NULL), 0);
	assert_non_null(strstr(hosts, "\n::1 me\n127.0.0.1 box.example\n"));
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fine),
		cmocka_unit_test(refused),
		cmocka_unit_test(ports_need_a_network),
		cmocka_unit_test(modes),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
