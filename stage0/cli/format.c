#include "stage0/cli/format.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

int format_parse(const char *word, enum format *ret, struct err *e)
{
	if (!word || !*word)
		*ret = FORMAT_TEXT;
	else if (!strcmp(word, "json"))
		*ret = FORMAT_JSON;
	else if (!strcmp(word, "json-pretty"))
		*ret = FORMAT_JSON_PRETTY;
	else
		return err_set(e, EINVAL, "--format %s: json or json-pretty", q(word));
	return 0;
}

void format_print(const cJSON *j, enum format format)
{
	_cleanup_free_ char *text = json_print(j, format == FORMAT_JSON_PRETTY);

	printf("%s\n", text);
}

void format_print_array(const cJSON *array, enum format format)
{
	if (cJSON_GetArraySize(array))
		format_print(array, format);
	else
		printf("null\n");
}
