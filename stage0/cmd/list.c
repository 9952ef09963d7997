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
	struct strbuf text; /* of all cells, row by row, n_columns() each; each ends with a NUL */
	size_t n_cells;
	bool has_names; /* of a pod at least: then --full has a column more than rkt's */
	enum format format;
	struct strbuf json; /* pod objects, with what stands between them */
	char **errors;
	size_t n_errors;
};

static size_t n_columns(const struct target *t)
{
	return t->full ? 9 : 7;
}

static void add_cell(struct listing *l, const char *text, size_t len)
{
	strbuf_add(&l->text, text, len);
	strbuf_addc(&l->text, '\0');
	l->n_cells++;
}

static void add(struct listing *l, const char *text)
{
	add_cell(l, text, text ? strlen(text) : 0);
}

/* A label of an image may hold anything: nothing of it may steer a terminal or add a column. */
static void add_foreign(struct listing *l, const char *text)
{
	_cleanup_free_ char *shown = str_escape(text, strlen(text));

	add(l, shown);
}

static void add_error(struct listing *l, const char *uuid, const char *why)
{
	strv_push_n(&l->errors, &l->n_errors, xasprintf("pod %s: %s", uuid, why));
}

static void add_time(struct listing *l, int64_t ns)
{
	_cleanup_free_ char *text = l->t->full ? time_full(ns) : time_humanized(ns, l->now);

	add(l, text);
}

static void add_image(struct listing *l, const struct pod *p, const struct pod_status *s,
		      const struct app_status *a)
{
	_cleanup_free_ char *name = a ? pod_image_name(p, s, a->app) : NULL;

	add_foreign(l, name ? name : "-");
	if (l->t->full && a)
		add_cell(l, a->app->image_id, strnlen(a->app->image_id, 19));
	else if (l->t->full)
		add(l, "-");
}

/* One row; only an app's first row carries what belongs to the pod. */
static void add_row(struct listing *l, const struct pod *p, const struct pod_status *s,
		    const struct app_status *a, bool first)
{
	add_cell(l, p->uuid, !first ? 0 : l->t->full ? UUID_LEN : 8);
	add(l, a ? a->app->name : "-");
	add_image(l, p, s, a);
	add(l, first ? pod_state_name(p->state) : NULL);
	add_time(l, first ? s->created_ns : 0);
	add_time(l, first ? s->started_ns : 0);
	add(l, first ? s->networks : NULL);
	l->has_names |= first && s->name;
	if (l->t->full)
		add(l, first ? s->name : NULL);
}

/*
 * One at a time: a tree of all pods would be megabytes of fresh memory.  It is an array of one, so
 * that it is indented as a part of the whole.
 */
static void add_json(struct listing *l, const struct pod *p, const struct pod_status *s)
{
	bool pretty = l->format == FORMAT_JSON_PRETTY;
	_cleanup_json_ cJSON *array = cJSON_CreateArray();
	_cleanup_free_ char *text = NULL;

	cJSON_AddItemToArray(array, pod_status_json(p, s));
	text = json_print(array, pretty);
	if (l->json.len)
		strbuf_adds(&l->json, pretty ? ", " : ",");
	strbuf_add(&l->json, text + 1, strlen(text) - 2);
}

static void add_pod(struct listing *l, int pods, const struct pod_ref *ref)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_pod_status_ struct pod_status s = {0};
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_status_look(pods, ref, l->format != FORMAT_TEXT, &p, &s, &e);

	/* Gone between the look at the directory and now: that is no error. */
	if (r == -ENOENT || (r == 0 && !(PHASES_SHOWN & 1u << p.phase)))
		return;
	if (r < 0)
		add_error(l, ref->uuid, err_text(&e));
	if (r < 0 && p.dir < 0)
		return;
	if (l->format != FORMAT_TEXT) {
		if (s.created_ns)
			add_json(l, &p, &s);
		else if (r == 0)
			add_error(l, ref->uuid, "it has no creation time yet");
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
			add(l, titles[i]);
}

/* Without a name anywhere the columns of --full are rkt's. */
static void print_table(const struct listing *l)
{
	_cleanup_free_ const char **cells = xcalloc(l->n_cells + 1, sizeof *cells);
	size_t n = n_columns(l->t);
	const char *at = l->text.buf;

	for (size_t i = 0; i < l->n_cells; i++, at += strlen(at) + 1)
		cells[i] = at;
	table_print_some(stdout, cells, l->n_cells / n, n,
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
	_cleanup_free_ struct pod_ref *refs = NULL;
	_cleanup_fd_ int pods = -EBADF;
	size_t n_refs;
	int r = format_parse(l.t->format, &l.format, e);

	if (r < 0)
		return r;
	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	pods = pods_open(g, true, e);
	if (pods < 0 && pods != -ENOENT)
		return pods;
	r = pods_look(pods, PHASES_SHOWN, &refs, &n_refs, e);
	if (r < 0)
		return r;
	if (l.format == FORMAT_TEXT && !l.t->no_legend)
		add_legend(&l);
	for (size_t i = 0; i < n_refs; i++)
		add_pod(&l, pods, &refs[i]);
	if (l.format == FORMAT_TEXT)
		print_table(&l);
	else
		printf(l.json.len ? "[%s]\n" : "null\n", l.json.buf);
	report_errors(&l);
	strbuf_done(&l.json);
	strbuf_done(&l.text);
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
