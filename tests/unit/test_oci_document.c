#include "tests/unit/unit.h"

#include "spec/oci.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define D256 "sha256:" HEX64
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
#define DESC(type) "{\"mediaType\":\"" type "\",\"digest\":\"" D256 "\",\"size\":7}"
#define CONFIG DESC(OCI "config.v1+json")
#define LAYER DESC(OCI "layer.v1.tar+gzip")
#define V2 "\"schemaVersion\":2"
#define MANIFEST "{" V2 ",\"config\":" CONFIG ",\"layers\":[" LAYER "]}"

static void test_digest(void **state _unused_)
{
	assert_null(oci_digest_check(D256));
	assert_null(oci_digest_check("sha512:" HEX64 HEX64));
	assert_non_null(oci_digest_check("sha256:" HEX64 "0"));
	assert_non_null(oci_digest_check("sha256:" HEX64 HEX64));
	assert_non_null(oci_digest_check("sha256:../../../../../etc/passwd"));
	assert_non_null(oci_digest_check("sha256:" HEX16 HEX16 HEX16 "0123456789ABCDEF"));
	assert_non_null(oci_digest_check("md5:" HEX16 HEX16));
	assert_non_null(oci_digest_check(""));
	assert_non_null(oci_digest_check("sha256"));
}

static void test_media(void **state _unused_)
{
	assert_int_equal(oci_media_kind(OCI "index.v1+json"), OCI_MEDIA_INDEX);
	assert_int_equal(oci_media_kind(DOCKER "distribution.manifest.list.v2+json"), OCI_MEDIA_INDEX);
	assert_int_equal(oci_media_kind(OCI "manifest.v1+json; charset=utf-8"), OCI_MEDIA_MANIFEST);
	assert_int_equal(oci_media_kind("Application/vnd.OCI.image.manifest.v1+json"), OCI_MEDIA_MANIFEST);
	assert_int_equal(oci_media_kind(OCI "layer.v1.tar+zstd"), OCI_MEDIA_LAYER);
	assert_int_equal(oci_media_kind(DOCKER "image.rootfs.foreign.diff.tar.gzip"), OCI_MEDIA_LAYER);
	assert_int_equal(oci_media_kind(DOCKER "distribution.manifest.v1+prettyjws"), OCI_MEDIA_SCHEMA1);
	assert_int_equal(oci_media_kind(OCI "manifest.v1+jso"), OCI_MEDIA_UNKNOWN);
	assert_int_equal(oci_media_kind(OCI "manifest.v1+jsonx"), OCI_MEDIA_UNKNOWN);
	assert_int_equal(oci_media_kind(""), OCI_MEDIA_UNKNOWN);
}

static void test_kind(void **state _unused_)
{
#define BOTH "{" V2 ",\"manifests\":[],\"layers\":[]}"
#define TWO "more than one kind of document at once (manifests, layers or config, fsLayers)"
#define SCHEMA1 "docker's first format of manifests (schema 1) is not supported"
	static const struct {
		const char *type, *text;
		int r; /* kind, or -errno */
		const char *error;
	} rows[] = {
		{NULL, "{" V2 ",\"manifests\":[]}", OCI_MEDIA_INDEX, NULL},
		{NULL, MANIFEST, OCI_MEDIA_MANIFEST, NULL},
		{OCI "manifest.v1+json", MANIFEST, OCI_MEDIA_MANIFEST, NULL},
		{DOCKER "distribution.manifest.v2+json", MANIFEST, OCI_MEDIA_MANIFEST, NULL},
		{"application/json", MANIFEST, OCI_MEDIA_MANIFEST, NULL},
		{"", MANIFEST, OCI_MEDIA_MANIFEST, NULL},
		{OCI "index.v1+json", MANIFEST, -EINVAL,
		 "the media type \"" OCI "index.v1+json\" does not fit what the document holds"},
		{OCI "manifest.v1+json", "{" V2 ",\"manifests\":[]}", -EINVAL, NULL},
		{NULL, "{" V2 ",\"mediaType\":\"" OCI "index.v1+json\",\"layers\":[]}", -EINVAL,
		 "mediaType \"" OCI "index.v1+json\" does not fit what the document holds"},
		{NULL, "{" V2 ",\"mediaType\":5,\"layers\":[]}", -EINVAL, "mediaType: expected string"},
		{NULL, "{" V2 ",\"mediaType\":null,\"layers\":[]}", OCI_MEDIA_MANIFEST, NULL},
		{"application/vnd.x", MANIFEST, -ENOTSUP, "unknown media type \"application/vnd.x\" of a manifest"},
		{NULL, BOTH, -EINVAL, TWO},
		{NULL, "{" V2 ",\"manifests\":[],\"config\":{}}", -EINVAL, TWO},
		{NULL, "{" V2 ",\"fsLayers\":[],\"layers\":[]}", -EINVAL, TWO},
		{NULL, "{" V2 ",\"manifests\":[],\"Layers\":[]}", -EINVAL, "member \"Layers\" is not written layers"},
		{NULL, "{\"schemaVersion\":1,\"fsLayers\":[]}", -ENOTSUP, SCHEMA1},
		{DOCKER "distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}", -ENOTSUP, SCHEMA1},
		{NULL, "{\"layers\":[]}", -EINVAL, "schemaVersion is not 2"},
		{NULL, "{" V2 "}", -EINVAL,
		 "neither an index nor a manifest: there are no manifests and no layers"},
		{NULL, "{" V2 ",\"layers\":[],\"layers\":[]}", -EINVAL, "duplicate member \"layers\""},
		{NULL, "[]", -EINVAL, "expected object"},
		{NULL, "<html>", -EINVAL, NULL},
		{NULL, "", -EINVAL, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		enum oci_media kind = OCI_MEDIA_UNKNOWN;
		int r = oci_document_kind(rows[i].type, rows[i].text, strlen(rows[i].text), &kind, &e);

		if ((r < 0 ? r : (int) kind) != rows[i].r)
			fail_msg("%zu: %d %s", i, r, err_text(&e));
		if (rows[i].error)
			assert_string_equal(err_text(&e), rows[i].error);
	}
}

static void check_manifest(const char *text, const char *error)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(text, strlen(text), &e);
	_cleanup_free_ char *whole = xasprintf("image manifest: %s", error);

	assert_null(m);
	assert_string_equal(err_text(&e), whole);
}

