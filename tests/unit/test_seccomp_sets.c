/* Every name in the sets is a system call of some architecture, or one of those that are newer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <seccomp.h>

#include "base/str.h"
#include "stage1/seccomp/sets.h"

static void names_resolve(void **state)
{
	static const char *const sets[] = {
		"@docker/default-whitelist", "@docker/default-blacklist", "@rkt/default-whitelist", "@rkt/default-blacklist",
		"@systemd/clock", "@systemd/default-whitelist", "@systemd/mount", "@systemd/network-io", "@systemd/obsolete",
		"@systemd/privileged", "@systemd/process", "@systemd/raw-io",
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
		_cleanup_strv_ char **calls = seccomp_set(sets[i]);

		assert_non_null(calls);
		for (char **c = calls; *c; c++)
			if (seccomp_syscall_resolve_name(*c) == __NR_SCMP_ERROR && seccomp_newer_call(*c) < 0)
				fail_msg("%s: %s is unknown", sets[i], *c);
	}
	assert_null(seccomp_set("@nobody/knows"));
}

static void lists_do_not_contradict(void **state)
{
	_cleanup_strv_ char **yes = seccomp_set("@rkt/default-whitelist"), **no = seccomp_set("@rkt/default-blacklist");

	(void) state;
	for (char **c = no; *c; c++)
		if (strcmp(*c, "clock_adjtime") && strv_has(yes, *c))
			fail_msg("%s is in both lists", *c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_resolve), cmocka_unit_test(lists_do_not_contradict)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
