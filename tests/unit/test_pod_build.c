/* From images and words to a reified pod manifest; every refusal with its text. */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "base/log.h"
#include "stage0/pod/manifest.h"

#define S(...) ((char *[]) {__VA_ARGS__, NULL})
#define W(s) ((char *) (s))

static const char app_section[] =
	"\"app\":{\"exec\":[\"/bin/own\",\"arg\"],\"user\":\"alice\",\"group\":\"users\",\"workingDirectory\":\"/w\","
	"\"environment\":[{\"name\":\"E\",\"value\":\"image\"}],\"supplementaryGIDs\":[7],"
	"\"isolators\":[{\"name\":\"resource/memory\",\"value\":{\"limit\":\"1G\"}}],"
	"\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\"},{\"name\":\"conf\",\"path\":\"/conf\",\"readOnly\":true}],"
	"\"userAnnotations\":{\"k\":\"image\"},\"userLabels\":{\"l\":\"image\"}}";

static struct pod_image image(const char *name, const char *app)
{
	static const char form[] = "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\",\"labels\":["
				   "{\"name\":\"version\",\"value\":\"1\"},{\"name\":\"os\",\"value\":\"linux\"},"
				   "{\"name\":\"arch\",\"value\":\"amd64\"}]%s%s}";
	struct pod_image im = {.text = xasprintf(form, name, *app ? "," : "", app)};
	_cleanup_err_ struct err e = ERR_INIT;

	im.len = strlen(im.text);
	im.id = xasprintf("sha512-%0128d", 1);
	im.manifest = image_manifest_parse(im.text, im.len, &e);
	if (!im.manifest)
		fail_msg("%s", err_text(&e));
	return im;
}

static void image_done(struct pod_image *im)
{
	free(im->id);
	free(im->text);
	image_manifest_free(im->manifest);
}

/* The manifest as text, which the parser must accept; NULL with the message in *e. */
static char *build(const struct pod_request *req, const char *const *images, struct err *e)
{
	struct pod_image im[4];
	_cleanup_pod_manifest_ struct pod_manifest *m = NULL, *again = NULL;
	_cleanup_json_ cJSON *j = NULL;
	char *text = NULL;

	for (size_t i = 0; i < req->n_apps; i++)
		im[i] = image(images[2 * i], images[2 * i + 1]);
	m = pod_manifest_build(req, im, e);
	for (size_t i = 0; i < req->n_apps; i++)
		image_done(&im[i]);
	if (!m)
		return NULL;
	j = pod_manifest_encode(m);
	text = json_print(j, false);
	again = pod_manifest_parse(text, strlen(text), e);
	if (!again)
		fail_msg("%s", err_text(e));
	return text;
}

/* What the log says, collected; log_up() before. */
static int log_fd = -EBADF;

static void log_up(void)
{
	char number[16];

	log_fd = memfd_create("log", 0);
	(void) snprintf(number, sizeof number, "%d", log_fd);
	setenv("GANTRY_LOG_FD", number, 1);
	log_init("test");
}

static char *log_down(void)
{
	_cleanup_free_ char *text = NULL;

	assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
	assert_int_equal(read_all(log_fd, 65536, &text, NULL), 0);
	setenv("GANTRY_LOG_FD", "2", 1);
	log_init("test");
	unsetenv("GANTRY_LOG_FD");
	log_fd = fd_close(log_fd);
	return take_ptr(text);
}

static void what_the_image_says(void **state)
{
	static const char *const images[] = {"example.com/a.server~x", app_section};
	struct app_request app = {.image = W("x")};
	struct pod_request req = {.apps = &app, .n_apps = 1,
				  .volumes = S(W("data,kind=host,source=/srv"), W("conf,kind=empty,mode=0700,uid=5"))};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	text = build(&req, images, &e);
	/* members come in the encoder's order: look for the parts */
	assert_non_null(strstr(text, "\"name\":\"a-server-x\""));
	assert_non_null(strstr(text, "\"exec\":[\"/bin/own\",\"arg\"]"));
	assert_non_null(strstr(text, "\"user\":\"alice\""));
	assert_non_null(strstr(text, "\"group\":\"users\""));
	assert_non_null(strstr(text, "\"workingDirectory\":\"/w\""));
	assert_non_null(strstr(text, "\"supplementaryGIDs\":[7]"));
	assert_non_null(strstr(text, "[{\"name\":\"E\",\"value\":\"image\"}]"));
	assert_non_null(strstr(text, "\"mounts\":[{\"volume\":\"data\",\"path\":\"/data\"},"
				     "{\"volume\":\"conf\",\"path\":\"/conf\"}]"));
	assert_non_null(strstr(text, "{\"name\":\"version\",\"value\":\"1\"}"));
	assert_non_null(strstr(text, "{\"name\":\"data\",\"kind\":\"host\",\"source\":\"/srv\"}"));
	assert_non_null(strstr(text, "{\"name\":\"conf\",\"kind\":\"empty\",\"mode\":\"0700\",\"uid\":5,\"gid\":0}"));
}

