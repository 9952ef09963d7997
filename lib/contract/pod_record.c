#include "contract/pod_record.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/parse.h"

/* HOST_NAME_MAX: what sethostname(2) takes. */
#define HOSTNAME_LIMIT 64
/* A day: more can only be a mistake. */
#define STOP_TIMEOUT_LIMIT (24 * 3600 * 1000)

/*
 * What a key stands for: `set` takes a value, `get` gives it back.  Keys of an app's section belong
 * to the app that `app` began last (reading) or that is `app` (writing).
 */
struct key {
	const char *name;
	bool section; /* in an app's section */
	bool optional; /* may be missing; get() answers NULL where it says nothing */
	bool many;     /* may be there more than once: n is which one */
	int (*set)(struct pod_record *rec, const char *value);
	char *(*get)(const struct pod_record *rec, const struct pod_record_app *app, size_t n);
};

static int set_bool(const char *value, bool *ret)
{
	if (strcmp(value, "0") && strcmp(value, "1"))
		return -EINVAL;
	*ret = *value == '1';
	return 0;
}

static int set_uuid(struct pod_record *rec, const char *value)
{
	rec->uuid = *value ? xstrdup(value) : NULL;
	return rec->uuid ? 0 : -EINVAL;
}

static char *get_uuid(const struct pod_record *rec, _unused_ const struct pod_record_app *app,
		      _unused_ size_t n)
{
	return xstrdup(rec->uuid);
}

static int set_hostname(struct pod_record *rec, const char *value)
{
	size_t len = strlen(value);

	if (!len || len > HOSTNAME_LIMIT)
		return -EINVAL;
	rec->hostname = xstrdup(value);
	return 0;
}

static char *get_hostname(const struct pod_record *rec, _unused_ const struct pod_record_app *app,
			  _unused_ size_t n)
{
	return xstrdup(rec->hostname);
}

static int set_stop_timeout(struct pod_record *rec, const char *value)
{
	uint64_t v;
	int r = parse_u64(value, STOP_TIMEOUT_LIMIT, &v);

	if (r == 0)
		rec->stop_timeout_ms = (unsigned) v;
	return r;
}

static char *get_stop_timeout(const struct pod_record *rec,
			      _unused_ const struct pod_record_app *app,
			      _unused_ size_t n)
{
	return xasprintf("%u", rec->stop_timeout_ms);
}

static int set_private_net(struct pod_record *rec, const char *value)
{
	return set_bool(value, &rec->private_net);
}

static char *get_private_net(const struct pod_record *rec,
			     _unused_ const struct pod_record_app *app,
			     _unused_ size_t n)
{
	return xstrdup(rec->private_net ? "1" : "0");
}

static int set_private_users(struct pod_record *rec, const char *value)
{
	return set_bool(value, &rec->private_users);
}

static char *get_private_users(const struct pod_record *rec,
			       _unused_ const struct pod_record_app *app,
			       _unused_ size_t n)
{
	return rec->private_users ? xstrdup("1") : NULL;
}

static int set_app(struct pod_record *rec, const char *value)
{
	if (!*value || strchr(value, '/') || *value == '.')
		return -EINVAL;
	for (size_t i = 0; i < rec->n_apps; i++)
		if (!strcmp(rec->apps[i].name, value))
			return -EEXIST;
	pod_record_add_app(rec, value, false);
	return 0;
}

static char *get_app(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
		     _unused_ size_t n)
{
	return xstrdup(app->name);
}

static int set_post_stop(struct pod_record *rec, const char *value)
{
	return set_bool(value, &rec->apps[rec->n_apps - 1].has_post_stop);
}

static char *get_post_stop(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
			   _unused_ size_t n)
{
	return xstrdup(app->has_post_stop ? "1" : "0");
}

static const char *const stream_words[STREAM_MAX] = {"null", "log", "given"};

static bool is_usual(const enum pod_stream *s)
{
	return s[0] == STREAM_NULL && s[1] == STREAM_LOG && s[2] == STREAM_LOG;
}

