#include "contract/app_record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "contract/app_record_check.h"

/*
 * --- what kinds of values there are -------------------------------------------------------------
 */

/*
 * One kind of value: how its text becomes the field and how the field becomes text.  `n` is how
 * often the key was seen before (or, when writing, which element is asked for); get() returns NULL
 * at the end.
 */
struct kind {
	bool many;
	int (*set)(struct app_record *rec, void *field, const char *value, size_t n);
	char *(*get)(const struct app_record *rec, const void *field, size_t n);
};

static int set_text(_unused_ struct app_record *rec, void *field, const char *value,
		    _unused_ size_t n)
{
	*(char **) field = xstrdup(value);
	return 0;
}

static int set_word(struct app_record *rec, void *field, const char *value, size_t n)
{
	return *value ? set_text(rec, field, value, n) : -EINVAL;
}

static int set_path(struct app_record *rec, void *field, const char *value, size_t n)
{
	return path_is_absolute(value) ? set_text(rec, field, value, n) : -EINVAL;
}

static char *get_text(_unused_ const struct app_record *rec, const void *field, size_t n)
{
	return n ? NULL : xstrdup_null(*(char *const *) field);
}

static int set_list(_unused_ struct app_record *rec, void *field, const char *value, size_t n)
{
	char ***v = field;

	*v = xgrow(*v, n + 1, sizeof **v);
	(*v)[n] = xstrdup(value);
	(*v)[n + 1] = NULL;
	return 0;
}

/* The first word is a program: an empty one can only be a mistake. */
static int set_argv(struct app_record *rec, void *field, const char *value, size_t n)
{
	return n || *value ? set_list(rec, field, value, n) : -EINVAL;
}

static int set_paths(struct app_record *rec, void *field, const char *value, size_t n)
{
	return path_is_absolute(value) ? set_list(rec, field, value, n) : -EINVAL;
}

static int set_env(struct app_record *rec, void *field, const char *value, size_t n)
{
	const char *eq = strchr(value, '=');

	return eq && eq != value ? set_list(rec, field, value, n) : -EINVAL;
}

int app_record_parse_listen(const char *text, bool *ret_udp, unsigned *ret_port,
			    const char **ret_name)
{
	bool tcp = str_starts(text, "tcp "), fd = str_starts(text, "fd ");
	_cleanup_free_ char *port = NULL;
	const char *rest, *space;
	uint64_t n = 0;

	if (!tcp && !fd && !str_starts(text, "udp "))
		return -EINVAL;
	rest = text + (fd ? 3 : 4);
	if (!fd) {
		space = strchr(rest, ' ');
		if (!space)
			return -EINVAL;
		port = xstrndup(rest, (size_t) (space - rest));
		if (parse_u64(port, 65535, &n) < 0 || !n)
			return -EINVAL;
		rest = space + 1;
	}
	/* sd_listen_fds_with_names(3): names are separated by colons. */
	if (!*rest || strpbrk(rest, ": "))
		return -EINVAL;
	*ret_udp = !tcp && !fd;
	*ret_port = (unsigned) n;
	*ret_name = rest;
	return 0;
}

static int set_listen(struct app_record *rec, void *field, const char *value, size_t n)
{
	const char *name;
	unsigned port;
	bool udp;

	if (app_record_parse_listen(value, &udp, &port, &name) < 0)
		return -EINVAL;
	return set_list(rec, field, value, n);
}

static char *get_list(_unused_ const struct app_record *rec, const void *field, size_t n)
{
	char *const *v = *(char **const *) field;

	return v ? xstrdup_null(v[n]) : NULL;
}

static int set_bool(_unused_ struct app_record *rec, void *field, const char *value,
		    _unused_ size_t n)
{
	if (strcmp(value, "0") && strcmp(value, "1"))
		return -EINVAL;
	*(bool *) field = *value == '1';
	return 0;
}

static char *get_bool(_unused_ const struct app_record *rec, const void *field, size_t n)
{
	return n ? NULL : xstrdup(*(const bool *) field ? "1" : "0");
}

