/*
 * gantry cat-manifest: the pod manifest as it is in the pod.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "contract/layout.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"

struct target {
	char *uuid_file;
	bool raw;
};

static const struct opt opts[] = {
	{.name = "pretty-print", .type = OPT_FLAG_ON, .offset = offsetof(struct target, raw),
	 .help = "indent it (true); false: the bytes as they are"},
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
};

static int print_indented(const char *text, size_t len, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, len, JSON_MANIFEST_MAX, e);
	_cleanup_free_ char *indented = j ? json_print(j, true) : NULL;

	if (!j)
		return err_ctx(e, -EINVAL, "pod manifest");
	printf("%s\n", indented);
	return 0;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = pod_open_one(g, words, t->uuid_file, &pods, &p, e);

	if (r == 0)
		r = file_read_at(p.dir, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);
	if (r < 0)
		return r;
	if (!t->raw)
		return print_indented(text, len, e);
	(void) fwrite(text, 1, len, stdout);
	if (!len || text[len - 1] != '\n')
		putchar('\n');
	return 0;
}

static void done(void *target)
{
	free(((struct target *) target)->uuid_file);
}

const struct command cmd_cat_manifest = {
	.name = "cat-manifest",
	.usage = "[options] UUID|NAME | --uuid-file=PATH",
	.summary = "show the manifest of a pod",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