static void what_the_words_change(void **state)
{
	static const char *const images[] = {"example.com/a", app_section};
	struct app_request app = {
		.image = W("x"), .name = W("mine"), .exec = W("/bin/other"), .args = S(W("-v"), W("--")),
		.working_dir = W("/else"), .user = W("0"), .group = W("/etc/passwd"), .supplementary_gids = W("1,4294967294"),
		.read_only_root = W("true"), .environment = S(W("E=words"), W("F=")), .memory = W("64Mi"),
		.annotations = S(W("example.com/note=a=b")), .user_annotations = S(W("u=1")), .user_labels = S(W("v=2")),
		.mounts = S(W("target=/data/,volume=mine")),
	};
	struct pod_request req = {.apps = &app, .n_apps = 1, .mounts = S(W("volume=all,target=/all"), W("volume=all,target=/data")),
				  .volumes = S(W("mine,kind=empty"), W("all,kind=empty"), W("conf,kind=empty"),
					       W("unused,kind=host,source=/x"))};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	text = build(&req, images, &e);
	assert_non_null(strstr(text, "\"name\":\"mine\",\"image\""));
	assert_non_null(strstr(text, "\"exec\":[\"/bin/other\",\"-v\",\"--\"]"));
	assert_non_null(strstr(text, "\"user\":\"0\""));
	assert_non_null(strstr(text, "\"group\":\"/etc/passwd\""));
	assert_non_null(strstr(text, "\"workingDirectory\":\"/else\""));
	assert_non_null(strstr(text, "\"supplementaryGIDs\":[1,4294967294]"));
	assert_non_null(strstr(text, "\"readOnlyRootFS\":true"));
	assert_non_null(strstr(text, "[{\"name\":\"E\",\"value\":\"words\"},{\"name\":\"F\",\"value\":\"\"}]"));
	assert_non_null(strstr(text, "{\"name\":\"example.com/note\",\"value\":\"a=b\"}"));
	assert_non_null(strstr(text, "\"userAnnotations\":{\"u\":\"1\"}"));
	assert_non_null(strstr(text, "\"userLabels\":{\"v\":\"2\"}"));
	assert_null(strstr(text, "1073741824"));
	/* the app's own mount wins over the global one on the same path, and over the image's mount point */
	assert_non_null(strstr(text, "\"mounts\":[{\"volume\":\"mine\",\"path\":\"/data/\"},"
				     "{\"volume\":\"all\",\"path\":\"/all\"},{\"volume\":\"conf\",\"path\":\"/conf\"}]"));
}

static void arguments_follow_the_images_own(void **state)
{
	static const char *const images[] = {"a", "\"app\":{\"exec\":[\"/x\",\"y\"],\"user\":\"0\",\"group\":\"0\"}",
					     "b", "", "c", "\"app\":{\"exec\":[],\"user\":\"0\",\"group\":\"0\"}"};
	struct app_request apps[] = {
		{.image = W("a"), .args = S(W("z"))},
		{.image = W("b"), .exec = W("/only")},
		{.image = W("c"), .exec = W("/c")},
	};
	struct pod_request req = {.apps = apps, .n_apps = 3};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL, *caller = NULL;

	(void) state;
	text = build(&req, images, &e);
	assert_non_null(strstr(text, "\"exec\":[\"/x\",\"y\",\"z\"]"));
	/* without an app section: as the caller */
	caller = xasprintf("\"exec\":[\"/only\"],\"user\":\"%u\",\"group\":\"%u\"", getuid(), getgid());
	assert_non_null(strstr(text, caller));
	assert_non_null(strstr(text, "\"exec\":[\"/c\"]"));
}

