/* A limit of the pod's network: which plugin of a chain gets it, and what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage1/net/bandwidth.h"

#define TAKES "\"capabilities\":{\"bandwidth\":true}"
#define RATES(in, inb, out, outb) \
	"\"ingressRate\":" #in ",\"ingressBurst\":" #inb ",\"egressRate\":" #out ",\"egressBurst\":" #outb

static cJSON *parse(const char *text)
{
	cJSON *j = json_parse(text, strlen(text), 1 << 20, NULL);

	assert_non_null(j);
	return j;
}

static void check(const char *plugins, int64_t bytes, const char *want, const char *want_caps)
{
	_cleanup_free_ char *text = xasprintf("{\"plugins\":[%s]}", plugins), *got = NULL, *got_caps = NULL;
	_cleanup_free_ char *expected = xasprintf("{\"plugins\":[%s]}", want);
	_cleanup_free_ char *expected_caps = xasprintf("{\"bandwidth\":{%s}}", want_caps);
	_cleanup_json_ cJSON *list = parse(text), *caps = NULL;

	net_bandwidth_add(list, bytes, &caps);
	got = json_print(list, false);
	got_caps = json_print(caps, false);
	assert_string_equal(got, expected);
	assert_string_equal(got_caps, expected_caps);
}

static void who_takes_it(void **state)
{
	static const char caps[] = RATES(80000000, 8000000, 80000000, 8000000);

	(void) state;
	check("{\"type\":\"ptp\"}", 10000000, "{\"type\":\"ptp\"},{\"type\":\"bandwidth\"," TAKES "}", caps);
	check("{\"type\":\"ptp\"},{\"type\":\"x\"," TAKES "}", 10000000,
	      "{\"type\":\"ptp\"},{\"type\":\"x\"," TAKES "}", caps);
	check("{\"type\":\"ptp\"},{\"type\":\"x\",\"capabilities\":{\"bandwidth\":false}}", 10000000,
	      "{\"type\":\"ptp\"},{\"type\":\"x\",\"capabilities\":{\"bandwidth\":false}},{\"type\":\"bandwidth\"," TAKES "}",
	      caps);
}

static void sizes(void **state)
{
	(void) state;
	/* never less than 64 KiB at once, never more than the plugins can say */
	check("{\"type\":\"x\"," TAKES "}", 1, "{\"type\":\"x\"," TAKES "}", RATES(8, 524288, 8, 524288));
	check("{\"type\":\"x\"," TAKES "}", 655370, "{\"type\":\"x\"," TAKES "}",
	      RATES(5242960, 524296, 5242960, 524296));
	check("{\"type\":\"x\"," TAKES "}", INT64_MAX, "{\"type\":\"x\"," TAKES "}",
	      RATES(4503599627370488, 34359738352, 4503599627370488, 34359738352));
}

/* The plugins take the file's rates before the runtime's. */
static void rates_of_the_file(void **state)
{
	static const char caps[] = RATES(8000000, 800000, 8000000, 800000);

	(void) state;
	check("{\"type\":\"x\"," RATES(4000000, 1000, 4000000, 1000) "}", 1000000,
	      "{\"type\":\"x\"," RATES(4000000, 1000, 4000000, 1000) "}", caps);
	check("{\"type\":\"x\"," RATES(9000000, 1000, 9000000, 1000) "}", 1000000,
	      "{\"type\":\"x\"," RATES(8000000, 800000, 8000000, 800000) "}", caps);
	check("{\"type\":\"x\",\"ingressRate\":4000000,\"ingressBurst\":1000," TAKES "}", 1000000,
	      "{\"type\":\"x\",\"ingressRate\":4000000,\"ingressBurst\":1000," TAKES
	      ",\"egressRate\":8000000,\"egressBurst\":800000}", caps);
}

static void beside_others(void **state)
{
	_cleanup_json_ cJSON *list = parse("{\"plugins\":[{\"type\":\"ptp\"}]}"), *caps = parse("{\"portMappings\":[]}");

	(void) state;
	net_bandwidth_add(list, 1, &caps);
	assert_non_null(json_get(caps, "portMappings"));
	assert_non_null(json_get(caps, "bandwidth"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_it),
		cmocka_unit_test(sizes),
		cmocka_unit_test(rates_of_the_file),
		cmocka_unit_test(beside_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
