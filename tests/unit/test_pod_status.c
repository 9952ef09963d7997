/* What a pod directory tells, and the JSON of it with rkt's member names. */
#include "tests/unit/pods.h"

#include "stage0/pod/brief.h"
#include "stage0/pod/manifest.h"
#include "stage0/pod/status.h"

#define A "11111111-0000-4000-8000-000000000001"

/* "sha512-" and 128 times this digit. */
static const char *id_of(char digit)
{
	static char id[8 + 128];

	memcpy(id, "sha512-", 7);
	memset(id + 7, digit, 128);
	return id;
}

static char *manifest(void)
{
	return xasprintf("{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"apps\":["
			 "{\"name\":\"one\",\"image\":{\"id\":\"%s\",\"name\":\"example.com/claimed\"},"
			 "\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\",\"userAnnotations\":{\"k\":\"v\"},"
			 "\"userLabels\":{\"l\":\"w\"}},"
			 "\"mounts\":[{\"volume\":\"data\",\"path\":\"/data\"},{\"volume\":\"src\",\"path\":\"/src\"}]},"
			 "{\"name\":\"two\",\"image\":{\"id\":\"%s\"}}],"
			 "\"volumes\":[{\"name\":\"data\",\"kind\":\"empty\"},"
			 "{\"name\":\"src\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true}],"
			 "\"userAnnotations\":{\"a\":\"b\"},\"userLabels\":{\"c\":\"d\"}}",
			 id_of('a'), id_of('a'));
}

static void set_mtime(const struct pod *p, const char *path, time_t sec, long nsec)
{
	struct timespec times[2] = {{sec, nsec}, {sec, nsec}};

	assert_int_equal(utimensat(p->dir, path, times, 0), 0);
}

/* A pod of two apps: the first ended with 7, the second ran. */
static void fill(const struct pod *p)
{
	_cleanup_free_ char *text = manifest();

	pod_file(p, "pod", text);
	pod_file(p, "pod-created", "");
	pod_file(p, "pid", "4711\n");
	pod_file(p, "started/one", "4712");
	pod_file(p, "status/one", "7\n");
	pod_file(p, "started/two", "4713");
	set_mtime(p, "pod-created", 1600000000, 999999999);
	set_mtime(p, "pid", 1600000001, 5);
	set_mtime(p, "started/one", 1600000002, 1);
	set_mtime(p, "status/one", 1600000003, 2);
	set_mtime(p, "started/two", 1600000002, 3);
}

static const char networks[] =
	"[{\"netName\":\"default\",\"netConf\":\"\",\"pluginPath\":\"/p\",\"ifName\":\"eth0\",\"ip\":\"172.16.28.2\","
	"\"args\":\"\",\"mask\":\"255.255.255.0\"},{\"netName\":\"six\",\"ifName\":\"eth1\",\"ip\":\"2001:db8::2\"},"
	"{\"netName\":\"l2\",\"ifName\":\"eth2\"}]";

static void a_running_pod(void **state)
{
	_cleanup_pod_status_ struct pod_status s = {0};
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	assert_int_equal(pod_move(&p, PHASE_RUN, false, NULL), 0);
	p.state = POD_STATE_RUNNING;
	fill(&p);
	pod_file(&p, "net-info.json", networks);
	assert_int_equal(pod_status_read(&p, &s, NULL), 0);
	assert_int_equal(s.created_ns, 1600000000999999999);
	assert_int_equal(s.started_ns, 1600000001000000005);
	assert_int_equal(s.pid, 4711);
	assert_string_equal(s.networks, "default:ip4=172.16.28.2, six:ip6=2001:db8::2");
	assert_int_equal(s.n_apps, 2);
	assert_int_equal(s.apps[0].state, APP_EXITED);
	assert_int_equal(s.apps[0].exit_code, 7);
	assert_int_equal(s.apps[0].finished_ns, 1600000003000000002);
	assert_int_equal(s.apps[1].state, APP_RUNNING);
	assert_int_equal(s.apps[1].exit_code, -1);
	assert_int_equal(s.apps[1].finished_ns, 0);
	pod_close(&p);
	pods_down(&f);
}

