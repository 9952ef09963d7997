/*
 * securityContext of a pod and of a container.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/kube/internal.h"

/* --- what both have --- */

struct profile {
	char *type;
};

/* "mode=..." for --seccomp; RuntimeDefault is gantry's own, which needs no word. */
static int decode_seccomp(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type", .type = JSON_F_STRING, .offset = offsetof(struct profile, type), .required = true},
	};
	struct profile p = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &p, e);

	if (r == 0 && !strcmp(p.type, "Unconfined"))
		*(char **) field = xstrdup("mode=retain,@appc.io/all");
	else if (r == 0 && strcmp(p.type, "RuntimeDefault"))
		r = json_err(at, e, "type %s is not supported, only RuntimeDefault and Unconfined", q(p.type));
	free(p.type);
	return r;
}

/* --- of the pod --- */

struct pod_context {
	int64_t user, group, fs_group;
	bool non_root;
	const cJSON *gids, *sysctls;
	char *seccomp;
};

static int add_gid(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct strbuf *sb = arg;
	int64_t gid;
	int r = json_int(j, at, 0, UINT32_MAX - 1, &gid, e);

	if (r == 0)
		strbuf_addf(sb, "%s%lld", sb->len ? "," : "", (long long) gid);
	return r;
}

struct sysctl {
	char *name, *value;
};

static int add_sysctl(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct sysctl, name), .required = true},
		{.key = "value", .type = JSON_F_STRING, .offset = offsetof(struct sysctl, value), .required = true},
	};
	struct sysctl s = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &s, e);

	if (r == 0 && json_get(arg, s.name))
		r = json_err(at, e, "%s is there twice", q(s.name));
	if (r == 0)
		cJSON_AddStringToObject(arg, s.name, s.value);
	free(s.name);
	free(s.value);
	return r;
}

static int add_sysctls(const cJSON *j, const struct json_at *at, struct pod_request *req, struct err *e)
{
	_cleanup_json_ cJSON *value = cJSON_CreateObject();
	int r = json_each(j, at, add_sysctl, value, e);

	return r < 0 ? r
		     : isolators_decode_one(ISO_SCOPE_POD, "os/unix/sysctl", take_ptr(value), at, &req->isolators, e);
}

#define POD(field) offsetof(struct pod_context, field)

int kube_pod_security(const cJSON *j, const struct json_at *at, struct kube_defaults *ret,
		      struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "runAsUser", .type = JSON_F_I64, .offset = POD(user), .max = UINT32_MAX - 1},
		{.key = "runAsGroup", .type = JSON_F_I64, .offset = POD(group), .max = UINT32_MAX - 1},
		{.key = "runAsNonRoot", .type = JSON_F_BOOL, .offset = POD(non_root)},
		{.key = "fsGroup", .type = JSON_F_I64, .offset = POD(fs_group), .max = UINT32_MAX - 1},
		{.key = "supplementalGroups", .type = JSON_F_CALL, .offset = POD(gids), .decode = kube_keep},
		{.key = "sysctls", .type = JSON_F_CALL, .offset = POD(sysctls), .decode = kube_keep},
		{.key = "seccompProfile", .type = JSON_F_CALL, .offset = POD(seccomp), .decode = decode_seccomp},
	};
	const struct json_at gids_at = {.up = at, .key = "supplementalGroups"},
			     sysctls_at = {.up = at, .key = "sysctls"};
	struct pod_context c = {.user = -1, .group = -1, .fs_group = -1};
	struct strbuf gids = STRBUF_INIT;
	int r = j ? json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e) : 0;

	if (r == 0 && c.gids)
		r = json_each(c.gids, &gids_at, add_gid, &gids, e);
	if (r == 0 && c.fs_group >= 0)
		strbuf_addf(&gids, "%s%lld", gids.len ? "," : "", (long long) c.fs_group);
	if (r == 0 && c.sysctls)
		r = add_sysctls(c.sysctls, &sysctls_at, req, e);
	ret->user = c.user;
	ret->group = c.group;
	ret->fs_group = c.fs_group;
	ret->non_root = c.non_root;
	ret->seccomp = c.seccomp;
	ret->gids = gids.len ? strbuf_take(&gids) : NULL;
	strbuf_done(&gids);
	return r;
}

/* --- of a container --- */

struct context {
	int64_t user, group;
	bool non_root, has_non_root, read_only, privileged, escalation, has_escalation;
	const cJSON *caps;
	char *seccomp;
	bool has_seccomp;
};

/* What an app has when nothing is said (stage1/run/caps.c). */
static const char *const default_caps[] = {
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP",
	"CAP_SYS_CHROOT",
};

struct caps {
	char **add, **drop;
};

/* "NET_ADMIN" -> "CAP_NET_ADMIN" */
static char **full_names(char *const *names)
{
	char **full = NULL;

	for (; names && *names; names++)
		strv_push(&full, str_starts(*names, "CAP_") ? xstrdup(*names) : xasprintf("CAP_%s", *names));
	return full;
}

