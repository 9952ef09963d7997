/* The table of isolators: name, where it may stand, and how its value is read. */
#include "spec/isolator.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/isolator_json.h"
#include "spec/unique.h"

/* Kernel: PID_MAX_LIMIT on 64 bit; pids.max takes no more. */
#define PIDS_MAX 4194304
#define MEMORY_MIN 4096

typedef int (*decode_fn)(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);

/* --- resources -------------------------------------------------------------------------------- */

static int decode_quantity(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	int64_t *ret = field;
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	r = quantity_parse(s, ret);
	if (r == -ERANGE)
		return json_err(at, e, "%s: too large", q(s));
	if (r < 0)
		return json_err(at, e, "%s: not a quantity", q(s));
	return 0;
}

/* In thousandths. */
static int decode_resource(const cJSON *j, const struct json_at *at, struct iso_resource *res, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "default", .type = JSON_F_BOOL, .offset = offsetof(struct iso_resource, is_default)},
		{.key = "request",
		 .type = JSON_F_CALL,
		 .offset = offsetof(struct iso_resource, request),
		 .decode = decode_quantity},
		{.key = "limit",
		 .type = JSON_F_CALL,
		 .offset = offsetof(struct iso_resource, limit),
		 .decode = decode_quantity},
	};

	*res = (struct iso_resource) {.request = -1, .limit = -1};
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, res, e);
}

/* From thousandths to whole units, upwards. */
static void whole_units(struct iso_resource *res)
{
	int64_t *const v[] = {&res->request, &res->limit};

	for (size_t i = 0; i < ELEMENTSOF(v); i++)
		if (*v[i] >= 0)
			*v[i] = *v[i] / 1000 + (*v[i] % 1000 != 0);
}

static int member_err(const struct json_at *at, const char *key, struct err *e, const char *text)
{
	struct json_at here = {.up = at, .key = key};

	return json_err(&here, e, "%s", text);
}

/* cpu and memory: "default" is for resources that are divided among devices. */
static int decode_request_limit(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	struct iso_resource *res = &iso->resource;
	int r = decode_resource(j, at, res, e);

	if (r < 0)
		return r;
	if (res->is_default)
		return member_err(at, "default", e, "must not be true here");
	if (res->request < 0 && res->limit < 0)
		return json_err(at, e, "neither request nor limit is given");
	return 0;
}

static int decode_cpu(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	int r = decode_request_limit(j, at, iso, e);

	if (r < 0)
		return r;
	return iso->resource.limit == 0 ? member_err(at, "limit", e, "must be more than 0") : 0;
}

static int decode_memory(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	int r = decode_request_limit(j, at, iso, e);

	if (r < 0)
		return r;
	whole_units(&iso->resource);
	/* "16m" is sixteen thousandths of a byte: whoever writes it means Mi. */
	if (iso->resource.limit >= 0 && iso->resource.limit < MEMORY_MIN)
		return member_err(at, "limit", e, "less than 4096 bytes (the suffix m means thousandths)");
	return 0;
}

static int decode_default_limit(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	struct iso_resource *res = &iso->resource;
	int r = decode_resource(j, at, res, e);

	if (r < 0)
		return r;
	if (!res->is_default)
		return member_err(at, "default", e, "must be true");
	if (res->request >= 0)
		return member_err(at, "request", e, "must be absent");
	if (res->limit < 0)
		return member_err(at, "limit", e, "required member is missing");
	whole_units(res);
	return 0;
}

/* --- sets of names ---------------------------------------------------------------------------- */

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

static bool only(const char *s, const char *chars)
{
	return *s && !s[strspn(s, chars)];
}

static const char *check_cap(const char *s)
{
	return str_starts(s, "CAP_") && only(s + 4, UPPER DIGIT "_") ? NULL : "not a capability's name";
}

static const char *check_syscall(const char *s)
{
	if (*s == '@')
		return only(s + 1, LOWER DIGIT "-._/") ? NULL : "not the name of a set of system calls";
	return only(s, LOWER DIGIT "_") ? NULL : "not a system call's name";
}

static const char *check_errno(const char *s)
{
	return *s == 'E' && only(s + 1, UPPER DIGIT) ? NULL : "not an error's name";
}