static int set_mask(_unused_ struct app_record *rec, void *field, const char *value,
		    _unused_ size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	if (strlen(value) != 16)
		return -EINVAL;
	for (; *value; value++) {
		const char *d = strchr(digits, *value);

		if (!d)
			return -EINVAL;
		v = v << 4 | (uint64_t) (d - digits);
	}
	*(uint64_t *) field = v;
	return 0;
}

static char *get_mask(_unused_ const struct app_record *rec, const void *field, size_t n)
{
	return n ? NULL : xasprintf("%016" PRIx64, *(const uint64_t *) field);
}

static int set_score(struct app_record *rec, void *field, const char *value, _unused_ size_t n)
{
	int64_t v;

	if (parse_i64(value, -1000, 1000, &v) < 0)
		return -EINVAL;
	*(int *) field = (int) v;
	rec->has_oom_score_adj = true;
	return 0;
}

static char *get_score(const struct app_record *rec, const void *field, size_t n)
{
	return n || !rec->has_oom_score_adj ? NULL : xasprintf("%d", *(const int *) field);
}

static int set_gid(struct app_record *rec, _unused_ void *field, const char *value,
		   _unused_ size_t n)
{
	gid_t gid;

	if (parse_uid(value, &gid) < 0)
		return -EINVAL;
	app_record_add_gid(rec, gid);
	return 0;
}

static char *get_gid(const struct app_record *rec, _unused_ const void *field, size_t n)
{
	return n < rec->n_gids ? xasprintf("%u", rec->gids[n]) : NULL;
}

/* Cut one word at the next space; NULL when there is none. */
static char *next_word(char **rest)
{
	char *word = *rest, *space = strchr(word, ' ');

	if (!space)
		return NULL;
	*space = '\0';
	*rest = space + 1;
	return word;
}

static int parse_limit(const char *s, uint64_t *ret)
{
	if (!strcmp(s, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return parse_u64(s, UINT64_MAX - 1, ret);
}

static int set_rlimit(struct app_record *rec, _unused_ void *field, const char *value,
		      _unused_ size_t n)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = copy, *name = next_word(&rest), *soft = name ? next_word(&rest) : NULL;
	uint64_t s, h;

	if (!soft || !*name || parse_limit(soft, &s) < 0 || parse_limit(rest, &h) < 0 || s > h)
		return -EINVAL;
	app_record_add_rlimit(rec, name, s, h);
	return 0;
}

static void add_limit(struct strbuf *sb, uint64_t v)
{
	if (v == UINT64_MAX)
		strbuf_adds(sb, " unlimited");
	else
		strbuf_addf(sb, " %" PRIu64, v);
}

static char *get_rlimit(const struct app_record *rec, _unused_ const void *field, size_t n)
{
	struct strbuf sb = STRBUF_INIT;

	if (n >= rec->n_rlimits)
		return NULL;
	strbuf_adds(&sb, rec->rlimits[n].name);
	add_limit(&sb, rec->rlimits[n].soft);
	add_limit(&sb, rec->rlimits[n].hard);
	return strbuf_take(&sb);
}

/* One of two words. */
static int either(const char *word, const char *yes, const char *no, bool *ret)
{
	if (!word || (strcmp(word, yes) && strcmp(word, no)))
		return -EINVAL;
	*ret = !strcmp(word, yes);
	return 0;
}

static int set_mount(struct app_record *rec, _unused_ void *field, const char *value,
		     _unused_ size_t n)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = copy, *words[5];
	bool ro, dir, recursive;
	uint64_t fd;

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		words[i] = next_word(&rest);
		if (!words[i])
			return -EINVAL;
	}
	if (strcmp(words[0], "fd") || parse_u64(words[1], 65535, &fd) < 0 ||
	    either(words[2], "ro", "rw", &ro) < 0 || either(words[3], "dir", "file", &dir) < 0 ||
	    either(words[4], "rec", "norec", &recursive) < 0 || !path_is_absolute(rest))
		return -EINVAL;
	app_record_add_mount(rec, (unsigned) fd, ro, dir, recursive, rest);
	return 0;
}

