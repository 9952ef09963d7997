/*
 * Contract 1: THE table of stage1 arguments, with the two directions that read it.
 */
#include "contract/entry.h"

#include <errno.h>
#include <stddef.h>

#include "base/parse.h"
#include "base/str.h"

enum form { FLAG, TEXT, LIST, PID, IDS };

#define R (1u << ENTRY_RUN)
#define E (1u << ENTRY_ENTER)
#define S (1u << ENTRY_STOP)
#define G (1u << ENTRY_GC)
#define AT(field) offsetof(struct entry_args, field)

static const struct row {
	unsigned points; /* which entry points have it */
	const char *name;
	enum form form;
	size_t offset;
	unsigned since[2]; /* interface version; [1] for gc where it differs */
	bool security;	   /* must not be left out */
} table[] = {
	{R | E | S | G, "debug", FLAG, AT(debug), {1}, false},
	{R, "net", LIST, AT(nets), {1}, true},
	{R | G, "local-config", TEXT, AT(local_config), {1, 5}, false},
	{R, "mds-token", TEXT, AT(mds_token), {1}, false},
	{R, "interactive", FLAG, AT(interactive), {1}, true},
	{R, "private-users", IDS, AT(private_users), {1}, true},
	{R, "hostname", TEXT, AT(hostname), {2}, false},
	{R, "disable-capabilities-restriction", FLAG, AT(no_capabilities), {3}, true},
	{R, "disable-paths", FLAG, AT(no_paths), {3}, true},
	{R, "disable-seccomp", FLAG, AT(no_seccomp), {3}, true},
	{R, "dns-conf-mode", TEXT, AT(dns_conf_mode), {4}, true},
	{R, "ipc", TEXT, AT(ipc), {6}, true},
	{R, "net-dir", LIST, AT(net_dirs), {7}, true},
	{R, "data-dir", TEXT, AT(data_dir), {7}, false},
	{R, "system-config", TEXT, AT(system_config), {7}, false},
	{R, "foreground", FLAG, AT(foreground), {7}, false},
	{R, "dry-run", FLAG, AT(dry_run), {7}, true},
	{E, "pid", PID, AT(pid), {1}, true},
	{E, "appname", TEXT, AT(app), {1}, true},
	{E, "user", TEXT, AT(user), {7}, true},
	{E, "group", TEXT, AT(group), {7}, true},
	{S, "force", FLAG, AT(force), {1}, true},
};

static const char *const names[ENTRY_MAX] = {"run", "enter", "stop", "gc"};
static const char *const annotations[ENTRY_MAX] = {
	"coreos.com/rkt/stage1/run",
	"coreos.com/rkt/stage1/enter",
	"coreos.com/rkt/stage1/stop",
	"coreos.com/rkt/stage1/gc",
};

const char *entry_name(enum entry_point point)
{
	return names[point];
}

const char *entry_annotation(enum entry_point point)
{
	return annotations[point];
}

void entry_args_done(struct entry_args *a)
{
	free(a->uuid);
	strv_free(a->nets);
	strv_free(a->net_dirs);
	free(a->local_config);
	free(a->system_config);
	free(a->data_dir);
	free(a->hostname);
	free(a->mds_token);
	free(a->dns_conf_mode);
	free(a->ipc);
	free(a->app);
	free(a->user);
	free(a->group);
	strv_free(a->command);
	*a = (struct entry_args) ENTRY_ARGS_INIT;
}

static unsigned row_since(const struct row *row, enum entry_point point)
{
	return point == ENTRY_GC && row->since[1] ? row->since[1] : row->since[0];
}

static void row_add_ids(const struct row *row, const struct id_map *m, char ***argv)
{
	char text[ID_MAP_TEXT_MAX];

	if (m->count)
		strv_push(argv, xasprintf("--%s=%s", row->name, id_map_text(m, text)));
}

/* Append "--name=value" for a row, as often as the value is there. */
static void row_add(const struct row *row, const void *field, char ***argv)
{
	switch (row->form) {
	case FLAG:
		if (*(const bool *) field)
			strv_push(argv, xasprintf("--%s", row->name));
		break;
	case TEXT:
		if (*(char *const *) field)
			strv_push(argv, xasprintf("--%s=%s", row->name, *(char *const *) field));
		break;
	case LIST:
		for (char *const *p = *(char **const *) field; p && *p; p++)
			strv_push(argv, xasprintf("--%s=%s", row->name, *p));
		break;
	case PID:
		if (*(const pid_t *) field > 0)
			strv_push(argv, xasprintf("--%s=%d", row->name, (int) *(const pid_t *) field));
		break;
	case IDS:
		row_add_ids(row, field, argv);
		break;
	}
}

