/* One network of one pod, with plugins that a test wrote: what they are given, and what is recorded when. */
#include "tests/unit/cni_fake.h"

#include <time.h>

#include "base/proc.h"
#include "stage1/net/cached.h"

#define UUID "11111111-0000-4000-8000-000000000001"
#define NAME "net-" UUID "-eth4"
#define RECORD "net/results/" NAME

/* The deadline of a plugin is a minute: for those that hang a test has less. */
static int deadline_ms;
int __real_proc_run(struct spawn *sp, struct proc_io *io, struct err *e);
int __wrap_proc_run(struct spawn *sp, struct proc_io *io, struct err *e);
int __wrap_proc_run(struct spawn *sp, struct proc_io *io, struct err *e)
{
	assert_true(io->timeout_ms > 0);
	if (deadline_ms)
		io->timeout_ms = deadline_ms;
	return __real_proc_run(sp, io, e);
}

#define CHAIN(version)                                                                             \
	"{\"cniVersion\":\"" version "\",\"name\":\"net\",\"plugins\":[{\"type\":\"one\",\"x\":12345678901234567890,"  \
	"\"runtimeConfig\":{\"a\":1}},{\"type\":\"two\",\"name\":\"other\",\"prevResult\":{}},{\"type\":\"three\"}]}"

static void make(struct attachment *a, const struct fake *f, const char *conf)
{
	_cleanup_err_ struct err e = ERR_INIT;

	*a = (struct attachment) {.index = 4, .ifname = xstrdup("eth4"), .args = xstrdup("IP=1.2.3.4;X=y"),
				  .netns = xstrdup("/proc/77/fd/5"), .path = strv_copy(f->path)};
	if (cni_network_parse(conf, strlen(conf), &a->network, &e) < 0)
		fail_msg("%s", err_text(&e));
}

static void install_chain(const struct fake *f)
{
	fake_install(f, "one");
	fake_install(f, "two");
	fake_install(f, "three");
	fake_does(f, "one.ADD", "echo '{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}'");
	fake_does(f, "two.ADD", "echo '{\"ips\":[{\"address\":\"10.0.0.3/24\"}],\"n\":1}'");
	fake_does(f, "three.ADD", "echo '{\"cniVersion\":\"1.0.0\",\"last\":true}'; echo some words >&2");
}