/* Both kinds come through here: the set is required, and not empty. */
static int decode_set(const cJSON *j, const struct json_at *at, const struct json_field *fields, size_t n,
		      struct isolator *iso, struct err *e)
{
	int r = json_decode(j, at, fields, n, JSON_REFUSE_UNKNOWN, iso, e);

	if (r < 0)
		return r;
	return iso->names.set ? 0 : member_err(at, "set", e, "must not be empty");
}

static int decode_caps(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "set",
		 .type = JSON_F_STRV,
		 .offset = offsetof(struct isolator, names.set),
		 .required = true,
		 .check = check_cap},
	};

	return decode_set(j, at, fields, ELEMENTSOF(fields), iso, e);
}

static int decode_seccomp(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "set",
		 .type = JSON_F_STRV,
		 .offset = offsetof(struct isolator, names.set),
		 .required = true,
		 .check = check_syscall},
		{.key = "errno",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct isolator, names.err_no),
		 .check = check_errno},
	};

	return decode_set(j, at, fields, ELEMENTSOF(fields), iso, e);
}

/* --- single values ---------------------------------------------------------------------------- */

static int decode_flag(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	return json_bool(j, at, &iso->flag, e);
}

/* cgroup v1 documentation, cpu.shares: MIN_SHARES and MAX_SHARES of the scheduler. */
static int decode_cpu_shares(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	return json_int(j, at, 2, 262144, &iso->number, e);
}

static int decode_oom_score_adj(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	return json_int(j, at, -1000, 1000, &iso->number, e);
}

static int decode_pids_limit(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	uint64_t v;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	if (parse_u64(s, PIDS_MAX, &v) < 0 || v < 1)
		return json_err(at, e, "%s: not a number within 1..%d", q(s), PIDS_MAX);
	*(int64_t *) field = (int64_t) v;
	return 0;
}

static int decode_pids(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "limit",
		 .type = JSON_F_CALL,
		 .offset = offsetof(struct isolator, number),
		 .required = true,
		 .decode = decode_pids_limit},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, iso, e);
}

/* --- the table -------------------------------------------------------------------------------- */

#define APP ISO_SCOPE_APP
#define POD ISO_SCOPE_POD
#define NOTHING ISO_KIND_MAX

static const struct {
	const char *name;
	int scope;
	decode_fn decode;
	enum isolator_kind excludes; /* must not stand beside this one */
} table[ISO_KIND_MAX] = {
	[ISO_CPU] = {"resource/cpu", APP | POD, decode_cpu, NOTHING},
	[ISO_MEMORY] = {"resource/memory", APP | POD, decode_memory, NOTHING},
	[ISO_BLOCK_BW] = {"resource/block-bandwidth", APP | POD, decode_default_limit, NOTHING},
	[ISO_BLOCK_IOPS] = {"resource/block-iops", APP | POD, decode_default_limit, NOTHING},
	[ISO_NET_BW] = {"resource/network-bandwidth", APP | POD, decode_default_limit, NOTHING},
	[ISO_CAPS_RETAIN] = {"os/linux/capabilities-retain-set", APP, decode_caps, ISO_CAPS_REMOVE},
	[ISO_CAPS_REMOVE] = {"os/linux/capabilities-remove-set", APP, decode_caps, ISO_CAPS_RETAIN},
	[ISO_NO_NEW_PRIVS] = {"os/linux/no-new-privileges", APP, decode_flag, NOTHING},
	[ISO_SECCOMP_RETAIN] = {"os/linux/seccomp-retain-set", APP, decode_seccomp, ISO_SECCOMP_REMOVE},
	[ISO_SECCOMP_REMOVE] = {"os/linux/seccomp-remove-set", APP, decode_seccomp, ISO_SECCOMP_RETAIN},
	[ISO_SELINUX] = {"os/linux/selinux-context", APP | POD, isolator_decode_selinux, NOTHING},
	[ISO_APPARMOR] = {"os/linux/apparmor-profile", APP | POD, isolator_decode_apparmor, NOTHING},
	[ISO_SYSCTL] = {"os/unix/sysctl", POD, isolator_decode_sysctl, NOTHING},
	[ISO_CPU_SHARES] = {"os/linux/cpu-shares", APP, decode_cpu_shares, NOTHING},
	[ISO_OOM_SCORE_ADJ] = {"os/linux/oom-score-adj", APP, decode_oom_score_adj, NOTHING},
	[ISO_PIDS] = {"gantry/pids", APP | POD, decode_pids, NOTHING},
	[ISO_STOP_SIGNAL] = {"gantry/stop-signal", APP, isolator_decode_stop_signal, NOTHING},
	[ISO_LOGIN_GROUPS] = {"gantry/login-groups", APP, decode_flag, NOTHING},
	[ISO_INIT_APP] = {"gantry/init-app", APP, decode_flag, NOTHING},
	[ISO_RESTART] = {"gantry/restart", APP, isolator_decode_restart, NOTHING},
	[ISO_HEALTHCHECK] = {"gantry/healthcheck", APP, isolator_decode_check, NOTHING},
	[ISO_PROBE] = {"gantry/probe", APP, isolator_decode_check, NOTHING},
	[ISO_STOP_TIMEOUT] = {"gantry/stop-timeout", POD, isolator_decode_stop_timeout, NOTHING},
};