static void implicit_volumes(void **state)
{
	static const char app[] = "\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\","
				  "\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\"}]}";
	static const char *const images[] = {"one", app, "two", app};
	struct app_request apps[] = {{.image = W("1")}, {.image = W("2")}};
	struct pod_request req = {.apps = apps, .n_apps = 2};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL, *shared = NULL, *named = NULL, *log = NULL;

	(void) state;
	log_up();
	text = build(&req, images, &e);
	log = log_down();
	/* each its own */
	assert_non_null(strstr(text, "\"mounts\":[{\"volume\":\"one-data\",\"path\":\"/data\"}]"));
	assert_non_null(strstr(text, "\"mounts\":[{\"volume\":\"two-data\",\"path\":\"/data\"}]"));
	assert_string_equal(log, "test: warning: no volume specified for mount point \"data\", implicitly creating an "
				 "\"empty\" volume. This volume will be removed when the pod is garbage-collected.\n"
				 "test: warning: no volume specified for mount point \"data\", implicitly creating an "
				 "\"empty\" volume. This volume will be removed when the pod is garbage-collected.\n");
	/* one that was given is shared, without a word */
	req.volumes = S(W("data,kind=empty"));
	log_up();
	shared = build(&req, images, &e);
	free(log);
	log = log_down();
	assert_string_equal(log, "");
	assert_null(strstr(shared, "one-data"));
	/* a name that is taken is not taken again */
	req.volumes = S(W("one-data,kind=host,source=/precious"));
	log_up();
	named = build(&req, images, &e);
	free(log_down());
	assert_non_null(strstr(named, "{\"volume\":\"one-data-2\",\"path\":\"/data\"}"));
}

static const char plain_app[] = "\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}";
static const char *const of_one[] = {"example.com/a", plain_app}, *const of_none[] = {"example.com/a", ""};
static const char *const of_empty[] = {"example.com/a", "\"app\":{\"exec\":[],\"user\":\"0\",\"group\":\"0\"}"};
static const struct {
	const char *const *images;
	struct app_request app;
	char **volumes, **mounts, **set_env;
	const char *text;
} refusals[] = {
	{of_none, {0}, NULL, NULL, NULL, "app a: the image has no app section (use --exec)"},
	{of_empty, {0}, NULL, NULL, NULL, "app a: nothing to execute: the image names no program (use --exec)"},
	{of_one, {.name = W("A b")}, NULL, NULL, NULL, "image \"x\": --name \"A b\": upper case is not allowed"},
	{of_one, {.working_dir = W("srv")}, NULL, NULL, NULL, "app a: --working-dir \"srv\": not absolute"},
	{of_one, {.supplementary_gids = W("1,staff")}, NULL, NULL, NULL,
	 "app a: --supplementary-gids: \"staff\" is no group id"},
	{of_one, {.supplementary_gids = W("4294967295")}, NULL, NULL, NULL,
	 "app a: --supplementary-gids: \"4294967295\" is no group id"},
	{of_one, {.user_annotations = S(W("x"))}, NULL, NULL, NULL,
	 "app a: --user-annotation \"x\": expected NAME=VALUE"},
	{of_one, {.user_labels = S(W("=x"))}, NULL, NULL, NULL, "app a: --user-label \"=x\": expected NAME=VALUE"},
	{of_one, {.annotations = S(W("A=x"))}, NULL, NULL, NULL,
	 "app a: --annotation \"A=x\": upper case is not allowed"},
	{of_one, {.environment = S(W("1A=x"))}, NULL, NULL, NULL,
	 "app a: --environment: \"1A\": must begin with a letter or underscore"},
	{of_one, {0}, NULL, NULL, S(W("A=1"), W("A=2")), "app a: --set-env: environment variable \"A\" is there twice"},
	{of_one, {.read_only_root = W("maybe")}, NULL, NULL, NULL,
	 "app a: --readonly-rootfs \"maybe\": true or false"},
	{of_one, {.memory = W("1Q")}, NULL, NULL, NULL, NULL},
	{of_one, {.mounts = S(W("volume=v"))}, NULL, NULL, NULL,
	 "app a: --mount \"volume=v\": target=PATH is needed"},
	{of_one, {.mounts = S(W("volume=v,target="))}, NULL, NULL, NULL,
	 "app a: --mount \"volume=v,target=\": target=PATH is needed"},
	{of_one, {.mounts = S(W("target=/x"))}, NULL, NULL, NULL, "app a: --mount \"target=/x\": volume=NAME is needed"},
	{of_one, {.mounts = S(W("volume=V,target=/x"))}, NULL, NULL, NULL,
	 "app a: --mount \"volume=V,target=/x\": volume=NAME is needed"},
	{of_one, {.mounts = S(W("volume=v,volume=w,target=/x"))}, NULL, NULL, NULL,
	 "app a: --mount \"volume=v,volume=w,target=/x\": unknown or repeated word \"volume=w\""},
	{of_one, {.mounts = S(W("volume=v,target=/x,ro"))}, NULL, NULL, NULL,
	 "app a: --mount \"volume=v,target=/x,ro\": unknown or repeated word \"ro\""},
	{of_one, {.mounts = S(W("volume=v,target=/x"), W("volume=v,target=//x/."))}, S(W("v,kind=empty")), NULL, NULL,
	 "app a: --mount \"volume=v,target=//x/.\": the target is there twice"},
	{of_one, {.mounts = S(W("volume=v,target=/x"))}, NULL, NULL, NULL,
	 "app a: dangling mount point: no volume \"v\" for \"/x\""},
	{of_one, {0}, NULL, S(W("volume=v,target=/x")), NULL, "app a: dangling mount point: no volume \"v\" for \"/x\""},
	{of_one, {0}, S(W("v")), NULL, NULL, "--volume: volume \"v\": kind is missing"},
	{of_one, {0}, S(W("v,kind=empty"), W("v,kind=empty")), NULL, NULL, "--volume: volume \"v\" is there twice"},
	{of_one, {0}, S(W("v,kind=host")), NULL, NULL, "--volume: volume \"v,kind=host\": source: required for kind host"},
};