/* Three words: standard input, output, error. */
static int set_streams(struct pod_record *rec, const char *value)
{
	enum pod_stream *streams = rec->apps[rec->n_apps - 1].streams;
	_cleanup_strv_ char **words = strv_split(value, ' ');

	if (strv_len(words) != 3)
		return -EINVAL;
	for (size_t i = 0; i < 3; i++) {
		size_t w = 0;

		while (w < STREAM_MAX && strcmp(stream_words[w], words[i]))
			w++;
		if (w == STREAM_MAX || (i == 0 && w == STREAM_LOG))
			return -EINVAL;
		streams[i] = (enum pod_stream) w;
	}
	return 0;
}

static char *get_streams(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
			 size_t n)
{
	const enum pod_stream *s = app->streams;

	return n || is_usual(s) ? NULL : xasprintf("%s %s %s", stream_words[s[0]],
						   stream_words[s[1]], stream_words[s[2]]);
}

static struct pod_record_app *last(struct pod_record *rec)
{
	return &rec->apps[rec->n_apps - 1];
}

static int set_stop_signal(struct pod_record *rec, const char *value)
{
	uint64_t v;
	int r = parse_u64(value, 64, &v);

	if (r < 0 || !v)
		return -EINVAL;
	last(rec)->stop_signal = (int) v;
	return 0;
}

static char *get_stop_signal(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
			     _unused_ size_t n)
{
	return app->stop_signal == SIGTERM ? NULL : xasprintf("%d", app->stop_signal);
}

static const char *const restart_words[RESTART_MAX] = {
	[RESTART_NEVER] = "never",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_ALWAYS] = "always",
};

static int set_restart(struct pod_record *rec, const char *value)
{
	for (int i = RESTART_NEVER; i < RESTART_MAX; i++)
		if (!strcmp(restart_words[i], value)) {
			last(rec)->restart = (enum restart_policy) i;
			return 0;
		}
	return -EINVAL;
}

static char *get_restart(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
			 _unused_ size_t n)
{
	return xstrdup_null(restart_words[app->restart]);
}

static int set_init(struct pod_record *rec, const char *value)
{
	return set_bool(value, &last(rec)->init);
}

static char *get_init(_unused_ const struct pod_record *rec, const struct pod_record_app *app,
		      _unused_ size_t n)
{
	return app->init ? xstrdup("1") : NULL;
}

/* PURPOSE DELAY GRACE PERIOD TIMEOUT SUCCESSES FAILURES, times in milliseconds. */
static int set_check(struct pod_record *rec, const char *value)
{
	_cleanup_strv_ char **words = strv_split(value, ' ');
	struct pod_record_app *app = last(rec);
	struct pod_record_check c = {0};
	unsigned *const fields[] = {&c.delay_ms, &c.grace_ms, &c.period_ms, &c.timeout_ms,
				    &c.successes, &c.failures};

	if (strv_len(words) != 1 + ELEMENTSOF(fields) || app->n_checks == CHECKS_MAX)
		return -EINVAL;
	while (c.purpose < CHECK_PURPOSE_MAX && strcmp(check_purpose_name(c.purpose), words[0]))
		c.purpose++;
	if (c.purpose == CHECK_PURPOSE_MAX)
		return -EINVAL;
	for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
		uint64_t v;

		if (parse_u64(words[1 + i], INT32_MAX, &v) < 0 || (i >= 2 && !v))
			return -EINVAL;
		*fields[i] = (unsigned) v;
	}
	app->checks = xgrow(app->checks, app->n_checks, sizeof *app->checks);
	app->checks[app->n_checks++] = c;
	return 0;
}

static char *get_check(_unused_ const struct pod_record *rec, const struct pod_record_app *app, size_t n)
{
	const struct pod_record_check *c = app->checks + n;

	return n >= app->n_checks ? NULL
				  : xasprintf("%s %u %u %u %u %u %u", check_purpose_name(c->purpose),
					      c->delay_ms, c->grace_ms, c->period_ms, c->timeout_ms,
					      c->successes, c->failures);
}

static int set_sysctl(struct pod_record *rec, const char *value)
{
	const char *eq = strchr(value, '=');

	if (!eq || eq == value)
		return -EINVAL;
	strv_add(&rec->sysctls, value);
	return 0;
}

static char *get_sysctl(const struct pod_record *rec, _unused_ const struct pod_record_app *app,
			size_t n)
{
	return rec->sysctls ? xstrdup_null(rec->sysctls[n]) : NULL;
}