static void states_of_apps(void **state)
{
	static const struct {
		enum pod_state pod;
		bool started;
		const char *status;
		int want;
	} rows[] = {
		{POD_STATE_PREPARING, false, NULL, APP_UNKNOWN},
		{POD_STATE_ABORTED_PREPARE, false, NULL, APP_UNKNOWN},
		{POD_STATE_PREPARED, false, NULL, APP_CREATED},
		{POD_STATE_RUNNING, false, NULL, APP_CREATED},
		{POD_STATE_RUNNING, true, NULL, APP_RUNNING},
		{POD_STATE_RUNNING, true, "0", APP_EXITED},
		{POD_STATE_RUNNING, false, "203", APP_EXITED},
		{POD_STATE_EXITED, true, NULL, APP_EXITED},
		{POD_STATE_EXITED_GARBAGE, false, NULL, APP_EXITED},
		/* what is no status is none */
		{POD_STATE_RUNNING, true, "256", APP_RUNNING},
		{POD_STATE_RUNNING, true, "", APP_RUNNING},
		{POD_STATE_RUNNING, true, "-1", APP_RUNNING},
	};
	_cleanup_free_ char *text = manifest();
	struct pods_fixture f;

	(void) state;
	pods_up(&f);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_pod_status_ struct pod_status s = {0};
		struct pod p;

		assert_int_equal(pod_create(f.pods, &p, NULL), 0);
		pod_file(&p, "pod", text);
		if (rows[i].started)
			pod_file(&p, "started/one", "1");
		if (rows[i].status)
			pod_file(&p, "status/one", rows[i].status);
		p.state = rows[i].pod;
		assert_int_equal(pod_status_read(&p, &s, NULL), 0);
		assert_int_equal(s.apps[0].state, rows[i].want);
		pod_close(&p);
	}
	pods_down(&f);
}

static void as_json(void **state)
{
	static const char want[] =
		"{\"name\":\"%s\",\"state\":\"exited\",\"networks\":%s,\"app_names\":[\"one\",\"two\"],\"apps\":["
		"{\"name\":\"one\",\"state\":\"exited\",\"created_at\":1600000000999999999,"
		"\"started_at\":1600000002000000001,\"finished_at\":1600000003000000002,\"exit_code\":7,"
		"\"image_id\":\"%s\",\"mounts\":[{\"name\":\"data\",\"container_path\":\"/data\","
		"\"host_path\":\"\",\"read_only\":false},"
		"{\"name\":\"src\",\"container_path\":\"/src\",\"host_path\":\"/srv\",\"read_only\":true}],"
		"\"user_annotations\":{\"k\":\"v\"},\"user_labels\":{\"l\":\"w\"}},"
		"{\"name\":\"two\",\"state\":\"exited\",\"created_at\":1600000000999999999,"
		"\"started_at\":1600000002000000003,\"image_id\":\"%s\"}],"
		"\"created_at\":1600000000,\"started_at\":1600000001,"
		"\"user_annotations\":{\"a\":\"b\"},\"user_labels\":{\"c\":\"d\"}}";
	_cleanup_pod_status_ struct pod_status s = {0};
	_cleanup_free_ char *text = NULL, *expected = NULL;
	_cleanup_json_ cJSON *j = NULL;
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	fill(&p);
	pod_file(&p, "net-info.json", networks);
	p.state = POD_STATE_EXITED;
	assert_int_equal(pod_status_read(&p, &s, NULL), 0);
	j = pod_status_json(&p, &s);
	text = json_print(j, false);
	expected = xasprintf(want, p.uuid, networks, id_of('a'), id_of('a'));
	assert_string_equal(text, expected);
	pod_close(&p);
	pods_down(&f);
}