static void test_manifest(void **state _unused_)
{
	static const char text[] = "{" V2 ",\"mediaType\":\"x/y\",\"new\":{\"a\":[1]},\"config\":" CONFIG
				   ",\"layers\":[" LAYER "," DESC("a/b")
				   "],\"annotations\":{\"k\":\"v\"},\"subject\":" CONFIG ",\"artifactType\":null}";
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(text, strlen(text), NULL);

	assert_non_null(m);
	assert_string_equal(m->media_type, "x/y");
	assert_string_equal(m->config.digest, D256);
	assert_int_equal(m->config.size, 7);
	assert_int_equal(m->n_layers, 2);
	assert_string_equal(m->layers[1].media_type, "a/b");
	assert_string_equal(nameval_get(&m->annotations, "k"), "v");
	assert_string_equal(m->subject, D256);
	assert_null(m->artifact_type);
	check_manifest("{\"layers\":[]}", "config: required member is missing");
	check_manifest("{\"config\":" CONFIG "}", "layers: required member is missing");
	check_manifest("{\"config\":" CONFIG ",\"layers\":{}}", "layers: expected array");
	check_manifest("{\"config\":" CONFIG ",\"layers\":[5]}", "layers[0]: expected object");
	check_manifest("{\"config\":{\"mediaType\":\"a\",\"size\":0},\"layers\":[]}",
		       "config.digest: required member is missing");
	check_manifest("{\"config\":{\"mediaType\":\"a\",\"size\":0,\"digest\":\"sha256:../x\"},\"layers\":[]}",
		       "config.digest: \"sha256:../x\": a sha256 digest has 64 lower-case hex digits");
	check_manifest("{\"config\":{\"mediaType\":\"a\",\"size\":-1,\"digest\":\"" D256 "\"},\"layers\":[]}",
		       "config.size: -1 is not within 0..9007199254740992");
	check_manifest("{\"config\":{\"mediaType\":\"a\",\"size\":1.5,\"digest\":\"" D256 "\"},\"layers\":[]}",
		       "config.size: expected whole number");
	check_manifest("{\"config\":{\"mediaType\":\"\",\"size\":1,\"digest\":\"" D256 "\"},\"layers\":[]}",
		       "config.mediaType: \"\": must not be empty");
}

static void test_layers_max(void **state _unused_)
{
	for (size_t n = OCI_LAYERS_MAX; n <= OCI_LAYERS_MAX + 1; n++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_oci_manifest_ struct oci_manifest *m = NULL;
		_cleanup_err_ struct err e = ERR_INIT;

		strbuf_adds(&sb, "{\"config\":" CONFIG ",\"layers\":[" LAYER);
		for (size_t i = 1; i < n; i++)
			strbuf_adds(&sb, "," LAYER);
		strbuf_adds(&sb, "]}");
		m = oci_manifest_parse(sb.buf, sb.len, &e);
		assert_int_equal(!!m, n == OCI_LAYERS_MAX);
		if (!m)
			assert_string_equal(err_text(&e), "image manifest: layers: more than 500");
	}
}

