/*
 * gantry build: a directory, or an image, to an image.
 */
#include <errno.h>

#include "base/str.h"
#include "stage0/build/build.h"
#include "stage0/command.h"

#define RQ(field) offsetof(struct build_request, field)

static const struct opt opts[] = {
	{.name = "overwrite", .type = OPT_FLAG, .offset = RQ(overwrite),
	 .help = "replace OUT if it is there"},
	{.name = "owner-root", .type = OPT_FLAG, .offset = RQ(owner_root),
	 .help = "everything belongs to 0:0, whoever owns it here"},
	{.name = "no-compression", .type = OPT_FLAG, .offset = RQ(no_compression),
	 .help = "a plain archive instead of one by gzip"},
	{.name = "mtime", .type = OPT_STRING, .offset = RQ(mtime), .arg = "SECONDS",
	 .help = "everything has this time (seconds since 1970), for archives that are the same"},
	{.name = "patch", .type = OPT_FLAG, .offset = RQ(from_image),
	 .help = "of an image, whose manifest is changed, instead of a directory"},
	{.name = "manifest", .type = OPT_STRING, .offset = RQ(manifest), .arg = "PATH",
	 .help = "the manifest, instead of the one that is there"},
};

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	struct build_request *rq = target;
	const struct opt_table tables[] = {
		{cmd->opts, cmd->n_opts, rq},
		{patch_opts, n_patch_opts, &rq->patch},
		{global_opts, n_global_opts, g},
	};

	return opt_parse_all(c, tables, ELEMENTSOF(tables), false, words, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct build_request *rq = target;
	_cleanup_free_ char *id = NULL;
	int r;

	if (strv_len(words) != 2)
		return err_set(e, EINVAL,
			       rq->from_image
				       ? "must provide an image and the name of the new one"
				       : "must provide a directory and the name of the image");
	r = build_image(g, rq, words[0], words[1], &id, e);
	if (r == 0)
		printf("%s\n", id);
	return r;
}

static void done(void *target)
{
	struct build_request *rq = target;

	patch_request_done(&rq->patch);
	free(rq->manifest);
	free(rq->mtime);
}

static const struct help_table help_tables[] = {
	{"OPTIONS THAT CHANGE THE MANIFEST", patch_opts, &n_patch_opts},
	{0},
};

const struct command cmd_build = {
	.name = "build",
	.usage = "[options] DIR OUT.aci | --patch [options] IN.aci OUT.aci",
	.summary = "make an image of a directory, or of another image",
	.details = "\tDIR holds the file manifest and the directory rootfs, and nothing else. The\n"
		   "\tid of the image is printed.\n",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct build_request),
	.parse = parse,
	.run = run,
	.done = done,
	.help_tables = help_tables,
};
