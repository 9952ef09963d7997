/*
 * gantry version: the lines that scripts written for rkt look for, with our names and numbers.
 */
#include <errno.h>
#include <sys/utsname.h>

#include "contract/entry.h"
#include "base/str.h"
#include "stage0/command.h"

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct utsname u;

	(void) g;
	(void) target;
	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (uname(&u) < 0)
		return err_sys(e, "uname");
	printf("gantry Version: %s\n", GANTRY_VERSION);
	printf("appc Version: 0.8.11\n");
	printf("C Compiler: gcc %s\n", __VERSION__);
	printf("OS/Arch: linux/%s\n", u.machine);
	printf("stage1 Interface: %d\n", ENTRY_VERSION);
	printf("Features: -TPM -SDJOURNAL\n");
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "show the versions of gantry and of what it speaks",
	.run = run,
};
