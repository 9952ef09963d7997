#include "tests/unit/unit.h"

#include <errno.h>

#include "spec/check_decode.h"
#include "spec/isolator.h"

static int decode(const char *name, const char *value, struct isolator_list *l, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("[{\"name\": \"%s\", \"value\": %s}]", name, value);
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), JSON_MANIFEST_MAX, e);

	return j ? isolators_decode_app(j, JSON_TOP, l, e) : -EINVAL;
}

static void refused(const char *name, const char *value, const char *why)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct isolator_list l = {0};

	if (decode(name, value, &l, &e) == 0)
		fail_msg("%s: accepted %s", name, value);
	if (!strstr(err_text(&e), why))
		fail_msg("%s %s: %s", name, value, err_text(&e));
	isolators_done(&l);
}

static struct isolator_list accepted(const char *name, const char *value)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct isolator_list l = {0};

	if (decode(name, value, &l, &e) < 0)
		fail_msg("%s %s: %s", name, value, err_text(&e));
	return l;
}

static void test_healthcheck(void **state _unused_)
{
	struct isolator_list l = accepted("gantry/healthcheck", "{\"exec\": [\"/bin/sh\", \"-c\", \"x\"], "
								"\"interval\": \"1m30s\", \"timeout\": \"250ms\", "
								"\"startPeriod\": \"0s\", \"retries\": 5}");
	_cleanup_check_ struct check c = {0};

	assert_int_equal(healthcheck_decode(l.v[0].raw, JSON_TOP, &c, NULL), 0);
	assert_int_equal(c.purpose, CHECK_HEALTH);
	assert_int_equal(c.how, CHECK_EXEC);
	assert_int_equal(c.period_ms, 90000);
	assert_int_equal(c.delay_ms, 90000);
	assert_int_equal(c.timeout_ms, 250);
	assert_int_equal(c.grace_ms, 0);
	assert_int_equal(c.failures, 5);
	isolators_done(&l);
	refused("gantry/healthcheck", "{}", "exec");
	refused("gantry/healthcheck", "{\"exec\": []}", "exec");
	refused("gantry/healthcheck", "{\"exec\": [\"a\"], \"interval\": \"0s\"}", "more than 0");
	refused("gantry/healthcheck", "{\"exec\": [\"a\"], \"interval\": \"-1s\"}", "not a duration");
	refused("gantry/healthcheck", "{\"exec\": [\"a\"], \"retries\": 0}", "retries");
	refused("gantry/healthcheck", "{\"exec\": [\"a\"], \"every\": \"1s\"}", "every");
}

static void test_probe(void **state _unused_)
{
	struct isolator_list l = accepted("gantry/probe", "{\"type\": \"readiness\", \"httpGet\": {\"port\": 80, "
							  "\"headers\": [\"X: y\"]}, \"successThreshold\": 2}");
	_cleanup_check_ struct check c = {0};

	assert_int_equal(probe_decode(l.v[0].raw, JSON_TOP, &c, NULL), 0);
	assert_int_equal(c.purpose, CHECK_READINESS);
	assert_int_equal(c.how, CHECK_HTTP);
	assert_int_equal(c.port, 80);
	assert_string_equal(c.path, "/");
	assert_int_equal(c.successes, 2);
	assert_int_equal(c.timeout_ms, 1000);
	isolators_done(&l);
	l = accepted("gantry/probe", "{\"type\": \"liveness\", \"tcpSocket\": {\"port\": 1, \"host\": \"::1\"}}");
	isolators_done(&l);
	refused("gantry/probe", "{\"type\": \"life\", \"exec\": [\"a\"]}", "life");
	refused("gantry/probe", "{\"type\": \"liveness\"}", "expected one of");
	refused("gantry/probe", "{\"type\": \"liveness\", \"exec\": [\"a\"], \"tcpSocket\": {\"port\": 1}}",
		"expected one of");
	refused("gantry/probe", "{\"type\": \"liveness\", \"exec\": [\"a\"], \"successThreshold\": 2}",
		"successThreshold");
	refused("gantry/probe", "{\"type\": \"liveness\", \"tcpSocket\": {\"port\": 0}}", "port");
	refused("gantry/probe", "{\"type\": \"liveness\", \"tcpSocket\": {\"port\": 1, \"host\": \"a.com\"}}",
		"not an address");
	refused("gantry/probe", "{\"type\": \"liveness\", \"httpGet\": {\"port\": 1, \"path\": \"/a b\"}}", "space");
	refused("gantry/probe",
		"{\"type\": \"liveness\", \"httpGet\": {\"port\": 1, \"headers\": [\"a: b\\r\\nc: d\"]}}",
		"control character");
}

static void test_words(void **state _unused_)
{
	static const struct {
		const char *word;
		int sig;
	} good[] = {{"SIGTERM", 15}, {"TERM", 15}, {"3", 3}, {"SIGRTMIN+3", 37}, {"SIGRTMAX", 64},
		    {"RTMAX-1", 63}, {"SIGWINCH", 28}};
	static const char *const bad[] = {"", "0", "65", "SIG", "term", "SIGRTMIN+31", "SIGRTMIN-1", "-3", "3 "};
	int sig;

	for (size_t i = 0; i < ELEMENTSOF(good); i++) {
		assert_int_equal(stop_signal_parse(good[i].word, &sig), 0);
		assert_int_equal(sig, good[i].sig);
	}
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		if (stop_signal_parse(bad[i], &sig) == 0)
			fail_msg("accepted %s", bad[i]);
	refused("gantry/stop-signal", "{\"signal\": \"SIGNONE\"}", "SIGNONE");
	refused("gantry/stop-signal", "\"SIGTERM\"", "expected object");
	refused("gantry/restart", "{\"policy\": \"sometimes\"}", "sometimes");
	refused("gantry/restart", "{}", "policy");
	refused("gantry/init-app", "1", "expected");
}

/* What is written is what was read, and one app may have several probes. */
static void test_round(void **state _unused_)
{
	static const char text[] =
		"[{\"name\":\"gantry/stop-signal\",\"value\":{\"signal\":\"QUIT\"}},"
		"{\"name\":\"gantry/login-groups\",\"value\":true},{\"name\":\"gantry/init-app\",\"value\":false},"
		"{\"name\":\"gantry/restart\",\"value\":{\"policy\":\"always\"}},"
		"{\"name\":\"gantry/probe\",\"value\":{\"type\":\"liveness\",\"exec\":[\"a\"]}},"
		"{\"name\":\"gantry/probe\",\"value\":{\"type\":\"readiness\",\"exec\":[\"a\"]}}]";
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), JSON_MANIFEST_MAX, NULL), *out = NULL;
	_cleanup_free_ char *printed = NULL;
	struct isolator_list l = {0}, copy;

	assert_int_equal(isolators_decode_app(j, JSON_TOP, &l, NULL), 0);
	isolators_copy(&copy, &l);
	isolators_done(&l);
	out = isolators_encode(&copy);
	isolators_done(&copy);
	printed = json_print(out, false);
	assert_string_equal(printed, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthcheck),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
