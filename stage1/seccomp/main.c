/*
 * seccomp: reads a filter in words on standard input, writes the BPF program on standard output.  Runs
 * only when the cache has no answer; needs nothing of the host but its own libraries.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "stage1/seccomp/filter.h"

#define TEXT_LIMIT (256u << 10)

static int compile(struct err *e)
{
	_cleanup_free_ char *text = NULL, *program = NULL;
	struct seccomp_text t = {0};
	size_t len;
	int r = read_all(STDIN_FILENO, TEXT_LIMIT, &text, &len);

	if (r < 0)
		return err_sysr(e, r, "read the filter");
	if (strlen(text) != len)
		return err_set(e, EINVAL, "seccomp: NUL in the filter");
	r = seccomp_text_parse(text, &t, e);
	if (r == 0)
		r = seccomp_compile(&t, &program, &len, e);
	seccomp_text_done(&t);
	if (r == 0)
		r = write_all(STDOUT_FILENO, program, len);
	return r;
}

int main(void)
{
	static const struct rlimit cpu = {10, 10}, memory = {512u << 20, 512u << 20};
	_cleanup_err_ struct err e = ERR_INIT;

	(void) setrlimit(RLIMIT_CPU, &cpu);
#ifndef __SANITIZE_ADDRESS__
	(void) setrlimit(RLIMIT_AS, &memory);
#endif
	(void) memory;
	(void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (compile(&e) < 0) {
		(void) dprintf(STDERR_FILENO, "%s\n", err_text(&e));
		return 254;
	}
	return 0;
}