const char *isolator_name(enum isolator_kind kind)
{
	return table[kind].name;
}

static enum isolator_kind find_kind(const char *name)
{
	size_t i = 0;

	while (i < ELEMENTSOF(table) && strcmp(table[i].name, name))
		i++;
	return (enum isolator_kind) i;
}

struct decoding {
	struct isolator_list *list;
	enum isolator_scope scope;
};

static int name_err(const struct json_at *at, const char *name, struct err *e, const char *text)
{
	struct json_at here = {.up = at, .key = "name"};

	return json_err(&here, e, "%s%s", q(name), text);
}

static int check_place(const struct json_at *at, enum isolator_kind kind, const struct decoding *d, struct err *e)
{
	const char *name = table[kind].name;
	enum isolator_kind other = table[kind].excludes;
	_cleanup_free_ char *text = NULL;

	if (!(table[kind].scope & d->scope))
		return name_err(at, name, e, d->scope == POD ? ": only for an app" : ": only for the pod");
	/* The one that appc's schema allows more than once; the last one counts. */
	if (isolator_find(d->list, kind) && kind != ISO_NO_NEW_PRIVS && kind != ISO_PROBE)
		return name_err(at, name, e, " is there twice");
	if (other == NOTHING || !isolator_find(d->list, other))
		return 0;
	text = xasprintf(" excludes %s", q(table[other].name));
	return name_err(at, name, e, text);
}

/* The value is read when the name is known: until then only its place is. */
static int point_to(const cJSON *j, const struct json_at *at _unused_, void *field, struct err *e _unused_)
{
	*(const cJSON **) field = j;
	return 0;
}

static int decode_element(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct nv {
		char *name;
		const cJSON *value;
	} nv = {0};
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct nv, name), .required = true},
		{.key = "value",
		 .type = JSON_F_CALL,
		 .offset = offsetof(struct nv, value),
		 .required = true,
		 .decode = point_to},
	};
	struct json_at value_at = {.up = at, .key = "value"};
	const struct decoding *d = arg;
	struct isolator iso = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &nv, e);
	_cleanup_free_ char *name = nv.name;

	if (r < 0)
		return r;
	iso.kind = find_kind(name);
	if (iso.kind == ISO_KIND_MAX)
		return name_err(at, name, e, ": unknown isolator");
	r = check_place(at, iso.kind, d, e);
	if (r < 0)
		return r;
	r = table[iso.kind].decode(nv.value, &value_at, &iso, e);
	/* Also a half-read one, so that the list frees it. */
	isolators_add(d->list, iso);
	return r;
}

int isolators_decode_app(const cJSON *j, const struct json_at *at, void *list, struct err *e)
{
	struct decoding d = {.list = list, .scope = ISO_SCOPE_APP};

	return json_each(j, at, decode_element, &d, e);
}

int isolators_decode_pod(const cJSON *j, const struct json_at *at, void *list, struct err *e)
{
	struct decoding d = {.list = list, .scope = ISO_SCOPE_POD};

	return json_each(j, at, decode_element, &d, e);
}

int isolators_decode_one(enum isolator_scope scope, const char *name, cJSON *value, const struct json_at *at,
			 struct isolator_list *list, struct err *e)
{
	struct decoding d = {.list = list, .scope = scope};
	_cleanup_json_ cJSON *array = cJSON_CreateArray();
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddItemToObject(o, "value", value);
	cJSON_AddItemToArray(array, o);
	return json_each(array, at, decode_element, &d, e);
}