/* Nothing yet, or only a part: what is not known is left out. */
static void a_pod_that_is_being_made(void **state)
{
	_cleanup_free_ char *text = NULL, *want = NULL;
	_cleanup_json_ cJSON *j = NULL;
	struct pod_status s;
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	assert_int_equal(pod_status_read(&p, &s, NULL), 0);
	assert_null(s.manifest);
	pod_status_done(&s);
	/* at this moment its maker writes it */
	pod_file(&p, "pod", "{\"acKind\":");
	assert_int_equal(pod_status_read(&p, &s, NULL), 0);
	assert_null(s.manifest);
	assert_int_equal(s.created_ns, 0);
	j = pod_status_json(&p, &s);
	text = json_print(j, false);
	want = xasprintf("{\"name\":\"%s\",\"state\":\"preparing\"}", p.uuid);
	assert_string_equal(text, want);
	pod_status_done(&s);
	pod_close(&p);
	pods_down(&f);
}

static void damage(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pods_fixture f;
	struct pod_status s;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	p.state = POD_STATE_EXITED;
	pod_file(&p, "pod-created", "");
	pod_file(&p, "pod", "{\"broken");
	assert_int_equal(pod_status_read(&p, &s, &e), -EINVAL);
	assert_true(str_starts(err_text(&e), "pod manifest: JSON: line 1, column "));
	/* What was read before it is there all the same. */
	assert_true(s.created_ns > 0);
	pod_status_done(&s);
	err_done(&e);
	fill(&p);
	pod_file(&p, "pid", "not a number");
	pod_file(&p, "net-info.json", "{\"netName\":\"x\",\"ip\":\"1.2.3.4\"}");
	assert_int_equal(pod_status_read(&p, &s, &e), 0);
	assert_int_equal(s.pid, 0);
	assert_null(s.networks);
	pod_status_done(&s);
	/* Nothing that steers a terminal. */
	pod_file(&p, "net-info.json", "[{\"netName\":\"x\\u001b[31m\",\"ip\":\"1.2.3.4\"}]");
	assert_int_equal(pod_status_read(&p, &s, &e), 0);
	assert_string_equal(s.networks, "x\\x1b[31m:ip4=1.2.3.4");
	pod_status_done(&s);
	assert_int_equal(path_remove_tree(f.pods, "prepare", NULL), 0);
	assert_int_equal(pod_status_read(&p, &s, &e), -ENOENT);
	assert_err(&e, "the pod is gone");
	pod_close(&p);
	pods_down(&f);
}

static void names_of_images(void **state)
{
	static const struct {
		const char *image, *want;
	} rows[] = {
		{NULL, "example.com/claimed"},
		{"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/own\"}", "example.com/own"},
		{"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/own\",\"labels\":"
		 "[{\"name\":\"version\",\"value\":\"1.2\"}]}", "example.com/own:1.2"},
		{"{", "example.com/claimed"},
	};
	_cleanup_pod_status_ struct pod_status s = {0};
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	fill(&p);
	assert_int_equal(pod_status_read(&p, &s, NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *name = NULL;

		if (rows[i].image)
			pod_file(&p, "appsinfo/one/manifest", rows[i].image);
		name = pod_image_name(&p, &s, s.apps[0].app);
		assert_string_equal(name, rows[i].want);
	}
	assert_null(pod_image_name(&p, &s, s.apps[1].app));
	pod_close(&p);
	pods_down(&f);
}

/* The note of the preparation into the pod. */
static void note(const struct pod *p, const char *name)
{
	static const char image[] = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/own\","
				    "\"labels\":[{\"name\":\"version\",\"value\":\"1.2\"}]}";
	_cleanup_free_ char *text = manifest();
	_cleanup_pod_manifest_ struct pod_manifest *m = pod_manifest_parse(text, strlen(text), NULL);
	_cleanup_image_manifest_ struct image_manifest *im = image_manifest_parse(image, strlen(image), NULL);
	struct pod_image images[2] = {{.manifest = im}, {.manifest = im}};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	brief_encode(name, m, images, &sb);
	assert_int_equal(file_write_at(p->dir, "pod-created", sb.buf, sb.len, 0644, FILE_FAST, NULL), 0);
	set_mtime(p, "pod-created", 1600000000, 999999999);
}

/* What a list sees is what a look at the whole pod sees, in every phase. */
static void a_look_is_the_same(void **state)
{
	static const enum pod_phase phases[] = {PHASE_PREPARED, PHASE_RUN, PHASE_EXITED_GARBAGE};
	struct pods_fixture f;

	(void) state;
	pods_up(&f);
	for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
		struct pod_ref ref = {.phase = phases[i]};
		_cleanup_pod_ struct pod p = POD_INIT, looked = POD_INIT;
		_cleanup_pod_status_ struct pod_status whole = {0}, brief = {0};
		_cleanup_json_ cJSON *a = NULL, *b = NULL;
		_cleanup_free_ char *full = NULL, *little = NULL, *image = NULL;

		assert_int_equal(pod_create(f.pods, &p, NULL), 0);
		memcpy(ref.uuid, p.uuid, sizeof ref.uuid);
		fill(&p);
		pod_file(&p, "name", "web");
		if (phases[i] != PHASE_PREPARED)
			pod_file(&p, "net-info.json", networks);
		note(&p, "web");
		assert_int_equal(pod_move(&p, phases[i], false, NULL), 0);
		pod_close(&p);
		assert_int_equal(pod_open(f.pods, ref.uuid, &p, NULL), 0);
		assert_int_equal(pod_status_read(&p, &whole, NULL), 0);
		assert_int_equal(pod_status_look(f.pods, &ref, true, &looked, &brief, NULL), 0);
		assert_true(brief.is_brief);
		assert_string_equal(brief.name, "web");
		assert_int_equal(looked.state, p.state);
		a = pod_status_json(&p, &whole);
		b = pod_status_json(&looked, &brief);
		full = json_print(a, true);
		little = json_print(b, true);
		assert_string_equal(full, little);
		image = pod_image_name(&looked, &brief, brief.apps[0].app);
		assert_string_equal(image, "example.com/own:1.2");
	}
	pods_down(&f);
}

