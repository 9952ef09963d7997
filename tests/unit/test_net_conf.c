/* CNI configurations: both forms, versions, what is refused, which file wins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "stage1/net/conf.h"

static void both_forms(void **state)
{
	static const char single[] = "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"bridge\",\"x\":12345678901234567890}";
	static const char list[] = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"a\"},{\"type\":\"b\"}]}";
	struct cni_network n;
	_cleanup_free_ char *text = NULL;

	(void) state;
	assert_int_equal(cni_network_parse(single, strlen(single), &n, NULL), 0);
	assert_string_equal(n.version, "0.4.0");
	text = json_print(n.list, false);
	/* A number that a double would round stays what it was. */
	assert_non_null(strstr(text, "12345678901234567890"));
	cni_network_done(&n);
	assert_int_equal(cni_network_parse(list, strlen(list), &n, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(n.list, "plugins")), 2);
	cni_network_done(&n);
}

static void versions(void **state)
{
	static const struct {
		const char *text, *version;
	} rows[] = {
		{"{\"name\":\"n\",\"type\":\"t\"}", "0.1.0"},
		{"{\"name\":\"n\",\"type\":\"t\",\"cniVersion\":\"\"}", "0.1.0"},
		{"{\"name\":\"n\",\"type\":\"t\",\"cniVersion\":\"0.3.1\",\"cniVersions\":[\"1.0.0\",\"9.0.0\",\"0.4.0\"]}", "1.0.0"},
		{"{\"name\":\"n\",\"type\":\"t\",\"cniVersion\":\"9.9.9\"}", "9.9.9"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct cni_network n;

		assert_int_equal(cni_network_parse(rows[i].text, strlen(rows[i].text), &n, NULL), 0);
		assert_string_equal(n.version, rows[i].version);
		cni_network_done(&n);
	}
	assert_true(cni_version_cmp("0.4.0", "0.3.1") > 0);
	assert_true(cni_version_cmp("1.0", "1.0.0") == 0);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"[]", "expected object"},
		{"{\"name\":\"n\",\"plugins\":[]}", "no plugins in list"},
		{"{\"name\":\"n\",\"plugins\":{}}", "plugins: expected array"},
		{"{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"},{}]}", "plugins[1]: no type"},
		{"{\"name\":\"n\",\"type\":\"../../bin/sh\"}", "plugins[0].type: \"../../bin/sh\" is no plugin name"},
		{"{\"name\":\"../n\",\"type\":\"a\"}", "name: \"../n\" is no network name"},
		{"{\"name\":\"n\",\"type\":\"a\",\"cniVersion\":\"x\"}", "cniVersion \"x\": not a version"},
		{"{\"name\":\"n\",\"type\":\"a\",\"cniVersion\":1}", "cniVersion: expected string"},
		{"{\"name\":\"n\",\"type\":\"a\",\"type\":\"b\"}", "duplicate member \"type\""},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct cni_network n;

		assert_true(cni_network_parse(rows[i].text, strlen(rows[i].text), &n, &e) < 0);
		assert_string_equal(err_text(&e), rows[i].message);
		cni_network_done(&n);
	}
}

static void put(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(dir, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

static void files_in_order(void **state)
{
	char dir[] = "/tmp/test-net-conf.XXXXXX";
	struct cni_networks l;

	(void) state;
	assert_non_null(mkdtemp(dir));
	put(dir, "20-b.conf", "{\"name\":\"b\",\"type\":\"t\"}");
	put(dir, "10-a.conf", "{\"name\":\"a\",\"type\":\"t\"}");
	put(dir, "05-b.conf", "{\"name\":\"x\",\"type\":\"other\"}");
	put(dir, "30-x.conflist", "{\"name\":\"x\",\"plugins\":[{\"type\":\"t\"}]}");
	put(dir, "40-d.conf", "{\"name\":\"default\",\"type\":\"mine\"}");
	put(dir, "notes.txt", "not a network");
	assert_int_equal(cni_networks_load(dir, NULL, &l, NULL), 0);
	assert_int_equal(l.n, 5);
	assert_string_equal(l.v[0].name, "a");
	assert_string_equal(l.v[1].name, "b");
	/* A list wins over a single file of the same name that sorts earlier. */
	assert_string_equal(l.v[2].name, "x");
	assert_true(strstr(l.v[2].file, "30-x.conflist") != NULL);
	/* The administrator's default replaces the built-in one. */
	assert_non_null(cni_network_find(&l, "default")->file);
	assert_null(cni_network_find(&l, "default-restricted")->file);
	cni_networks_done(&l);
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, NULL), 0);
}

