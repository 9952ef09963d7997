/* The networks of a pod together: which ones, in which order, up and down. */
#include "tests/unit/cni_fake.h"

#include "stage1/net/forward.h"
#include "stage1/net/net.h"
#include "stage1/net/plugin.h"

#define UUID "11111111-0000-4000-8000-000000000001"
#define S(...) ((char *[]) {__VA_ARGS__, NULL})
#define W(s) ((char *) (s))
#define RECORD(net, index) "net/results/" net "-" UUID "-eth" #index

/* Plugins of the running program are not there: those of the test are. */
char **__wrap_cni_plugin_path(void);
char **__wrap_cni_plugin_path(void)
{
	char **path = NULL;

	strv_push(&path, path_join(scratch_path, "plugins"));
	return path;
}

/* Whether the host drops what it forwards is the test's to say. */
static bool filtered;
void __wrap_net_forward_add(cJSON *list);
void __wrap_net_forward_add(cJSON *list)
{
	cJSON *plugin = cJSON_CreateObject();

	cJSON_AddStringToObject(plugin, "type", "firewall");
	if (filtered)
		cJSON_AddItemToArray(json_get(list, "plugins"), plugin);
	else
		cJSON_Delete(plugin);
}

static void put_conf(const char *name, const char *text)
{
	_cleanup_free_ char *dir = path_join(scratch_path, "net.d"), *path = path_join(dir, name);

	assert_int_equal(path_mkdirs(dir, 0700, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

/* Three networks, with the fake plugins of the built-in ones as well. */
static void up(struct fake *f)
{
	fake_up(f);
	put_conf("20-b.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"b\",\"type\":\"one\"}");
	put_conf("10-a.conflist", "{\"cniVersion\":\"1.0.0\",\"name\":\"a\",\"plugins\":[{\"type\":\"one\"},{\"type\":\"two\"}]}");
	put_conf("30-c.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"c\",\"type\":\"two\"}");
	fake_install(f, "one");
	fake_install(f, "two");
	fake_install(f, "ptp");
	fake_does(f, "one.ADD", "echo '{\"ips\":[{\"address\":\"10.0.0.2/24\"},{\"address\":\"2001:db8::2/64\"}],"
				"\"dns\":{\"search\":[\"no.servers\"]}}'");
	fake_does(f, "two.ADD", "echo '{\"ips\":[{\"address\":\"2001:db8::9/64\"}],\"dns\":{\"nameservers\":[\"192.0.2.53\"],"
				"\"domain\":\"d.example\",\"search\":[\"s.example\",\"bad word\"],\"options\":[\"ndots:1\"]}}'");
	fake_does(f, "ptp.ADD", "echo '{\"dns\":{\"nameservers\":[\"192.0.2.99\"]}}'");
}

static int plan(const struct fake *f, char *const *nets, struct net_plan **ret, struct err *e)
{
	const struct net_request req = {.uuid = UUID, .pod_fd = f->pod, .nets = nets, .local_config = scratch_path,
					.netns_fd = -EBADF};

	*ret = NULL;
	return net_plan(&req, ret, e);
}

static void which_ones(void **state)
{
	const struct {
		char **nets;
		const char *lines; /* joined by |, %s: the scratch directory */
	} rows[] = {
		{S(W("none")), ""},
		{S(W("default")), "eth0: default (ptp, built in)"},
		{S(W("default-restricted:IP=1.2.3.4")), "eth0: default-restricted (ptp, built in) IP=1.2.3.4"},
		/* in the order of the files, whatever the order of the words; the built-in ones last */
		{S(W("default"), W("c"), W("a:K=\033")), "eth0: a (one+two, %s/net.d/10-a.conflist) K=\\x1b|"
							 "eth1: c (two, %s/net.d/30-c.conf)|eth2: default (ptp, built in)"},
		{S(W("all")), "eth0: a (one+two, %s/net.d/10-a.conflist)|eth1: b (one, %s/net.d/20-b.conf)|"
			      "eth2: c (two, %s/net.d/30-c.conf)|eth3: default (ptp, built in)"},
	};
	struct fake f;

	(void) state;
	up(&f);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *want = xasprintf(rows[i].lines, scratch_path, scratch_path, scratch_path);
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_strv_ char **lines = NULL;
		_cleanup_free_ char *joined = NULL;
		struct net_plan *p;

		if (plan(&f, rows[i].nets, &p, &e) < 0)
			fail_msg("%s", err_text(&e));
		lines = net_plan_lines(p);
		joined = strv_join(lines, "|");
		assert_string_equal(joined, want);
		net_plan_free(p);
	}
	/* planning runs nothing and records nothing */
	assert_calls(&f, "");
	assert_false(is_in_pod(&f, "net"));
	fake_down(&f);
}

static void refused(void **state)
{
	const struct {
		char **nets;
		const char *text;
	} rows[] = {
		{S(W("nowhere"), W("a"), W("\033:x")),
		 "failed to setup network: networks not found: \"nowhere\", \"\\x1b\""},
		{S(W("../../etc")), "failed to setup network: networks not found: \"../../etc\""},
		{S(W("d")), "failed to setup network \"d\": plugin gone: not found in %s/plugins"},
	};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *broken = NULL;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	put_conf("40-d.conf", "{\"cniVersion\":\"1.0.0\",\"name\":\"d\",\"type\":\"gone\"}");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *want = xasprintf(rows[i].text, scratch_path);

		assert_true(plan(&f, rows[i].nets, &p, &e) < 0);
		assert_err(&e, want);
		assert_null(p);
	}
	put_conf("99-bad.conf", "{");
	assert_int_equal(plan(&f, S(W("default")), &p, &e), -EINVAL);
	broken = xasprintf("failed to setup network: %s/net.d/99-bad.conf: JSON: ", scratch_path);
	assert_true(str_starts(err_text(&e), broken));
	/* who wants no network is not concerned */
	err_done(&e);
	assert_int_equal(plan(&f, S(W("none")), &p, &e), 0);
	net_plan_free(p);
	fake_down(&f);
}

static void up_and_down(void **state)
{
	static const char info_form[] =
		"[{\"netName\":\"a\",\"netConf\":\"%s/net.d/10-a.conflist\",\"pluginPath\":\"%s/plugins/one\",\"ifName\":\"eth0\","
		"\"ip\":\"2001:db8::9\",\"args\":\"\",\"mask\":\"64\"},"
		"{\"netName\":\"b\",\"netConf\":\"%s/net.d/20-b.conf\",\"pluginPath\":\"%s/plugins/one\",\"ifName\":\"eth1\","
		"\"ip\":\"10.0.0.2\",\"args\":\"K=V\",\"mask\":\"255.255.255.0\"},"
		"{\"netName\":\"default\",\"netConf\":\"\",\"pluginPath\":\"%s/plugins/ptp\",\"ifName\":\"eth2\",\"args\":\"\"}]";
	_cleanup_free_ char *info = NULL, *want = NULL, *env = NULL, *addresses = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	assert_int_equal(plan(&f, S(W("b:K=V"), W("a"), W("default")), &p, &e), 0);
	net_plan_netns(p, "/proc/9/fd/9", -EBADF);
	if (net_up(p, &r, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_calls(&f, "ADD one a:eth0\nADD two a:eth0\n"
			 "ADD one a:eth0+ b:eth1\n"
			 "ADD ptp a:eth0+ b:eth1+ default:eth2");
	env = fake_read(f.plugins, "ptp.ADD.env");
	assert_non_null(strstr(env, "CNI_IFNAME=eth2\nCNI_NETNS=/proc/9/fd/9\n"));
	info = fake_read(f.pod, "net-info.json");
	want = xasprintf(info_form, scratch_path, scratch_path, scratch_path, scratch_path, scratch_path);
	assert_string_equal(info, want);
	/* DNS of the first network that has name servers, and only of that one */
	assert_string_equal(r.dns_network, "a");
	assert_string_equal(r.nameservers[0], "192.0.2.53");
	assert_null(r.nameservers[1]);
	assert_string_equal(r.domain, "d.example");
	assert_int_equal(strv_len(r.search), 1);
	assert_string_equal(r.options[0], "ndots:1");
	addresses = strv_join(r.addresses, " ");
	assert_string_equal(addresses, "2001:db8::9/64 10.0.0.2/24 2001:db8::2/64");
	net_result_done(&r);
	net_plan_free(p);
	/* the last one first */
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	assert_calls(&f, "DEL ptp a:eth0+ b:eth1+ default:eth2+\n"
			 "DEL one a:eth0+ b:eth1+\n"
			 "DEL two a:eth0+\nDEL one a:eth0+");
	assert_false(is_in_pod(&f, "net"));
	/* twice is harmless */
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	assert_calls(&f, "");
	fake_down(&f);
}

static void the_second_fails(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	fake_does(&f, "two.ADD", "echo '{\"msg\":\"no luck\"}'; exit 1");
	assert_int_equal(plan(&f, S(W("b"), W("c")), &p, &e), 0);
	assert_true(net_up(p, &r, &e) < 0);
	assert_err(&e, "failed to setup network \"c\": plugin two: no luck");
	assert_null(r.addresses);
	/* its own chain is taken back at once, the other network by whoever undoes the pod */
	assert_false(is_in_pod(&f, RECORD("c", 1)));
	assert_true(is_in_pod(&f, RECORD("b", 0)));
	assert_false(is_in_pod(&f, "net-info.json"));
	net_plan_free(p);
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	assert_false(is_in_pod(&f, "net"));
	fake_down(&f);
}

static void a_result_that_makes_no_sense(void **state)
{
	static const char *const addresses[] = {"10.0.0.2", "10.0.0.2/33", "nonsense/24", "10.0.0.2/24\\n6.6.6.6", ""};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(addresses); i++) {
		_cleanup_free_ char *does = xasprintf("printf '{\"ips\":[{\"address\":\"%s\"}]}'", addresses[i]);
		_cleanup_err_ struct err e = ERR_INIT;
		struct net_result r;
		struct net_plan *p;
		struct fake f;

		up(&f);
		fake_does(&f, "two.ADD", does);
		assert_int_equal(plan(&f, S(W("c")), &p, &e), 0);
		assert_true(net_up(p, &r, &e) < 0);
		assert_true(str_starts(err_text(&e), "failed to setup network \"c\": "));
		net_plan_free(p);
		/* it was ADDed all the same */
		assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
		assert_false(is_in_pod(&f, "net"));
		fake_down(&f);
	}
}

static void down_goes_on_after_a_failure(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	assert_int_equal(plan(&f, S(W("a"), W("b"), W("c")), &p, &e), 0);
	assert_int_equal(net_up(p, &r, &e), 0);
	net_result_done(&r);
	net_plan_free(p);
	fake_does(&f, "two.DEL", "echo '{\"msg\":\"cannot let go\"}'; exit 1");
	assert_true(net_down(f.pod, UUID, "", &e) < 0);
	assert_err(&e, "failed to remove network \"c\": plugin two: cannot let go");
	assert_true(is_in_pod(&f, RECORD("a", 0)));
	assert_false(is_in_pod(&f, RECORD("b", 1)));
	assert_true(is_in_pod(&f, RECORD("c", 2)));
	/* a plugin that was removed is a failure, and not the end of the matter */
	assert_int_equal(unlinkat(f.plugins, "two", 0), 0);
	assert_true(net_down(f.pod, UUID, "", &e) < 0);
	assert_true(str_starts(err_text(&e), "failed to remove network \"c\": plugin two: not found in "));
	assert_true(is_in_pod(&f, RECORD("c", 2)));
	err_done(&e);
	fake_install(&f, "two");
	fake_does(&f, "two.DEL", "");
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	assert_false(is_in_pod(&f, "net"));
	fake_down(&f);
}

/* The built-in networks have firewall behind ptp on a host that filters; files are used as they are. */
static void behind_a_firewall(void **state)
{
	_cleanup_free_ char *joined = NULL, *want = NULL;
	_cleanup_strv_ char **lines = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	filtered = true;
	assert_int_equal(plan(&f, S(W("default")), &p, &e), -ENOENT);
	assert_non_null(strstr(err_text(&e), "plugin firewall: not found"));
	err_done(&e);
	fake_install(&f, "firewall");
	fake_does(&f, "firewall.ADD", "echo '{}'");
	assert_int_equal(plan(&f, S(W("default"), W("b")), &p, &e), 0);
	lines = net_plan_lines(p);
	joined = strv_join(lines, "|");
	want = xasprintf("eth0: b (one, %s/net.d/20-b.conf)|eth1: default (ptp+firewall, built in)", scratch_path);
	assert_string_equal(joined, want);
	assert_int_equal(net_up(p, &r, &e), 0);
	net_result_done(&r);
	net_plan_free(p);
	/* DEL goes by what was recorded */
	filtered = false;
	assert_true(is_in_pod(&f, RECORD("default", 1)));
	fake_does(&f, "firewall.DEL", "");
	fake_does(&f, "ptp.DEL", "");
	fake_does(&f, "one.DEL", "");
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	assert_true(faccessat(f.plugins, "firewall.DEL.stdin", F_OK, 0) == 0);
	assert_false(is_in_pod(&f, "net"));
	fake_down(&f);
}

/* Names go to plugins that take them, and to no others. */
static void names_of_the_pod(void **state)
{
	const struct net_request req = {.uuid = UUID, .nets = S(W("n"), W("b")), .local_config = scratch_path,
					.netns_fd = -EBADF, .aliases = S(W("boss"), W("web"))};
	_cleanup_free_ char *with = NULL, *without = NULL, *text = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_request rq = req;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	up(&f);
	put_conf("25-n.conflist", "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"one\"},"
				  "{\"type\":\"two\",\"capabilities\":{\"aliases\":true}}]}");
	rq.pod_fd = f.pod;
	assert_int_equal(net_plan(&rq, &p, &e), 0);
	assert_int_equal(net_up(p, &r, &e), 0);
	net_result_done(&r);
	net_plan_free(p);
	text = fake_read(f.pod, RECORD("b", 0));
	assert_null(strstr(text, "capabilityArgs"));
	with = fake_read(f.plugins, "two.ADD.stdin");
	assert_non_null(strstr(with, "\"runtimeConfig\":{\"aliases\":[\"boss\",\"web\"]}"));
	without = fake_read(f.plugins, "one.ADD.stdin");
	assert_null(strstr(without, "runtimeConfig"));
	fake_does(&f, "one.DEL", "");
	fake_does(&f, "two.DEL", "");
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	fake_down(&f);
}

/* More than nine, so that the order is that of numbers; and files that are none of ours. */
static void the_order_of_records(void **state)
{
	_cleanup_free_ char *calls = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct net_result r;
	struct net_plan *p;
	struct fake f;

	(void) state;
	fake_up(&f);
	fake_install(&f, "one");
	fake_does(&f, "one.ADD", "echo '{}'");
	fake_does(&f, "one.DEL", "echo $CNI_IFNAME >>$dir/order");
	for (int i = 0; i < 12; i++) {
		_cleanup_free_ char *name = xasprintf("%02d-n%d.conf", i, i);
		_cleanup_free_ char *text = xasprintf("{\"name\":\"n%d\",\"type\":\"one\"}", i);

		put_conf(name, text);
	}
	put_conf("99-default.conf", "{\"name\":\"default\",\"type\":\"one\"}");
	assert_int_equal(plan(&f, S(W("all")), &p, &e), 0);
	assert_int_equal(net_up(p, &r, &e), 0);
	net_result_done(&r);
	net_plan_free(p);
	assert_int_equal(file_write_at(f.pod, "net/.0.state.123.tmp", "x", 1, 0600, FILE_FAST, NULL), 0);
	assert_int_equal(file_write_at(f.pod, "net/x.state", "x", 1, 0600, FILE_FAST, NULL), 0);
	assert_int_equal(net_down(f.pod, UUID, "", &e), 0);
	calls = fake_read(f.plugins, "order");
	assert_string_equal(calls, "eth12\neth11\neth10\neth9\neth8\neth7\neth6\neth5\neth4\neth3\neth2\neth1\neth0");
	fake_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_ones),	cmocka_unit_test(behind_a_firewall),	cmocka_unit_test(names_of_the_pod),
		cmocka_unit_test(refused),
		cmocka_unit_test(up_and_down),
		cmocka_unit_test(the_second_fails),
		cmocka_unit_test(a_result_that_makes_no_sense),
		cmocka_unit_test(down_goes_on_after_a_failure),
		cmocka_unit_test(the_order_of_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
