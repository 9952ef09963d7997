/*
 * CNI plugins of a test: one shell script under several names.  Each notes that it was called, its
 * environment and its input, and then does what the test wrote for it and the command: the file
 * TYPE.COMMAND, shell text.
 */
#pragma once

#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/unit/unit.h"

static const char fake_plugin[] =
	"#!/bin/sh\n"
	"dir=${0%/*} name=${0##*/}\n"
	"cat >\"$dir/$name.$CNI_COMMAND.stdin\"\n"
	"env | sort >\"$dir/$name.$CNI_COMMAND.env\"\n"
	"for f in \"$dir\"/../pod/net/results/*; do\n"
	"	[ -e \"$f\" ] || continue\n"
	"	n=${f##*/}\n"
	"	seen=\"$seen ${n%%-*}:${n##*-}\"\n"
	"	! grep -q '\"result\":' \"$f\" || seen=$seen+\n"
	"done\n"
	"echo \"$CNI_COMMAND $name$seen\" >>\"$dir/calls\"\n"
	"if [ -e \"$dir/$name.$CNI_COMMAND\" ]; then . \"$dir/$name.$CNI_COMMAND\"; fi\n";

struct fake {
	int scratch, pod, plugins;
	char **path;
	unsigned fds; /* open before */
};

static inline _unused_ void fake_install(const struct fake *f, const char *type)
{
	assert_int_equal(file_write_at(f->plugins, type, fake_plugin, strlen(fake_plugin), 0700,
				       FILE_FAST, NULL),
			 0);
}

/* What the plugin does at that command. */
static inline _unused_ void fake_does(const struct fake *f, const char *type_and_command,
				      const char *text)
{
	assert_int_equal(file_write_at(f->plugins, type_and_command, text, strlen(text), 0600,
				       FILE_FAST, NULL),
			 0);
}

static inline _unused_ void fake_up(struct fake *f)
{
	*f = (struct fake) {.fds = count_fds()};
	f->scratch = scratch_open();
	assert_int_equal(mkdirat(f->scratch, "pod", 0700), 0);
	assert_int_equal(mkdirat(f->scratch, "plugins", 0700), 0);
	f->pod = openat(f->scratch, "pod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->plugins = openat(f->scratch, "plugins", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strv_push(&f->path, xasprintf("%s/empty", scratch_path));
	strv_push(&f->path, xasprintf("%s/plugins", scratch_path));
}

static inline _unused_ void fake_down(struct fake *f)
{
	(void) fd_close(f->pod);
	(void) fd_close(f->plugins);
	strv_free(f->path);
	scratch_close(f->scratch);
	/* Neither the tested code nor a plugin's run keeps one. */
	assert_int_equal(count_fds(), f->fds);
}

static inline _unused_ char *fake_read(int dir, const char *name)
{
	char *text = NULL;

	return file_read_line_at(dir, name, &text, NULL) < 0 ? NULL : text;
}

/* The calls since the last look: lines "COMMAND TYPE NETWORK:IFNAME...", a + where a result is recorded. */
static inline _unused_ void assert_calls(const struct fake *f, const char *want)
{
	_cleanup_free_ char *calls = fake_read(f->plugins, "calls");

	assert_string_equal(calls ? calls : "", want);
	(void) unlinkat(f->plugins, "calls", 0);
}

static inline _unused_ void assert_stdin(const struct fake *f, const char *type_and_command,
					 const char *want)
{
	_cleanup_free_ char *file = xasprintf("%s.stdin", type_and_command),
			    *text = fake_read(f->plugins, file);

	assert_non_null(text);
	assert_string_equal(text, want);
}

static inline _unused_ bool is_in_pod(const struct fake *f, const char *path)
{
	return faccessat(f->pod, path, F_OK, 0) == 0;
}
