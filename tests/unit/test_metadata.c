#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "contract/layout.h"
#include "stage0/service/answer.h"
#include "stage0/service/client.h"
#include "stage0/service/form.h"
#include "stage0/service/route.h"
#include "stage0/service/sign.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdee"
#define POD "11111111-1111-4111-8111-111111111111"
#define ID                                                                                         \
	"sha512-"                                                                                  \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"                         \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char pod_manifest[] = "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":["
				   "{\"name\":\"app\",\"image\":{\"id\":\"" ID
				   "\"},\"annotations\":[{\"name\":\"both\",\"value\":\"pod\"}]}],"
				   "\"annotations\":[{\"name\":\"p\",\"value\":\"q\"}]}";
static const char image_manifest[] =
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/x\","
	"\"annotations\":[{\"name\":\"both\",\"value\":\"image\"},{\"name\":\"own\",\"value\":"
	"\"i\"}]}";

static void test_routes(void **state _unused_)
{
	static const struct {
		const char *path;
		enum route_what what;
		const char *token, *app;
	} rows[] = {
		{"/" TOKEN "/acMetadata/v1/pod/uuid", ROUTE_POD_UUID, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/pod/hmac/sign", ROUTE_SIGN, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/apps/a-b/image/id", ROUTE_APP_ID, TOKEN, "a-b"},
		{"/" TOKEN "/acMetadata/v1/apps/a/annotations", ROUTE_APP_ANNOTATIONS, TOKEN, "a"},
		{"/" TOKEN "/acMetadata/v1/apps/A/annotations", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/apps//annotations", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/apps/annotations", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/apps/../annotations", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v1/pod/uuid/", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "/acMetadata/v2/pod/uuid", ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN, ROUTE_NONE, TOKEN, ""},
		{"/" TOKEN "0/acMetadata/v1/pod/uuid", ROUTE_NONE, "", ""},
		{"//" TOKEN "/acMetadata/v1/pod/uuid", ROUTE_NONE, "", ""},
		{"/0123456789ABCDEF0123456789abcdef/acMetadata/v1/pod/uuid", ROUTE_NONE, "", ""},
		{"/", ROUTE_NONE, "", ""},
		{"", ROUTE_NONE, "", ""},
		{"*", ROUTE_NONE, "", ""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct route r;

		route_public(rows[i].path, &r);
		if (r.what != rows[i].what || strcmp(r.token, rows[i].token) ||
		    strcmp(r.app, rows[i].app))
			fail_msg("%s: %d %s %s", rows[i].path, (int) r.what, r.token, r.app);
	}
}

static void test_registration_routes(void **state _unused_)
{
	struct route r;

	route_registration("/pods/" POD, &r);
	assert_int_equal(r.what, ROUTE_POD);
	assert_string_equal(r.uuid, POD);
	route_registration("/pods/" POD "/app", &r);
	assert_int_equal(r.what, ROUTE_APP);
	assert_string_equal(r.app, "app");
	route_registration("/pods/" POD "/app/x", &r);
	assert_int_equal(r.what, ROUTE_NONE);
	route_registration("/pods/" POD "/", &r);
	assert_int_equal(r.what, ROUTE_NONE);
	route_registration("/pods/../" POD, &r);
	assert_int_equal(r.what, ROUTE_NONE);
	route_registration("/pods/", &r);
	assert_int_equal(r.what, ROUTE_NONE);
}

static void check_form(const char *body, const char *name, const char *value)
{
	size_t len;
	_cleanup_free_ char *got = form_get(body, strlen(body), name, &len);

	if (!value) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_int_equal(len, strlen(value));
	assert_string_equal(got, value);
}

static void test_forms(void **state _unused_)
{
	_cleanup_free_ char *nul = NULL;
	size_t len;

	check_form("content=a+b%20c&x=y", "content", "a b c");
	check_form("x=y&content=%C3%b6", "content", "\xc3\xb6");
	check_form("con%74ent=1", "content", "1");
	check_form("content", "content", "");
	check_form("content=", "content", "");
	check_form("content=a=b", "content", "a=b");
	check_form("content=1&content=2", "content", "1");
	check_form("content=%4&x", "content", "%4");
	check_form("content=%zz%", "content", "%zz%");
	check_form("&&=&contents=1", "content", NULL);
	check_form("", "content", NULL);
	nul = form_get("content=a%00b", 13, "content", &len);
	assert_int_equal(len, 3);
	assert_memory_equal(nul, "a\0b", 3);
}

static void test_heads(void **state _unused_)
{
	static const struct {
		const char *text;
		int code;
		size_t body, len;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 38, 5},
		{"HTTP/1.0 404 x\r\nX: y\r\ncontent-length:7\r\n\r\n", 404, 42, 7},
		{"HTTP/1.1 200 OK\r\n\r\n", 200, 19, 0},
		{"HTTP/1.1 200 OK\r\n", -EAGAIN, 0, 0},
		{"HTTP/1.1 2x0 OK\r\n\r\n", -EPROTO, 0, 0},
		{"HTTP/2 200\r\n\r\n", -EPROTO, 0, 0},
		{"\r\n\r\n", -EPROTO, 0, 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO, 0, 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EPROTO, 0, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		size_t body = 0, len = 0;
		int r = service_parse_head(rows[i].text, strlen(rows[i].text), &body, &len);

		if (r != rows[i].code || body != rows[i].body || len != rows[i].len)
			fail_msg("%s: %d %zu %zu", rows[i].text, r, body, len);
	}
}

static void test_signatures(void **state _unused_)
{
	unsigned char key[64];
	char a[SIGN_TEXT_LEN + 1], b[SIGN_TEXT_LEN + 1];

	memset(key, 'k', sizeof key);
	sign_content(key, sizeof key, POD, "content", 7, a);
	assert_int_equal(strlen(a), SIGN_TEXT_LEN);
	assert_true(sign_verify(key, sizeof key, POD, "content", 7, a));
	assert_false(sign_verify(key, sizeof key, POD, "content", 6, a));
	assert_false(sign_verify(key, sizeof key, POD, "content", 7, ""));
	key[63]++;
	sign_content(key, sizeof key, POD, "content", 7, b);
	assert_string_not_equal(a, b);
}

static struct answer ask(struct registry *reg, const char *method, const char *path,
			 const char *body)
{
	const struct request rq = {.method = method,
				   .path = path,
				   .body = body ? body : "",
				   .len = body ? strlen(body) : 0};
	struct answer a;

	answer_public(reg, &rq, &a);
	return a;
}

static void expect(struct registry *reg, const char *path, unsigned status, const char *body)
{
	struct answer a = ask(reg, "GET", path, NULL);
	_cleanup_free_ char *text = xstrndup(a.body, a.len);

	free(a.body);
	if (a.status != status || (body && strcmp(text, body)))
		fail_msg("%s: %u %s", path, a.status, text);
}

static void expect_all(struct registry *reg)
{
	expect(reg, "/" TOKEN "/acMetadata/v1/pod/uuid", 200, POD);
	expect(reg, "/" TOKEN "/acMetadata/v1/pod/manifest", 200, pod_manifest);
	expect(reg, "/" TOKEN "/acMetadata/v1/pod/annotations", 200,
	       "[{\"name\":\"p\",\"value\":\"q\"}]");
	expect(reg, "/" TOKEN "/acMetadata/v1/apps/app/image/manifest", 200, image_manifest);
	expect(reg, "/" TOKEN "/acMetadata/v1/apps/app/image/id", 200, ID);
	expect(reg, "/" TOKEN "/acMetadata/v1/apps/app/annotations", 200,
	       "[{\"name\":\"both\",\"value\":\"pod\"},{\"name\":\"own\",\"value\":\"i\"}]");
	expect(reg, "/" TOKEN "/acMetadata/v1/apps/other/image/id", 404, NULL);
	expect(reg, "/" OTHER "/acMetadata/v1/pod/uuid", 401, NULL);
}

static void test_registry(void **state _unused_)
{
	_cleanup_registry_ struct registry reg = REGISTRY_INIT, again = REGISTRY_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	unsigned char key[REGISTRY_KEY_LEN];
	int dir = scratch_open();
	struct stat st;

	reg.dir = fd_copy(dir);
	assert_int_equal(registry_load(&reg, &e), 0);
	memcpy(key, reg.key, sizeof key);
	expect(&reg, "/" TOKEN "/acMetadata/v1/pod/uuid", 401, NULL);
	expect(&reg, "/", 401, NULL);
	assert_int_equal(
		registry_put_app(&reg, POD, "app", image_manifest, strlen(image_manifest), &e),
		-ENOENT);
	assert_err(&e, "pod " POD " is not registered");
	assert_int_equal(
		registry_put_pod(&reg, POD, "x", NULL, pod_manifest, strlen(pod_manifest), &e),
		-EINVAL);
	assert_err(&e, "a token is 32 hexadecimal digits");
	assert_int_equal(registry_put_pod(&reg, POD, TOKEN, "/nowhere", pod_manifest,
					  strlen(pod_manifest), &e),
			 0);
	expect(&reg, "/" TOKEN "/acMetadata/v1/apps/app/image/id", 404, NULL);
	assert_int_equal(
		registry_put_app(&reg, POD, "no", image_manifest, strlen(image_manifest), &e),
		-ENOENT);
	assert_err(&e, "pod " POD " has no app no");
	assert_int_equal(
		registry_put_app(&reg, POD, "app", image_manifest, strlen(image_manifest), &e), 0);
	expect_all(&reg);

	/* A restart. */
	assert_int_equal(fstatat(dir, POD, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	again.dir = fd_copy(dir);
	assert_int_equal(registry_load(&again, &e), 0);
	assert_memory_equal(again.key, key, sizeof key);
	expect_all(&again);

	/* The pod lay in a data directory that is not there. */
	assert_int_equal(registry_prune(dir, &e), 0);
	assert_int_equal(faccessat(dir, POD, F_OK, 0), -1);
	assert_int_equal(faccessat(dir, POD ".app", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "hmac-key", F_OK, 0), 0);

	assert_int_equal(registry_remove(&reg, POD), 0);
	assert_int_equal(registry_remove(&reg, POD), -ENOENT);
	assert_int_equal(reg.bytes, 0);
	expect(&reg, "/" TOKEN "/acMetadata/v1/pod/uuid", 401, NULL);
	scratch_close(dir);
}

/* Absent is not the same as empty. */
static void test_no_annotations(void **state _unused_)
{
	static const char *const manifests[][2] = {
		{"", "null"},
		{",\"annotations\":null", "null"},
		{",\"annotations\":[]", "[]"},
	};

	for (size_t i = 0; i < ELEMENTSOF(manifests); i++) {
		_cleanup_registry_ struct registry reg = REGISTRY_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *text = xasprintf(
			"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":"
			"\"a\",\"image\":{\"id\":\"" ID "\"}}]%s}",
			manifests[i][0]);

		if (registry_put_pod(&reg, POD, TOKEN, NULL, text, strlen(text), &e) < 0)
			fail_msg("%s", err_text(&e));
		expect(&reg, "/" TOKEN "/acMetadata/v1/pod/annotations", 200, manifests[i][1]);
	}
}

static void test_note(void **state _unused_)
{
	struct metadata_note note = {.token = TOKEN, .port = 18112}, read = {0};
	_cleanup_free_ char *v4 = metadata_url(&note, "172.16.28.1"),
			    *v6 = metadata_url(&note, "fd00::1");
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();

	assert_string_equal(v4, "http://172.16.28.1:18112/" TOKEN);
	assert_string_equal(v6, "http://[fd00::1]:18112/" TOKEN);
	assert_int_equal(metadata_note_read(dir, &read, NULL), -ENOENT);
	assert_int_equal(metadata_note_write(dir, &note, &e), 0);
	assert_int_equal(metadata_note_read(dir, &read, &e), 0);
	assert_string_equal(read.token, TOKEN);
	assert_int_equal(read.port, 18112);
	note.port = 0;
	assert_int_equal(metadata_note_write(dir, &note, &e), 0);
	assert_int_equal(metadata_note_read(dir, &read, &e), -EINVAL);
	assert_err(&e, "mds-registered: \"0\" is no port");
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),	       cmocka_unit_test(test_registration_routes),
		cmocka_unit_test(test_forms),	       cmocka_unit_test(test_heads),
		cmocka_unit_test(test_signatures),     cmocka_unit_test(test_registry),
		cmocka_unit_test(test_no_annotations), cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