static char *get_mount(const struct app_record *rec, _unused_ const void *field, size_t n)
{
	const struct app_mount *m = rec->mounts + n;

	if (n >= rec->n_mounts)
		return NULL;
	return xasprintf("fd %u %s %s %s %s", m->fd, m->read_only ? "ro" : "rw",
			 m->dir ? "dir" : "file", m->recursive ? "rec" : "norec", m->target);
}

static const struct kind WORD = {false, set_word, get_text}, PATH = {false, set_path, get_text},
			 ARGV = {true, set_argv, get_list}, PATHS = {true, set_paths, get_list},
			 ENV = {true, set_env, get_list}, BOOL = {false, set_bool, get_bool},
			 MASK = {false, set_mask, get_mask}, SCORE = {false, set_score, get_score},
			 GID = {true, set_gid, get_gid}, RLIMIT = {true, set_rlimit, get_rlimit},
			 MOUNT = {true, set_mount, get_mount},
			 LISTEN = {true, set_listen, get_list}, CHECK = {true, app_check_set, app_check_get},
			 CHECK_ARG = {true, app_check_set_arg, app_check_get_arg};

/*
 * --- THE table
 * ------------------------------------------------------------------------------------
 */

static const struct key {
	const char *name;
	const struct kind *kind;
	size_t offset;
	bool required;
} keys[] = {
	{"app", &WORD, offsetof(struct app_record, app), true},
	{"exec", &ARGV, offsetof(struct app_record, exec), true},
	{"cwd", &PATH, offsetof(struct app_record, cwd), true},
	{"make-cwd", &BOOL, offsetof(struct app_record, make_cwd), false},
	{"user", &WORD, offsetof(struct app_record, user), true},
	{"group", &WORD, offsetof(struct app_record, group), true},
	{"gid", &GID, 0, false},
	{"login-groups", &BOOL, offsetof(struct app_record, login_groups), false},
	{"env", &ENV, offsetof(struct app_record, env), false},
	{"login-env", &BOOL, offsetof(struct app_record, login_env), false},
	{"caps-bounding", &MASK, offsetof(struct app_record, caps_bounding), true},
	{"caps-ambient", &MASK, offsetof(struct app_record, caps_ambient), true},
	{"no-new-privs", &BOOL, offsetof(struct app_record, no_new_privs), true},
	{"seccomp", &BOOL, offsetof(struct app_record, seccomp), true},
	{"rlimit", &RLIMIT, 0, false},
	{"oom-score-adj", &SCORE, offsetof(struct app_record, oom_score_adj), false},
	{"apparmor", &WORD, offsetof(struct app_record, apparmor), false},
	{"selinux", &WORD, offsetof(struct app_record, selinux), false},
	{"read-only-root", &BOOL, offsetof(struct app_record, read_only_root), true},
	{"paths", &BOOL, offsetof(struct app_record, paths), true},
	{"mask", &PATHS, offsetof(struct app_record, masks), false},
	{"read-only-path", &PATHS, offsetof(struct app_record, read_only_paths), false},
	{"mount", &MOUNT, 0, false},
	{"listen", &LISTEN, offsetof(struct app_record, listen), false},
	{"pre-start", &ARGV, offsetof(struct app_record, pre_start), false},
	{"post-stop", &ARGV, offsetof(struct app_record, post_stop), false},
	{"check", &CHECK, 0, false},
	{"check-arg", &CHECK_ARG, 0, false},
	{"again", &BOOL, offsetof(struct app_record, again), false},
	{"shm", &BOOL, offsetof(struct app_record, shm), true},
	{"tty", &BOOL, offsetof(struct app_record, tty), true},
	{"private-users", &BOOL, offsetof(struct app_record, private_users), false},
	{"chroot", &BOOL, offsetof(struct app_record, chroot), false},
};

void app_record_encode(const struct app_record *rec, struct strbuf *sb)
{
	record_begin(sb, APP_RECORD_VERSION);
	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		const struct key *k = keys + i;

		for (size_t n = 0;; n++) {
			_cleanup_free_ char *value =
				k->kind->get(rec, (const char *) rec + k->offset, n);

			if (!value)
				break;
			record_add(sb, k->name, value);
		}
	}
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(keys); i++)
		if (!strcmp(keys[i].name, name))
			return keys + i;
	return NULL;
}

