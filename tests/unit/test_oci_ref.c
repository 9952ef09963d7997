#include "tests/unit/unit.h"

#include "stage0/oci/ref.h"

#define HEX16 "0123456789abcdef"
#define DIGEST "sha256:" HEX16 HEX16 HEX16 HEX16

static void test_registry(void **state _unused_)
{
	static const struct {
		const char *text, *registry, *repository, *tag, *digest, *printed;
	} rows[] = {
		{"docker://busybox", "docker.io", "library/busybox", "latest", NULL, "docker.io/library/busybox:latest"},
		{"docker:busybox:1.36", "docker.io", "library/busybox", "1.36", NULL, NULL},
		{"oci://busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://library/busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://index.docker.io/busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://Index.Docker.IO:443/busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://docker.io:443/busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://registry-1.docker.io/busybox", "docker.io", "library/busybox", "latest", NULL, NULL},
		{"docker://registry-1.docker.io:443/a/b:c", "docker.io", "a/b", "c", NULL, NULL},
		{"docker://registry.hub.docker.com/a/b:c", "docker.io", "a/b", "c", NULL, NULL},
		{"docker://docker.io:4430/a/b", "docker.io:4430", "a/b", "latest", NULL, NULL},
		{"docker://docker.io.example/a/b", "docker.io.example", "a/b", "latest", NULL, NULL},
		{"docker://docker.io/a/b:c", "docker.io", "a/b", "c", NULL, NULL},
		{"docker://a/b", "docker.io", "a/b", "latest", NULL, NULL},
		{"docker://localhost/b", "localhost", "b", "latest", NULL, "localhost/b:latest"},
		{"docker://localhost:5000/b/c:d", "localhost:5000", "b/c", "d", NULL, "localhost:5000/b/c:d"},
		{"docker://Quay.IO/b", "quay.io", "b", "latest", NULL, NULL},
		{"docker://127.0.0.1:5000/busybox", "127.0.0.1:5000", "busybox", "latest", NULL, NULL},
		{"docker://[::1]:5000/busybox:x", "[::1]:5000", "busybox", "x", NULL, NULL},
		{"docker://busybox:5000", "docker.io", "library/busybox", "5000", NULL, NULL},
		{"docker://q.io/a@" DIGEST, "q.io", "a", NULL, DIGEST, "q.io/a@" DIGEST},
		{"docker://q.io/a:t@" DIGEST, "q.io", "a", "t", DIGEST, "q.io/a:t@" DIGEST},
		{"docker://q.io/a.b_c__d-e---f/g", "q.io", "a.b_c__d-e---f/g", "latest", NULL, NULL},
		{"docker://q.io/a:_T.x-Y_9", "q.io", "a", "_T.x-Y_9", NULL, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_oci_ref_ struct oci_ref ref = {0};
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *printed = NULL;

		assert_true(oci_ref_is(rows[i].text));
		if (oci_ref_parse(rows[i].text, OCI_DEFAULT_REGISTRY, &ref, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		assert_int_equal(ref.transport, OCI_REGISTRY);
		assert_string_equal(ref.text, rows[i].text);
		assert_string_equal(ref.registry, rows[i].registry);
		assert_string_equal(ref.repository, rows[i].repository);
		assert_true(str_eq(ref.tag, rows[i].tag));
		assert_true(str_eq(ref.digest, rows[i].digest));
		assert_null(ref.path);
		printed = oci_ref_print(&ref);
		if (rows[i].printed)
			assert_string_equal(printed, rows[i].printed);
	}
}

static void test_default_registry(void **state _unused_)
{
	_cleanup_oci_ref_ struct oci_ref ref = {0};

	assert_int_equal(oci_ref_parse("docker://busybox", "registry.example:5000", &ref, NULL), 0);
	assert_string_equal(ref.registry, "registry.example:5000");
	assert_string_equal(ref.repository, "busybox");
}

static void test_paths(void **state _unused_)
{
	static const struct {
		const char *text;
		enum oci_transport transport;
		const char *path, *tag, *digest;
	} rows[] = {
		{"oci:/srv/x", OCI_LAYOUT, "/srv/x", NULL, NULL},
		{"oci:x", OCI_LAYOUT, "x", NULL, NULL},
		{"oci:../x:v1", OCI_LAYOUT, "../x", "v1", NULL},
		{"oci:/srv/x:docker.io/library/busybox:1", OCI_LAYOUT, "/srv/x", "docker.io/library/busybox:1", NULL},
		{"oci:/srv/x@" DIGEST, OCI_LAYOUT, "/srv/x", NULL, DIGEST},
		{"oci:/srv/x:v1@" DIGEST, OCI_LAYOUT, "/srv/x", "v1", DIGEST},
		{"oci:/srv/a@b", OCI_LAYOUT, "/srv/a@b", NULL, NULL},
		{"oci-archive:/x.tar:v", OCI_ARCHIVE, "/x.tar", "v", NULL},
		{"docker-archive:x.tar:busybox:latest", DOCKER_ARCHIVE, "x.tar", "busybox:latest", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_oci_ref_ struct oci_ref ref = {0};

		assert_int_equal(oci_ref_parse(rows[i].text, OCI_DEFAULT_REGISTRY, &ref, NULL), 0);
		assert_int_equal(ref.transport, rows[i].transport);
		assert_string_equal(ref.path, rows[i].path);
		assert_true(str_eq(ref.tag, rows[i].tag));
		assert_true(str_eq(ref.digest, rows[i].digest));
		assert_null(ref.registry);
	}
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"busybox", "neither docker://, oci:, oci-archive: nor docker-archive:"},
		{"docker://", "no name of a repository"},
		{"docker://:tag", "no name of a repository"},
		{"docker:///srv/x", "no name of a registry (a directory is written oci:PATH)"},
		{"oci:///srv/x", "no name of a registry (a directory is written oci:PATH)"},
		{"docker://Busybox", "a repository is written in lower case"},
		{"docker://Me/busybox", "a repository is written in lower case"},
		{"docker://q.io/A", "a repository is written in lower case"},
		{"docker://q.io/../etc", "malformed name of a repository"},
		{"docker://q.io/a/../b", "malformed name of a repository"},
		{"docker://q.io/a//b", "malformed name of a repository"},
		{"docker://q.io/a/", "malformed name of a repository"},
		{"docker://q.io/", "no name of a repository"},
		{"docker://q.io/.a", "malformed name of a repository"},
		{"docker://q.io/a..b", "malformed name of a repository"},
		{"docker://q.io/a___b", "malformed name of a repository"},
		{"docker://q.io/a%2e", "malformed name of a repository"},
		{"docker://q.io/a b", "malformed name of a repository"},
		{"docker://q.io/a?b", "malformed name of a repository"},
		{"docker://q.io/a:", "malformed tag"},
		{"docker://q.io/a:.b", "malformed tag"},
		{"docker://q.io/a:-b", "malformed tag"},
		{"docker://q.io/a:b\nc", "malformed tag"},
		{"docker://q.io/a@sha256:12", "a sha256 digest has 64 lower-case hex digits"},
		{"docker://q.io/a@md5:12", "not a sha256 or sha512 digest"},
		{"docker://q.io/a@" DIGEST "@" DIGEST, "a sha256 digest has 64 lower-case hex digits"},
		{"docker://u@q.io/a", "not a sha256 or sha512 digest"},
		{"docker://q.io:x/a", "malformed port of a registry"},
		{"docker://q.io:0/a", "malformed port of a registry"},
		{"docker://q.io:65536/a", "malformed port of a registry"},
		{"docker://q.io:0443/a", "malformed port of a registry"},
		{"docker://docker.io:0443/a", "malformed port of a registry"},
		{"docker://docker.io./a", "malformed name of a registry"},
		{"docker://q..io/a", "malformed name of a registry"},
		{"docker://.io/a", "malformed name of a registry"},
		{"docker://-q.io/a", "malformed name of a registry"},
		{"docker://q_.io/a", "malformed name of a registry"},
		{"docker://[::1/a", "malformed name of a registry"},
		{"oci:", "no path"},
		{"oci::tag", "no path"},
		{"oci:/x:", "no name after the colon"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *want = xasprintf("invalid image string %s: %s", q(rows[i].text), rows[i].why);
		struct oci_ref ref = {0};
		struct err e = ERR_INIT;

		assert_int_equal(oci_ref_parse(rows[i].text, OCI_DEFAULT_REGISTRY, &ref, &e), -EINVAL);
		assert_err(&e, want);
		assert_null(ref.text);
	}
}

static void test_lengths(void **state _unused_)
{
	_cleanup_free_ char *fits = xasprintf("docker://q.io/%0250d", 0), *longer = xasprintf("docker://q.io/%0251d", 0);
	_cleanup_free_ char *tag = xasprintf("docker://a:%0128d", 0), *longer_tag = xasprintf("docker://a:%0129d", 0);
	_cleanup_oci_ref_ struct oci_ref a = {0}, b = {0};
	struct oci_ref c = {0};

	assert_int_equal(oci_ref_parse(fits, OCI_DEFAULT_REGISTRY, &a, NULL), 0);
	assert_int_equal(oci_ref_parse(longer, OCI_DEFAULT_REGISTRY, &c, NULL), -EINVAL);
	assert_int_equal(oci_ref_parse(tag, OCI_DEFAULT_REGISTRY, &b, NULL), 0);
	assert_int_equal(oci_ref_parse(longer_tag, OCI_DEFAULT_REGISTRY, &c, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry), cmocka_unit_test(test_default_registry), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
