#include "tests/unit/unit.h"

#include "spec/pod_manifest.h"

#define HEX16 "0123456789abcdef"
#define ID "sha512-" HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16
#define IMAGE "\"image\":{\"id\":\"" ID "\"}"
#define KIND "\"acKind\":\"PodManifest\""
#define VERSION "\"acVersion\":\"0.8.11\""
#define APP_A "{\"name\":\"a\"," IMAGE "}"

static struct pod_manifest *parse(const char *text, struct err *e)
{
	return pod_manifest_parse(text, strlen(text), e);
}

static void check(const char *text, const char *error)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_manifest *m = parse(text, &e);
	_cleanup_free_ char *whole = error ? xasprintf("pod manifest: %s", error) : xstrdup("fine");

	assert_string_equal(m ? "fine" : err_text(&e), whole);
	pod_manifest_free(m);
}

struct row {
	const char *text, *error; /* NULL: fine */
};

static void test_frame(void **state _unused_)
{
	static const struct row rows[] = {
		{"{" KIND "," VERSION ",\"apps\":[" APP_A "]}", NULL},
		{"nul", "JSON: line 1, column 1: value expected"},
		{"3", "expected object"},
		{"{" VERSION ",\"apps\":[" APP_A "]}", "acKind: required member is missing"},
		{"{" KIND ",\"apps\":[" APP_A "]}", "acVersion: required member is missing"},
		{"{" KIND "," VERSION "}", "apps: required member is missing"},
		{"{" KIND "," VERSION ",\"apps\":[]}", "apps: pod must contain at least one application"},
		{"{" KIND "," VERSION ",\"apps\":{}}", "apps: expected array"},
		{"{\"acKind\":\"ImageManifest\"," VERSION ",\"apps\":[" APP_A "]}",
		 "acKind: \"ImageManifest\": not \"PodManifest\""},
		{"{" KIND ",\"acVersion\":\"1\",\"apps\":[" APP_A "]}", "acVersion: \"1\": not a SemVer 2.0 version"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		check(rows[i].text, rows[i].error);
}

static void check_rows(const struct row *rows, size_t n, const char *frame_begin, const char *frame_end)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text =
			xasprintf("{" KIND "," VERSION ",%s%s%s}", frame_begin, rows[i].text, frame_end);

		check(text, rows[i].error);
	}
}

