/*
 * gantry status: key=value lines, or the pod object of list; --wait until the pod has ended.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/cli/format.h"
#include "stage0/cli/table.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/status.h"

struct target {
	char *uuid_file, *format;
	char **wait, **wait_ready;
};

static const struct opt opts[] = {
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
	{.name = "wait",
	 .type = OPT_OPTIONAL, .offset = offsetof(struct target, wait), .bare = "true",
	 .arg = "BOOL|DURATION",
	 .help = "wait until the pod has ended"},
	{.name = "wait-ready",
	 .type = OPT_OPTIONAL, .offset = offsetof(struct target, wait_ready), .bare = "true",
	 .arg = "BOOL|DURATION", .help = "wait until all apps run"},
	{.name = "format", .type = OPT_STRING, .offset = offsetof(struct target, format),
	 .arg = "WORD",
	 .help = "json or json-pretty"},
};

/* true or negative: -1 (for ever); false or 0: 0; else milliseconds. */
static int parse_wait(char *const *uses, const char *option, int64_t *ret_ms, struct err *e)
{
	const char *word = uses ? uses[strv_len(uses) - 1] : "false";
	int64_t ns;
	bool b;

	if (parse_bool(word, &b) == 0) {
		*ret_ms = b ? -1 : 0;
		return 0;
	}
	if (parse_duration(word, &ns) < 0)
		return err_set(e, EINVAL, "--%s %s: true, false or a duration", option, q(word));
	*ret_ms = ns < 0 ? -1 : (ns + 999999) / 1000000;
	return 0;
}

static void print_health(const struct app_status *a)
{
	_cleanup_free_ char *health = a->health ? str_escape(a->health, strlen(a->health)) : NULL;

	if (!health)
		return;
	if (strcmp(health, "none"))
		printf("app-%s-health=%s\n", a->app->name, health);
	printf("app-%s-ready=%s\napp-%s-restarts=%lld\n", a->app->name, a->ready ? "true" : "false",
	       a->app->name, (long long) a->restarts);
}

static void print_text(const struct pod *p, const struct pod_status *s)
{
	_cleanup_free_ char *created = time_full(s->created_ns),
			    *started = time_full(s->started_ns);
	bool past = p->state == POD_STATE_EXITED || p->state == POD_STATE_EXITED_GARBAGE ||
		    p->state == POD_STATE_EXITED_DELETING;

	if (s->name)
		printf("name=%s\n", s->name);
	printf("state=%s\n", pod_state_name(p->state));
	if (s->created_ns)
		printf("created=%s\n", created);
	if (s->started_ns)
		printf("started=%s\n", started);
	if (p->state == POD_STATE_RUNNING || past)
		printf("networks=%s\n", s->networks ? s->networks : "");
	if (p->state != POD_STATE_RUNNING && !past)
		return;
	if (s->pid)
		printf("pid=%d\n", (int) s->pid);
	printf("exited=%s\n", past ? "true" : "false");
	for (size_t i = 0; i < s->n_apps; i++)
		print_health(&s->apps[i]);
	for (size_t i = 0; i < s->n_apps && past; i++)
		if (s->apps[i].exit_code >= 0)
			printf("app-%s=%d\n", s->apps[i].app->name, s->apps[i].exit_code);
}

static int print(int pods, const char *uuid, enum format format, struct err *e)
{
	_cleanup_pod_status_ struct pod_status s = {0};
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_open(pods, uuid, &p, e);

	if (r == 0)
		r = pod_status_read(&p, &s, e);
	if (r < 0)
		return r;
	if (format == FORMAT_TEXT) {
		print_text(&p, &s);
	} else {
		_cleanup_json_ cJSON *j = pod_status_json(&p, &s);

		format_print(j, format);
	}
	return 0;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	int64_t wait_ms, ready_ms;
	enum format format;
	int r = format_parse(t->format, &format, e);

	if (r == 0)
		r = parse_wait(t->wait, "wait", &wait_ms, e);
	if (r == 0)
		r = parse_wait(t->wait_ready, "wait-ready", &ready_ms, e);
	if (r < 0)
		return r;
	r = pod_words_or_exit(words, t->uuid_file, &uuids, e);
	if (r != 0)
		return r;
	r = pod_find_one(g, uuids, &pods, &p, e);
	if (r == 0 && ready_ms)
		r = pod_wait_ready(&p, NULL, ready_ms, e);
	if (r == 0 && wait_ms)
		r = pod_wait_ended(&p, wait_ms, e);
	if (r == 0)
		r = print(pods, p.uuid, format, e);
	return r;
}

static void done(void *target)
{
	struct target *t = target;

	free(t->uuid_file);
	free(t->format);
	strv_free(t->wait);
	strv_free(t->wait_ready);
}

const struct command cmd_status = {
	.name = "status",
	.usage = "[options] UUID|NAME | --uuid-file=PATH",
	.summary = "show the state of a pod, or wait for it",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
