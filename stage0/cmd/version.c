/*
 * gantry version: the lines that scripts written for rkt look for, with our names and numbers.
 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "contract/entry.h"
#include "base/str.h"
#include "stage0/command.h"

/* The five lines of rkt 1.30, whose numbers scripts compare: ours stands behind the '+'. */
static void print_as_rkt(const char *machine)
{
	printf("rkt Version: 1.30.0+gantry-%s\n", GANTRY_VERSION);
	printf("appc Version: 0.8.11\n");
	printf("Go Version: none (gcc %s)\n", __VERSION__);
	printf("Go OS/Arch: linux/%s\n",
	       !strcmp(machine, "x86_64")    ? "amd64"
	       : !strcmp(machine, "aarch64") ? "arm64"
					     : machine);
	printf("Features: -TPM -SDJOURNAL\n");
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct utsname u;

	(void) target;
	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (uname(&u) < 0)
		return err_sys(e, "uname");
	if (g->rkt) {
		print_as_rkt(u.machine);
		return 0;
	}
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
