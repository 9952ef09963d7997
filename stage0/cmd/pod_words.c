#include "stage0/cmd/pod_words.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "contract/exit.h"
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

int pod_words_or_exit(char *const *words, const char *uuid_file, char ***ret, struct err *e)
{
	int r = pod_words(words, uuid_file, ret, e);

	if (r == 0 || !uuid_file || strv_len(words))
		return r;
	log_error("%s", err_text(e));
	return EXIT_UUID_FILE;
}

int pod_find_one(const struct gantry *g, char *const *uuids, int *ret_pods, struct pod *ret,
		 struct err *e)
{
	if (strv_len(uuids) != 1)
		return err_set(e, EINVAL, "must supply exactly one pod UUID");
	*ret_pods = pods_open(g, true, e);
	if (*ret_pods < 0 && *ret_pods != -ENOENT)
		return *ret_pods;
	return pod_find(*ret_pods, uuids[0], ret, e);
}

int pod_open_one(const struct gantry *g, char *const *words, const char *uuid_file, int *ret_pods,
		 struct pod *ret, struct err *e)
{
	_cleanup_strv_ char **uuids = NULL;
	int r = pod_words(words, uuid_file, &uuids, e);

	return r < 0 ? r : pod_find_one(g, uuids, ret_pods, ret, e);
}
