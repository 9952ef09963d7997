#include "cni-plugins/skel/version.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/skel/code.h"

static const char *const texts[CNI_VERSION_MAX_] = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
						    "0.4.0", "1.0.0", "1.1.0"};

const char *cni_version_text(enum cni_version v)
{
	return texts[v];
}

static bool is_version(const char *s)
{
	int parts = 1;

	if (!*s)
		return false;
	for (const char *p = s; *p; p++) {
		if (*p >= '0' && *p <= '9')
			continue;
		if (*p != '.' || p == s || p[-1] == '.' || p[1] == '\0' || ++parts > 3)
			return false;
	}
	return true;
}

int cni_version_parse(const char *s, enum cni_version *ret, struct err *e)
{
	for (int v = 0; v < CNI_VERSION_MAX_; v++)
		if (!strcmp(s, texts[v])) {
			*ret = (enum cni_version) v;
			return 0;
		}
	if (!is_version(s))
		return err_set(e, CNI_CODE(CNI_DECODE), "cniVersion %s: not a version", q(s));
	return err_set(e, CNI_CODE(CNI_INCOMPATIBLE_VERSION),
		       "incompatible CNI versions; config is %s, plugin supports 0.1.0 to %s", q(s),
		       texts[CNI_LATEST]);
}

cJSON *cni_version_list(enum cni_version since)
{
	cJSON *list = cJSON_CreateArray();

	for (int v = (int) since; v < CNI_VERSION_MAX_; v++)
		cJSON_AddItemToArray(list, cJSON_CreateString(texts[v]));
	return list;
}