static void add(void **state)
{
	_cleanup_free_ char *env = NULL, *text = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct attachment a;
	struct fake f;
	struct stat st;

	(void) state;
	fake_up(&f);
	install_chain(&f);
	make(&a, &f, CHAIN("1.0.0"));
	setenv("SECRET", "of the caller", 1);
	setenv("CNI_IFNAME", "wrong", 1);
	if (attachment_add(&a, f.pod, UUID, &e) < 0)
		fail_msg("%s", err_text(&e));
	unsetenv("SECRET");
	unsetenv("CNI_IFNAME");
	/* in order, and the records were there before the first one ran */
	assert_calls(&f, "ADD one net:eth4\nADD two net:eth4\nADD three net:eth4");
	/* each its own object with name and version of the list, reserved keys taken out, the result so far */
	assert_stdin(&f, "one.ADD", "{\"type\":\"one\",\"x\":12345678901234567890,\"cniVersion\":\"1.0.0\",\"name\":\"net\"}");
	assert_stdin(&f, "two.ADD", "{\"type\":\"two\",\"name\":\"net\",\"cniVersion\":\"1.0.0\",\"prevResult\":"
				    "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}}");
	/* a result that does not say is of the configuration's version */
	assert_stdin(&f, "three.ADD", "{\"type\":\"three\",\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"prevResult\":"
				      "{\"ips\":[{\"address\":\"10.0.0.3/24\"}],\"n\":1,\"cniVersion\":\"1.0.0\"}}");
	env = fake_read(f.plugins, "two.ADD.env");
	assert_non_null(strstr(env, "CNI_ARGS=IP=1.2.3.4;X=y\nCNI_COMMAND=ADD\nCNI_CONTAINERID=" UUID
				    "\nCNI_IFNAME=eth4\nCNI_NETNS=/proc/77/fd/5\nCNI_PATH="));
	assert_non_null(strstr(env, "\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_null(strstr(env, "SECRET"));
	/* nobody else reads it: arguments may hold secrets */
	assert_int_equal(fstatat(f.pod, RECORD, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(f.pod, "net/results", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	text = fake_read(f.pod, RECORD);
	assert_non_null(strstr(text, "\"result\":{\"cniVersion\":\"1.0.0\",\"last\":true}"));
	attachment_done(&a);
	fake_down(&f);
}

/* By the records alone, as gc does it later. */
static int del(const struct fake *f, const char *netns, struct err *e)
{
	struct attachment a = {0};
	int r = attachment_load(&a, f->pod, NAME, e);

	if (r == 0)
		r = attachment_del(&a, f->pod, UUID, netns, e);
	attachment_done(&a);
	return r;
}

static void add_chain(struct fake *f, const char *conf)
{
	struct attachment a;

	install_chain(f);
	make(&a, f, conf);
	assert_int_equal(attachment_add(&a, f->pod, UUID, NULL), 0);
	attachment_done(&a);
	(void) unlinkat(f->plugins, "calls", 0);
}

static void del_in_reverse(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *env = NULL;
	struct fake f;

	(void) state;
	fake_up(&f);
	add_chain(&f, CHAIN("0.4.0"));
	/* whatever it prints: only the exit status counts */
	fake_does(&f, "two.DEL", "echo done, with pleasure");
	if (del(&f, "", &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_calls(&f, "DEL three net:eth4+\nDEL two net:eth4+\n"
			 "DEL one net:eth4+");
	assert_stdin(&f, "one.DEL", "{\"type\":\"one\",\"x\":12345678901234567890,\"cniVersion\":\"0.4.0\",\"name\":\"net\","
				    "\"prevResult\":{\"cniVersion\":\"1.0.0\",\"last\":true}}");
	env = fake_read(f.plugins, "one.DEL.env");
	assert_non_null(strstr(env, "\nCNI_NETNS=\n"));
	assert_non_null(strstr(env, "CNI_ARGS=IP=1.2.3.4;X=y\n"));
	/* the last one takes the directory along */
	assert_false(is_in_pod(&f, "net"));
	assert_int_equal(del(&f, "", &e), -ENOENT);
	fake_down(&f);
}

static void no_result_before_0_4_0(void **state)
{
	_cleanup_free_ char *env = NULL;
	struct fake f;

	(void) state;
	fake_up(&f);
	add_chain(&f, CHAIN("0.3.1"));
	assert_int_equal(del(&f, "/proc/77/fd/5", NULL), 0);
	assert_stdin(&f, "three.DEL", "{\"type\":\"three\",\"cniVersion\":\"0.3.1\",\"name\":\"net\"}");
	env = fake_read(f.plugins, "three.DEL.env");
	/* a namespace that is there still, and ends now */
	assert_non_null(strstr(env, "CNI_ARGS=IP=1.2.3.4;X=y;IgnoreUnknown=1;NetnsEnding=1\n"));
	fake_down(&f);
}

static void a_failed_add_is_taken_back(void **state)
{
	static const struct {
		const char *does, *text;
	} rows[] = {
		{"echo '{\"code\":11,\"msg\":\"no luck\",\"details\":\"none\"}'; exit 1", "plugin two: no luck (none)"},
		{"echo '{\"code\":11,\"msg\":\"no \\u001b[31mluck\"}'; exit 1", "plugin two: no \\x1b[31mluck"},
		{"echo words >&2; exit 3", "plugin two: exited with status 3: words"},
		{"echo words; exit 3", "plugin two: exited with status 3: words"},
		{"exit 3", "plugin two: exited with status 3 and said nothing"},
		{"kill -SEGV $$", "plugin two: was killed by signal 11 (Segmentation fault) and said nothing"},
		{":", "plugin two: no result"},
		{"echo", "plugin two: no result"},
		{"echo this is no json", "plugin two: result: JSON: line 1, column 1: value expected"},
		{"echo '[]'", "plugin two: result: expected object"},
		{"echo '{} {}'", "plugin two: result: JSON: line 1, column 4: text after the document"},
		{"echo '{\"a\":1,\"a\":2}'", "plugin two: result: duplicate member \"a\""},
		{"printf '{\"a\":'; printf '[%.0s' $(seq 63); printf ']%.0s' $(seq 63); echo '}'",
		 "plugin two: result: nested too deep"},
		{"yes '\"x\",' ", "plugin two: two: more than 1048576 bytes of output"},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *want = xasprintf("failed to setup network \"net\": %s", rows[i].text);
		_cleanup_err_ struct err e = ERR_INIT;
		struct attachment a;
		struct fake f;

		fake_up(&f);
		install_chain(&f);
		fake_does(&f, "two.ADD", rows[i].does);
		make(&a, &f, CHAIN("1.0.0"));
		assert_true(attachment_add(&a, f.pod, UUID, &e) < 0);
		assert_err(&e, want);
		/* DEL for the whole chain, also for the plugin that was never asked to ADD; without a result */
		assert_calls(&f, "ADD one net:eth4\nADD two net:eth4\n"
				 "DEL three net:eth4\nDEL two net:eth4\n"
				 "DEL one net:eth4");
		assert_stdin(&f, "three.DEL", "{\"type\":\"three\",\"cniVersion\":\"1.0.0\",\"name\":\"net\"}");
		assert_false(is_in_pod(&f, "net"));
		attachment_done(&a);
		fake_down(&f);
	}
}

static void a_plugin_that_hangs(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct attachment a;
	struct fake f;

	(void) state;
	fake_up(&f);
	install_chain(&f);
	fake_does(&f, "one.ADD", "sleep 1000 & echo $! >\"$dir/grandchild\"; exec sleep 1000");
	make(&a, &f, CHAIN("1.0.0"));
	deadline_ms = 3000;
	assert_int_equal(attachment_add(&a, f.pod, UUID, &e), -ETIMEDOUT);
	assert_err(&e, "failed to setup network \"net\": plugin one: one: no answer within 3000 ms");
	deadline_ms = 0;
	assert_false(is_in_pod(&f, "net"));
	{
		_cleanup_free_ char *pid = fake_read(f.plugins, "grandchild");
		_cleanup_free_ char *proc = xasprintf("/proc/%s/stat", pid), *stat = NULL;

		/* its whole group is gone, or about to be reaped by init */
		if (file_read_at(AT_FDCWD, proc, 4096, &stat, NULL, NULL) == 0)
			assert_non_null(strstr(stat, ") Z "));
	}
	attachment_done(&a);
	fake_down(&f);
}

static void null_is_an_empty_result(void **state)
{
	_cleanup_free_ char *result = NULL;
	struct attachment a;
	struct fake f;

	(void) state;
	fake_up(&f);
	install_chain(&f);
	fake_does(&f, "three.ADD", "echo null");
	make(&a, &f, CHAIN("1.0.0"));
	assert_int_equal(attachment_add(&a, f.pod, UUID, NULL), 0);
	result = fake_read(f.pod, RECORD);
	assert_non_null(strstr(result, "\"result\":{\"cniVersion\":\"1.0.0\"}"));
	attachment_done(&a);
	fake_down(&f);
}

static void a_failing_del_keeps_everything(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct fake f;

	(void) state;
	fake_up(&f);
	add_chain(&f, CHAIN("1.0.0"));
	fake_does(&f, "two.DEL", "echo '{\"msg\":\"cannot let go\"}'; exit 1");
	assert_true(del(&f, "", &e) < 0);
	assert_err(&e, "failed to remove network \"net\": plugin two: cannot let go");
	/* the chain stops there: what is below may still be in use */
	assert_calls(&f, "DEL three net:eth4+\nDEL two net:eth4+");
	assert_true(is_in_pod(&f, RECORD));
	/* a plugin that is gone is a failure too */
	assert_int_equal(unlinkat(f.plugins, "three", 0), 0);
	assert_int_equal(del(&f, "", &e), -ENOENT);
	assert_true(str_starts(err_text(&e), "failed to remove network \"net\": plugin three: not found in "));
	assert_true(is_in_pod(&f, RECORD));
	err_done(&e);
	/* tried again, with all of it again */
	fake_install(&f, "three");
	fake_does(&f, "two.DEL", "");
	(void) unlinkat(f.plugins, "calls", 0);
	assert_int_equal(del(&f, "", &e), 0);
	assert_calls(&f, "DEL three net:eth4+\nDEL two net:eth4+\n"
			 "DEL one net:eth4+");
	assert_false(is_in_pod(&f, "net"));
	fake_down(&f);
}

static void put(const struct fake *f, const char *path, const char *text)
{
	assert_int_equal(file_write_at(f->pod, path, text, strlen(text), 0600, FILE_FAST, NULL), 0);
}

static void put_record(const struct fake *f, const char *text, size_t len)
{
	assert_int_equal(file_write_at(f->pod, RECORD, text, len, 0600, FILE_FAST, NULL), 0);
}

/* What a power cut makes of files that were renamed and not synced: nothing, or nothing in them. */
static void a_record_after_a_power_cut(void **state)
{
	static const char zeros[4096];
	static const size_t sizes[] = {0, 1, sizeof zeros};
	_cleanup_err_ struct err e = ERR_INIT;
	struct fake f;

	(void) state;
	fake_up(&f);
	for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
		add_chain(&f, CHAIN("1.0.0"));
		put_record(&f, zeros, sizes[i]);
		assert_int_equal(del(&f, "", &e), -ENOENT);
		assert_false(is_in_pod(&f, "net"));
		assert_calls(&f, "");
	}
	/* one that cannot be understood is never taken for done */
	add_chain(&f, CHAIN("1.0.0"));
	put_record(&f, "{\"kind\":", 8);
	err_done(&e);
	assert_int_equal(del(&f, "", &e), -EINVAL);
	assert_err(&e, RECORD ": JSON: line 1, column 9: value expected");
	assert_true(is_in_pod(&f, RECORD));
	assert_calls(&f, "");
	fake_down(&f);
}

/* Killed between the two writes: all of the chain, without prevResult. */
static void a_record_without_a_result(void **state)
{
	_cleanup_free_ char *env = NULL;
	struct attachment a;
	struct fake f;

	(void) state;
	fake_up(&f);
	add_chain(&f, CHAIN("1.0.0"));
	assert_int_equal(attachment_load(&a, f.pod, NAME, NULL), 0);
	cJSON_Delete(a.result);
	a.result = NULL;
	assert_int_equal(cached_write(&a, f.pod, UUID, NULL), 0);
	attachment_done(&a);
	assert_int_equal(del(&f, "", NULL), 0);
	assert_calls(&f, "DEL three net:eth4\nDEL two net:eth4\nDEL one net:eth4");
	assert_stdin(&f, "three.DEL", "{\"type\":\"three\",\"cniVersion\":\"1.0.0\",\"name\":\"net\"}");
	env = fake_read(f.plugins, "one.DEL.env");
	assert_non_null(strstr(env, "CNI_ARGS=IP=1.2.3.4;X=y\n"));
	fake_down(&f);
}

/* Before or after an update: the version of the ADD, the plugins where they are. */
static void an_update_in_between(void **state)
{
	static const char conf[] = "{\"cniVersion\":\"0.3.1\",\"cniVersions\":[\"1.1.0\"],\"name\":\"net\","
				   "\"plugins\":[{\"type\":\"one\"}]}";
	struct attachment a;
	struct fake f;

	(void) state;
	fake_up(&f);
	add_chain(&f, conf);
	assert_stdin(&f, "one.ADD", "{\"type\":\"one\",\"cniVersion\":\"1.1.0\",\"name\":\"net\"}");
	assert_int_equal(attachment_load(&a, f.pod, NAME, NULL), 0);
	free(a.network.version);
	a.network.version = xstrdup("0.3.1");
	strv_free(a.path);
	a.path = NULL;
	strv_add(&a.path, "/nowhere");
	assert_int_equal(cached_write(&a, f.pod, UUID, NULL), 0);
	attachment_done(&a);
	setenv("FAKE_PATH", f.path[1], 1);
	assert_int_equal(del(&f, "", NULL), 0);
	unsetenv("FAKE_PATH");
	assert_stdin(&f, "one.DEL", "{\"type\":\"one\",\"cniVersion\":\"0.3.1\",\"name\":\"net\"}");
	fake_down(&f);
}

/* The present path of plugins, which belongs to the program that asks. */
/* No built-in network is collected here. */
void __wrap_net_forward_add(cJSON *list);
void __wrap_net_forward_add(cJSON *list)
{
	(void) list;
}

char **__wrap_cni_plugin_path(void);
char **__wrap_cni_plugin_path(void)
{
	char **path = NULL;

	strv_add(&path, getenv("FAKE_PATH") ? getenv("FAKE_PATH") : "/nonexistent");
	return path;
}

static void records_first(void **state)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct attachment a;
	struct fake f;

	(void) state;
	fake_up(&f);
	install_chain(&f);
	make(&a, &f, CHAIN("1.0.0"));
	/* where nothing can be recorded no plugin runs */
	put(&f, "net", "a file in the way");
	assert_int_equal(attachment_add(&a, f.pod, UUID, &e), -ENOTDIR);
	assert_true(str_starts(err_text(&e), "failed to setup network \"net\": mkdir net/results: "));
	assert_calls(&f, "");
	attachment_done(&a);
	fake_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add),
		cmocka_unit_test(del_in_reverse),
		cmocka_unit_test(no_result_before_0_4_0),
		cmocka_unit_test(a_failed_add_is_taken_back),
		cmocka_unit_test(a_plugin_that_hangs),
		cmocka_unit_test(null_is_an_empty_result),
		cmocka_unit_test(a_failing_del_keeps_everything),
		cmocka_unit_test(a_record_after_a_power_cut),
		cmocka_unit_test(a_record_without_a_result),
		cmocka_unit_test(an_update_in_between),
		cmocka_unit_test(records_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
