/* What the strict door lets in: cJSON for static programs makes of it what the library does. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/str.h"
#include "tests/lib/cjson_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cjson_api library = CJSON_API;

static void must(bool so)
{
	if (!so)
		abort();
}

static void compare(const cJSON *a, const cJSON *b)
{
	must(a->type == b->type && a->valueint == b->valueint &&
	     !memcmp(&a->valuedouble, &b->valuedouble, sizeof a->valuedouble));
	must(str_eq(a->valuestring, b->valuestring) && str_eq(a->string, b->string));
	for (a = a->child, b = b->child; a && b; a = a->next, b = b->next)
		compare(a, b);
	must(!a && !b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *want = NULL, *got = NULL, *want_pretty = NULL, *got_pretty = NULL;
	cJSON *a, *b = cjson_static.parse((const char *) data, size);

	/* Also of what the scanner refuses nothing bad may come. */
	if (json_scan((const char *) data, size, NULL) < 0) {
		cjson_static.done(b);
		return 0;
	}
	a = library.parse((const char *) data, size);
	must(a && b);
	compare(a, b);
	want = library.print(a);
	got = cjson_static.print(b);
	want_pretty = library.print_pretty(a);
	got_pretty = cjson_static.print_pretty(b);
	must(!strcmp(want, got) && !strcmp(want_pretty, got_pretty));
	library.done(a);
	cjson_static.done(b);
	return 0;
}
