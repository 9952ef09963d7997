/*
 * gantry list: a table, or JSON. What is wrong with single pods is told on standard error at the
 * end.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/cli/format.h"
#include "stage0/cli/table.h"
#include "stage0/command.h"
#include "stage0/pod/name.h"
#include "stage0/pod/status.h"

struct target {
	bool full, no_legend;
	char *format;
};

static const struct opt opts[] = {
	{.name = "full", .type = OPT_FLAG, .offset = offsetof(struct target, full),
	 .help = "whole UUIDs, ids and times"},
	{.name = "no-legend", .type = OPT_FLAG, .offset = offsetof(struct target, no_legend),
	 .help = "no line of titles"},
	{.name = "format", .type = OPT_STRING, .offset = offsetof(struct target, format),
	 .arg = "WORD",
	 .help = "json or json-pretty"},
};

struct listing {
	const struct target *t;
	int64_t now;
	char **cells; /* row by row, n_columns() each */
	size_t n_cells;
	bool has_names; /* of a pod at least: then --full has a column more than rkt's */
	cJSON *json;
	char **errors;
	size_t n_errors;
};

static size_t n_columns(const struct target *t)
{
	return t->full ? 9 : 7;
}

/*
 * Takes over `text`. A label of an image may hold anything: nothing of it may steer a terminal or
 * add a column.
 */
static void add_foreign(struct listing *l, char *text)
{
	strv_push_n(&l->cells, &l->n_cells, text ? str_escape(text, strlen(text)) : xstrdup(""));
	free(text);
}

static void add_cell(struct listing *l, char *text)
{
	strv_push_n(&l->cells, &l->n_cells, text ? text : xstrdup(""));
}

static void add_error(struct listing *l, const char *uuid, const char *why)
{
	strv_push_n(&l->errors, &l->n_errors, xasprintf("pod %s: %s", uuid, why));
}

static char *time_cell(const struct listing *l, int64_t ns)
{
	return l->t->full ? time_full(ns) : time_humanized(ns, l->now);
}

/* One row; only an app's first row carries what belongs to the pod. */
static void add_row(struct listing *l, const struct pod *p, const struct pod_status *s,
		    const struct app_status *a, bool first)
{
	char *image = a ? pod_image_name(p, a->app) : NULL;
	char *name = first && l->t->full ? pod_name_of(p) : NULL;

	add_cell(l, first ? xstrndup(p->uuid, l->t->full ? UUID_LEN : 8) : NULL);
	add_cell(l, xstrdup(a ? a->app->name : "-"));
	add_foreign(l, image ? image : xstrdup("-"));
	if (l->t->full)
		add_cell(l, a ? xstrndup(a->app->image_id, 19) : xstrdup("-"));
	add_cell(l, first ? xstrdup(pod_state_name(p->state)) : NULL);
	add_cell(l, first ? time_cell(l, s->created_ns) : NULL);
	add_cell(l, first ? time_cell(l, s->started_ns) : NULL);
	add_foreign(l, first ? xstrdup_null(s->networks) : NULL);
	l->has_names |= name != NULL;
	if (l->t->full)
		add_cell(l, name);
}

static void add_pod(struct listing *l, int pods, const char *uuid)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_pod_status_ struct pod_status s = {0};
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_open(pods, uuid, &p, &e);
	bool opened = r == 0;

	/* Gone between the look at the directory and now: that is no error. */
	if (r == -ENOENT || (opened && !(PHASES_SHOWN & 1u << p.phase)))
		return;
	if (opened)
		r = pod_status_read(&p, &s, &e);
	if (r == -ENOENT)
		return;
	if (r < 0)
		add_error(l, uuid, err_text(&e));
	if (!opened)
		return;
	if (l->json) {
		if (s.created_ns)
			cJSON_AddItemToArray(l->json, pod_status_json(&p, &s));
		else if (r == 0)
			add_error(l, uuid, "it has no creation time yet");
		return;
	}
	if (!s.n_apps)
		add_row(l, &p, &s, NULL, true);
	for (size_t i = 0; i < s.n_apps; i++)
		add_row(l, &p, &s, &s.apps[i], i == 0);
}

static void add_legend(struct listing *l)
{
	static const char *const titles[] = {"UUID",	"APP",	   "IMAGE NAME", "IMAGE ID", "STATE",
					     "CREATED", "STARTED", "NETWORKS",	 "POD NAME"};

	for (size_t i = 0; i < ELEMENTSOF(titles); i++)
		if (l->t->full || (strcmp(titles[i], "IMAGE ID") && strcmp(titles[i], "POD NAME")))
			add_cell(l, xstrdup(titles[i]));
}

/* Without a name anywhere the columns of --full are rkt's. */
static void print_table(const struct listing *l)
{
	size_t n = n_columns(l->t);

	table_print_some(stdout, (const char *const *) l->cells, l->n_cells / n, n,
			 l->t->full && !l->has_names ? n - 1 : n);
}

static void report_errors(const struct listing *l)
{
	if (!l->n_errors)
		return;
	log_error("%zu error(s) encountered when listing pods:", l->n_errors);
	for (char *const *text = l->errors; *text; text++)
		log_error("%s", *text);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct listing l = {.t = target, .now = time_now_ns()};
	_cleanup_strv_ char **uuids = NULL;
	_cleanup_fd_ int pods = -EBADF;
	enum format format;
	int r = format_parse(l.t->format, &format, e);

	if (r < 0)
		return r;
	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pods_list(pods, PHASES_SHOWN, &uuids, e);
	if (r < 0)
		return r;
	if (format != FORMAT_TEXT)
		l.json = cJSON_CreateArray();
	else if (!l.t->no_legend)
		add_legend(&l);
	for (char **u = uuids; u && *u; u++)
		add_pod(&l, pods, *u);
	if (l.json)
		format_print_array(l.json, format);
	else
		print_table(&l);
	report_errors(&l);
	cJSON_Delete(l.json);
	strv_free(l.cells);
	strv_free(l.errors);
	return 0;
}

static void done(void *target)
{
	free(((struct target *) target)->format);
}

const struct command cmd_list = {
	.name = "list",
	.usage = "[options]",
	.summary = "list pods",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