static void refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct app_request app = refusals[i].app;
		struct pod_request req = {.apps = &app, .n_apps = 1, .volumes = refusals[i].volumes, .mounts = refusals[i].mounts,
					  .set_env = refusals[i].set_env};

		app.image = W("x");
		assert_null(build(&req, refusals[i].images, &e));
		if (refusals[i].text)
			assert_err(&e, refusals[i].text);
		else
			assert_true(str_starts(err_text(&e), "app a: --memory: "));
	}
}

static const char with_ports[] =
	"\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\",\"ports\":["
	"{\"name\":\"web\",\"protocol\":\"tcp\",\"port\":80},{\"name\":\"dns\",\"protocol\":\"udp\",\"port\":53},"
	"{\"name\":\"dns-tcp\",\"protocol\":\"tcp\",\"port\":53}]}";

static void ports(void **state)
{
	static const char *const images[] = {"example.com/a", with_ports};
	struct app_request app = {.image = W("x")};
	struct pod_request req = {.apps = &app, .n_apps = 1};
	static char *const fine[] = {W("web:8080"), W("dns:53"), W("dns-tcp:127.0.0.1:53"), W("web:127.0.0.2:53"), NULL};
	static const struct {
		const char *a, *b, *text;
	} rows[] = {
		{"web", NULL, "--port \"web\": expected NAME:[IP:]PORT"},
		{"web:1.2.3.4:80:90", NULL, "--port \"web:1.2.3.4:80:90\": expected NAME:[IP:]PORT"},
		{"", NULL, "--port \"\": expected NAME:[IP:]PORT"},
		{"Web:80", NULL, "--port \"Web:80\": name \"Web\": upper case is not allowed"},
		{"web:0", NULL, "--port \"web:0\": \"0\" is no port number"},
		{"web:65536", NULL, "--port \"web:65536\": \"65536\" is no port number"},
		{"web:http", NULL, "--port \"web:http\": \"http\" is no port number"},
		{"web:1.2.3:80", NULL, "--port \"web:1.2.3:80\": \"1.2.3\" is no IPv4 address"},
		{"web::80", NULL, "--port \"web::80\": \"\" is no IPv4 address"},
		{"ftp:21", NULL, "port \"ftp\": no app has a port of that name"},
		{"web:53", "dns-tcp:53", "port \"dns-tcp\": port \"web\" comes from the same tcp port 53 of the host"},
		{"web:1.2.3.4:53", "dns-tcp:53",
		 "port \"dns-tcp\": port \"web\" comes from the same tcp port 53 of the host"},
		{"web:0.0.0.0:53", "dns-tcp:1.2.3.4:53",
		 "port \"dns-tcp\": port \"web\" comes from the same tcp port 53 of the host"},
		{"web:1.2.3.4:53", "dns-tcp:1.2.3.4:53",
		 "port \"dns-tcp\": port \"web\" comes from the same tcp port 53 of the host"},
	};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	req.ports = (char **) fine;
	text = build(&req, images, &e);
	assert_non_null(strstr(text, "\"ports\":[{\"name\":\"web\",\"hostPort\":8080},{\"name\":\"dns\",\"hostPort\":53},"
				     "{\"name\":\"dns-tcp\",\"hostPort\":53,\"hostIP\":\"127.0.0.1\"},"
				     "{\"name\":\"web\",\"hostPort\":53,\"hostIP\":\"127.0.0.2\"}]"));
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		req.ports = S(W(rows[i].a), W(rows[i].b));
		assert_null(build(&req, images, &e));
		assert_err(&e, rows[i].text);
	}
}

