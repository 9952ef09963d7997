/*
 * gantry image gc: trees that no pod uses, then images that nothing has used for a while.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/command.h"
#include "stage0/store/store.h"

#define DEFAULT_GRACE_NS (24LL * 3600 * 1000000000)

struct target {
	int64_t grace_ns;
	bool has_grace;
};

static int set_grace(void *target, const char *value, struct err *e);

static const struct opt opts[] = {
	{.name = "grace-period",
	 .type = OPT_CALL,
	 .call = set_grace,
	 .arg = "DURATION",
	 .help = "how long an image stays after it was used last (24h)"},
};

static int set_grace(void *target, const char *value, struct err *e)
{
	struct target *t = target;

	t->has_grace = true;
	return parse_duration(value, &t->grace_ns) < 0
		       ? err_set(e, EINVAL, "not a duration like 24h or 0s")
		       : 0;
}

static void tell(const char *what, const char *id)
{
	if (!strcmp(what, "image"))
		printf("successfully removed aci for image: \"%s\"\n", id);
	else if (!strcmp(what, "layer"))
		log_info("removed layer \"%s\"", id);
	else
		log_info("removed treestore \"%s\"", id);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	_cleanup_fd_ int store = -EBADF;

	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	store = store_open_existing(g, e);
	if (store < 0)
		return store == -ENOENT ? 0 : store;
	return store_gc_unused(store, t->has_grace ? t->grace_ns : DEFAULT_GRACE_NS, tell, e);
}

const struct command cmd_image_gc = {
	.name = "image gc",
	.usage = "[options]",
	.summary = "remove trees that no pod uses and images that are not used any more",
	.details = "Trees are made again from the images' archives when they are wanted.",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
