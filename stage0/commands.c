/*
 * THE table of verbs.  Each row lives in its own file of stage0/cmd; a verb that is not built yet is
 * here by name, so that it is refused and never taken for something else.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/command.h"

extern const struct command cmd_cat_manifest, cmd_doc, cmd_enter, cmd_fetch, cmd_gc, cmd_help, cmd_image_cat_manifest,
	cmd_image_list, cmd_image_rm, cmd_list, cmd_prepare, cmd_rm, cmd_run, cmd_run_prepared, cmd_status, cmd_stop,
	cmd_trust, cmd_version;

#define NOT_BUILT(id, words)                                                                       \
	static const struct command id = {.name = words, .refused = "this command is not supported yet"}

NOT_BUILT(no_app, "app");
NOT_BUILT(no_attach, "attach");
NOT_BUILT(no_config, "config");
NOT_BUILT(no_export, "export");
NOT_BUILT(no_image_export, "image export");
NOT_BUILT(no_image_extract, "image extract");
NOT_BUILT(no_image_gc, "image gc");
NOT_BUILT(no_image_render, "image render");
NOT_BUILT(no_image_verify, "image verify");
NOT_BUILT(no_metadata, "metadata-service");
NOT_BUILT(no_api, "api-service");
NOT_BUILT(no_completion, "completion");

const struct command *const commands[] = {
	&cmd_run,
	&cmd_prepare,
	&cmd_run_prepared,
	&cmd_list,
	&cmd_status,
	&cmd_enter,
	&cmd_stop,
	&cmd_rm,
	&cmd_gc,
	&cmd_cat_manifest,
	&cmd_fetch,
	&cmd_trust,
	&cmd_image_list,
	&cmd_image_cat_manifest,
	&cmd_image_rm,
	&cmd_version,
	&cmd_help,
	&cmd_doc,
	&no_api,
	&no_app,
	&no_attach,
	&no_completion,
	&no_config,
	&no_export,
	&no_image_export,
	&no_image_extract,
	&no_image_gc,
	&no_image_render,
	&no_image_verify,
	&no_metadata,
	NULL,
};

/* How well the row's name fits the words: 0 not, 1 by prefix, 2 exactly; *used words of the line. */
static int fit(const char *name, const struct opt_cursor *c, int *used)
{
	const char *space = strchr(name, ' ');
	const char *first = c->argv[c->pos], *second = c->pos + 1 < c->argc ? c->argv[c->pos + 1] : NULL;
	size_t len = space ? (size_t) (space - name) : strlen(name);
	bool exact = strlen(first) == len && !strncmp(name, first, len);

	*used = 1;
	if (!*first || strlen(first) > len || strncmp(name, first, strlen(first)))
		return 0;
	if (!space)
		return exact ? 2 : 1;
	if (!second || !*second || !str_starts(space + 1, second))
		return 0;
	*used = 2;
	return exact && !strcmp(space + 1, second) ? 2 : 1;
}

const struct command *command_find(struct opt_cursor *c, struct err *e)
{
	const struct command *found = NULL;
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	int used = 0, found_used = 0, n = 0;

	for (size_t i = 0; commands[i]; i++) {
		int how = fit(commands[i]->name, c, &used);

		if (how == 2) {
			c->pos += used;
			return commands[i];
		}
		if (how == 1) {
			found = commands[i];
			found_used = used;
			n++;
			strbuf_addf(&names, "%s%s", n > 1 ? ", " : "", found->name);
		}
	}
	if (n == 1) {
		c->pos += found_used;
		return found;
	}
	if (n)
		err_set(e, EINVAL, "ambiguous command %s: %s", q(c->argv[c->pos]), names.buf);
	else if (!strcmp(c->argv[c->pos], "image"))
		err_set(e, EINVAL, "unknown command \"image%s%s\"", c->pos + 1 < c->argc ? " " : "",
			c->pos + 1 < c->argc ? c->argv[c->pos + 1] : "");
	else
		err_set(e, EINVAL, "unknown command %s", q(c->argv[c->pos]));
	return NULL;
}