static void a_port_of_two_apps(void **state)
{
	static const char *const images[] = {"example.com/a", with_ports, "example.com/b", with_ports};
	struct app_request apps[] = {{.image = W("x")}, {.image = W("y")}};
	struct pod_request req = {.apps = apps, .n_apps = 2, .ports = S(W("web:80"))};
	_cleanup_err_ struct err e = ERR_INIT;

	(void) state;
	assert_null(build(&req, images, &e));
	assert_err(&e, "port \"web\": more than one app has a port of that name");
}

static void streams(void **state)
{
	static const char *const images[] = {"example.com/a", with_ports};
	struct app_request app = {.image = W("x"), .std_in = W("stream"), .std_out = W("null"), .std_err = W("log")};
	struct pod_request req = {.apps = &app, .n_apps = 1};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	text = build(&req, images, &e);
	assert_non_null(strstr(text, "{\"name\":\"coreos.com/rkt/stage2/stdin\",\"value\":\"stream\"}"));
	assert_non_null(strstr(text, "{\"name\":\"coreos.com/rkt/stage2/stdout\",\"value\":\"null\"}"));
	assert_non_null(strstr(text, "{\"name\":\"coreos.com/rkt/stage2/stderr\",\"value\":\"log\"}"));
	app = (struct app_request) {.image = W("x"), .std_in = W("log")};
	assert_null(build(&req, images, &e));
	assert_err(&e, "app a: --stdin \"log\": null, stream or tty");
	app = (struct app_request) {.image = W("x"), .std_err = W("file")};
	assert_null(build(&req, images, &e));
	assert_err(&e, "app a: --stderr \"file\": log, null, stream or tty");
}

static void maps_of_the_pod(void **state)
{
	static const char *const images[] = {"example.com/a", with_ports};
	struct app_request app = {.image = W("x")};
	struct pod_request req = {.apps = &app, .n_apps = 1, .annotations = S(W("example.com/n=1")),
				  .user_annotations = S(W("Any Thing=2=3")), .user_labels = S(W("l="))};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	text = build(&req, images, &e);
	assert_non_null(strstr(text, "\"annotations\":[{\"name\":\"example.com/n\",\"value\":\"1\"}]"));
	assert_non_null(strstr(text, "\"userAnnotations\":{\"Any Thing\":\"2=3\"}"));
	assert_non_null(strstr(text, "\"userLabels\":{\"l\":\"\"}"));
	req.user_labels = S(W("l=1"), W("l=2"));
	assert_null(build(&req, images, &e));
	assert_err(&e, "--user-label: \"l\" is there twice");
	req.annotations = S(W("UP=1"));
	assert_null(build(&req, images, &e));
	assert_err(&e, "--annotation \"UP=1\": upper case is not allowed");
}

