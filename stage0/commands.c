/*
 * THE table of verbs.  Each row lives in its own file of stage0/cmd; a verb that is not built yet
 * is here by name, so that it is refused and never taken for something else.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/command.h"

extern const struct command cmd_cat_manifest, cmd_complete, cmd_completion, cmd_config, cmd_doc,
	cmd_enter, cmd_export, cmd_fetch, cmd_gc, cmd_help, cmd_image_cat_manifest, cmd_image_list,
	cmd_image_rm, cmd_list, cmd_net_check, cmd_net_gc, cmd_net_list,
	cmd_net_status, cmd_prepare, cmd_restart, cmd_rm, cmd_run, cmd_run_prepared, cmd_status,
	cmd_stop, cmd_trust, cmd_version, cmd_metadata_service;
extern const struct command cmd_image_export, cmd_image_extract, cmd_image_gc, cmd_image_render,
	cmd_image_copy, cmd_image_push, cmd_image_save, cmd_image_verify, cmd_image_fetch, cmd_build, cmd_sign, cmd_validate;

#define NOT_BUILT(id, words)                                                                       \
	static const struct command id = {.name = words,                                           \
					  .refused = "this command is not supported yet"}

NOT_BUILT(no_app, "app");
NOT_BUILT(no_attach, "attach");
NOT_BUILT(no_api, "api-service");

static const struct command family_image = {
	.name = "image",
	.usage = "COMMAND",
	.summary = "work with the images in the store",
	.is_family = true,
};

static const struct command family_net = {
	.name = "net",
	.usage = "COMMAND",
	.summary = "work with the networks of this host and of its pods",
	.is_family = true,
};

const struct command *const commands[] = {
	&cmd_run,
	&cmd_prepare,
	&cmd_run_prepared,
	&cmd_restart,
	&cmd_list,
	&cmd_status,
	&cmd_enter,
	&cmd_stop,
	&cmd_rm,
	&cmd_gc,
	&cmd_cat_manifest,
	&cmd_export,
	&cmd_fetch,
	&cmd_trust,
	&family_net,
	&cmd_net_list,
	&cmd_net_status,
	&cmd_net_check,
	&cmd_net_gc,
	&family_image,
	&cmd_image_list,
	&cmd_image_cat_manifest,
	&cmd_image_export,
	&cmd_image_save,
	&cmd_image_push,
	&cmd_image_copy,
	&cmd_image_extract,
	&cmd_image_render,
	&cmd_image_verify,
	&cmd_image_rm,
	&cmd_image_gc,
	&cmd_image_fetch,
	&cmd_config,
	&cmd_build,
	&cmd_validate,
	&cmd_sign,
	&cmd_metadata_service,
	&cmd_completion,
	&cmd_version,
	&cmd_help,
	&cmd_doc,
	&cmd_complete,
	&no_api,
	&no_app,
	&no_attach,
	NULL,
};

bool command_is_shown(const struct command *cmd)
{
	return cmd->summary && !cmd->refused;
}

/* The row's own word if it belongs to the family ("" for the verbs, "image "), else NULL. */
static const char *word_of(const struct command *cmd, const char *family)
{
	const char *word = str_starts(cmd->name, family) ? cmd->name + strlen(family) : NULL;

	return word && !strchr(word, ' ') ? word : NULL;
}

/* Hidden verbs are for programs, which write them out. */
static bool may_be_shortened(const struct command *cmd)
{
	return cmd->summary || cmd->refused;
}

static const struct command *find_in(const char *family, const char *word, struct err *e)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	_cleanup_free_ char *shown = str_escape(word, strlen(word));
	const struct command *found = NULL;
	int n = 0;

	for (size_t i = 0; commands[i]; i++) {
		const char *name = word_of(commands[i], family);

		if (!name || !str_starts(name, word))
			continue;
		if (!strcmp(name, word))
			return commands[i];
		if (!*word || !may_be_shortened(commands[i]))
			continue;
		found = commands[i];
		strbuf_addf(&names, "%s%s", n++ ? ", " : "", found->name);
	}
	if (n == 1)
		return found;
	if (n)
		err_set(e, EINVAL, "ambiguous command \"%s%s\": %s", family, shown, names.buf);
	else
		err_set(e, EINVAL, "unknown command \"%s%s\"", family, shown);
	return NULL;
}

const struct command *command_find(struct opt_cursor *c, struct err *e)
{
	const struct command *cmd = find_in("", c->argv[c->pos], e);

	if (!cmd)
		return NULL;
	c->pos++;
	if (cmd->is_family && c->pos < c->argc && c->argv[c->pos][0] != '-') {
		_cleanup_free_ char *family = xasprintf("%s ", cmd->name);

		cmd = find_in(family, c->argv[c->pos], e);
		c->pos++;
	}
	return cmd;
}