int app_record_decode(struct record *in, struct app_record *ret, struct err *e)
{
	size_t seen[ELEMENTSOF(keys)] = {0};
	const char *name, *value;

	while (record_next(in, &name, &value)) {
		const struct key *k = find_key(name);
		size_t *n = k ? seen + (k - keys) : NULL;

		if (!k)
			return err_set(e, EINVAL, "app record: unknown key %s", q(name));
		if (*n && !k->kind->many)
			return err_set(e, EINVAL, "app record: %s: given twice", name);
		if (k->kind->set(ret, (char *) ret + k->offset, value, *n) < 0)
			return err_set(e, EINVAL, "app record: %s: bad value %s", name, q(value));
		(*n)++;
	}
	for (size_t i = 0; i < ELEMENTSOF(keys); i++)
		if (keys[i].required && !seen[i])
			return err_set(e, EINVAL, "app record: %s: missing", keys[i].name);
	return 0;
}

int app_record_read(int fd, struct app_record *ret, struct err *e)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	int r = record_read(&in, fd, APP_RECORD_VERSION, e);

	return r < 0 ? r : app_record_decode(&in, ret, e);
}

/*
 * --- the struct
 * -----------------------------------------------------------------------------------
 */

void app_record_add_gid(struct app_record *rec, gid_t gid)
{
	rec->gids = xgrow(rec->gids, rec->n_gids, sizeof *rec->gids);
	rec->gids[rec->n_gids++] = gid;
}

void app_record_add_rlimit(struct app_record *rec, const char *name, uint64_t soft, uint64_t hard)
{
	rec->rlimits = xgrow(rec->rlimits, rec->n_rlimits, sizeof *rec->rlimits);
	rec->rlimits[rec->n_rlimits++] = (struct app_rlimit) {xstrdup(name), soft, hard};
}

void app_record_add_mount(struct app_record *rec, unsigned fd, bool read_only, bool dir,
			  bool recursive, const char *target)
{
	rec->mounts = xgrow(rec->mounts, rec->n_mounts, sizeof *rec->mounts);
	rec->mounts[rec->n_mounts++] =
		(struct app_mount){fd, read_only, dir, recursive, xstrdup(target)};
}

/*
 * runc's and moby's list with what rkt hides besides (/proc/kallsyms and the like); rkt's own lacks
 * keys, timer_list, acpi and scsi.
 */
void app_record_default_paths(struct app_record *rec)
{
	static const char *const masks[] = {
		"/proc/acpi",	     "/proc/asound",
		"/proc/config.gz",   "/proc/interrupts",
		"/proc/kallsyms",    "/proc/kcore",
		"/proc/keys",	     "/proc/kmsg",
		"/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi",	     "/proc/timer_list",
		"/proc/timer_stats", "/sys/devices/virtual/powercap",
		"/sys/firmware",     "/sys/fs",
		"/sys/hypervisor",   "/sys/module",
		"/sys/power",
	};
	static const char *const read_only[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};

	for (size_t i = 0; i < ELEMENTSOF(masks); i++)
		strv_add(&rec->masks, masks[i]);
	for (size_t i = 0; i < ELEMENTSOF(read_only); i++)
		strv_add(&rec->read_only_paths, read_only[i]);
}

void app_record_done(struct app_record *rec)
{
	for (size_t i = 0; i < rec->n_rlimits; i++)
		free(rec->rlimits[i].name);
	for (size_t i = 0; i < rec->n_mounts; i++)
		free(rec->mounts[i].target);
	app_checks_done(rec);
	free(rec->app);
	free(rec->cwd);
	free(rec->apparmor);
	free(rec->selinux);
	free(rec->user);
	free(rec->group);
	free(rec->gids);
	free(rec->rlimits);
	free(rec->mounts);
	strv_free(rec->exec);
	strv_free(rec->env);
	strv_free(rec->masks);
	strv_free(rec->read_only_paths);
	strv_free(rec->listen);
	strv_free(rec->pre_start);
	strv_free(rec->post_stop);
	*rec = (struct app_record) {0};
}
