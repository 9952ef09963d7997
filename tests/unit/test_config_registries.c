#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/config/config.h"
#include "stage0/context.h"

#define HEAD "{\"rktKind\":\"registries\",\"rktVersion\":\"v1\","

static void put(int dir, const char *path, const char *text)
{
	assert_int_equal(file_write_at(dir, path, text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

static void test_merged(void **state _unused_)
{
	_cleanup_registry_confs_ struct registry_conf_list l = REGISTRY_CONF_LIST_INIT, none = REGISTRY_CONF_LIST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *vendor = NULL, *local = NULL;
	int dir = scratch_open();
	const struct registry_conf *c;
	struct gantry g = {.system_config = (char *) "/nonexistent", .local_config = (char *) "/nonexistent"};

	assert_int_equal(config_load_registries(&g, &none, &e), 0);
	assert_string_equal(registry_conf_default(&none), "docker.io");
	g.system_config = vendor = xasprintf("%s/vendor", scratch_path);
	g.local_config = local = xasprintf("%s/local", scratch_path);
	assert_int_equal(mkdirat(dir, "vendor", 0700), 0);
	assert_int_equal(mkdirat(dir, "local", 0700), 0);
	assert_int_equal(mkdirat(dir, "vendor/registries.d", 0700), 0);
	assert_int_equal(mkdirat(dir, "local/registries.d", 0700), 0);
	put(dir, "vendor/registries.d/a.json", HEAD "\"registry\":\"A.com\",\"default\":true,\"insecure\":true}");
	put(dir, "vendor/registries.d/b.json", HEAD "\"registry\":\"b.com\",\"mirrors\":[\"m:1/x\",\"n\"],\"ca\":\"/c\"}");
	put(dir, "local/registries.d/c.json", HEAD "\"registry\":\"c.com\",\"default\":true}");
	put(dir, "local/registries.d/b.json", HEAD "\"registry\":\"b.com\",\"mirrors\":[\"o\"]}");
	if (config_load_registries(&g, &l, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(l.n, 3);
	assert_string_equal(registry_conf_default(&l), "c.com");
	c = registry_conf_for(&l, "a.com");
	assert_true(c->insecure && !c->is_default);
	c = registry_conf_for(&l, "b.com");
	assert_int_equal(strv_len(c->mirrors), 1);
	assert_null(c->ca);
	assert_null(registry_conf_for(&l, "a.co"));
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_merged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