static void test_apps(void **state _unused_)
{
	static const struct row rows[] = {
		{APP_A ",{\"name\":\"b\"," IMAGE "}", NULL},
		{"{" IMAGE "}", "apps[0].name: required member is missing"},
		{"{\"name\":\"a\"}", "apps[0].image: required member is missing"},
		{"{\"name\":\"A\"," IMAGE "}", "apps[0].name: \"A\": upper case is not allowed"},
		{"{\"name\":\"a.b\"," IMAGE "}", "apps[0].name: \"a.b\": has a character that is not allowed"},
		{APP_A "," APP_A, "apps[1].name: \"a\" is there twice"},
		{"{\"name\":\"a\",\"image\":\"x\"}", "apps[0].image: expected object"},
		{"{\"name\":\"a\",\"image\":{}}", "apps[0].image.id: required member is missing"},
		{"{\"name\":\"a\",\"image\":{\"id\":\"sha512-ab\"}}",
		 "apps[0].image.id: \"sha512-ab\": an image id has 128 lower-case hex digits"},
		{"{\"name\":\"a\",\"image\":{\"id\":\"" ID "\",\"name\":\"a//b\"}}",
		 "apps[0].image.name: \"a//b\": must begin, and go on after each separator, with a letter or digit"},
		{"{\"name\":\"a\",\"image\":{\"id\":\"" ID "\",\"labels\":[{\"name\":\"os\",\"value\":\"x\"}]}}",
		 "apps[0].image.labels[0].value: bad os \"x\""},
		{"{\"name\":\"a\",\"image\":{\"id\":\"" ID "\",\"digest\":\"\"}}",
		 "apps[0].image.digest: unknown member"},
		{APP_A ",{\"name\":\"b\"," IMAGE ",\"app\":{\"user\":\"0\"}}",
		 "apps[1].app.group: required member is missing"},
		{"{\"name\":\"a\"," IMAGE ",\"readOnlyRootFS\":\"yes\"}",
		 "apps[0].readOnlyRootFS: expected true or false"},
		{"{\"name\":\"a\"," IMAGE ",\"annotations\":[{\"name\":\"created\",\"value\":\"\"}]}",
		 "apps[0].annotations[0].value: \"\": not a date and time as of RFC 3339"},
		{"{\"name\":\"a\"," IMAGE ",\"restart\":true}", "apps[0].restart: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows), "\"apps\":[", "]");
}

/* The pod has an empty volume "data". */
static void test_mounts(void **state _unused_)
{
	static const struct row rows[] = {
		{"{\"volume\":\"data\",\"path\":\"/d\"}", NULL},
		{"{\"volume\":\"x\",\"path\":\"/d\"}", "apps[0].mounts[0].volume: no volume named \"x\""},
		{"{\"volume\":\"data\",\"path\":\"/d\"},{\"volume\":\"y\",\"path\":\"/y\"}",
		 "apps[0].mounts[1].volume: no volume named \"y\""},
		{"{\"path\":\"/d\"}", "apps[0].mounts[0].volume: required member is missing"},
		{"{\"volume\":\"data\"}", "apps[0].mounts[0].path: required member is missing"},
		{"{\"volume\":\"data\",\"path\":\"d\"}", "apps[0].mounts[0].path: \"d\": not an absolute path"},
		{"{\"volume\":\"Data\",\"path\":\"/d\"}",
		 "apps[0].mounts[0].volume: \"Data\": upper case is not allowed"},
		{"{\"volume\":\"data\",\"path\":\"/d\",\"readOnly\":true}",
		 "apps[0].mounts[0].readOnly: unknown member"},
		{"{\"volume\":\"x\",\"path\":\"/d\",\"appVolume\":{\"name\":\"x\",\"kind\":\"empty\"}}", NULL},
		{"{\"volume\":\"x\",\"path\":\"/d\",\"appVolume\":{\"name\":\"x\",\"kind\":\"host\"}}",
		 "apps[0].mounts[0].appVolume.source: required for kind host"},
		{"{\"volume\":\"x\",\"path\":\"/d\",\"appVolume\":1}",
		 "apps[0].mounts[0].appVolume: expected object"},
	};

	check_rows(rows, ELEMENTSOF(rows),
		   "\"volumes\":[{\"name\":\"data\",\"kind\":\"empty\"}],\"apps\":[{\"name\":\"a\"," IMAGE
		   ",\"mounts\":[",
		   "]}]");
}

static void test_volumes(void **state _unused_)
{
	static const struct row rows[] = {
		{"{\"name\":\"v\",\"kind\":\"empty\",\"mode\":\"0700\",\"uid\":1,\"gid\":2,\"readOnly\":true}", NULL},
		{"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/s\",\"recursive\":false,\"readOnly\":true}", NULL},
		{"{\"kind\":\"empty\"}", "volumes[0].name: required member is missing"},
		{"{\"name\":\"v\"}", "volumes[0].kind: required member is missing"},
		{"{\"name\":\"v\",\"kind\":\"tmpfs\"}", "volumes[0].kind: \"tmpfs\": neither host nor empty"},
		{"{\"name\":\"v.\",\"kind\":\"empty\"}",
		 "volumes[0].name: \"v.\": has a character that is not allowed"},
		{"{\"name\":\"v\",\"kind\":\"host\"}", "volumes[0].source: required for kind host"},
		{"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"s\"}",
		 "volumes[0].source: \"s\": not an absolute path"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"source\":\"/s\"}", "volumes[0].source: only for kind host"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"recursive\":true}",
		 "volumes[0].recursive: only for kind host"},
		{"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/s\",\"mode\":\"0755\"}",
		 "volumes[0].mode: only for kind empty"},
		{"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/s\",\"uid\":0}",
		 "volumes[0].uid: only for kind empty"},
		{"{\"name\":\"v\",\"kind\":\"host\",\"source\":\"/s\",\"gid\":0}",
		 "volumes[0].gid: only for kind empty"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"mode\":\"0799\"}",
		 "volumes[0].mode: \"0799\": not an octal mode"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"mode\":\"10000\"}",
		 "volumes[0].mode: \"10000\": not an octal mode"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"mode\":755}", "volumes[0].mode: expected string"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"uid\":-1}",
		 "volumes[0].uid: -1 is not within 0..4294967294"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"gid\":4294967295}",
		 "volumes[0].gid: 4294967295 is not within 0..4294967294"},
		{"{\"name\":\"v\",\"kind\":\"empty\"},{\"name\":\"v\",\"kind\":\"empty\"}",
		 "volumes[1].name: \"v\" is there twice"},
		{"{\"name\":\"v\",\"kind\":\"empty\",\"size\":\"1G\"}", "volumes[0].size: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows), "\"apps\":[" APP_A "],\"volumes\":[", "]");
}

static void test_ports(void **state _unused_)
{
	static const struct row rows[] = {
		{"{\"name\":\"p\",\"hostPort\":8080}", NULL},
		{"{\"name\":\"p\",\"hostPort\":1,\"hostIP\":\"127.0.0.1\",\"podPort\":{\"name\":\"p\","
		 "\"protocol\":\"tcp\",\"port\":80}}",
		 NULL},
		{"{\"hostPort\":1}", "ports[0].name: required member is missing"},
		{"{\"name\":\"p\"}", "ports[0].hostPort: required member is missing"},
		{"{\"name\":\"p_\",\"hostPort\":1}", "ports[0].name: \"p_\": has a character that is not allowed"},
		{"{\"name\":\"p\",\"hostPort\":0}", "ports[0].hostPort: 0 is not within 1..65535"},
		{"{\"name\":\"p\",\"hostPort\":65536}", "ports[0].hostPort: 65536 is not within 1..65535"},
		{"{\"name\":\"p\",\"hostPort\":1,\"hostIP\":\"::1\"}", "ports[0].hostIP: \"::1\": not an IPv4 address"},
		{"{\"name\":\"p\",\"hostPort\":1,\"hostIP\":\"127.1\"}",
		 "ports[0].hostIP: \"127.1\": not an IPv4 address"},
		{"{\"name\":\"p\",\"hostPort\":1,\"hostIP\":\"127.0.0.01 \"}",
		 "ports[0].hostIP: \"127.0.0.01 \": not an IPv4 address"},
		{"{\"name\":\"p\",\"hostPort\":1,\"podPort\":80}", "ports[0].podPort: expected object"},
		{"{\"name\":\"p\",\"hostPort\":1,\"podPort\":{\"name\":\"p\",\"protocol\":\"tcp\",\"port\":0}}",
		 "ports[0].podPort.port: 0 is not within 1..65535"},
		{"{\"name\":\"p\",\"hostPort\":1,\"hostIp\":\"127.0.0.1\"}", "ports[0].hostIp: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows), "\"apps\":[" APP_A "],\"ports\":[", "]");
}

static void test_other_members(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"4G\"}}]", NULL},
		{"\"isolators\":[{\"name\":\"os/linux/no-new-privileges\",\"value\":true}]",
		 "isolators[0].name: \"os/linux/no-new-privileges\": only for an app"},
		{"\"annotations\":[{\"name\":\"ip-address\",\"value\":\"10.1.2.3\"}]", NULL},
		{"\"annotations\":[{\"name\":\"a\",\"value\":\"\"},{\"name\":\"a\",\"value\":\"\"}]",
		 "annotations[1].name: \"a\" is there twice"},
		{"\"userAnnotations\":{\"a\":[]}", "userAnnotations.a: expected string"},
		{"\"userLabels\":{\"a\":false}", "userLabels.a: expected string"},
		{"\"hostname\":\"x\"", "hostname: unknown member"},
	};

	check_rows(rows, ELEMENTSOF(rows), "\"apps\":[" APP_A "],", "");
}

static const char everything[] =
	"{" VERSION "," KIND ",\"apps\":[{\"name\":\"a\",\"image\":{\"name\":\"example.com/a\",\"id\":\"" ID
	"\",\"labels\":[{\"name\":\"version\",\"value\":\"1\"}]},\"app\":{\"exec\":[\"/x\"],\"user\":\"0\","
	"\"group\":\"0\"},\"readOnlyRootFS\":true,\"mounts\":[{\"volume\":\"h\",\"path\":\"/h\"},{\"volume\":\"own\","
	"\"path\":\"/o\",\"appVolume\":{\"name\":\"own\",\"kind\":\"empty\",\"mode\":\"1777\",\"uid\":3,\"gid\":4}}],"
	"\"annotations\":[{\"name\":\"k\",\"value\":\"v\"}]},{\"name\":\"b\"," IMAGE "}],"
	"\"volumes\":[{\"name\":\"h\",\"kind\":\"host\",\"readOnly\":true,\"source\":\"/srv\",\"recursive\":false},"
	"{\"name\":\"i\",\"kind\":\"host\",\"source\":\"/i\"},"
	"{\"name\":\"e\",\"kind\":\"empty\",\"mode\":\"0755\",\"uid\":0,\"gid\":0}],"
	"\"ports\":[{\"name\":\"p\",\"hostPort\":80},{\"name\":\"q\",\"hostPort\":81,\"hostIP\":\"10.0.0.1\","
	"\"podPort\":{\"name\":\"r\",\"protocol\":\"udp\",\"port\":82,\"count\":2,\"socketActivated\":true}}],"
	"\"isolators\":[{\"name\":\"gantry/pids\",\"value\":{\"limit\":\"9\"}}],"
	"\"annotations\":[{\"name\":\"k\",\"value\":\"w\"}],\"userAnnotations\":{\"u\":\"a\"},"
	"\"userLabels\":{\"u\":\"l\"}}";

static void test_round_trip(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_pod_manifest_ struct pod_manifest *m = parse(everything, &e);
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *text = NULL;

	assert_non_null(m);
	j = pod_manifest_encode(m);
	text = json_print(j, false);
	assert_string_equal(text, everything);
	assert_int_equal(m->ports[1].pod_port, 82);
	assert_int_equal(m->ports[0].pod_port, -1);
	assert_true(pod_manifest_volume(m, "i")->recursive);
	assert_int_equal(pod_manifest_volume(m, "e")->mode, 0755);
	assert_null(pod_manifest_volume(m, "own"));
	assert_string_equal(pod_manifest_app(m, "b")->image_id, ID);
	assert_null(pod_manifest_app(m, "c"));
}

/* An app's own volume wins over the name beside it. */
static void test_app_volume_name(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_pod_manifest_ struct pod_manifest *m =
		parse("{" KIND "," VERSION ",\"apps\":[{\"name\":\"a\"," IMAGE ",\"mounts\":[{\"volume\":\"other\","
		      "\"path\":\"/o\",\"appVolume\":{\"name\":\"own\",\"kind\":\"empty\"}}]}]}",
		      &e);

	assert_non_null(m);
	assert_string_equal(m->apps[0].mounts[0].volume, "own");
}

/* As stage0 builds one from a command line: a port by number alone. */
static void test_built(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_manifest *m = xcalloc(1, sizeof *m);
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *text = NULL;

	m->apps = xcalloc(1, sizeof *m->apps);
	m->n_apps = 1;
	m->apps[0].name = xstrdup("a");
	m->apps[0].image_id = xstrdup(ID);
	m->ports = xcalloc(1, sizeof *m->ports);
	m->n_ports = 1;
	m->ports[0] = (struct pod_port) {.name = xstrdup("http"), .host_port = 8080, .pod_port = 80};
	j = pod_manifest_encode(m);
	text = json_print(j, true);
	pod_manifest_free(m);
	m = parse(text, &e);
	assert_non_null(m);
	assert_string_equal(m->ac_version, "0.8.11");
	assert_int_equal(m->ports[0].pod_port, 80);
	pod_manifest_free(m);
}

static void test_volume_parse(void **state _unused_)
{
	static const struct row rows[] = {
		{"data,kind=host,source=/srv/a b,readOnly=true,recursive=false", NULL},
		{"data,kind=empty,mode=0700,uid=5,gid=6", NULL},
		{"", "name \"\": must not be empty"},
		{"Data,kind=empty", "name \"Data\": upper case is not allowed"},
		{"data", "kind is missing"},
		{"data,kind", "\"kind\": expected key=value"},
		{"data,kind=empty,", "\"\": expected key=value"},
		{"data,kind=tmpfs", "kind=\"tmpfs\": neither host nor empty"},
		{"data,kind=empty,kind=empty", "key \"kind\" is there twice"},
		{"data,kind=host", "source: required for kind host"},
		{"data,kind=host,source=", "source=\"\": not an absolute path"},
		{"data,kind=host,source=a", "source=\"a\": not an absolute path"},
		{"data,kind=empty,source=/a", "source: only for kind host"},
		{"data,kind=empty,recursive=true", "recursive: only for kind host"},
		{"data,kind=host,source=/a,mode=0755", "mode: only for kind empty"},
		{"data,kind=empty,mode=9", "mode=\"9\": not an octal mode"},
		{"data,kind=empty,uid=-1", "uid=\"-1\": not a user or group id"},
		{"data,kind=empty,gid=4294967295", "gid=\"4294967295\": not a user or group id"},
		{"data,kind=empty,readOnly=maybe", "readOnly=\"maybe\": neither true nor false"},
		{"data,kind=empty,name=x", "name=\"x\": unknown key"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *whole = rows[i].error ? xasprintf("volume \"%s\": %s", rows[i].text, rows[i].error)
							   : xstrdup("fine");
		_cleanup_err_ struct err e = ERR_INIT;
		struct volume v = {0};
		int r = volume_parse(rows[i].text, &v, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", whole);
		if (i == 0) {
			assert_string_equal(v.source, "/srv/a b");
			assert_true(v.read_only && !v.recursive && v.kind == VOLUME_HOST);
		} else if (i == 1) {
			assert_true(v.mode == 0700 && v.uid == 5 && v.gid == 6 && v.kind == VOLUME_EMPTY);
		}
		volume_done(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),	     cmocka_unit_test(test_apps),
		cmocka_unit_test(test_mounts),	     cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_ports),	     cmocka_unit_test(test_other_members),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_app_volume_name),
		cmocka_unit_test(test_built),	     cmocka_unit_test(test_volume_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
