#include "stage0/cmd/pod_words.h"

#include <errno.h>

#include "base/str.h"
#include "stage0/pod/pod.h"

int pod_words(char *const *words, const char *uuid_file, char ***ret, struct err *e)
{
	char *uuid = NULL;
	int r;

	if (!uuid_file) {
		if (!strv_len(words))
			return err_set(e, EINVAL, "must provide a pod UUID");
		*ret = strv_copy(words);
		return 0;
	}
	if (strv_len(words))
		return err_set(e, EINVAL, "a pod UUID and --uuid-file exclude each other");
	r = pod_uuid_of_file(uuid_file, &uuid, e);
	if (r == 0)
		strv_push(ret, uuid);
	return r;
}
