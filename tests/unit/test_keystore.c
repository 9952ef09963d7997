#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "stage0/context.h"
#include "stage0/trust/keystore.h"

#define FPR_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FPR_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FPR_C "cccccccccccccccccccccccccccccccccccccccc"

struct world {
	int dir;
	struct gantry g;
};

static void begin(struct world *w)
{
	w->dir = scratch_open();
	w->g = (struct gantry) {
		.system_config = xasprintf("%s/system", scratch_path),
		.local_config = xasprintf("%s/local", scratch_path),
	};
}

static void end(struct world *w)
{
	free(w->g.system_config);
	free(w->g.local_config);
	scratch_close(w->dir);
}

static void put(struct world *w, const char *dir, const char *fpr, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", scratch_path, dir), *file = xasprintf("%s/%s", path, fpr);

	(void) w;
	assert_int_equal(path_mkdirs(path, 0755, NULL), 0);
	assert_int_equal(file_write_at(AT_FDCWD, file, text, strlen(text), 0644, FILE_FAST, NULL), 0);
}

/* "text text": the keys for the name, sorted by content. */
static void check(struct world *w, const char *name, const char *expected)
{
	_cleanup_trust_keys_ struct trust_keys keys = {0};
	_cleanup_strv_ char **found = NULL;
	_cleanup_free_ char *all = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	if (trust_keys_for(&w->g, name, &keys, &e) < 0)
		fail_msg("%s: %s", name, err_text(&e));
	for (size_t i = 0; i < keys.n; i++)
		strv_add(&found, keys.v[i].data);
	strv_sort(found);
	all = strv_join(found, " ");
	assert_string_equal(all ? all : "", expected);
}

static void test_components(void **state _unused_)
{
	struct world w;

	begin(&w);
	check(&w, "a.com/app", "");
	put(&w, "local/trustedkeys/prefix.d/a.com/app", FPR_A, "app");
	put(&w, "local/trustedkeys/prefix.d/a.com", FPR_B, "host");
	put(&w, "system/trustedkeys/root.d", FPR_C, "root");
	check(&w, "a.com/app", "app host root");
	check(&w, "a.com/app/sub", "app host root");
	check(&w, "a.com/ap", "host root");
	check(&w, "a.com/apps", "host root");
	check(&w, "a.com", "host root");
	check(&w, "a.co", "root");
	check(&w, "a.com.evil/app", "root");
	check(&w, "x/a.com/app", "root");
	end(&w);
}

static void test_masks(void **state _unused_)
{
	struct world w;

	begin(&w);
	put(&w, "system/trustedkeys/prefix.d/a.com", FPR_A, "vendor");
	put(&w, "system/trustedkeys/prefix.d/a.com/app", FPR_A, "vendor-app");
	put(&w, "local/trustedkeys/prefix.d/a.com", FPR_A, "");
	check(&w, "a.com/x", "");
	/* of this place only */
	check(&w, "a.com/app", "vendor-app");
	/* another content of the same name: the administrator's counts */
	put(&w, "local/trustedkeys/prefix.d/a.com", FPR_A, "mine");
	check(&w, "a.com/x", "mine");
	end(&w);
}

static void test_refused(void **state _unused_)
{
	_cleanup_trust_keys_ struct trust_keys keys = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	struct world w;

	begin(&w);
	put(&w, "local/trustedkeys/root.d", "key.asc", "x");
	assert_int_equal(trust_keys_for(&w.g, "a.com/app", &keys, &e), -EINVAL);
	assert_non_null(strstr(err_text(&e), "/root.d/key.asc: its name is no fingerprint"));
	assert_int_equal(trust_keys_for(&w.g, "../etc", &keys, &e), -EINVAL);
	assert_int_equal(trust_keys_for(&w.g, "a.com/../etc", &keys, &e), -EINVAL);
	assert_int_equal(trust_keys_for(&w.g, "", &keys, &e), -EINVAL);
	end(&w);
}

static void test_store(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *path = NULL, *root = NULL;
	struct world w;

	begin(&w);
	assert_int_equal(trust_key_store(&w.g, "a.com/app", FPR_A, "key", 3, &path, &e), 0);
	assert_true(str_ends(path, "/local/trustedkeys/prefix.d/a.com/app/" FPR_A));
	check(&w, "a.com/app/x", "key");
	assert_int_equal(trust_key_store(&w.g, NULL, FPR_B, "root", 4, &root, &e), 0);
	assert_true(str_ends(root, "/local/trustedkeys/root.d/" FPR_B));
	check(&w, "b.com", "root");
	/* an empty file would be a mask */
	assert_int_equal(trust_key_store(&w.g, NULL, FPR_C, "", 0, NULL, &e), -EINVAL);
	assert_int_equal(trust_key_store(&w.g, "../../etc", FPR_C, "k", 1, NULL, &e), -EINVAL);
	assert_int_equal(trust_key_store(&w.g, "https://a.com", FPR_C, "k", 1, NULL, &e), -EINVAL);
	assert_int_equal(trust_key_store(&w.g, "a.com", "../x", "k", 1, NULL, &e), -EINVAL);
	assert_int_equal(trust_key_store(&w.g, "a.com", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "k", 1, NULL, &e), -EINVAL);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_components), cmocka_unit_test(test_masks), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
