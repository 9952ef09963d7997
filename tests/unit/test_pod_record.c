#include "tests/unit/unit.h"

#include "contract/pod_record.h"

#define HEAD "version=1\0uuid=u\0hostname=h\0stop-timeout-ms=500\0private-net=0\0"

static int decode(const char *data, size_t len, struct pod_record *ret, struct err *e)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	int r = record_parse(&in, xmemdup(data, len), len, POD_RECORD_VERSION, e);

	return r < 0 ? r : pod_record_decode(&in, ret, e);
}

static void test_round_trip(void **state _unused_)
{
	_cleanup_pod_record_ struct pod_record rec = POD_RECORD_INIT, again = POD_RECORD_INIT;
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_record_app *app;

	rec.uuid = xstrdup("11111111-2222-4333-8444-555555555555");
	rec.hostname = xstrdup("pod");
	strv_add(&rec.sysctls, "net.a=1");
	strv_add(&rec.sysctls, "net.b=x=y");
	pod_record_add_app(&rec, "web", true)->streams[0] = STREAM_GIVEN;
	pod_record_add_app(&rec, "db", false);
	app = pod_record_add_app(&rec, "log", true);
	app->stop_signal = 3;
	app->restart = RESTART_ALWAYS;
	app->init = true;
	app->checks = xcalloc(2, sizeof *app->checks);
	app->checks[0] = (struct pod_record_check) {CHECK_HEALTH, 1, 2, 3, 4, 5, 6};
	app->checks[1] = (struct pod_record_check) {CHECK_STARTUP, 0, 0, 1, 1, 1, 1};
	app->n_checks = 2;
	pod_record_encode(&rec, &one);
	assert_int_equal(decode(one.buf, one.len, &again, &e), 0);
	pod_record_encode(&again, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.buf, two.buf, one.len);
	assert_int_equal(again.n_apps, 3);
	assert_string_equal(again.apps[2].name, "log");
	assert_true(again.apps[0].has_post_stop && !again.apps[1].has_post_stop &&
		    again.apps[2].has_post_stop);
	assert_true(again.apps[0].streams[0] == STREAM_GIVEN && again.apps[0].streams[1] == STREAM_LOG);
	assert_true(again.apps[1].streams[0] == STREAM_NULL);
	assert_int_equal(again.apps[2].stop_signal, 3);
	assert_int_equal(again.apps[2].restart, RESTART_ALWAYS);
	assert_true(again.apps[2].init && !again.apps[0].init);
	assert_int_equal(again.apps[2].checks[0].failures, 6);
	assert_int_equal(strv_len(again.sysctls), 2);
	assert_string_equal(again.sysctls[1], "net.b=x=y");
	assert_true(again.private_net);
	assert_int_equal(again.stop_timeout_ms, 10000);
}

static void test_refused(void **state _unused_)
{
#define ROW(data, text) {data, sizeof(data) - 1, text}
	static const struct {
		const char *data;
		size_t len;
		const char *text;
	} rows[] = {
		ROW(HEAD, "pod record: app: missing"),
		ROW(HEAD "app=a\0", "pod record: has-post-stop: missing"),
		ROW(HEAD "app=a\0app=b\0has-post-stop=0\0", "pod record: has-post-stop: missing"),
		ROW(HEAD "has-post-stop=0\0app=a\0",
		    "pod record: has-post-stop: before the first app"),
		ROW(HEAD "app=a\0has-post-stop=0\0app=a\0has-post-stop=0\0",
		    "pod record: app: bad value \"a\""),
		ROW(HEAD "app=a\0has-post-stop=0\0has-post-stop=0\0",
		    "pod record: has-post-stop: given twice"),
		ROW(HEAD "app=a\0has-post-stop=2\0", "pod record: has-post-stop: bad value \"2\""),
		ROW(HEAD "app=../x\0has-post-stop=0\0", "pod record: app: bad value \"../x\""),
		ROW(HEAD "app=a/b\0has-post-stop=0\0", "pod record: app: bad value \"a/b\""),
		ROW(HEAD "app=a\0has-post-stop=0\0streams=log log log\0",
		    "pod record: streams: bad value \"log log log\""),
		ROW(HEAD "app=a\0has-post-stop=0\0streams=null log\0",
		    "pod record: streams: bad value \"null log\""),
		ROW(HEAD "sysctl==1\0", "pod record: sysctl: bad value \"=1\""),
		ROW(HEAD "uuid=v\0", "pod record: uuid: given twice"),
		ROW(HEAD "later=1\0", "pod record: unknown key \"later\""),
		ROW(HEAD "restart=never\0", "pod record: restart: before the first app"),
		ROW(HEAD "app=a\0has-post-stop=0\0restart=1\0", "pod record: restart: bad value \"1\""),
		ROW(HEAD "app=a\0has-post-stop=0\0stop-signal=0\0", "pod record: stop-signal: bad value \"0\""),
		ROW(HEAD "app=a\0has-post-stop=0\0check=health 1 0 0 1 1 1\0",
		    "pod record: check: bad value \"health 1 0 0 1 1 1\""),
		ROW(HEAD "app=a\0has-post-stop=0\0check=wealth 1 0 1 1 1 1\0",
		    "pod record: check: bad value \"wealth 1 0 1 1 1 1\""),
		ROW("version=1\0uuid=\0", "pod record: uuid: bad value \"\""),
		ROW("version=1\0hostname=\0", "pod record: hostname: bad value \"\""),
		ROW("version=1\0stop-timeout-ms=-1\0",
		    "pod record: stop-timeout-ms: bad value \"-1\""),
		ROW("version=1\0uuid=u\0hostname=h\0private-net=1\0app=a\0has-post-stop=0\0",
		    "pod record: stop-timeout-ms: missing"),
		ROW("version=1\0", "pod record: uuid: missing"),
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_pod_record_ struct pod_record rec = POD_RECORD_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		assert_int_equal(decode(rows[i].data, rows[i].len, &rec, &e), -EINVAL);
		assert_err(&e, rows[i].text);
	}
}

static void test_hostname_length(void **state _unused_)
{
	for (size_t n = 64; n <= 65; n++) {
		_cleanup_pod_record_ struct pod_record rec = POD_RECORD_INIT;
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		char name[66] = {0};

		memset(name, 'x', n);
		record_begin(&sb, 1);
		record_add(&sb, "uuid", "u");
		record_add(&sb, "hostname", name);
		(void) decode(sb.buf, sb.len, &rec, &e);
		assert_int_equal(rec.hostname != NULL, n == 64);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostname_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
