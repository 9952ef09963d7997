#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/image/credentials.h"
#include "stage0/image/download.h"

static const char config[] = "{\"rktKind\":\"auth\",\"rktVersion\":\"v1\",\"domains\":[\"a.com\","
			     "\"a.com:8443\"],\"type\":\"basic\","
			     "\"credentials\":{\"user\":\"u\",\"password\":\"p\"}}";
static const char config_b[] =
	"{\"rktKind\":\"auth\",\"rktVersion\":\"v1\",\"domains\":[\"b.com\"],\"type\":\"oauth\","
	"\"credentials\":{\"token\":\"t\"}}";

struct world {
	int dir;
	struct gantry g;
};

static void world_open(struct world *w)
{
	w->dir = scratch_open();
	w->g = (struct gantry){.system_config = (char *) "/nonexistent",
			       .local_config = scratch_path};
	assert_int_equal(mkdirat(w->dir, "auth.d", 0700), 0);
	assert_int_equal(file_write_at(w->dir, "auth.d/a.json", config, strlen(config), 0600,
				       FILE_FAST, NULL),
			 0);
	assert_int_equal(file_write_at(w->dir, "auth.d/b.json", config_b, strlen(config_b), 0600,
				       FILE_FAST, NULL),
			 0);
}

static void test_choice(void **state _unused_)
{
	static const struct {
		const char *url, *without, *site, *user;
	} rows[] = {
		{"https://a.com/x", "https://a.com/x", "a.com", "u"},
		{"https://a.com:8443/x", "https://a.com:8443/x", "a.com:8443", "u"},
		{"https://a.com:1/x", "https://a.com:1/x", "a.com:1", NULL},
		{"https://c.com/@a.com", "https://c.com/@a.com", "c.com", NULL},
		{"https://a.com@c.com/x", "https://c.com/x", "c.com", "a.com"},
		{"https://v%40w:s%3a@a.com/x", "https://a.com/x", "a.com", "v@w"},
		{"https://x@y@a.com?q", "https://a.com?q", "a.com", "x@y"},
	};
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_credentials_ struct credentials c = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (credentials_for(&w.g, rows[i].url, &c, &e) < 0)
			fail_msg("%s: %s", rows[i].url, err_text(&e));
		assert_string_equal(c.url, rows[i].without);
		assert_string_equal(c.site, rows[i].site);
		if (!str_eq(c.auth ? c.auth->user : NULL, rows[i].user))
			fail_msg("%s: %s", rows[i].url, c.auth ? c.auth->user : "none");
	}
	scratch_close(w.dir);
}

static void test_redirects(void **state _unused_)
{
	_cleanup_credentials_ struct credentials c = {0}, d = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	struct world w;

	world_open(&w);
	assert_int_equal(credentials_for(&w.g, "https://a.com/x", &c, &e), 0);
	assert_string_equal(c.auth->user, "u");
	assert_int_equal(credentials_follow(&c, "https://b.com/x", &e), 0);
	assert_string_equal(c.auth->token, "t");
	/* back: whoever sent us there does not get to use them again */
	assert_int_equal(credentials_follow(&c, "https://a.com/y", &e), 0);
	assert_null(c.auth);
	assert_int_equal(credentials_follow(&c, "https://c.com/y", &e), 0);
	assert_null(c.auth);
	/* never from https to http */
	assert_int_equal(credentials_for(&w.g, "https://a.com/x", &d, &e), 0);
	assert_int_equal(credentials_follow(&d, "http://b.com/x", &e), 0);
	assert_null(d.auth);
	/* what the worker says is foreign */
	assert_int_equal(credentials_follow(&d, "http://u:p@b.com/x", &e), -EPROTO);
	assert_int_equal(credentials_follow(&d, "file:///etc/shadow", NULL), -EPROTO);
	scratch_close(w.dir);
}

static void test_shown(void **state _unused_)
{
	static const char *const rows[][2] = {
		{"https://u:p@a.com/x", "https://a.com/x"},
		{"https://a.com/u:p@x", "https://a.com/u:p@x"},
		{"https://u@a.com", "https://a.com"},
		{"no URL@all", "no URL@all"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *shown = url_shown(rows[i][0]);

		assert_string_equal(shown, rows[i][1]);
	}
}

static void test_malformed(void **state _unused_)
{
	_cleanup_credentials_ struct credentials c = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	struct world w;

	world_open(&w);
	assert_int_equal(credentials_for(&w.g, "https://u%0d%0aX:p@a.com/x", &c, &e), -EINVAL);
	assert_string_equal(err_text(&e), "malformed user or password in the URL");
	scratch_close(w.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