/* THE table; `app` stands before the other keys of its section. */
static const struct key keys[] = {
	/* name, section, optional, many */
	{"uuid", false, false, false, set_uuid, get_uuid},
	{"hostname", false, false, false, set_hostname, get_hostname},
	{"stop-timeout-ms", false, false, false, set_stop_timeout, get_stop_timeout},
	{"private-net", false, false, false, set_private_net, get_private_net},
	{"private-users", false, true, false, set_private_users, get_private_users},
	{"sysctl", false, true, true, set_sysctl, get_sysctl},
	{"app", true, false, false, set_app, get_app},
	{"has-post-stop", true, false, false, set_post_stop, get_post_stop},
	{"streams", true, true, false, set_streams, get_streams},
	{"stop-signal", true, true, false, set_stop_signal, get_stop_signal},
	{"restart", true, true, false, set_restart, get_restart},
	{"init", true, true, false, set_init, get_init},
	{"check", true, true, true, set_check, get_check},
};
#define KEY_APP 6

static void encode_keys(const struct pod_record *rec, const struct pod_record_app *app,
			struct strbuf *sb)
{
	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		if (keys[i].section != (app != NULL))
			continue;
		for (size_t n = 0; n == 0 || keys[i].many; n++) {
			_cleanup_free_ char *value = keys[i].get(rec, app, n);

			if (!value)
				break;
			record_add(sb, keys[i].name, value);
		}
	}
}

void pod_record_encode(const struct pod_record *rec, struct strbuf *sb)
{
	record_begin(sb, POD_RECORD_VERSION);
	encode_keys(rec, NULL, sb);
	for (size_t i = 0; i < rec->n_apps; i++)
		encode_keys(rec, rec->apps + i, sb);
}

/* Every key of this level was there. */
static int check_complete(const bool *seen, bool section, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(keys); i++)
		if (keys[i].section == section && !keys[i].optional && !seen[i])
			return err_set(e, EINVAL, "pod record: %s: missing", keys[i].name);
	return 0;
}

static size_t find_key(const char *name)
{
	size_t i = 0;

	while (i < ELEMENTSOF(keys) && strcmp(keys[i].name, name))
		i++;
	return i;
}

int pod_record_decode(struct record *in, struct pod_record *ret, struct err *e)
{
	bool seen[ELEMENTSOF(keys)] = {false};
	const char *name, *value;
	int r;

	while (record_next(in, &name, &value)) {
		size_t i = find_key(name);

		if (i == ELEMENTSOF(keys))
			return err_set(e, EINVAL, "pod record: unknown key %s", q(name));
		if (i == KEY_APP && ret->n_apps) {
			r = check_complete(seen, true, e);
			if (r < 0)
				return r;
			memset(seen + KEY_APP, 0, sizeof seen - KEY_APP * sizeof *seen);
		}
		if (keys[i].section && i != KEY_APP && !ret->n_apps)
			return err_set(e, EINVAL, "pod record: %s: before the first app", name);
		if (seen[i] && !keys[i].many)
			return err_set(e, EINVAL, "pod record: %s: given twice", name);
		if (keys[i].set(ret, value) < 0)
			return err_set(e, EINVAL, "pod record: %s: bad value %s", name, q(value));
		seen[i] = true;
	}
	r = check_complete(seen, false, e);
	return r < 0 ? r : check_complete(seen, true, e);
}

int pod_record_read(int fd, struct pod_record *ret, struct err *e)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	int r = record_read(&in, fd, POD_RECORD_VERSION, e);

	return r < 0 ? r : pod_record_decode(&in, ret, e);
}

struct pod_record_app *pod_record_add_app(struct pod_record *rec, const char *name,
					  bool has_post_stop)
{
	struct pod_record_app *app;

	rec->apps = xgrow(rec->apps, rec->n_apps, sizeof *rec->apps);
	app = &rec->apps[rec->n_apps++];
	*app = (struct pod_record_app) {
		.name = xstrdup(name),
		.has_post_stop = has_post_stop,
		.streams = {STREAM_NULL, STREAM_LOG, STREAM_LOG},
		.stop_signal = SIGTERM,
	};
	return app;
}

void pod_record_done(struct pod_record *rec)
{
	for (size_t i = 0; i < rec->n_apps; i++) {
		free(rec->apps[i].name);
		free(rec->apps[i].checks);
	}
	free(rec->apps);
	strv_free(rec->sysctls);
	free(rec->uuid);
	free(rec->hostname);
	*rec = (struct pod_record) {0};
}