/* An older pod's note is empty; a damaged one is as good as none. */
static void a_look_without_a_note(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
#define T(s) {s, sizeof s - 1}
		T(""), T("version=1"), T("version=1\0"), T("version=2\0app=a\0id=x\0image=y\0"), T("app=a\0"),
		T("version=1\0app=a\0"), T("version=1\0app=a\0id=x\0"), T("version=1\0app=a\0image=y\0"),
		T("version=1\0id=x\0"), T("version=1\0app=a\0id=x\0image=y\0path=/x\0"),
		T("version=1\0app=a\0id=x\0id=z\0image=y\0"), T("version=1\0app=a\0id=x\0image=y\0colour=red\0"),
		T("version=1\0app=a\0id=x\0image=y"), T("version=1\0is=x\0app=a\0id=x\0image=y\0"), T("\0\0\0"),
		T("version=1\0app=a\0id=x\0image=y\0\0"),
	};
	struct pods_fixture f;
	struct pod p;

	(void) state;
	pods_up(&f);
	assert_int_equal(pod_create(f.pods, &p, NULL), 0);
	fill(&p);
	assert_int_equal(pod_move(&p, PHASE_RUN, false, NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct pod_ref ref = {.phase = PHASE_RUN};
		_cleanup_pod_ struct pod looked = POD_INIT;
		_cleanup_pod_status_ struct pod_status s = {0};

		memcpy(ref.uuid, p.uuid, sizeof ref.uuid);
		assert_int_equal(file_write_at(p.dir, "pod-created", rows[i].text, rows[i].len, 0644, FILE_FAST, NULL), 0);
		set_mtime(&p, "pod-created", 1600000000, 0);
		assert_int_equal(pod_status_look(f.pods, &ref, true, &looked, &s, NULL), 0);
		if (s.is_brief)
			fail_msg("row %zu was taken", i);
		assert_int_equal(s.n_apps, 2);
		assert_int_equal(s.apps[0].exit_code, 7);
		assert_int_equal(s.created_ns / 1000000000, 1600000000);
	}
	pod_close(&p);
	pods_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_pod),
		cmocka_unit_test(states_of_apps),
		cmocka_unit_test(as_json),
		cmocka_unit_test(a_pod_that_is_being_made),
		cmocka_unit_test(damage),
		cmocka_unit_test(names_of_images),
		cmocka_unit_test(a_look_is_the_same),
		cmocka_unit_test(a_look_without_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
