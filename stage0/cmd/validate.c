/*
 * gantry validate: what is wrong with images, layouts and manifests, and where.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/build/image_check.h"
#include "stage0/command.h"

struct target {
	enum check_type type;
	bool quiet;
};

static int set_type(void *target, const char *value, struct err *e);

static const struct opt opts[] = {
	{.name = "type", .type = OPT_CALL, .call = set_type, .arg = "WORD",
	 .help = "what it is: image (appimage), layout, manifest; found out if not said"},
	{.name = "quiet", .type = OPT_FLAG, .offset = offsetof(struct target, quiet),
	 .help = "say nothing of what is valid"},
};

static int set_type(void *target, const char *value, struct err *e)
{
	static const struct {
		const char *word;
		enum check_type type;
	} words[] = {
		{"image", CHECK_IMAGE},
		{"appimage", CHECK_IMAGE},
		{"layout", CHECK_LAYOUT},
		{"manifest", CHECK_MANIFEST},
	};
	struct target *t = target;

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (!strcmp(words[i].word, value)) {
			t->type = words[i].type;
			return 0;
		}
	return err_set(e, EINVAL, "image, layout or manifest");
}

/* Whether it is valid. */
static bool validate(const struct gantry *g, const struct target *t, const char *path)
{
	_cleanup_check_result_ struct check_result res = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (check_path(g, path, t->type, &res, &e) < 0) {
		log_error("%s: %s", path, err_text(&e));
		return false;
	}
	for (char **f = res.findings; f && *f; f++)
		log_error("%s: %s", path, *f);
	if (!res.findings && !t->quiet)
		printf("%s: valid %s\n", path, res.what);
	return !res.findings;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	int r = EXIT_OK;

	if (!strv_len(words))
		return err_set(e, EINVAL, "must provide a file or directory");
	for (char *const *w = words; *w; w++)
		if (!validate(g, target, *w))
			r = EXIT_FAILED;
	return r;
}

const struct command cmd_validate = {
	.name = "validate",
	.usage = "[--type=WORD] FILE...",
	.summary = "say what is wrong with images, layouts and manifests",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
};
