/* The record of an attachment: libcni's words in libcni's order, and back to what was written. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "stage1/net/cached.h"

#define UUID "11111111-0000-4000-8000-000000000001"
#define CONF "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"a\",\"x\":12345678901234567890}]}"
#define CONFIG "eyJjbmlWZXJzaW9uIjoiMS4wLjAiLCJuYW1lIjoibiIsInBsdWdpbnMiOlt7InR5cGUiOiJhIiwieCI6MTIzNDU2Nzg5MDEyMzQ1Njc4OTB9XX0="

static void make(struct attachment *a, const char *args)
{
	*a = (struct attachment) {.ifname = xstrdup("eth0"), .args = xstrdup(args), .netns = xstrdup("/proc/7/fd/5")};
	strv_add(&a->path, "/opt/a");
	strv_add(&a->path, "/opt/b");
	assert_int_equal(cni_network_parse(CONF, strlen(CONF), &a->network, NULL), 0);
}

static cJSON *json(const char *text)
{
	cJSON *j = json_parse(text, strlen(text), 1 << 20, NULL);

	assert_non_null(j);
	return j;
}

/* What it says while plugins work, and afterwards. */
static void written(void **state)
{
	_cleanup_free_ char *begun = NULL, *whole = NULL, *name = NULL;
	struct attachment a;

	(void) state;
	make(&a, "");
	begun = cached_encode(&a, UUID);
	assert_string_equal(begun, "{\"kind\":\"cniCacheV1\",\"containerId\":\"" UUID "\",\"config\":\"" CONFIG "\","
				   "\"ifName\":\"eth0\",\"networkName\":\"n\",\"netns\":\"/proc/7/fd/5\","
				   "\"gantry\":{\"cniPath\":[\"/opt/a\",\"/opt/b\"],\"cniVersion\":\"1.0.0\"}}");
	name = cached_name(&a, UUID);
	assert_string_equal(name, "n-" UUID "-eth0");
	attachment_done(&a);
	make(&a, "IP=1.2.3.4;X=a=b;Y=");
	a.caps = json("{\"portMappings\":[{\"hostPort\":1}]}");
	a.result = json("{\"cniVersion\":\"1.0.0\",\"n\":98765432109876543210}");
	whole = cached_encode(&a, UUID);
	assert_string_equal(whole, "{\"kind\":\"cniCacheV1\",\"containerId\":\"" UUID "\",\"config\":\"" CONFIG "\","
				   "\"ifName\":\"eth0\",\"networkName\":\"n\",\"netns\":\"/proc/7/fd/5\","
				   "\"cniArgs\":[[\"IP\",\"1.2.3.4\"],[\"X\",\"a=b\"],[\"Y\",\"\"]],"
				   "\"capabilityArgs\":{\"portMappings\":[{\"hostPort\":1}]},"
				   "\"result\":{\"cniVersion\":\"1.0.0\",\"n\":98765432109876543210},"
				   "\"gantry\":{\"cniPath\":[\"/opt/a\",\"/opt/b\"],\"cniVersion\":\"1.0.0\"}}");
	/* still the attachment's own */
	assert_non_null(json_get(a.caps, "portMappings"));
	assert_non_null(json_get(a.result, "n"));
	attachment_done(&a);
}

static void read_back(void **state)
{
	static const char *const args[] = {"", "A=b", "IP=1.2.3.4;X=a=b;Y=", "A=\"\\\n"};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(args) * 2; i++) {
		_cleanup_free_ char *first = NULL, *second = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		struct attachment a, b;

		make(&a, args[i / 2]);
		if (i % 2) {
			a.caps = json("{\"aliases\":[\"x\"]}");
			a.result = json("{\"dns\":{}}");
			free(a.netns);
			a.netns = xstrdup("/run/gantry/netns/" UUID ".0");
		}
		first = cached_encode(&a, UUID);
		if (cached_decode(first, strlen(first), &b, &e) < 0)
			fail_msg("%s", err_text(&e));
		second = cached_encode(&b, UUID);
		assert_string_equal(first, second);
		assert_string_equal(b.args, args[i / 2]);
		/* a namespace that is mounted is known by its place */
		assert_int_equal(b.pin != NULL, i % 2);
		attachment_done(&a);
		attachment_done(&b);
	}
}

