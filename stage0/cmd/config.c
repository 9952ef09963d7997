/*
 * gantry config: what all configuration files say together.
 */
#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/str.h"
#include "stage0/command.h"
#include "stage0/config/print.h"

struct target {
	bool compact; /* --pretty-print=false */
	bool show_secrets;
};

static const struct opt opts[] = {
	{.name = "pretty-print", .type = OPT_FLAG_ON, .offset = offsetof(struct target, compact),
	 .help = "indent (on unless =false)"},
	{.name = "show-secrets", .type = OPT_FLAG, .offset = offsetof(struct target, show_secrets),
	 .help = "print passwords, tokens and secret keys as well"},
};

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *text = NULL;

	if (strv_len(words))
		return err_set(e, EINVAL, "takes no argument: %s", q(words[0]));
	j = config_print(g, t->show_secrets, e);
	if (!j)
		return -EINVAL;
	text = json_print(j, !t->compact);
	(void) puts(text);
	return 0;
}

const struct command cmd_config = {
	.name = "config",
	.usage = "[options]",
	.summary = "print the configuration, merged",
	.details = "\tReads auth.d, paths.d, stage1.d and registries.d of the vendor's, the\n"
		   "\tadministrator's and the user's directory; the later one wins.\n",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
