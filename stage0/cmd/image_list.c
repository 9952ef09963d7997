/*
 * gantry image list.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "stage0/cli/format.h"
#include "stage0/cli/table.h"
#include "stage0/command.h"
#include "stage0/store/store.h"

#define SHORT_ID_LEN (7 + 12)

enum field { FIELD_ID, FIELD_NAME, FIELD_SIZE, FIELD_IMPORT_TIME, FIELD_LAST_USED, FIELD_MAX };

static const struct {
	const char *word, *title;
} fields[] = {
	[FIELD_ID] = {"id", "ID"},
	[FIELD_NAME] = {"name", "NAME"},
	[FIELD_SIZE] = {"size", "SIZE"},
	[FIELD_IMPORT_TIME] = {"importtime", "IMPORT TIME"},
	[FIELD_LAST_USED] = {"lastused", "LAST USED"},
};

struct target {
	bool full, no_legend;
	char *fields, *sort, *order, *format;
};

static const struct opt opts[] = {
	{.name = "fields",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, fields),
	 .arg = "LIST",
	 .help = "columns: id,name,size,importtime,lastused"},
	{.name = "sort",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, sort),
	 .arg = "LIST",
	 .help = "by name, importtime (the default), lastused, size"},
	{.name = "order",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, order),
	 .arg = "WORD",
	 .help = "asc (the default) or desc"},
	{.name = "no-legend",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, no_legend),
	 .help = "no line of titles"},
	{.name = "full",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, full),
	 .help = "whole ids, bytes and times"},
	{.name = "format",
	 .type = OPT_STRING,
	 .offset = offsetof(struct target, format),
	 .arg = "WORD",
	 .help = "json or json-pretty"},
};

/* What is to be shown, in which order. */
struct view {
	enum field columns[FIELD_MAX], keys[FIELD_MAX];
	size_t n_columns, n_keys;
	bool descending;
};

static int read_fields(const char *text, const char *what, enum field *ret, size_t *ret_n,
		       struct err *e)
{
	_cleanup_strv_ char **words = strv_split(text, ',');
	size_t n = 0;

	for (size_t i = 0; words[i]; i++) {
		int f = 0;

		while (f < FIELD_MAX && strcmp(fields[f].word, words[i]))
			f++;
		if (f == FIELD_MAX)
			return err_set(e, EINVAL, "--%s: unknown field %s", what, q(words[i]));
		for (size_t j = 0; j < n; j++)
			if (ret[j] == (enum field) f)
				return err_set(e, EINVAL, "--%s: %s is there twice", what,
					       q(words[i]));
		ret[n++] = (enum field) f;
	}
	*ret_n = n;
	return 0;
}

static int read_view(const struct target *t, struct view *v, struct err *e)
{
	const char *all = "id,name,size,importtime,lastused";
	int r = read_fields(t->fields ? t->fields : all, "fields", v->columns, &v->n_columns, e);

	if (r == 0)
		r = read_fields(t->sort ? t->sort : "importtime", "sort", v->keys, &v->n_keys, e);
	for (size_t i = 0; r == 0 && i < v->n_keys; i++)
		if (v->keys[i] == FIELD_ID)
			r = err_set(e, EINVAL, "--sort: not by id");
	if (r == 0 && t->order && strcmp(t->order, "asc") && strcmp(t->order, "desc"))
		r = err_set(e, EINVAL, "--order: %s is neither asc nor desc", q(t->order));
	v->descending = t->order && !strcmp(t->order, "desc");
	return r;
}

static char *full_name(const struct store_info *i)
{
	return i->version ? xasprintf("%s:%s", i->name, i->version) : xstrdup(i->name);
}

static int compare_field(enum field f, const struct store_info *a, const struct store_info *b)
{
	int64_t x = 0, y = 0;

	switch (f) {
	case FIELD_NAME: {
		_cleanup_free_ char *na = full_name(a), *nb = full_name(b);

		return strcmp(na, nb);
	}
	case FIELD_SIZE:
		x = a->blob_size + a->tree_size;
		y = b->blob_size + b->tree_size;
		break;
	case FIELD_IMPORT_TIME:
		x = a->import_time_ns;
		y = b->import_time_ns;
		break;
	case FIELD_LAST_USED:
		x = a->last_used_ns;
		y = b->last_used_ns;
		break;
	case FIELD_ID:
	case FIELD_MAX:
		break;
	}
	return x < y ? -1 : x > y;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct view *v = arg;
	int c = 0;

	for (size_t i = 0; c == 0 && i < v->n_keys; i++)
		c = compare_field(v->keys[i], a, b);
	return v->descending ? -c : c;
}

