#include "tests/unit/unit.h"

#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/request.h"

#define CONF "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"bridge\"}"

static struct cni_env env_for(const char *command)
{
	return (struct cni_env) {.command = command, .container_id = "c1", .netns = "/ns", .ifname = "eth0",
				 .args = "A=1", .path = "/cni"};
}

static int parse(struct cni_request *rq, const struct cni_env *env, const char *text, struct err *e)
{
	return cni_request_parse(rq, env, xstrdup(text), strlen(text), e);
}

static void assert_refused(const struct cni_env *env, const char *text, int code, const char *error)
{
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (parse(&rq, env, text, &e) >= 0)
		fail_msg("not refused: %s", text);
	if (cni_code_of(e.code) != code)
		fail_msg("%s: code %d, expected %d", err_text(&e), cni_code_of(e.code), code);
	assert_err(&e, error);
}

static void test_good(void **state _unused_)
{
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct cni_env env = env_for("CHECK");
	static const char text[] =
		"{\"cniVersion\":\"0.4.0\",\"name\":\"n.e-t_1\",\"type\":\"x\",\"ipam\":{\"type\":\"host-local\"},"
		"\"dns\":{\"domain\":\"d\"},\"prevResult\":{\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.2/8\"}]}}";

	if (parse(&rq, &env, text, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(rq.command, CNI_CHECK);
	assert_int_equal(rq.version, CNI_0_4_0);
	assert_string_equal(rq.name, "n.e-t_1");
	assert_string_equal(rq.ipam, "host-local");
	assert_string_equal(rq.dns.domain, "d");
	assert_true(rq.has_prev);
	assert_int_equal(rq.prev.n_ips, 1);
	assert_int_equal(cni_request_need_prev(&rq, &e), 0);
	assert_string_equal(rq.text, text);
}

static void test_del_needs_less(void **state _unused_)
{
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct cni_env env = env_for("DEL");

	env.netns = env.args = NULL;
	if (parse(&rq, &env, CONF, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_string_equal(rq.netns, "");
	assert_null(rq.ipam);
	assert_int_equal(cni_request_need_prev(&rq, &e), -CNI_CODE(CNI_BAD_CONFIG));
	assert_err(&e, "required prevResult missing");
}

static void test_env(void **state _unused_)
{
	struct cni_env env = env_for("ADD"), none = {.command = "ADD"}, gc = {.command = "GC"};
	struct cni_env del = {.command = "DEL"}, odd = env_for("add");

	assert_refused(&odd, CONF, CNI_BAD_ENV, "unknown CNI_COMMAND: \"add\"");
	assert_refused(&none, CONF, CNI_BAD_ENV,
		       "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing");
	assert_refused(&del, CONF, CNI_BAD_ENV,
		       "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing");
	assert_refused(&gc, CONF, CNI_BAD_ENV, "required env variables [CNI_PATH] missing");
	env.netns = "";
	assert_refused(&env, CONF, CNI_BAD_ENV, "required env variables [CNI_NETNS] missing");
}

/* Nothing that leaves its directory, or its line in a file, or its word in a comment. */
static void test_names(void **state _unused_)
{
	static const char *const bad_ids[] = {"../x", "a/b", ".a", "-a", "a b", "a\nb", "a;b", "\xc3\xa4"};
	static const char *const bad_links[] = {".", "..", "a/b", "a b", "a:b", "0123456789abcdef", "all", "default"};
	char longest[CNI_NAME_MAX + 2];
	struct cni_env env = env_for("ADD");
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < ELEMENTSOF(bad_ids); i++) {
		_cleanup_free_ char *error = xasprintf("CNI_CONTAINERID %s is not made of letters, digits, _, . and - "
						       "after a letter or digit", q(bad_ids[i]));

		env.container_id = bad_ids[i];
		assert_refused(&env, CONF, CNI_BAD_ENV, error);
	}
	env = env_for("ADD");
	for (size_t i = 0; i < ELEMENTSOF(bad_links); i++) {
		_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		env.ifname = bad_links[i];
		assert_int_equal(parse(&rq, &env, CONF, &e), -CNI_CODE(CNI_BAD_ENV));
	}
	memset(longest, 'a', sizeof longest);
	longest[CNI_NAME_MAX] = '\0';
	assert_null(cni_name_check(longest));
	longest[CNI_NAME_MAX] = 'a';
	longest[CNI_NAME_MAX + 1] = '\0';
	assert_string_equal(cni_name_check(longest), "is too long");
	assert_string_equal(cni_name_check(""), "is empty");
}

static void test_conf(void **state _unused_)
{
	static const struct {
		const char *text, *error;
		int code;
	} rows[] = {
		{"[]", "network configuration: expected object", CNI_DECODE},
		{"{}", "missing network name", CNI_BAD_CONFIG},
		{"{\"name\":\"\"}", "missing network name", CNI_BAD_CONFIG},
		{"null", "missing network name", CNI_BAD_CONFIG},
		{"{\"name\":1}", "name: expected string", CNI_DECODE},
		{"{\"name\":\"../x\"}",
		 "network name \"../x\" is not made of letters, digits, _, . and - after a letter or digit",
		 CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"cniVersion\":1}", "cniVersion: expected string", CNI_DECODE},
		{"{\"name\":\"n\",\"cniVersion\":\"1.x\"}", "cniVersion \"1.x\": not a version",
		 CNI_INCOMPATIBLE_VERSION},
		{"{\"name\":\"n\",\"cniVersion\":\"1.0\"}",
		 "incompatible CNI versions; config is \"1.0\", plugin supports 0.1.0 to 1.1.0",
		 CNI_INCOMPATIBLE_VERSION},
		{"{\"name\":\"n\",\"ipam\":{\"type\":\"../../bin/sh\"}}",
		 "ipam.type: \"../../bin/sh\" is not a plugin's name", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"ipam\":{\"type\":\"..\"}}", "ipam.type: \"..\" is not a plugin's name", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"ipam\":{\"type\":1}}", "ipam.type: expected string", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"ipam\":[]}", "ipam: expected object", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"dns\":{\"search\":1}}", "dns.search: expected array", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"type\":1}", "type: expected string", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"capabilities\":1}", "capabilities: expected object", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"capabilities\":{\"mac\":1}}", "capabilities.mac: expected true or false",
		 CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"runtimeConfig\":1}", "runtimeConfig: expected object", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"args\":1}", "args: expected object", CNI_BAD_CONFIG},
		{"{\"name\":\"n\",\"args\":{\"cni\":1}}", "args.cni: expected object", CNI_BAD_CONFIG},
	};
	struct cni_env env = env_for("ADD"), check = env_for("CHECK");

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_refused(&env, rows[i].text, rows[i].code, rows[i].error);
	assert_refused(&check, "{\"name\":\"n\",\"cniVersion\":\"1.x\"}", CNI_DECODE,
		       "cniVersion \"1.x\": not a version");
}

#define BAD_PREV                                                                                                       \
	"{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"prevResult\":{\"ips\":[{\"address\":\"x\"}]},\"dns\":1,\"type\":1}"

/* What goes into a result is of no interest to DEL; a bad prevResult to those only who need one. */
static void test_lenient(void **state _unused_)
{
	static const char why[] = "prevResult.ips[0].address: \"x\": not an address with a prefix length";
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT, add = CNI_REQUEST_INIT;
	struct cni_env del = env_for("DEL"), first = env_for("ADD"), check = env_for("CHECK");
	_cleanup_err_ struct err e = ERR_INIT;

	if (parse(&rq, &del, BAD_PREV, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_false(rq.has_prev);
	assert_int_equal(cni_request_need_prev(&rq, &e), -CNI_CODE(CNI_DECODE));
	assert_err(&e, why);
	if (parse(&add, &first, "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"prevResult\":{\"cniVersion\":\"9\"}}", &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(cni_request_need_prev(&add, &e), -CNI_CODE(CNI_INCOMPATIBLE_VERSION));
	assert_refused(&check, "{\"name\":\"n\",\"cniVersion\":\"1.0.0\",\"prevResult\":{\"ips\":[{\"address\":\"x\"}]}}",
		       CNI_DECODE, why);
}

/* Some plugins came with a later version (firewall with 0.4.0). */
static void test_since(void **state _unused_)
{
	struct cni_env add = env_for("ADD");
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	rq.since = CNI_0_4_0;
	assert_int_equal(parse(&rq, &add, "{\"name\":\"n\",\"cniVersion\":\"0.3.1\"}", &e),
			 -CNI_CODE(CNI_INCOMPATIBLE_VERSION));
	assert_err(&e, "incompatible CNI versions; config is \"0.3.1\", plugin supports 0.4.0 to 1.1.0");
}

static void test_versions(void **state _unused_)
{
	struct cni_env check = env_for("CHECK"), gc = env_for("GC"), status = env_for("STATUS");
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct cni_env add = env_for("ADD");

	assert_refused(&check, "{\"name\":\"n\",\"cniVersion\":\"0.3.1\"}", CNI_INCOMPATIBLE_VERSION,
		       "config version 0.3.1 does not allow CHECK");
	assert_refused(&gc, "{\"name\":\"n\",\"cniVersion\":\"1.0.0\"}", CNI_INCOMPATIBLE_VERSION,
		       "config version 1.0.0 does not allow GC");
	assert_refused(&status, "{\"name\":\"n\"}", CNI_INCOMPATIBLE_VERSION, "config version 0.1.0 does not allow STATUS");
	assert_int_equal(parse(&rq, &add, "{\"name\":\"n\"}", &e), 0);
	assert_int_equal(rq.version, CNI_0_1_0);
}

static void test_attachments(void **state _unused_)
{
	static const char conf[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"cni.dev/%sattachments\":["
				   "{\"containerID\":\"b\",\"ifname\":\"eth0\"},{\"containerID\":\"a\",\"ifname\":\"eth1\"}]}";
	static const char *const keys[] = {"valid-", ""};
	struct cni_env env = {.command = "GC", .path = "/cni"};

	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *text = xasprintf(conf, keys[i]);

		assert_int_equal(parse(&rq, &env, text, &e), 0);
		assert_true(rq.valid.known);
		assert_true(cni_attachments_have(&rq.valid, "b", "eth0"));
		assert_true(cni_attachments_have(&rq.valid, "a", "eth1"));
		assert_true(cni_attachments_have(&rq.valid, "a", NULL));
		assert_false(cni_attachments_have(&rq.valid, "a", "eth0"));
		assert_false(cni_attachments_have(&rq.valid, "c", NULL));
	}
	assert_refused(&env, "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"cni.dev/valid-attachments\":[{}]}", CNI_BAD_CONFIG,
		       "cni.dev/valid-attachments[0]: expected containerID and ifname");
}

/* Nothing said is not "nothing is valid". */
static void test_attachments_unknown(void **state _unused_)
{
	struct cni_env env = {.command = "GC", .path = "/cni"};
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT, none = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(parse(&rq, &env, "{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}", &e), 0);
	assert_false(rq.valid.known);
	assert_int_equal(parse(&none, &env,
			       "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"cni.dev/valid-attachments\":[]}", &e), 0);
	assert_true(none.valid.known);
	assert_false(cni_attachments_have(&none.valid, "a", NULL));
}

static void test_args(void **state _unused_)
{
	_cleanup_free_ char *mac = NULL;
	struct cni_arg known[] = {{"MAC", &mac}, {"IP", NULL}};
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(cni_args_parse("", known, 2, &e), 0);
	assert_int_equal(cni_args_parse("MAC=a;IP=b;MAC=c=d;", known, 2, &e), 0);
	assert_string_equal(mac, "c=d");
	assert_int_equal(cni_args_parse("K8S_POD=x;IgnoreUnknown=1", known, 2, &e), 0);
	assert_int_equal(cni_args_parse("IgnoreUnknown=true;K8S_POD=x", known, 2, &e), 0);
	assert_int_equal(cni_args_parse("IgnoreUnknown=0;K8S_POD=x", known, 2, &e), -CNI_CODE(CNI_BAD_ENV));
	assert_err(&e, "CNI_ARGS: unknown args \"K8S_POD\"");
	assert_int_equal(cni_args_parse("MAC", known, 2, &e), -CNI_CODE(CNI_BAD_ENV));
	assert_err(&e, "CNI_ARGS: invalid pair \"MAC\"");
	assert_int_equal(cni_args_parse("=x", known, 2, &e), -CNI_CODE(CNI_BAD_ENV));
	assert_err(&e, "CNI_ARGS: invalid pair \"=x\"");
}

/* Network, id and interface of n, i and f bytes; the id ends with `last`. */
static void owner_of(int n, int i, char last, int f, char buf[static CNI_OWNER_MAX])
{
	_cleanup_free_ char *network = xasprintf("%0*d", n, 0), *id = xasprintf("%0*d%c", i - 1, 0, last),
			    *ifname = xasprintf("%0*d", f, 0);

	cni_owner(network, id, ifname, buf);
}

static void test_owner(void **state _unused_)
{
	struct cni_attachment one = {"i", "eth0"};
	const struct cni_attachments none = {.known = true}, valid = {.list = &one, .n = 1, .known = true};
	_cleanup_free_ char *network = xasprintf("%0200d", 0);
	char a[CNI_OWNER_MAX], b[CNI_OWNER_MAX];

	cni_owner("n", "i", "eth0", a);
	assert_string_equal(a, "cni n i eth0");
	assert_false(cni_owner_is_stale(a, "n", &valid));
	assert_true(cni_owner_is_stale(a, "n", &none));
	assert_false(cni_owner_is_stale(a, "m", &none));
	assert_false(cni_owner_is_stale("cni n i", "n", &none));
	assert_false(cni_owner_is_stale("cni n i eth0 x", "n", &none));
	assert_false(cni_owner_is_stale("dev n i eth0", "n", &none));
	assert_false(cni_owner_is_stale("", "n", &none));
	/* The last that has room, and the first that has not. */
	owner_of(200, 29, 'a', 15, a);
	assert_int_equal(strlen(a), CNI_OWNER_MAX - 1);
	assert_false(strchr(a, '#'));
	owner_of(200, 30, 'a', 15, a);
	assert_true(str_starts(a, "cni #"));
	assert_true(cni_owner_is_stale(a, network, &none));
	owner_of(200, 200, 'a', 15, a);
	owner_of(200, 200, 'b', 15, b);
	assert_string_not_equal(a, b);
	owner_of(199, 200, 'a', 15, b);
	assert_string_not_equal(a, b);
	assert_false(cni_owner_is_stale(b, network, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	     cmocka_unit_test(test_del_needs_less),
		cmocka_unit_test(test_env),	     cmocka_unit_test(test_names),
		cmocka_unit_test(test_conf),	     cmocka_unit_test(test_versions),
		cmocka_unit_test(test_attachments),  cmocka_unit_test(test_attachments_unknown),
		cmocka_unit_test(test_args),	     cmocka_unit_test(test_owner),
		cmocka_unit_test(test_lenient),	     cmocka_unit_test(test_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
