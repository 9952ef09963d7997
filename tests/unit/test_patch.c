#include "tests/unit/unit.h"

#include "stage0/build/patch.h"

#define HEAD "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/x\""
#define APP ",\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\""

static int apply(const struct patch_request *rq, const char *text, char **ret, struct err *e)
{
	_cleanup_free_ char *copy = xstrdup(text);
	_cleanup_json_ cJSON *j = NULL;
	size_t len = strlen(text);
	int r = patch_manifest(rq, &copy, &len, e);

	if (r < 0)
		return r;
	assert_int_equal(len, strlen(copy));
	j = json_parse(copy, len, JSON_MANIFEST_MAX, e);
	assert_non_null(j);
	*ret = json_print(j, false);
	return 0;
}

static void becomes(const struct patch_request *rq, const char *before, const char *after)
{
	_cleanup_free_ char *got = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	if (apply(rq, before, &got, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_string_equal(got, after);
}

static void test_untouched(void **state _unused_)
{
	static const struct patch_request rq = {0};
	_cleanup_free_ char *text = xstrdup("not even JSON");
	size_t len = strlen(text);

	assert_int_equal(patch_manifest(&rq, &text, &len, NULL), 0);
	assert_string_equal(text, "not even JSON");
}

static void test_members(void **state _unused_)
{
	struct patch_request rq = {.name = (char[]) {"example.com/new"}};
	char *labels[] = {(char[]) {"version=2=3"}, (char[]) {"os=linux"}, NULL};

	becomes(&rq, HEAD APP "}}",
		"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/"
		"new\"" APP "}}");
	rq = (struct patch_request) {.labels = labels};
	/* One that is there stays where it is. */
	becomes(&rq, HEAD ",\"labels\":[{\"name\":\"version\",\"value\":\"1\"}]}",
		HEAD ",\"labels\":[{\"name\":\"version\",\"value\":\"2=3\"},{\"name\":\"os\","
		     "\"value\":\"linux\"}]}");
	becomes(&rq, HEAD "}",
		HEAD ",\"labels\":[{\"name\":\"version\",\"value\":\"2=3\"},{\"name\":\"os\","
		     "\"value\":\"linux\"}]}");
}

static void test_app(void **state _unused_)
{
	struct patch_request rq = {.exec = (char[]) {"  /b  c "}, .user = (char[]) {"5"}};

	becomes(&rq, HEAD APP "}}",
		HEAD ",\"app\":{\"exec\":[\"/b\",\"c\"],\"user\":\"5\",\"group\":\"0\"}}");
	becomes(&rq, HEAD "}",
		HEAD ",\"app\":{\"user\":\"5\",\"group\":\"0\",\"exec\":[\"/b\",\"c\"]}}");
	/* Numbers keep their digits. */
	rq = (struct patch_request) {.working_dir = (char[]) {"/w"}};
	becomes(&rq, HEAD APP ",\"supplementaryGIDs\":[4294967294]}}",
		HEAD APP ",\"supplementaryGIDs\":[4294967294],\"workingDirectory\":\"/w\"}}");
}

/*
 * Capabilities and system calls are given in one of two ways: the new one takes the old one's
 * place.
 */
static void test_either(void **state _unused_)
{
	struct patch_request rq = {.revoke_capability = (char[]) {"CAP_KILL"}};

	becomes(&rq,
		HEAD APP ",\"isolators\":[{\"name\":\"os/linux/"
			 "capabilities-retain-set\",\"value\":{\"set\":[\"CAP_CHOWN\"]}}]}}",
		HEAD APP ",\"isolators\":[{\"name\":\"os/linux/"
			 "capabilities-remove-set\",\"value\":{\"set\":[\"CAP_KILL\"]}}]}}");
	rq = (struct patch_request) {.seccomp_mode = (char[]) {"retain"},
				    .seccomp_set = (char[]) {"read,write"}};
	becomes(&rq,
		HEAD APP ",\"isolators\":[{\"name\":\"os/linux/"
			 "seccomp-retain-set\",\"value\":{\"set\":[\"open\"]}}]}}",
		HEAD APP ",\"isolators\":[{\"name\":\"os/linux/"
			 "seccomp-retain-set\",\"value\":{\"set\":[\"read\",\"write\"]}}]}}");
}

static void test_words(void **state _unused_)
{
	static const struct {
		int (*fn)(const char *text, cJSON **ret, struct err *e);
		const char *text, *json;
	} rows[] = {
		{patch_exec, "a", "[\"a\"]"},
		{patch_exec, " a\tb\n", "[\"a\",\"b\"]"},
		{patch_exec, "", NULL},
		{patch_mounts, "a,path=/p:b,path=/q,readOnly=false",
		 "[{\"name\":\"a\",\"path\":\"/p\"},{\"name\":\"b\",\"path\":\"/"
		 "q\",\"readOnly\":false}]"},
		{patch_mounts, "", NULL},
		{patch_mounts, "a:", NULL},
		{patch_mounts, "a,", NULL},
		{patch_mounts, "a,name=b", NULL},
		{patch_ports, "a,protocol=tcp,port=1,count=2,socketActivated=true",
		 "[{\"name\":\"a\",\"protocol\":\"tcp\",\"port\":1,\"count\":2,\"socketActivated\":"
		 "true}]"},
		{patch_ports, "a,port=-1", NULL},
		{patch_isolators, "resource/block-iops,default=true,limit=1:b",
		 "[{\"name\":\"resource/"
		 "block-iops\",\"value\":{\"default\":true,\"limit\":\"1\"}},{\"name\":\"b\"}]"},
		{patch_isolators, "a,k=1,k=2", NULL},
		{patch_isolator, "a=[1]", "{\"name\":\"a\",\"value\":[1]}"},
		{patch_isolator, "=1", NULL},
		{patch_isolator, "a=", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = NULL;
		int r = rows[i].fn(rows[i].text, &j, &e);
		_cleanup_free_ char *text = j ? json_print(j, false) : NULL;

		if ((r == 0) != (rows[i].json != NULL) || (text && strcmp(text, rows[i].json)) ||
		    (r < 0 && !e.msg))
			fail_msg("%s: %s", rows[i].text, text ? text : err_text(&e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untouched), cmocka_unit_test(test_members),
		cmocka_unit_test(test_app),	  cmocka_unit_test(test_either),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
