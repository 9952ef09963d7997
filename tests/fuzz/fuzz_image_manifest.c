/* An image manifest; its app is written, read and copied again as the same. */
#include <stdint.h>
#include <string.h>

#include "spec/image_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print_app(const struct app *a)
{
	_cleanup_json_ cJSON *j = app_encode(a);

	return json_print(j, false);
}

static void check_app(const struct app *a)
{
	_cleanup_free_ char *once = print_app(a), *twice = NULL, *copied = NULL;
	_cleanup_json_ cJSON *j = json_parse(once, strlen(once), 4u << 20, NULL);
	struct app *again = NULL, *copy = app_copy(a);

	if (!j || app_decode(j, JSON_TOP, &again, NULL) < 0)
		abort();
	twice = print_app(again);
	copied = print_app(copy);
	if (strcmp(once, twice) || strcmp(once, copied))
		abort();
	app_free(again);
	app_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_image_manifest_ struct image_manifest *m = image_manifest_parse((const char *) data, size, &e);

	if (!m != !!e.msg)
		abort();
	if (m && m->app)
		check_app(m->app);
	return 0;
}