static cJSON *set_of(char *const *names)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToObject(o, "set", cJSON_CreateStringArray((const char *const *) names, (int) strv_len(names)));
	return o;
}

/* Everything added and not dropped; nothing at all is what is left when the usual ones are removed. */
static int set_caps(char *const *add, char *const *drop, const struct json_at *at, struct isolator_list *list,
		    struct err *e)
{
	bool drop_all = strv_has(drop, "CAP_ALL");
	_cleanup_strv_ char **have = NULL, **none = NULL;

	for (size_t i = 0; i < ELEMENTSOF(default_caps); i++) {
		strv_add(&none, default_caps[i]);
		if (!drop_all && !strv_has(drop, default_caps[i]))
			strv_add(&have, default_caps[i]);
	}
	for (; add && *add; add++) {
		if (!strcmp(*add, "CAP_ALL"))
			return json_err(at, e, "add: ALL is not supported: name what is needed");
		if (!strv_has(have, *add))
			strv_add(&have, *add);
	}
	isolators_remove(list, ISO_CAPS_RETAIN);
	isolators_remove(list, ISO_CAPS_REMOVE);
	return have ? kube_isolator(list, "os/linux/capabilities-retain-set", set_of(have), at, e)
		    : kube_isolator(list, "os/linux/capabilities-remove-set", set_of(none), at, e);
}

static int apply_caps(const cJSON *j, const struct json_at *at, struct isolator_list *list, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "add", .type = JSON_F_STRV, .offset = offsetof(struct caps, add)},
		{.key = "drop", .type = JSON_F_STRV, .offset = offsetof(struct caps, drop)},
	};
	struct caps c = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e);
	_cleanup_strv_ char **add = full_names(c.add), **drop = full_names(c.drop);

	if (r == 0 && (add || drop))
		r = set_caps(add, drop, at, list, e);
	strv_free(c.add);
	strv_free(c.drop);
	return r;
}

static void apply_user(const struct context *c, const struct kube_defaults *d, struct app_request *app)
{
	int64_t user = c->user >= 0 ? c->user : d->user, group = c->group >= 0 ? c->group : d->group;

	if (user >= 0)
		app->user = xasprintf("%lld", (long long) user);
	if (group >= 0)
		app->group = xasprintf("%lld", (long long) group);
	app->supplementary_gids = xstrdup_null(d->gids);
}

#define CONTEXT(field) offsetof(struct context, field)

int kube_container_security(const cJSON *j, const struct json_at *at, const struct kube_defaults *defaults,
			    struct app_request *app, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "runAsUser", .type = JSON_F_I64, .offset = CONTEXT(user), .max = UINT32_MAX - 1},
		{.key = "runAsGroup", .type = JSON_F_I64, .offset = CONTEXT(group), .max = UINT32_MAX - 1},
		{.key = "runAsNonRoot", .type = JSON_F_BOOL, .offset = CONTEXT(non_root),
		 .present = CONTEXT(has_non_root)},
		{.key = "readOnlyRootFilesystem", .type = JSON_F_BOOL, .offset = CONTEXT(read_only)},
		{.key = "privileged", .type = JSON_F_BOOL, .offset = CONTEXT(privileged)},
		{.key = "allowPrivilegeEscalation", .type = JSON_F_BOOL, .offset = CONTEXT(escalation),
		 .present = CONTEXT(has_escalation)},
		{.key = "capabilities", .type = JSON_F_CALL, .offset = CONTEXT(caps), .decode = kube_keep},
		{.key = "seccompProfile", .type = JSON_F_CALL, .offset = CONTEXT(seccomp), .decode = decode_seccomp,
		 .present = CONTEXT(has_seccomp)},
	};
	const struct json_at caps_at = {.up = at, .key = "capabilities"};
	struct context c = {.user = -1, .group = -1};
	int r = j ? json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e) : 0;

	if (r == 0 && c.privileged)
		r = json_err(at, e, "privileged: not supported");
	if (r < 0)
		goto out;
	apply_user(&c, defaults, app);
	/* Who the image's user is shows when its files are there: it must be said here. */
	if ((c.has_non_root ? c.non_root : defaults->non_root) && (!app->user || !strcmp(app->user, "0"))) {
		r = json_err(at, e, "runAsNonRoot: runAsUser must say which user, and not 0");
		goto out;
	}
	if (c.read_only)
		app->read_only_root = xstrdup("true");
	app->seccomp = c.has_seccomp ? take_ptr(c.seccomp) : xstrdup_null(defaults->seccomp);
	if (c.has_escalation && !c.escalation)
		r = kube_isolator(&app->more->isolators, "os/linux/no-new-privileges", cJSON_CreateBool(true), at, e);
	if (r == 0 && c.caps)
		r = apply_caps(c.caps, &caps_at, &app->more->isolators, e);
out:
	free(c.seccomp);
	return r;
}