static char *cell(const struct target *t, enum field f, const struct store_info *i, int64_t now)
{
	int64_t size = i->blob_size + i->tree_size;
	_cleanup_free_ char *name = NULL;

	switch (f) {
	case FIELD_ID:
		return xstrndup(i->id, t->full ? IMAGE_ID_LEN : SHORT_ID_LEN);
	case FIELD_NAME:
		/* A label's value is any text, and the image's maker chose it. */
		name = full_name(i);
		return str_escape(name, strlen(name));
	case FIELD_SIZE:
		return t->full ? xasprintf("%lld", (long long) size) : size_iec(size);
	case FIELD_IMPORT_TIME:
		return t->full ? time_full(i->import_time_ns)
			       : time_humanized(i->import_time_ns, now);
	case FIELD_LAST_USED:
		return t->full ? time_full(i->last_used_ns) : time_humanized(i->last_used_ns, now);
	case FIELD_MAX:
		break;
	}
	return xstrdup("");
}

static void print_table(const struct target *t, const struct view *v, const struct store_list *l)
{
	int64_t now = time_now_ns();
	size_t rows = l->n + !t->no_legend, n = 0;
	/* Ended by NULL; strv_push() would look for the end at each of thousands. */
	_cleanup_strv_ char **cells = xcalloc(rows * v->n_columns + 1, sizeof *cells);

	for (size_t c = 0; !t->no_legend && c < v->n_columns; c++)
		cells[n++] = xstrdup(fields[v->columns[c]].title);
	for (size_t i = 0; i < l->n; i++)
		for (size_t c = 0; c < v->n_columns; c++)
			cells[n++] = cell(t, v->columns[c], &l->v[i], now);
	table_print(stdout, (const char *const *) cells, rows, v->n_columns);
}

/* Nanoseconds do not fit into a double: as raw digits. */
static void add_int64(cJSON *o, const char *key, int64_t value)
{
	char text[24];

	(void) snprintf(text, sizeof text, "%lld", (long long) value);
	cJSON_AddRawToObject(o, key, text);
}

static void print_json(const struct store_list *l, enum format format)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *name = full_name(&l->v[i]);
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "id", l->v[i].id);
		cJSON_AddStringToObject(o, "name", name);
		add_int64(o, "import_time", l->v[i].import_time_ns);
		add_int64(o, "last_used_time", l->v[i].last_used_ns);
		add_int64(o, "size", l->v[i].blob_size + l->v[i].tree_size);
		cJSON_AddItemToArray(array, o);
	}
	format_print_array(array, format);
	cJSON_Delete(array);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;
	struct store_list l = {0};
	struct view v = {0};
	_cleanup_fd_ int store = -EBADF;
	enum format format;
	int r = format_parse(t->format, &format, e);

	if (r == 0 && strv_len(words))
		r = err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (r == 0)
		r = read_view(t, &v, e);
	if (r < 0)
		return r;
	store = store_open_existing(g, e);
	if (store < 0 && store != -ENOENT)
		return store;
	r = store < 0 ? 0 : store_list(store, &l, e);
	if (r < 0)
		return r;
	if (l.n)
		qsort_r(l.v, l.n, sizeof *l.v, compare, &v);
	if (format == FORMAT_TEXT)
		print_table(t, &v, &l);
	else
		print_json(&l, format);
	store_list_done(&l);
	return 0;
}

static void done(void *target)
{
	struct target *t = target;

	free(t->fields);
	free(t->sort);
	free(t->order);
	free(t->format);
}

const struct command cmd_image_list = {
	.name = "image list",
	.usage = "[options]",
	.summary = "list the images in the store",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run,
	.done = done,
};
