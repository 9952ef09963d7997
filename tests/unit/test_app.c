#include "tests/unit/unit.h"

#include "spec/app.h"

static struct app *decode(const char *text, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), JSON_MANIFEST_MAX, e);
	struct json_at at = {.key = "app"};
	struct app *a = NULL;

	assert_non_null(j);
	return app_decode(j, &at, &a, e) < 0 ? NULL : a;
}

/* Members beside user and group. */
struct row {
	const char *members, *error; /* NULL: fine */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = xasprintf("{\"user\":\"0\",\"group\":\"0\",%s}", rows[i].members);
		_cleanup_err_ struct err e = ERR_INIT;
		struct app *a = decode(text, &e);

		assert_string_equal(a ? "fine" : err_text(&e), rows[i].error ? rows[i].error : "fine");
		app_free(a);
	}
}

static void test_frame(void **state _unused_)
{
	static const struct row rows[] = {
		{"[]", "app: expected object"},
		{"{}", "app.user: required member is missing"},
		{"{\"user\":\"0\"}", "app.group: required member is missing"},
		{"{\"user\":0,\"group\":\"0\"}", "app.user: expected string"},
		{"{\"user\":\"\",\"group\":\"0\"}", "app.user: \"\": must not be empty"},
		{"{\"user\":\"0\",\"group\":\"\"}", "app.group: \"\": must not be empty"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;

		assert_null(decode(rows[i].members, &e));
		assert_err(&e, rows[i].error);
	}
}

static void test_members(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"exec\":[\"sh\",\"\"]", NULL},
		{"\"exec\":[]", NULL},
		{"\"exec\":null,\"isolators\":null", NULL},
		{"\"exec\":\"sh\"", "app.exec: expected array"},
		{"\"exec\":[\"sh\",3]", "app.exec[1]: expected string"},
		{"\"exec\":[\"\"]", "app.exec[0]: must not be empty"},
		{"\"Exec\":[\"sh\"]", "app.Exec: unknown member"},
		{"\"supplementaryGIDs\":[0,4294967294]", NULL},
		{"\"supplementaryGIDs\":[-1]", "app.supplementaryGIDs[0]: -1 is not within 0..4294967294"},
		{"\"supplementaryGIDs\":[4294967295]",
		 "app.supplementaryGIDs[0]: 4294967295 is not within 0..4294967294"},
		{"\"supplementaryGIDs\":[1.5]", "app.supplementaryGIDs[0]: expected whole number"},
		{"\"supplementaryGIDs\":[1,\"2\"]", "app.supplementaryGIDs[1]: expected number"},
		{"\"workingDirectory\":\"/opt\"", NULL},
		{"\"workingDirectory\":\"opt\"", "app.workingDirectory: \"opt\": not an absolute path"},
		{"\"workingDirectory\":\"\"", "app.workingDirectory: \"\": not an absolute path"},
		{"\"environment\":[{\"name\":\"FOO\",\"value\":\"\"},{\"name\":\"FOO\",\"value\":\"x\"}]",
		 "app.environment[1].name: \"FOO\" is there twice"},
		{"\"isolators\":[{\"name\":\"x/y\",\"value\":1}]", "app.isolators[0].name: \"x/y\": unknown isolator"},
		{"\"isolators\":[{\"name\":\"os/unix/sysctl\",\"value\":{}}]",
		 "app.isolators[0].name: \"os/unix/sysctl\": only for the pod"},
		{"\"userAnnotations\":{\"a\":1}", "app.userAnnotations.a: expected string"},
		{"\"userLabels\":[]", "app.userLabels: expected object"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_handlers(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/a\"]},"
		 "{\"name\":\"post-stop\",\"exec\":[\"/b\"]}]",
		 NULL},
		{"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/a\"]},"
		 "{\"name\":\"pre-start\",\"exec\":[\"/b\"]}]",
		 "app.eventHandlers[1].name: \"pre-start\" is there twice"},
		{"\"eventHandlers\":[{\"name\":\"pre-stop\",\"exec\":[\"/a\"]}]",
		 "app.eventHandlers[0].name: \"pre-stop\": neither pre-start nor post-stop"},
		{"\"eventHandlers\":[{\"exec\":[\"/a\"]}]", "app.eventHandlers[0].name: required member is missing"},
		{"\"eventHandlers\":[{\"name\":\"pre-start\"}]",
		 "app.eventHandlers[0].exec: required member is missing"},
		{"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[]}]",
		 "app.eventHandlers[0].exec: must not be empty"},
		{"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"\"]}]",
		 "app.eventHandlers[0].exec[0]: must not be empty"},
		{"\"eventHandlers\":{}", "app.eventHandlers: expected array"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_mount_points(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"mountPoints\":[{\"name\":\"work\",\"path\":\"/w\",\"readOnly\":true}]", NULL},
		{"\"mountPoints\":[{\"path\":\"/w\"}]", "app.mountPoints[0].name: required member is missing"},
		{"\"mountPoints\":[{\"name\":\"w\"}]", "app.mountPoints[0].path: required member is missing"},
		{"\"mountPoints\":[{\"name\":\"w_\",\"path\":\"/w\"}]",
		 "app.mountPoints[0].name: \"w_\": has a character that is not allowed"},
		{"\"mountPoints\":[{\"name\":\"w\",\"path\":\"w\"}]",
		 "app.mountPoints[0].path: \"w\": not an absolute path"},
		{"\"mountPoints\":[{\"name\":\"w\",\"path\":\"/w\",\"readOnly\":\"yes\"}]",
		 "app.mountPoints[0].readOnly: expected true or false"},
		{"\"mountPoints\":[{\"name\":\"w\",\"path\":\"/w\"},{\"name\":\"w\",\"path\":\"/x\"}]",
		 "app.mountPoints[1].name: \"w\" is there twice"},
		{"\"mountPoints\":[{\"name\":\"w\",\"path\":\"/w\",\"mode\":1}]",
		 "app.mountPoints[0].mode: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

#define PORT(rest) "\"ports\":[{\"name\":\"http\",\"protocol\":\"tcp\"," rest "}]"

static void test_ports(void **state _unused_)
{
	static const struct row rows[] = {
		{PORT("\"port\":1"), NULL},
		{PORT("\"port\":65535,\"count\":1,\"socketActivated\":true"), NULL},
		{PORT("\"port\":1,\"count\":65535"), NULL},
		{PORT("\"port\":0"), "app.ports[0].port: 0 is not within 1..65535"},
		{PORT("\"port\":65536"), "app.ports[0].port: 65536 is not within 1..65535"},
		{PORT("\"port\":\"80\""), "app.ports[0].port: expected number"},
		{PORT("\"count\":1"), "app.ports[0].port: required member is missing"},
		{PORT("\"port\":80,\"count\":0"), "app.ports[0].count: 0 is not within 1..65535"},
		{PORT("\"port\":65535,\"count\":2"), "app.ports[0].count: 2 ports from 65535 on go beyond 65535"},
		{PORT("\"port\":80,\"socketActivated\":1"), "app.ports[0].socketActivated: expected true or false"},
		{"\"ports\":[{\"protocol\":\"tcp\",\"port\":1}]", "app.ports[0].name: required member is missing"},
		{"\"ports\":[{\"name\":\"a\",\"port\":1}]", "app.ports[0].protocol: required member is missing"},
		{"\"ports\":[{\"name\":\"A\",\"protocol\":\"tcp\",\"port\":1}]",
		 "app.ports[0].name: \"A\": upper case is not allowed"},
		{"\"ports\":[{\"name\":\"a\",\"protocol\":\"\",\"port\":1}]",
		 "app.ports[0].protocol: \"\": must not be empty"},
		{"\"ports\":[{\"name\":\"a\",\"protocol\":\"t c p\",\"port\":1}]",
		 "app.ports[0].protocol: \"t c p\": not a protocol's name"},
		{"\"ports\":[{\"name\":\"a\",\"protocol\":\"tcp\",\"port\":1},"
		 "{\"name\":\"a\",\"protocol\":\"udp\",\"port\":1}]",
		 "app.ports[1].name: \"a\" is there twice"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static const char everything[] =
	"{\"exec\":[\"/bin/x\",\"--a\",\"\"],\"user\":\"www\",\"group\":\"/etc/group\","
	"\"supplementaryGIDs\":[400,500],"
	"\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/p\"]},{\"name\":\"post-stop\",\"exec\":[\"/q\"]}],"
	"\"workingDirectory\":\"/opt\",\"environment\":[{\"name\":\"A\",\"value\":\"1\"}],"
	"\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"4096\"}}],"
	"\"mountPoints\":[{\"name\":\"m\",\"path\":\"/m\",\"readOnly\":true},{\"name\":\"n\",\"path\":\"/n\"}],"
	"\"ports\":[{\"name\":\"p\",\"protocol\":\"udp\",\"port\":53,\"count\":3,\"socketActivated\":false}],"
	"\"userAnnotations\":{\"k\":\"v\"},\"userLabels\":{\"l\":\"w\"}}";

static void test_round_trip(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct app *a = decode(everything, &e), *copy;
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *text = NULL;

	assert_non_null(a);
	assert_string_equal(app_handler(a, "post-stop")->exec[0], "/q");
	copy = app_copy(a);
	app_free(a);
	j = app_encode(copy);
	text = json_print(j, false);
	assert_string_equal(text, everything);
	app_free(copy);
}

static void test_defaults(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct app *a = decode("{\"user\":\"0\",\"group\":\"0\",\"ports\":[{\"name\":\"a\",\"protocol\":\"tcp\","
			       "\"port\":80}],\"mountPoints\":[{\"name\":\"m\",\"path\":\"/m\"}]}",
			       &e);

	assert_non_null(a);
	assert_null(a->exec);
	assert_null(a->working_directory);
	assert_int_equal(a->ports[0].count, 1);
	assert_false(a->ports[0].socket_activated);
	assert_false(a->mount_points[0].read_only);
	assert_null(app_handler(a, "pre-start"));
	app_free(a);
	app_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),	     cmocka_unit_test(test_members),
		cmocka_unit_test(test_handlers),     cmocka_unit_test(test_mount_points),
		cmocka_unit_test(test_ports),	     cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
