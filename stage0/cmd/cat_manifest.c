/*
 * gantry cat-manifest: the pod manifest as it is in the pod.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"

struct target {
	char *uuid_file;
	char **pretty;
};

static const struct opt opts[] = {
	{.name = "pretty-print",
	 .type = OPT_OPTIONAL, .offset = offsetof(struct target, pretty), .bare = "true",
	 .arg = "BOOL", .help = "indent (true); false: the bytes as they are"},
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
};

/* The last use counts; without one: true. */
static int want_pretty(char *const *uses, bool *ret, struct err *e)
{
	const char *word = uses ? uses[strv_len(uses) - 1] : "true";

	return parse_bool(word, ret) < 0
		       ? err_set(e, EINVAL, "invalid argument %s for --pretty-print", q(word))
		       : 0;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	_cleanup_free_ char *text = NULL;
	bool pretty;
	size_t len;
	int r = want_pretty(t->pretty, &pretty, e);

	if (r == 0)
		r = pod_words(words, t->uuid_file, &uuids, e);
	if (r < 0)
		return r;
	if (strv_len(uuids) != 1)
		return err_set(e, EINVAL, "must supply exactly one pod UUID");
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pod_find(pods, uuids[0], &p, e);
	if (r == 0)
		r = file_read_at(p.dir, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);
	if (r < 0)
		return r;
	if (pretty) {
		_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, e);
		_cleanup_free_ char *indented = j ? json_print(j, true) : NULL;

		if (!j)
			return err_ctx(e, -EINVAL, "pod manifest");
		printf("%s\n", indented);
	} else {
		(void) fwrite(text, 1, len, stdout);
		if (!len || text[len - 1] != '\n')
			putchar('\n');
	}
	return 0;
}

static void done(void *target)
{
	struct target *t = target;

	free(t->uuid_file);
	strv_free(t->pretty);
}

const struct command cmd_cat_manifest = {
	.name = "cat-manifest",
	.usage = "[options] UUID | --uuid-file=PATH",
	.summary = "show the manifest of a pod",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