static void test_is_image(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
		const char *error;
	} rows[] = {
		{MANIFEST, 0, NULL},
		{"{\"artifactType\":\"a/sbom\",\"config\":" DESC("application/vnd.oci.empty.v1+json") ",\"layers\":[" LAYER "]}",
		 -ENOTSUP, "an artifact of type \"a/sbom\", and no image"},
		{"{\"config\":" DESC("application/vnd.cncf.helm.config.v1+json") ",\"layers\":[" LAYER "]}", -ENOTSUP,
		 "an artifact of type \"application/vnd.cncf.helm.config.v1+json\", and no image"},
		{"{\"config\":" CONFIG ",\"layers\":[" LAYER "," DESC("application/vnd.in-toto+json") "]}", -ENOTSUP,
		 "layer 2 is no tar archive: unknown media type \"application/vnd.in-toto+json\""},
		{"{\"config\":" CONFIG ",\"layers\":[]}", -EINVAL, "the image has no layers"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_oci_manifest_ struct oci_manifest *m =
			oci_manifest_parse(rows[i].text, strlen(rows[i].text), NULL);
		_cleanup_err_ struct err e = ERR_INIT;

		assert_non_null(m);
		assert_int_equal(oci_manifest_check_image(m, &e), rows[i].r);
		if (rows[i].error)
			assert_string_equal(err_text(&e), rows[i].error);
	}
}

/* An index of these platforms ("os/arch/variant"); the size of each descriptor is its place. */
static struct oci_index *make_index(const char *platforms)
{
	_cleanup_strv_ char **v = strv_split(platforms, ' ');
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct oci_index *x;

	strbuf_adds(&sb, "{\"manifests\":[");
	for (size_t i = 0; v[i]; i++) {
		_cleanup_strv_ char **p = strv_split(v[i], '/');

		strbuf_addf(&sb, "%s{\"mediaType\":\"%s\",\"digest\":\"" D256 "\",\"size\":%zu", i ? "," : "",
			    str_eq(p[0], "artifact") ? "application/vnd.x" : OCI "manifest.v1+json", i);
		if (strv_len(p) > 1)
			strbuf_addf(&sb, ",\"platform\":{\"os\":\"%s\",\"architecture\":\"%s\"%s%s%s}", p[0], p[1],
				    p[2] ? ",\"variant\":\"" : "", p[2] ? p[2] : "", p[2] ? "\"" : "");
		strbuf_adds(&sb, "}");
	}
	strbuf_adds(&sb, "]}");
	x = oci_index_parse(sb.buf, sb.len, NULL);
	assert_non_null(x);
	return x;
}