int entry_argv(enum entry_point point, unsigned version, const char *arg0, const struct entry_args *a,
	       char ***ret_argv, char ***ret_dropped, struct err *e)
{
	_cleanup_strv_ char **argv = NULL, **dropped = NULL;

	strv_add(&argv, arg0);
	for (size_t i = 0; i < ELEMENTSOF(table); i++) {
		const struct row *row = &table[i];
		bool known = row_since(row, point) <= version;
		size_t before = strv_len(dropped);

		if (!(row->points & 1u << point))
			continue;
		row_add(row, (const char *) a + row->offset, known ? &argv : &dropped);
		if (row->security && strv_len(dropped) > before)
			return err_set(e, EOPNOTSUPP,
				       "--%s: this stage1 has interface version %u, the option came with %u",
				       row->name, version, row_since(row, point));
	}
	if (point == ENTRY_ENTER) {
		strv_add(&argv, "--");
		for (char *const *p = a->command; p && *p; p++)
			strv_add(&argv, *p);
	} else {
		strv_add(&argv, a->uuid);
	}
	*ret_argv = take_ptr(argv);
	if (ret_dropped)
		*ret_dropped = take_ptr(dropped);
	return 0;
}

static const struct row *row_find(enum entry_point point, const char *name, size_t len)
{
	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		if (table[i].points & 1u << point && strlen(table[i].name) == len &&
		    !memcmp(table[i].name, name, len))
			return &table[i];
	return NULL;
}

static int row_store(const struct row *row, const char *value, void *field, struct err *e)
{
	if (row->form != FLAG && !value)
		return err_set(e, EINVAL, "option --%s needs a value", row->name);
	switch (row->form) {
	case FLAG:
		if (!value)
			*(bool *) field = true;
		else if (parse_bool(value, field) < 0)
			return err_set(e, EINVAL, "option --%s: %s is neither true nor false", row->name,
				       q(value));
		break;
	case TEXT:
		free(*(char **) field);
		*(char **) field = xstrdup(value);
		break;
	case LIST:
		strv_add(field, value);
		break;
	case PID:
		if (parse_pid(value, field) < 0)
			return err_set(e, EINVAL, "option --%s: %s is no process id", row->name, q(value));
		break;
	case IDS:
		if (id_map_parse(value, field) < 0)
			return err_set(e, EINVAL, "option --%s: %s is no SHIFT:COUNT of ids", row->name, q(value));
		break;
	}
	return 0;
}

/* The words after the options. */
static int words_store(enum entry_point point, int n, char *const *words, struct entry_args *a,
		       struct err *e)
{
	if (point == ENTRY_ENTER) {
		if (n < 1)
			return err_set(e, EINVAL, "no command given");
		for (int i = 0; i < n; i++)
			strv_add(&a->command, words[i]);
		if (!a->app || a->pid <= 0)
			return err_set(e, EINVAL, "--pid and --appname are needed");
		return 0;
	}
	if (n != 1)
		return err_set(e, EINVAL, n ? "more than one word after the options"
					    : "the pod's UUID is missing");
	a->uuid = xstrdup(words[0]);
	return 0;
}

int entry_parse(enum entry_point point, int argc, char *const *argv, struct entry_args *ret, struct err *e)
{
	_cleanup_entry_args_ struct entry_args a = ENTRY_ARGS_INIT;
	int i, r;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *name, *value;
		const struct row *row;

		if (!str_starts(argv[i], "--"))
			return err_set(e, EINVAL, "unknown option: %s", q(argv[i]));
		name = argv[i] + 2;
		if (!*name) {
			i++;
			break;
		}
		value = strchr(name, '=');
		row = row_find(point, name, value ? (size_t) (value - name) : strlen(name));
		if (!row)
			return err_set(e, EINVAL, "unknown option: %s", q(argv[i]));
		if (value)
			value++;
		else if (row->form != FLAG && i + 1 < argc)
			value = argv[++i];
		r = row_store(row, value, (char *) &a + row->offset, e);
		if (r < 0)
			return r;
	}
	r = words_store(point, argc - i, argv + i, &a, e);
	if (r < 0)
		return r;
	*ret = a;
	a = (struct entry_args) ENTRY_ARGS_INIT;
	return 0;
}