#define HEAD "{\"kind\":\"cniCacheV1\",\"containerId\":\"" UUID "\","
#define NAMES "\"ifName\":\"eth0\",\"networkName\":\"n\",\"netns\":\"/n\""

/* One that libcni itself could have written: what is ours alone is missing. */
static void of_libcni(void **state)
{
	static const char text[] = HEAD "\"config\":\"" CONFIG "\"," NAMES ",\"future\":[1]}";
	struct attachment a;

	(void) state;
	assert_int_equal(cached_decode(text, strlen(text), &a, NULL), 0);
	assert_string_equal(a.network.version, "1.0.0");
	assert_string_equal(a.args, "");
	assert_null(a.path);
	assert_null(a.result);
	attachment_done(&a);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"[]", "kind: missing, or not as it was written"},
		{"{\"kind\":\"cniCacheV2\"}", "kind: missing, or not as it was written"},
		{HEAD NAMES "}", "config: missing, or not as it was written"},
		{HEAD "\"config\":7," NAMES "}", "config: missing, or not as it was written"},
		{HEAD "\"config\":\"e30\"," NAMES "}", "config: missing, or not as it was written"},
		{HEAD "\"config\":\"e30=\"," NAMES "}", "config: name: \"\" is no network name"},
		{HEAD "\"config\":\"" CONFIG "\",\"ifName\":\"eth0\",\"networkName\":\"m\",\"netns\":\"\"}",
		 "networkName: missing, or not as it was written"},
		{HEAD "\"config\":\"" CONFIG "\",\"networkName\":\"n\",\"netns\":\"\"}",
		 "ifName: missing, or not as it was written"},
		{HEAD "\"config\":\"" CONFIG "\",\"ifName\":\"eth0\",\"networkName\":\"n\"}",
		 "netns: missing, or not as it was written"},
		{HEAD "\"config\":\"" CONFIG "\"," NAMES ",\"cniArgs\":[[\"A\"]]}",
		 "cniArgs: missing, or not as it was written"},
		{HEAD "\"config\":\"" CONFIG "\"," NAMES ",\"cniArgs\":[\"A=b\"]}",
		 "cniArgs: missing, or not as it was written"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct attachment a;

		assert_int_equal(cached_decode(rows[i].text, strlen(rows[i].text), &a, &e), -EINVAL);
		assert_err(&e, rows[i].why);
	}
}

static void in_order(void **state)
{
	static const char *const files[] = {"b-" UUID "-eth9", ".a-" UUID "-eth1.77.tmp", "a-" UUID "-eth10",
					    "some-net-" UUID "-eth0", "x-" UUID "-eth", "x-" UUID "-eth1x", "x-" UUID "-net1",
					    "eth3", "x-" UUID "-eth2000"};
	_cleanup_strv_ char **found = NULL;
	_cleanup_free_ char *joined = NULL;
	int pod = scratch_open();

	(void) state;
	assert_int_equal(cached_list(pod, &found, NULL), 0);
	assert_null(found);
	assert_int_equal(mkdirat(pod, "net", 0700), 0);
	assert_int_equal(mkdirat(pod, "net/results", 0700), 0);
	for (size_t i = 0; i < ELEMENTSOF(files); i++) {
		_cleanup_free_ char *path = xasprintf("net/results/%s", files[i]);

		assert_int_equal(file_write_at(pod, path, "", 0, 0600, FILE_FAST, NULL), 0);
	}
	assert_int_equal(cached_list(pod, &found, NULL), 0);
	joined = strv_join(found, " ");
	assert_string_equal(joined, "a-" UUID "-eth10 b-" UUID "-eth9 some-net-" UUID "-eth0");
	scratch_close(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),   cmocka_unit_test(read_back), cmocka_unit_test(of_libcni),
		cmocka_unit_test(refused),   cmocka_unit_test(in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