static void test_choose(void **state _unused_)
{
	static const struct {
		const char *platforms, *arch, *variant;
		int chosen;
		const char *error;
	} rows[] = {
		{"linux/amd64", "amd64", NULL, 0, NULL},
		{"linux/arm64/v8 linux/amd64 linux/amd64", "amd64", NULL, 1, NULL},
		{"windows/amd64 linux/amd64", "amd64", NULL, 1, NULL},
		{"linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4", "amd64", "v3", 2, NULL},
		{"linux/amd64/v4 linux/amd64", "amd64", "v3", 1, NULL},
		{"linux/arm/v5 linux/arm/v7 linux/arm/v6", "arm", "v6", 2, NULL},
		{"linux/arm/v8", "arm", "v7", -1, "no image for linux/arm/v7; there is: linux/arm/v8"},
		{"linux/arm64/v8 linux/arm64/v8.1", "arm64", "v8", 0, NULL},
		{"linux/amd64/fast linux/amd64", "amd64", "v1", 1, NULL},
		{"unknown/unknown linux/amd64", "amd64", NULL, 1, NULL},
		{"unknown/unknown", "amd64", NULL, -1, "no image for linux/amd64; there is: no image at all"},
		{"artifact x", "amd64", NULL, 1, NULL},
		{"x linux/amd64", "amd64", NULL, 1, NULL},
		{"linux/s390x x", "amd64", NULL, 1, NULL},
		{"linux/s390x linux/\\u001b[31m", "amd64", NULL, -1,
		 "no image for linux/amd64; there is: linux/s390x, linux/\\x1b[31m"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_oci_index_ struct oci_index *x = make_index(rows[i].platforms);
		struct oci_platform machine = {
			.os = (char *) "linux",
			.architecture = (char *) rows[i].arch,
			.variant = (char *) rows[i].variant,
		};
		_cleanup_err_ struct err e = ERR_INIT;
		const struct oci_descriptor *d = oci_index_choose(x, &machine, &e);

		if ((d ? (int) d->size : -1) != rows[i].chosen)
			fail_msg("%zu: %s", i, err_text(&e));
		if (rows[i].error)
			assert_string_equal(err_text(&e), rows[i].error);
	}
}

static void test_config(void **state _unused_)
{
	static const char text[] =
		"{\"created\":\"2024-01-01T00:00:00Z\",\"author\":\"me\",\"architecture\":\"arm\",\"variant\":\"v7\",\"os\":\"linux\","
		"\"container_config\":{\"Cmd\":5},\"history\":[{}],\"config\":{\"User\":\"1:2\",\"Env\":[\"A=b\",\"C=\"],"
		"\"Entrypoint\":[\"/e\"],\"Cmd\":\"one\",\"WorkingDir\":\"/w\",\"StopSignal\":\"SIGQUIT\",\"OnBuild\":null,"
		"\"Volumes\":{\"/v\":{},\"/w\":null},\"ExposedPorts\":{\"80/tcp\":{}},\"Labels\":{\"a\":\"b\"},"
		"\"Healthcheck\":{\"Test\":[\"CMD\",\"/h\"],\"Interval\":5000000000,\"Retries\":4}},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D256 "\"]}}";
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_config_ struct oci_config *c = oci_config_parse(text, strlen(text), &e);

	if (!c)
		fail_msg("%s", err_text(&e));
	assert_string_equal(c->platform.variant, "v7");
	assert_string_equal(c->user, "1:2");
	assert_int_equal(strv_len(c->env), 2);
	assert_string_equal(c->entrypoint[0], "/e");
	assert_string_equal(c->cmd[0], "one");
	assert_int_equal(strv_len(c->cmd), 1);
	assert_string_equal(c->volumes[1], "/w");
	assert_string_equal(c->exposed_ports[0], "80/tcp");
	assert_string_equal(nameval_get(&c->labels, "a"), "b");
	assert_string_equal(c->healthcheck->test[1], "/h");
	assert_int_equal(c->healthcheck->interval_ns, 5000000000);
	assert_int_equal(c->healthcheck->retries, 4);
	assert_string_equal(c->diff_ids[0], D256);
}

static void test_config_refused(void **state _unused_)
{
#define FS "\"rootfs\":{\"type\":\"layers\"}"
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"{}", "rootfs: required member is missing"},
		{"{\"rootfs\":{}}", "rootfs.type: required member is missing"},
		{"{\"rootfs\":{\"type\":\"x\"}}", "rootfs.type: \"x\": not \"layers\""},
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"a\"]}}",
		 "rootfs.diff_ids[0]: \"a\": not a sha256 or sha512 digest"},
		{"{" FS ",\"config\":[]}", "config: expected object"},
		{"{" FS ",\"config\":{\"Cmd\":5}}", "config.Cmd: expected array"},
		{"{" FS ",\"config\":{\"Cmd\":[\"a\",5]}}", "config.Cmd[1]: expected string"},
		{"{" FS ",\"config\":{\"Env\":{}}}", "config.Env: expected array"},
		{"{" FS ",\"config\":{\"Volumes\":[\"/v\"]}}", "config.Volumes: expected object"},
		{"{" FS ",\"config\":{\"Labels\":{\"a\":1}}}", "config.Labels.a: expected string"},
		{"{" FS ",\"config\":{\"User\":1}}", "config.User: expected string"},
		{"{" FS ",\"config\":{\"Healthcheck\":{\"Retries\":-1}}}",
		 "config.Healthcheck.Retries: -1 is not within 0..2147483647"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *whole = xasprintf("image configuration: %s", rows[i].error);

		assert_null(oci_config_parse(rows[i].text, strlen(rows[i].text), &e));
		assert_string_equal(err_text(&e), whole);
		assert_null(oci_config_parse(rows[i].text, strlen(rows[i].text), NULL));
	}
}

static void test_depth(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	strbuf_adds(&sb, "{\"x\":");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&sb, '[');
	assert_null(oci_config_parse(sb.buf, sb.len, &e));
	assert_non_null(strstr(err_text(&e), "nest"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),	   cmocka_unit_test(test_media),  cmocka_unit_test(test_kind),
		cmocka_unit_test(test_manifest),   cmocka_unit_test(test_layers_max), cmocka_unit_test(test_is_image),
		cmocka_unit_test(test_choose),	   cmocka_unit_test(test_config), cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