static void two_of_a_name(void **state)
{
	static const char *const images[] = {"example.com/a", "\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}",
					     "example.org/a", "\"app\":{\"exec\":[\"/x\"],\"user\":\"0\",\"group\":\"0\"}"};
	struct app_request apps[] = {{.image = W("x")}, {.image = W("y")}};
	struct pod_request req = {.apps = apps, .n_apps = 2};
	_cleanup_err_ struct err e = ERR_INIT;

	(void) state;
	assert_null(build(&req, images, &e));
	assert_err(&e, "image \"y\": two apps are named \"a\" (use --name)");
}

static void which_images_can_run(void **state)
{
	static const struct {
		const char *labels, *text;
	} rows[] = {
		{"{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}", NULL},
		{"{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"aarch64\"}", NULL},
		{"{\"name\":\"version\",\"value\":\"1\"}", "missing os label in the image manifest"},
		{"{\"name\":\"os\",\"value\":\"linux\"}", "missing arch label in the image manifest"},
		{"{\"name\":\"os\",\"value\":\"freebsd\"},{\"name\":\"arch\",\"value\":\"amd64\"}", "bad os \"freebsd\""},
		{"{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"s390x\"}", "bad arch \"s390x\""},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\","
						      "\"labels\":[%s]}", rows[i].labels);
		_cleanup_image_manifest_ struct image_manifest *m = image_manifest_parse(text, strlen(text), NULL);
		struct pod_image im = {.manifest = m};
		_cleanup_err_ struct err e = ERR_INIT;

		assert_non_null(m);
		assert_int_equal(pod_image_check(&im, &e), rows[i].text ? -EINVAL : 0);
		if (rows[i].text)
			assert_err(&e, rows[i].text);
	}
}

/* Of an image that was docker's the words behind "--" replace CMD, and ENTRYPOINT stays. */
static void test_docker_exec(void **state _unused_)
{
#define DOCKER(name, value) "{\"name\":\"appc.io/docker/" name "\",\"value\":\"" value "\"}"
#define ENTRYPOINT DOCKER("entrypoint", "[\\\"/e\\\",\\\"-x\\\"]")
	const struct {
		const char *annotations, *exec;
		char *const *args;
		const char *result; /* NULL: refused */
	} rows[] = {
		{ENTRYPOINT "," DOCKER("cmd", "[\\\"c\\\"]"), NULL, S("a", "b"), "\"exec\":[\"/e\",\"-x\",\"a\",\"b\"]"},
		{ENTRYPOINT "," DOCKER("cmd", "[\\\"c\\\"]"), NULL, NULL, "\"exec\":[\"/own\",\"c\"]"},
		{DOCKER("cmd", "[\\\"c\\\"]"), NULL, S("/bin/a"), "\"exec\":[\"/bin/a\"]"},
		{ENTRYPOINT, "/bin/other", S("a"), "\"exec\":[\"/bin/other\",\"a\"]"},
		{DOCKER("repository", "x"), NULL, S("a"), "\"exec\":[\"/own\",\"c\",\"a\"]"},
		{DOCKER("entrypoint", "/e"), NULL, S("a"), NULL},
		{DOCKER("entrypoint", "[5]"), NULL, S("a"), NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *app = xasprintf("\"app\":{\"exec\":[\"/own\",\"c\"],\"user\":\"0\",\"group\":\"0\"},"
						     "\"annotations\":[%s]", rows[i].annotations);
		struct app_request a = {.image = W("x"), .exec = W(rows[i].exec), .args = (char **) rows[i].args};
		struct pod_request req = {.apps = &a, .n_apps = 1};
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *text = build(&req, (const char *const[]) {"example.com/a", app}, &e);

		if (rows[i].result ? !text || !strstr(text, rows[i].result) :
				     !strstr(err_text(&e), "annotation appc.io/docker/entrypoint: expected an array of strings"))
			fail_msg("%zu: %s", i, text ? text : err_text(&e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker_exec), cmocka_unit_test(what_the_image_says),
		cmocka_unit_test(what_the_words_change),
		cmocka_unit_test(arguments_follow_the_images_own),
		cmocka_unit_test(implicit_volumes),
		cmocka_unit_test(refused),
		cmocka_unit_test(ports),
		cmocka_unit_test(a_port_of_two_apps),
		cmocka_unit_test(streams),
		cmocka_unit_test(maps_of_the_pod),
		cmocka_unit_test(two_of_a_name),
		cmocka_unit_test(which_images_can_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
