/* --memory and its kin replace the image's isolators. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage0/pod/isolators.h"

static void options_replace(void **state)
{
	struct isolator_list l = {0};
	struct app_request a = {.memory = (char *) "16Mi", .cpu = (char *) "500m", .pids = (char *) "7",
				.cpu_shares = (char *) "512", .oom_score_adj = (char *) "-5",
				.caps_remove = (char *) "CAP_KILL", .seccomp = (char *) "mode=retain,errno=EPERM,read,write"};

	(void) state;
	isolators_add(&l, (struct isolator) {.kind = ISO_MEMORY, .resource = {.request = 1, .limit = 1}});
	assert_int_equal(isolators_apply(&a, &l, NULL), 0);
	assert_int_equal(isolator_find(&l, ISO_MEMORY)->resource.limit, 16 << 20);
	assert_int_equal(isolator_find(&l, ISO_CPU)->resource.limit, 500);
	assert_int_equal(isolator_find(&l, ISO_PIDS)->number, 7);
	assert_int_equal(isolator_find(&l, ISO_CPU_SHARES)->number, 512);
	assert_int_equal(isolator_find(&l, ISO_OOM_SCORE_ADJ)->number, -5);
	assert_string_equal(isolator_find(&l, ISO_CAPS_REMOVE)->names.set[0], "CAP_KILL");
	assert_string_equal(isolator_find(&l, ISO_SECCOMP_RETAIN)->names.err_no, "EPERM");
	assert_int_equal(l.n, 7);
	isolators_done(&l);
}

static void refusals(void **state)
{
	static const struct {
		struct app_request a;
		const char *begins;
	} rows[] = {
		{{.caps_retain = (char *) "CAP_KILL", .caps_remove = (char *) "CAP_KILL"},
		 "--caps-retain and --caps-remove exclude each other"},
		{{.memory = (char *) "lots"}, "--memory: "},
		{{.memory = (char *) "100m"}, "--memory: less than 4096 bytes"}, /* a tenth of a byte: the milli suffix by mistake */
		{{.cpu_shares = (char *) "1"}, "--cpu-shares: 1 is not within 2..262144"},
		{{.cpu_shares = (char *) "0x200"}, "--cpu-shares: "},
		{{.cpu_shares = (char *) " 512"}, "--cpu-shares: "},
		{{.cpu_shares = (char *) "1e3"}, "--cpu-shares: "},
		{{.oom_score_adj = (char *) "2000"}, "--oom-score-adj: "},
		{{.seccomp = (char *) "read"}, "--seccomp \"read\": mode=retain or mode=remove is needed"},
		{{.seccomp = (char *) "mode=remove,foo=1"}, "--seccomp \"mode=remove,foo=1\": unknown or repeated word"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct isolator_list l = {0};

		assert_true(isolators_apply(&rows[i].a, &l, &e) < 0);
		assert_true(str_starts(err_text(&e), rows[i].begins));
		isolators_done(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(options_replace), cmocka_unit_test(refusals)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
