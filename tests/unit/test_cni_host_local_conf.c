#include "cni-plugins/host-local/conf.h"
#include "tests/unit/cni_request.h"

/* One line: the directory, each set with its ranges, what is wanted, the routes. */
static char *describe(const struct host_local_conf *c)
{
	struct strbuf sb = STRBUF_INIT;
	char text[RANGE_TEXT_MAX], ip[CIDR_TEXT_MAX];

	strbuf_adds(&sb, c->data_dir);
	for (size_t i = 0; i < c->n_sets; i++) {
		strbuf_addc(&sb, ' ');
		for (size_t j = 0; j < c->sets[i].n; j++)
			strbuf_addf(&sb, "%s%s", j ? "," : "", range_text(&c->sets[i].list[j], text));
	}
	for (size_t i = 0; i < c->n_wanted; i++)
		strbuf_addf(&sb, " want=%s", ip_text(&c->wanted[i], ip));
	for (size_t i = 0; i < c->routes.n_routes; i++)
		strbuf_addf(&sb, " to=%s", cidr_text(&c->routes.routes[i].dst, ip));
	return strbuf_take(&sb);
}

static void assert_conf(const char *args, const char *members, const char *want)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_cni_request_ struct cni_request rq;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *have = NULL;

	make_request(&rq, "ADD", args, members);
	have = host_local_conf_decode(&rq, &c, &e) < 0 ? xstrdup(err_text(&e)) : describe(&c);
	assert_string_equal(have, want);
}

static void test_ranges(void **state _unused_)
{
	assert_conf("", "\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"}]]}",
		    "/var/lib/cni/networks 10.1.0.1-10.1.0.254");
	/* The runtime's, the old form's, the list's: in this order. */
	assert_conf("", "\"ipam\":{\"dataDir\":\"/d\",\"subnet\":\"10.2.0.0/29\",\"rangeStart\":\"10.2.0.3\","
			"\"ranges\":[[{\"subnet\":\"10.1.0.0/29\"},{\"subnet\":\"10.3.0.0/29\",\"rangeEnd\":\"10.3.0.4\"}],"
			"[{\"subnet\":\"fd00::/120\"}]],\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},"
			"\"runtimeConfig\":{\"ipRanges\":[[{\"subnet\":\"10.9.0.0/29\"}]]}",
		    "/d 10.9.0.1-10.9.0.6 10.2.0.3-10.2.0.6 10.1.0.1-10.1.0.6,10.3.0.1-10.3.0.4 fd00::1-fd00::ff "
		    "to=0.0.0.0/0");
}

static void test_wanted(void **state _unused_)
{
	assert_conf("IP=10.1.0.9;IgnoreUnknown=1;K8S=x",
		    "\"ipam\":{\"subnet\":\"10.1.0.0/24\",\"dataDir\":\"/d\"},\"args\":{\"cni\":{\"ips\":[\"10.1.0.8/24\"]}},"
		    "\"runtimeConfig\":{\"ips\":[\"fd00::9/64\"]}",
		    "/d 10.1.0.1-10.1.0.254 want=10.1.0.9 want=10.1.0.8 want=fd00::9");
	assert_conf("IP=x", "\"ipam\":{\"subnet\":\"10.1.0.0/24\"}", "CNI_ARGS: IP: \"x\" is not an IP address");
	assert_conf("FOO=x", "\"ipam\":{\"subnet\":\"10.1.0.0/24\"}", "CNI_ARGS: unknown args \"FOO\"");
	assert_conf("", "\"ipam\":{\"subnet\":\"10.1.0.0/24\"},\"args\":{\"cni\":{\"ips\":[1]}}",
		    "args.cni.ips[0]: expected string");
}

static void test_refused(void **state _unused_)
{
	assert_conf("", "\"x\":1", "IPAM config missing 'ipam' key");
	assert_conf("", "\"ipam\":{}", "ipam: no IP ranges specified");
	assert_conf("", "\"ipam\":{\"ranges\":[[]]}", "ipam.ranges[0]: empty range set");
	assert_conf("", "\"ipam\":{\"ranges\":[{}]}", "ipam.ranges[0]: expected array");
	assert_conf("", "\"ipam\":{\"ranges\":[[{\"subnet\":\"x\"}]]}",
		    "ipam.ranges[0][0].subnet: \"x\": not a network");
	assert_conf("", "\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.1/24\"}]]}",
		    "ipam.ranges[0][0]: network 10.1.0.1/24 has host bits set; the network is 10.1.0.0/24");
	assert_conf("", "\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"}],[{\"subnet\":\"10.1.0.0/16\"}]]}",
		    "ipam: range set 0 overlaps with 1");
	assert_conf("", "\"ipam\":{\"subnet\":\"10.1.0.0/24\",\"routes\":[{\"dst\":\"x\"}]}",
		    "ipam.routes[0].dst: \"x\": not an address with a prefix length");
	assert_conf("", "\"ipam\":{\"dataDir\":1}", "ipam.dataDir: expected string");
}

/* Whatever else is wrong, DEL finds the leases. */
static void test_dir_only(void **state _unused_)
{
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_cni_request_ struct cni_request rq;
	_cleanup_err_ struct err e = ERR_INIT;

	make_request(&rq, "DEL", "NONSENSE", "\"ipam\":{\"dataDir\":\"/d\",\"ranges\":\"broken\"}");
	assert_int_equal(host_local_conf_dir(&rq, &c, &e), 0);
	assert_string_equal(c.data_dir, "/d");
}

static void test_old_version(void **state _unused_)
{
	static const char conf[] = "{\"name\":\"n\",\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"}],"
				   "[{\"subnet\":\"10.2.0.0/24\"}]]}}";
	struct cni_env env = {.command = "ADD", .container_id = "c", .netns = "/n", .ifname = "e", .path = "/p"};
	_cleanup_host_local_conf_ struct host_local_conf c = {0};
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(cni_request_parse(&rq, &env, xstrdup(conf), strlen(conf), &e), 0);
	assert_int_equal(host_local_conf_decode(&rq, &c, &e), -CNI_CODE(CNI_BAD_CONFIG));
	assert_err(&e, "ipam: CNI version 0.1.0 does not support more than 1 address per family");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),	 cmocka_unit_test(test_wanted),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dir_only), cmocka_unit_test(test_old_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
