/* Isolators to the words of a filter, and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/capability.h>

#include "base/str.h"
#include "stage1/seccomp/text.h"

static struct isolator_list one(enum isolator_kind kind, const char *const *calls, const char *err_no)
{
	struct isolator_list l = {0};
	struct isolator iso = {.kind = kind};

	for (; *calls; calls++)
		strv_add(&iso.names.set, *calls);
	iso.names.err_no = xstrdup_null(err_no);
	isolators_add(&l, iso);
	return l;
}

static void a_set_is_sorted_and_unique(void **state)
{
	struct isolator_list l = one(ISO_SECCOMP_RETAIN, (const char *const[]) {"write", "read", "write", NULL}, "EPERM");
	_cleanup_free_ char *text = NULL;
	struct seccomp_text t;

	(void) state;
	assert_int_equal(seccomp_text_make(&l, 0, &text, NULL), 0);
	assert_non_null(strstr(text, "mode retain\nerrno EPERM\ncall read\ncall write\n"));
	assert_int_equal(seccomp_text_parse(text, &t, NULL), 0);
	assert_int_equal(t.mode, SECCOMP_RETAIN);
	assert_int_equal(strv_len(t.calls), 2);
	seccomp_text_done(&t);
	isolators_done(&l);
}

static void the_default_grows_with_capabilities(void **state)
{
	struct isolator_list none = {0};
	_cleanup_free_ char *plain = NULL, *admin = NULL;

	(void) state;
	assert_int_equal(seccomp_text_make(&none, 1ULL << CAP_KILL, &plain, NULL), 0);
	assert_int_equal(seccomp_text_make(&none, 1ULL << CAP_SYS_ADMIN, &admin, NULL), 0);
	assert_null(strstr(plain, "cap "));
	assert_non_null(strstr(admin, "cap CAP_SYS_ADMIN\n"));
}

static void wildcards_for_all_and_none(void **state)
{
	struct isolator_list all = one(ISO_SECCOMP_RETAIN, (const char *const[]) {"@appc.io/all", NULL}, NULL);
	struct isolator_list empty = one(ISO_SECCOMP_REMOVE, (const char *const[]) {"@appc.io/empty", NULL}, NULL);
	_cleanup_free_ char *text = NULL;

	(void) state;
	assert_int_equal(seccomp_text_make(&all, 0, &text, NULL), 0);
	assert_null(text);
	assert_int_equal(seccomp_text_make(&empty, 0, &text, NULL), 0);
	assert_non_null(strstr(text, "mode default\n"));
	isolators_done(&all);
	isolators_done(&empty);
}

static void a_name_cannot_bring_a_line(void **state)
{
	struct isolator_list l = one(ISO_SECCOMP_RETAIN, (const char *const[]) {"read\ncall mount", NULL}, NULL);
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;

	(void) state;
	assert_true(seccomp_text_make(&l, 0, &text, &e) < 0);
	assert_string_equal(err_text(&e), "seccomp: unknown system call \"read\\ncall mount\"");
	isolators_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_sorted_and_unique),
		cmocka_unit_test(the_default_grows_with_capabilities),
		cmocka_unit_test(wildcards_for_all_and_none),
		cmocka_unit_test(a_name_cannot_bring_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
