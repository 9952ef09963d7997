#include "tests/unit/unit.h"

#include "contract/app_record.h"

/* The smallest record that is accepted. */
static const char base[] = "version=1\0app=web\0exec=/bin/web\0cwd=/"
			   "\0user=0\0group=0\0caps-bounding=00000000a80425fb\0"
			   "caps-ambient=0000000000000000\0no-new-privs=0\0seccomp=1\0read-only-"
			   "root=0\0paths=1\0shm=1\0tty=0\0";

static int decode(const char *data, size_t len, struct app_record *ret, struct err *e)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	int r = record_parse(&in, xmemdup(data, len), len, APP_RECORD_VERSION, e);

	return r < 0 ? r : app_record_decode(&in, ret, e);
}

static void fill(struct app_record *rec)
{
	*rec = (struct app_record) APP_RECORD_INIT;
	rec->app = xstrdup("web");
	strv_add(&rec->exec, "web");
	strv_add(&rec->exec, "");
	strv_add(&rec->exec, "--x=1 2\n");
	rec->cwd = xstrdup("/srv");
	rec->user = xstrdup("www");
	rec->group = xstrdup("/etc");
	app_record_add_gid(rec, 0);
	app_record_add_gid(rec, 4294967294);
	strv_add(&rec->env, "A=B=C");
	strv_add(&rec->env, "E=");
	rec->caps_bounding = UINT64_MAX;
	rec->caps_ambient = 1024;
	rec->no_new_privs = rec->seccomp = rec->read_only_root = true;
	app_record_add_rlimit(rec, "nofile", 1024, UINT64_MAX);
	rec->has_oom_score_adj = true;
	rec->oom_score_adj = -1000;
	strv_add(&rec->masks, "/proc/kcore");
	strv_add(&rec->read_only_paths, "/proc/sys");
	app_record_add_mount(rec, 0, true, true, false, "/data dir/ x");
	app_record_add_mount(rec, 65535, false, false, true, "/etc/hosts");
	strv_add(&rec->pre_start, "/pre");
	strv_add(&rec->post_stop, "/post");
	strv_add(&rec->post_stop, "arg");
}

/* What is written and read again is written the same: no field is lost on the way. */
static void test_round_trip(void **state _unused_)
{
	_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT, again = APP_RECORD_INIT;
	_cleanup_strbuf_ struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	fill(&rec);
	app_record_encode(&rec, &one);
	assert_int_equal(decode(one.buf, one.len, &again, &e), 0);
	app_record_encode(&again, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.buf, two.buf, one.len);
	assert_string_equal(again.exec[2], "--x=1 2\n");
	assert_int_equal(again.n_gids, 2);
	assert_true(again.gids[1] == 4294967294);
	assert_true(again.rlimits[0].hard == UINT64_MAX);
	assert_int_equal(again.oom_score_adj, -1000);
	assert_string_equal(again.mounts[0].target, "/data dir/ x");
	assert_true(again.mounts[0].read_only && again.mounts[0].dir && !again.mounts[0].recursive);
	assert_int_equal(again.mounts[1].fd, 65535);
	assert_string_equal(again.post_stop[1], "arg");
}

static void test_minimal(void **state _unused_)
{
	_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(decode(base, sizeof base - 1, &rec, &e), 0);
	assert_string_equal(rec.exec[0], "/bin/web");
	assert_null(rec.exec[1]);
	assert_null(rec.env);
	assert_null(rec.post_stop);
	assert_true(rec.caps_bounding == 0xa80425fb);
	assert_true(rec.seccomp && rec.paths && rec.shm);
	assert_false(rec.has_oom_score_adj || rec.tty || rec.no_new_privs);
}

