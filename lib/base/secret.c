#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void secret_wipe_json(struct cJSON *j)
{
	for (; j; j = j->next) {
		if (j->valuestring)
			explicit_bzero(j->valuestring, strlen(j->valuestring));
		secret_wipe_json(j->child);
	}
}
