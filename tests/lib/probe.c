/*
 * The chain of commands of probe, and what all of them share: names for errnos and strict numbers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

static const struct {
	int err;
	const char *name;
} errnos[] = {
	{ EPERM, "EPERM" },	    { ENOENT, "ENOENT" },	{ ESRCH, "ESRCH" },
	{ EINTR, "EINTR" },	    { EIO, "EIO" },		{ ENXIO, "ENXIO" },
	{ EBADF, "EBADF" },	    { ECHILD, "ECHILD" },	{ EAGAIN, "EAGAIN" },
	{ ENOMEM, "ENOMEM" },	    { EACCES, "EACCES" },	{ EFAULT, "EFAULT" },
	{ EBUSY, "EBUSY" },	    { EEXIST, "EEXIST" },	{ EXDEV, "EXDEV" },
	{ ENODEV, "ENODEV" },	    { ENOTDIR, "ENOTDIR" },	{ EISDIR, "EISDIR" },
	{ EINVAL, "EINVAL" },	    { EMFILE, "EMFILE" },	{ ENOTTY, "ENOTTY" },
	{ ETXTBSY, "ETXTBSY" },	    { EFBIG, "EFBIG" },		{ ENOSPC, "ENOSPC" },
	{ EROFS, "EROFS" },	    { EPIPE, "EPIPE" },		{ ENOSYS, "ENOSYS" },
	{ ENOTEMPTY, "ENOTEMPTY" }, { ELOOP, "ELOOP" },		{ EOVERFLOW, "EOVERFLOW" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT" }, { EADDRINUSE, "EADDRINUSE" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { ENETUNREACH, "ENETUNREACH" },
	{ EHOSTUNREACH, "EHOSTUNREACH" }, { ECONNREFUSED, "ECONNREFUSED" },
	{ ETIMEDOUT, "ETIMEDOUT" }, { EOPNOTSUPP, "EOPNOTSUPP" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT" }, { EDQUOT, "EDQUOT" },
	{ ENOPROTOOPT, "ENOPROTOOPT" }, { ENOTSOCK, "ENOTSOCK" },
};

const char *errno_name(int err)
{
	static char number[32];

	for (size_t i = 0; i < sizeof(errnos) / sizeof(*errnos); i++)
		if (errnos[i].err == err)
			return errnos[i].name;
	snprintf(number, sizeof(number), "E%d", err);
	return number;
}

int report(const char *key, int rc, int err)
{
	printf("%s=%s\n", key, rc < 0 ? errno_name(err) : "ok");
	fflush(stdout);
	return 0;
}

long parse_number(const char *text, long low, long high)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 0);
	if (errno || end == text || *end || value < low || value > high) {
		fprintf(stderr, "probe: not a number from %ld to %ld: %s\n", low, high, text);
		exit(125);
	}
	return value;
}

static const struct command *const tables[] = {
	see_commands,
	try_commands,
	load_commands,
	net_commands,
	http_commands,
	service_commands,
};

static const struct command *find_command(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct command *c = tables[t]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static int usage(FILE *to)
{
	fputs("usage: probe COMMAND [ARG...] [, COMMAND [ARG...]]...\n", to);
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct command *c = tables[t]; c->name; c++)
			fprintf(to, "  %-12s %s\n", c->name, c->usage);
	return 125;
}

/* How many words belong to the command at argv[0]: up to a lone ",", all of them for `args`. */
static int words_of(char **argv)
{
	int n = 0;

	if (!strcmp(argv[0], "args"))
		while (argv[n])
			n++;
	else
		while (argv[n] && strcmp(argv[n], ","))
			n++;
	return n;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	argv++;
	while (*argv) {
		const struct command *c;
		int n = words_of(argv), rc;

		if (!n) {
			argv++;
			continue;
		}
		c = find_command(argv[0]);
		if (!c || n - 1 < c->min_args) {
			fprintf(stderr, "probe: %s: %s\n", argv[0], c ? c->usage : "no such command");
			return 125;
		}
		rc = c->run(n - 1, argv + 1);
		fflush(stdout);
		if (rc)
			return rc;
		argv += n;
	}
	return 0;
}
