/*
 * gantry sign: a detached signature beside an image.
 */
#include <errno.h>

#include "base/str.h"
#include "stage0/build/sign.h"
#include "stage0/command.h"

#define RQ(field) offsetof(struct sign_request, field)

static const struct opt opts[] = {
	{.name = "key", .type = OPT_STRING, .offset = RQ(key), .arg = "FINGERPRINT",
	 .help = "which secret key (the keyring's default)"},
	{.name = "homedir", .type = OPT_STRING, .offset = RQ(homedir), .arg = "DIR",
	 .help = "where the keyring is (GNUPGHOME, ~/.gnupg)"},
	{.name = "output", .type = OPT_STRING, .offset = RQ(output), .arg = "PATH",
	 .help = "where the signature goes (FILE.asc)"},
	{.name = "overwrite", .type = OPT_FLAG, .offset = RQ(overwrite),
	 .help = "replace a signature that is there"},
};

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct sign_request *rq = target;

	if (!strv_len(words))
		return err_set(e, EINVAL, "must provide a file");
	if (strv_len(words) > 1 && rq->output)
		return err_set(e, EINVAL, "--output is for one file");
	for (char *const *w = words; *w; w++) {
		_cleanup_free_ char *signer = NULL;
		int r = sign_file(g, rq, *w, &signer, e);

		if (r < 0)
			return r;
		printf("%s\n", signer);
	}
	return 0;
}

static void done(void *target)
{
	struct sign_request *rq = target;

	free(rq->key);
	free(rq->homedir);
	free(rq->output);
}

const struct command cmd_sign = {
	.name = "sign",
	.usage = "[--key=FINGERPRINT] FILE...",
	.summary = "sign an image with a key of your own",
	.details = "\tWrites FILE.asc, and prints the fingerprint of the key that signed.\n",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct sign_request),
	.run = run,
	.done = done,
};
