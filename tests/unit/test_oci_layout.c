#include "tests/unit/unit.h"

#include "stage0/oci/layout.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define D1 "sha256:" HEX64
#define D2 "sha256:1123456789abcdef" HEX16 HEX16 HEX16
#define ENTRY(type, digest, notes)                                                                 \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":1,\"annotations\":{" notes "}}"
#define M "application/vnd.oci.image.manifest.v1+json"
#define SIGNATURE(digest)                                                                          \
	"{\"mediaType\":\"" M "\",\"digest\":\"" digest "\",\"size\":1,"                                 \
	"\"artifactType\":\"application/vnd.dev.cosign.artifact.sig.v1+json\"}"
#define NAME(n) "\"org.opencontainers.image.ref.name\":\"" n "\""

static void test_version(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {
		{"{\"imageLayoutVersion\":\"1.0.0\"}", 0},
		{"{\"imageLayoutVersion\":\"1.1.0\",\"x\":1}", 0},
		{"{\"imageLayoutVersion\":\"2.0.0\"}", -ENOTSUP},
		{"{\"imageLayoutVersion\":1}", -ENOTSUP},
		{"{}", -ENOTSUP},
		{"x", -EINVAL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_int_equal(layout_check_version(rows[i].text, strlen(rows[i].text), NULL), rows[i].r);
}

static void test_path(void **state _unused_)
{
	_cleanup_free_ char *path = layout_blob_path(D1);

	assert_string_equal(path, "blobs/sha256/" HEX64);
}

static void test_find(void **state _unused_)
{
	static const struct {
		const char *entries, *name;
		int r;
		const char *digest, *error;
	} rows[] = {
		{ENTRY(M, D1, NAME("a")), NULL, 0, D1, NULL},
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D2, NAME("b")), "b", 0, D2, NULL},
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D2, NAME("b")), NULL, -ENOTUNIQ, NULL,
		 "there are several images in it, and one must be named: \"a\", \"b\""},
		{ENTRY(M, D1, NAME("a")), "c", -ENOENT, NULL, "there is no image named \"c\" in it; there is: \"a\""},
		{ENTRY(M, D1, ""), "c", -ENOENT, NULL, "there is no image named \"c\" in it; there is: none"},
		{ENTRY(M, D1, "") "," ENTRY(M, D2, ""), NULL, 1, NULL, NULL},
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D2, NAME("a")), "a", -ENOTUNIQ, NULL,
		 "there are several images named \"a\" in it"},
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D1, NAME("a")), "a", 0, D1, NULL},
		{ENTRY("application/vnd.x", D2, NAME("a")) "," ENTRY(M, D1, NAME("b")), NULL, 0, D1, NULL},
		{ENTRY(M, D1, "\"io.containerd.image.name\":\"docker.io/library/a:1\"," NAME("1")),
		 "docker.io/library/a:1", 0, D1, NULL},
		/* what is attached to an image is none */
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D2, NAME("sha256-" HEX64 ".sig")), NULL, 0, D1, NULL},
		{ENTRY(M, D1, "") "," ENTRY(M, D2, NAME("sha256-" HEX64)), NULL, 0, D1, NULL},
		{ENTRY(M, D1, "") "," SIGNATURE(D2), NULL, 0, D1, NULL},
		{ENTRY(M, D1, NAME("a")) "," ENTRY(M, D2, NAME("sha256-" HEX16 ".sig")), NULL, -ENOTUNIQ, NULL,
		 "there are several images in it, and one must be named: \"a\", \"sha256-" HEX16 ".sig\""},
		{ENTRY(M, D1, NAME("sha256-" HEX64 ".sig")), "sha256-" HEX64 ".sig", 0, D1, NULL},
		{SIGNATURE(D2), NULL, -ENOENT, NULL, "there is no image in it"},
		{"", NULL, -ENOENT, NULL, "there is no image in it"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = xasprintf("{\"manifests\":[%s]}", rows[i].entries);
		_cleanup_oci_index_ struct oci_index *x = oci_index_parse(text, strlen(text), NULL);
		_cleanup_err_ struct err e = ERR_INIT;
		const struct oci_descriptor *d = NULL;

		assert_non_null(x);
		assert_int_equal(layout_find(x, rows[i].name, &d, &e), rows[i].r);
		if (rows[i].digest)
			assert_string_equal(d->digest, rows[i].digest);
		if (rows[i].error)
			assert_string_equal(err_text(&e), rows[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