/* It could define any network, also in place of a built-in one: nothing is loaded beside it. */
static void a_broken_file(void **state)
{
	static const struct {
		const char *file, *text, *why;
	} rows[] = {
		{"50-x.conf", "{", "JSON: line 1, column 2: "},
		{"50-x.json", "{\"name\":\"a b\",\"type\":\"t\"}", "name: \"a b\" is no network name"},
		{"50-x.conflist", "{\"name\":\"n\"}", "plugins: expected array"},
	};
	char dir[] = "/tmp/test-net-conf.XXXXXX";

	(void) state;
	assert_non_null(mkdtemp(dir));
	put(dir, "10-a.conf", "{\"name\":\"a\",\"type\":\"t\"}");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *path = path_join(dir, rows[i].file), *why = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		struct cni_networks l = {0};

		put(dir, rows[i].file, rows[i].text);
		assert_int_equal(cni_networks_load(dir, NULL, &l, &e), -EINVAL);
		assert_int_equal(l.n, 0);
		why = xasprintf("%s: %s", path, rows[i].why);
		assert_memory_equal(err_text(&e), why, strlen(why));
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, NULL), 0);
}

static void plugins_of_a_folder(void **state)
{
	char dir[] = "/tmp/test-net-conf.XXXXXX";
	_cleanup_free_ char *folder = NULL, *text = NULL;
	struct cni_networks l;

	(void) state;
	assert_non_null(mkdtemp(dir));
	folder = path_join(dir, "n");
	assert_int_equal(mkdir(folder, 0700), 0);
	put(dir, "10-n.conflist", "{\"name\":\"n\",\"plugins\":[{\"type\":\"inline\"}]}");
	put(folder, "20-b.conf", "{\"type\":\"b\"}");
	put(folder, "10-a.conf", "{\"type\":\"a\"}");
	put(folder, "30-c.json", "not looked at");
	assert_int_equal(cni_networks_load(dir, NULL, &l, NULL), 0);
	text = json_print(json_get(cni_network_find(&l, "n")->list, "plugins"), false);
	assert_string_equal(text, "[{\"type\":\"inline\"},{\"type\":\"a\"},{\"type\":\"b\"}]");
	cni_networks_done(&l);
	/* The key switches the folder off, also as a word. */
	put(dir, "10-n.conflist",
	    "{\"name\":\"n\",\"loadOnlyInlinedPlugins\":\"True\",\"plugins\":[{\"type\":\"inline\"}]}");
	put(folder, "05-x.conf", "{");
	assert_int_equal(cni_networks_load(dir, NULL, &l, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(cni_network_find(&l, "n")->list, "plugins")), 1);
	cni_networks_done(&l);
	put(dir, "10-n.conflist", "{\"name\":\"n\",\"plugins\":[{\"type\":\"inline\"}]}");
	assert_int_equal(cni_networks_load(dir, NULL, &l, NULL), -EINVAL);
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, NULL), 0);
}

static void a_missing_directory_has_the_built_in_ones(void **state)
{
	struct cni_networks l;

	(void) state;
	assert_int_equal(cni_networks_load("/nonexistent/net.d", NULL, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	cni_networks_done(&l);
}

/* Each directory in its own order, after net.d; of one name the first. */
static void more_directories(void **state)
{
	char dir[] = "/tmp/test-net-conf.XXXXXX", other[] = "/tmp/test-net-more.XXXXXX";
	char *more[] = {other, NULL}, *missing[] = {other, (char *) "/nonexistent/net.d", NULL};
	_cleanup_err_ struct err e = ERR_INIT;
	struct cni_networks l = {0};

	(void) state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(other));
	put(dir, "20-b.conf", "{\"name\":\"b\",\"type\":\"t\"}");
	put(other, "10-a.conf", "{\"name\":\"a\",\"type\":\"t\"}");
	put(other, "05-b.conflist", "{\"name\":\"b\",\"plugins\":[{\"type\":\"other\"}]}");
	put(other, "30-default.conf", "{\"name\":\"default\",\"type\":\"t\"}");
	assert_int_equal(cni_networks_load(dir, more, &l, NULL), 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.v[0].name, "b");
	assert_true(strstr(l.v[0].file, "20-b.conf") != NULL);
	assert_string_equal(l.v[1].name, "a");
	assert_string_equal(l.v[2].name, "default");
	assert_string_equal(l.v[3].name, "default-restricted");
	cni_networks_done(&l);
	assert_true(cni_networks_load(dir, missing, &l, &e) < 0);
	assert_string_equal(err_text(&e), "networks of \"/nonexistent/net.d\": No such file or directory");
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, NULL), 0);
	assert_int_equal(path_remove_tree(AT_FDCWD, other, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms),
		cmocka_unit_test(versions),
		cmocka_unit_test(refusals),
		cmocka_unit_test(files_in_order),
		cmocka_unit_test(more_directories),
		cmocka_unit_test(a_broken_file),
		cmocka_unit_test(plugins_of_a_folder),
		cmocka_unit_test(a_missing_directory_has_the_built_in_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
