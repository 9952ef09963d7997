/* Which app gets which of the service manager's sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/pod_dir.h"

#define PORT(name, protocol, port, more)                                                           \
	"{\"name\":\"" name "\",\"protocol\":\"" protocol "\",\"port\":" port more "}"
#define ACTIVATED ",\"socketActivated\":true"

static const char *const one_app[] = {"a", NULL};

static void plan(struct pod_dir *d, const char *ports, const char *tail,
		 const struct listening_list *listening)
{
	static const struct entry_args args = ENTRY_ARGS_INIT;
	const struct host_facts facts = {.caps = ALL_CAPS, .listening = listening};
	_cleanup_free_ char *app = xasprintf(",\"ports\":[%s]", ports);
	_cleanup_free_ char *manifest = pod_dir_manifest(app, "", tail);

	pod_dir_open(d, manifest, "", one_app);
	assert_int_equal(pod_load(d->dir, POD_DIR_UUID, &d->pod, &d->e), 0);
	assert_int_equal(plan_make(d->pod, &args, &facts, &d->plan, &d->e), 0);
}

static void check(const struct pod_dir *d, size_t i, int fd, const char *text)
{
	const struct plan_app *pa = &d->plan->apps[0];

	assert_true(i < pa->n_listen);
	assert_int_equal(pa->listen[i], fd);
	assert_string_equal(pa->record.listen[i], text);
}

static size_t notes(const struct pod_dir *d)
{
	return strv_len(d->plan->notes);
}

static void by_port(void **state _unused_)
{
	static const struct listening_list l = {
		.v = {{12, false, 82}, {11, true, 81}, {10, false, 80}, {9, false, 80}}, .n = 4};
	struct pod_dir d;

	plan(&d,
	     PORT("one", "tcp", "80", ACTIVATED) "," PORT("two", "udp", "81", ACTIVATED) "," PORT(
		     "plain", "tcp", "82", ""),
	     "", &l);
	assert_int_equal(d.plan->apps[0].n_listen, 3);
	/* both families of one port */
	check(&d, 0, 10, "fd one");
	check(&d, 1, 9, "fd one");
	check(&d, 2, 11, "fd two");
	/* 82 is nobody's */
	assert_int_equal(notes(&d), 1);
	assert_non_null(strstr(d.plan->notes[0], "tcp 82"));
	pod_dir_close(&d);
}

static void protocol_counts(void **state _unused_)
{
	static const struct listening_list l = {.v = {{10, true, 80}}, .n = 1};
	struct pod_dir d;

	plan(&d, PORT("one", "tcp", "80", ACTIVATED), "", &l);
	check(&d, 0, -1, "tcp 80 one");
	assert_int_equal(notes(&d), 1);
	pod_dir_close(&d);
}

static void of_the_host(void **state _unused_)
{
	static const struct listening_list l = {.v = {{10, false, 8080}, {11, false, 8081}}, .n = 2};
	struct pod_dir d;

	plan(&d, PORT("one", "tcp", "80", ",\"count\":2" ACTIVATED),
	     ",\"ports\":[{\"name\":\"one\",\"hostPort\":8080}]", &l);
	check(&d, 0, 10, "fd one");
	check(&d, 1, 11, "fd one");
	assert_int_equal(notes(&d), 0);
	pod_dir_close(&d);
}

static void without_sockets(void **state _unused_)
{
	struct pod_dir d;

	plan(&d, PORT("one", "udp", "53", ",\"count\":2" ACTIVATED), "", NULL);
	check(&d, 0, -1, "udp 53 one");
	check(&d, 1, -1, "udp 54 one");
	pod_dir_close(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_port),
		cmocka_unit_test(protocol_counts),
		cmocka_unit_test(of_the_host),
		cmocka_unit_test(without_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