/* One more entry behind a good record. */
static void test_refused(void **state _unused_)
{
	static const struct {
		const char *key, *value, *text;
	} rows[] = {
		{"new-isolator", "1", "app record: unknown key \"new-isolator\""},
		{"app", "x", "app record: app: given twice"},
		{"tty", "0", "app record: tty: given twice"},
		{"env", "A", "app record: env: bad value \"A\""},
		{"env", "=A", "app record: env: bad value \"=A\""},
		{"gid", "-1", "app record: gid: bad value \"-1\""},
		{"gid", "4294967295", "app record: gid: bad value \"4294967295\""},
		{"gid", "1x", "app record: gid: bad value \"1x\""},
		{"oom-score-adj", "1001", "app record: oom-score-adj: bad value \"1001\""},
		{"oom-score-adj", "", "app record: oom-score-adj: bad value \"\""},
		{"mask", "proc", "app record: mask: bad value \"proc\""},
		{"listen", "web", "app record: listen: bad value \"web\""},
		{"listen", "fd ", "app record: listen: bad value \"fd \""},
		{"listen", "fd a:b", "app record: listen: bad value \"fd a:b\""},
		{"listen", "tcp 0 web", "app record: listen: bad value \"tcp 0 web\""},
		{"listen", "tcp 80", "app record: listen: bad value \"tcp 80\""},
		{"listen", "udp 65536 web", "app record: listen: bad value \"udp 65536 web\""},
		{"chroot", "yes", "app record: chroot: bad value \"yes\""},
		{"pre-start", "", "app record: pre-start: bad value \"\""},
		{"rlimit", "nofile 2 1", "app record: rlimit: bad value \"nofile 2 1\""},
		{"rlimit", "nofile 2", "app record: rlimit: bad value \"nofile 2\""},
		{"rlimit", " 1 2", "app record: rlimit: bad value \" 1 2\""},
		{"rlimit", "nofile 1 2 3", "app record: rlimit: bad value \"nofile 1 2 3\""},
		{"mount", "fd 1 ro dir rec", "app record: mount: bad value \"fd 1 ro dir rec\""},
		{"mount", "fd 1 ro dir rec x",
		 "app record: mount: bad value \"fd 1 ro dir rec x\""},
		{"mount", "fd 65536 ro dir rec /",
		 "app record: mount: bad value \"fd 65536 ro dir rec /\""},
		{"mount", "fd 1 rx dir rec /",
		 "app record: mount: bad value \"fd 1 rx dir rec /\""},
		{"mount", "fd 1 ro fifo rec /",
		 "app record: mount: bad value \"fd 1 ro fifo rec /\""},
		{"mount", "no 1 ro dir rec /",
		 "app record: mount: bad value \"no 1 ro dir rec /\""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT;
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_err_ struct err e = ERR_INIT;

		strbuf_add(&sb, base, sizeof base - 1);
		record_add(&sb, rows[i].key, rows[i].value);
		assert_int_equal(decode(sb.buf, sb.len, &rec, &e), -EINVAL);
		assert_err(&e, rows[i].text);
	}
}

/* The good record with one entry replaced, or left out. */
static void test_required(void **state _unused_)
{
	static const struct {
		const char *key, *value, *text;
	} rows[] = {
		{"app", NULL, "app record: app: missing"},
		{"exec", NULL, "app record: exec: missing"},
		{"caps-bounding", NULL, "app record: caps-bounding: missing"},
		{"seccomp", NULL, "app record: seccomp: missing"},
		{"tty", NULL, "app record: tty: missing"},
		{"cwd", "srv", "app record: cwd: bad value \"srv\""},
		{"user", "", "app record: user: bad value \"\""},
		{"exec", "", "app record: exec: bad value \"\""},
		{"seccomp", "true", "app record: seccomp: bad value \"true\""},
		{"caps-ambient", "400", "app record: caps-ambient: bad value \"400\""},
		{"caps-ambient", "000000000000040G",
		 "app record: caps-ambient: bad value \"000000000000040G\""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT;
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
		_cleanup_err_ struct err e = ERR_INIT;
		size_t n = strlen(rows[i].key);

		for (const char *p = base; p < base + sizeof base - 1; p += strlen(p) + 1) {
			bool hit = !strncmp(p, rows[i].key, n) && p[n] == '=';

			if (!hit)
				strbuf_add(&sb, p, strlen(p) + 1);
			else if (rows[i].value)
				record_add(&sb, rows[i].key, rows[i].value);
		}
		assert_int_equal(decode(sb.buf, sb.len, &rec, &e), -EINVAL);
		assert_err(&e, rows[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
