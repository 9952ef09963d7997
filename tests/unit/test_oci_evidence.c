#include "tests/unit/unit.h"

#include "stage0/oci/evidence.h"

#define DIGEST "sha256:0123456789012345678901234567890123456789012345678901234567890123"

static void add(struct evidence *ev, enum requirement_type type, const char *data, size_t len)
{
	struct evidence_signature s = {.type = type, .digest = (char *) DIGEST, .data = (char *) data, .len = len,
				       .signature = type == REQUIRE_SIGSTORE ? (char *) "c2ln" : NULL};

	assert_int_equal(evidence_add(ev, &s, NULL), 0);
}

static void test_round(void **state _unused_)
{
	_cleanup_evidence_ struct evidence ev = {.reference = xstrdup("oci:x:1"), .path = xstrdup("/a/x")}, back = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	add(&ev, REQUIRE_SIGNED_BY, "a\0b", 3);
	add(&ev, REQUIRE_SIGSTORE, "{}", 2);
	add(&ev, REQUIRE_SIGNED_BY, "a\0b", 3); /* the same once more */
	add(&ev, REQUIRE_SIGNED_BY, "a\0c", 3);
	evidence_add_index(&ev, "{\"x\":1}", 7);
	assert_int_equal(ev.n, 3);
	assert_int_equal(evidence_print(&ev, &text, &e), 0);
	if (evidence_parse(text, strlen(text), &back, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_string_equal(back.reference, "oci:x:1");
	assert_string_equal(back.path, "/a/x");
	assert_int_equal(back.n, 3);
	assert_int_equal(back.v[0].type, REQUIRE_SIGNED_BY);
	assert_int_equal(back.v[0].len, 3);
	assert_memory_equal(back.v[0].data, "a\0b", 3);
	assert_null(back.v[0].signature);
	assert_int_equal(back.v[1].type, REQUIRE_SIGSTORE);
	assert_string_equal(back.v[1].signature, "c2ln");
	assert_int_equal(back.n_indexes, 1);
	assert_memory_equal(back.indexes[0].data, "{\"x\":1}", 7);
}

static void test_bounds(void **state _unused_)
{
	_cleanup_evidence_ struct evidence ev = {.reference = xstrdup("oci:x:1")};
	_cleanup_free_ char *large = xcalloc(1, EVIDENCE_MAX), *text = NULL;
	struct evidence_signature one = {.type = REQUIRE_SIGNED_BY, .digest = (char *) DIGEST, .data = large};
	_cleanup_err_ struct err e = ERR_INIT;

	for (one.len = 1; one.len <= EVIDENCE_SIGNATURES_MAX; one.len++)
		assert_int_equal(evidence_add(&ev, &one, &e), 0);
	assert_int_equal(evidence_add(&ev, &one, &e), -E2BIG);
	assert_non_null(strstr(err_text(&e), "more than 32 signatures"));
	err_done(&e);
	evidence_add_index(&ev, large, EVIDENCE_MAX);
	assert_int_equal(evidence_print(&ev, &text, &e), -EFBIG);
}

#define FILE_OF(signatures, indexes) \
	"{\"reference\":\"oci:x\",\"signatures\":[" signatures "],\"indexes\":[" indexes "]}"

static void test_bad(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "line 1"},
		{"[]", "expected object"},
		{"{\"signatures\":[],\"indexes\":[]}", "reference"},
		{"{\"reference\":\"x\",\"indexes\":[]}", "signatures"},
		{"{\"reference\":\"x\",\"signatures\":[],\"indexes\":[],\"more\":1}", "more"},
		{FILE_OF("{\"type\":\"none\",\"digest\":\"" DIGEST "\",\"data\":\"\"}", ""), "type \"none\" is not known"},
		{FILE_OF("{\"type\":\"openpgp\",\"digest\":\"../x\",\"data\":\"\"}", ""), "signatures[0].digest"},
		{FILE_OF("{\"type\":\"openpgp\",\"digest\":\"" DIGEST "\",\"data\":\"!\"}", ""), "not base64"},
		{FILE_OF("{\"type\":\"openpgp\",\"digest\":\"" DIGEST "\",\"data\":\"\",\"signature\":\"x\"}", ""),
		 "does not go with"},
		{FILE_OF("{\"type\":\"sigstore\",\"digest\":\"" DIGEST "\",\"data\":\"\"}", ""), "is missing"},
		{FILE_OF("", "\"!\""), "indexes[0]: not base64"},
		{FILE_OF("", "1"), "indexes[0]"},
		{FILE_OF("", "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\""), "indexes[9]: too many"},
	};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		_cleanup_evidence_ struct evidence ev = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (evidence_parse(bad[i].text, strlen(bad[i].text), &ev, &e) == 0)
			fail_msg("%s: accepted", bad[i].text);
		if (!strstr(err_text(&e), bad[i].why))
			fail_msg("%s: %s", bad[i].text, err_text(&e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
