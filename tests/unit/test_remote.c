#include "tests/unit/store_dir.h"

#include "stage0/image/internal.h"

#define URL "https://a.com/app.aci"

static void test_remote(void **state _unused_)
{
	struct download_head answer = {.etag = (char *) "\"abc\"", .fresh = 3600};
	struct remote r = {0}, old;
	char id[IMAGE_ID_LEN + 1], none[IMAGE_ID_LEN + 1];
	struct store_dir s;

	store_dir_open(&s);
	put_image(&s, "01", "a.com/app", "1", NULL, "x");
	make_id(id, "01");
	make_id(none, "02");
	assert_int_equal(remote_get(s.store, URL, &r), -ENOENT);
	remote_put(s.store, URL, id, &answer, INSECURE_TLS, NULL);
	assert_int_equal(remote_get(s.store, URL, &r), 0);
	assert_string_equal(r.id, id);
	assert_string_equal(r.etag, "\"abc\"");
	assert_int_equal(r.waived, INSECURE_TLS);
	assert_null(r.last_modified);
	assert_true(remote_is_fresh(&r));
	/* a clock that jumped, in either direction */
	r.time += 100;
	assert_false(remote_is_fresh(&r));
	r.time -= 4000;
	assert_false(remote_is_fresh(&r));
	remote_done(&r);
	assert_int_equal(remote_get(s.store, URL "x", &r), -ENOENT);
	/* what is not in the store any more is not known either */
	remote_put(s.store, URL, none, &answer, 0, NULL);
	assert_int_equal(remote_get(s.store, URL, &r), -ENOENT);
	answer = (struct download_head) {0};
	remote_put(s.store, URL, id, &answer, INSECURE_TLS, NULL);
	assert_int_equal(remote_get(s.store, URL, &r), 0);
	assert_null(r.etag);
	assert_false(remote_is_fresh(&r));
	/* 304: what it does not say again still holds, and how the bytes came is not forgotten */
	old = r;
	old.etag = (char *) "\"old\"";
	old.last_modified = (char *) "Sun, 06 Nov 1994 08:49:37 GMT";
	r = (struct remote) {0};
	answer.fresh = 60;
	remote_put(s.store, URL, id, &answer, INSECURE_HTTP, &old);
	assert_int_equal(remote_get(s.store, URL, &r), 0);
	assert_string_equal(r.etag, old.etag);
	assert_string_equal(r.last_modified, old.last_modified);
	assert_int_equal(r.waived, INSECURE_TLS | INSECURE_HTTP);
	assert_true(remote_is_fresh(&r));
	free(old.id);
	remote_done(&r);
	store_dir_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_remote)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
