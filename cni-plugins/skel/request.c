#include "cni-plugins/skel/request.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/keys.h"
#include "sys/link.h"

int cni_bad_config(int r, struct err *e)
{
	if (r != -EINVAL)
		return r;
	if (e)
		e->code = CNI_CODE(CNI_BAD_CONFIG);
	return -CNI_CODE(CNI_BAD_CONFIG);
}

static const char *const commands[] = {
	[CNI_ADD] = "ADD", [CNI_DEL] = "DEL",	    [CNI_CHECK] = "CHECK",
	[CNI_GC] = "GC",   [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
};

/* Which commands need which variable (specification, "Parameters"). */
#define FOR(c) (1u << (c))
#define PER_CONTAINER (FOR(CNI_ADD) | FOR(CNI_DEL) | FOR(CNI_CHECK))
static const struct variable {
	const char *name;
	size_t offset; /* in struct cni_env */
	unsigned required;
} variables[] = {
	{"CNI_CONTAINERID", offsetof(struct cni_env, container_id), PER_CONTAINER},
	{"CNI_NETNS", offsetof(struct cni_env, netns), FOR(CNI_ADD) | FOR(CNI_CHECK)},
	{"CNI_IFNAME", offsetof(struct cni_env, ifname), PER_CONTAINER},
	{"CNI_PATH", offsetof(struct cni_env, path), PER_CONTAINER | FOR(CNI_GC) | FOR(CNI_STATUS)},
};

const char *cni_name_check(const char *name)
{
	size_t n = strlen(name);

	if (n == 0)
		return "is empty";
	if (n > CNI_NAME_MAX)
		return "is too long";
	for (const char *p = name; *p; p++) {
		bool alnum = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			     (*p >= 'A' && *p <= 'Z');

		if (!alnum && (p == name || !strchr("_.-", *p)))
			return "is not made of letters, digits, _, . and - after a letter or digit";
	}
	return NULL;
}

static int check_command(struct cni_request *rq, const struct cni_env *env, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(commands); i++)
		if (str_eq(env->command, commands[i])) {
			rq->command = (enum cni_command) i;
			return 0;
		}
	return err_set(e, CNI_CODE(CNI_BAD_ENV), "unknown CNI_COMMAND: %s", q(env->command));
}

static int check_env(struct cni_request *rq, const struct cni_env *env, struct err *e)
{
	_cleanup_strbuf_ struct strbuf missing = STRBUF_INIT;
	const char *why;

	for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
		const char *v = *(const char *const *) ((const char *) env + variables[i].offset);

		if ((variables[i].required & FOR(rq->command)) && (!v || !*v))
			strbuf_addf(&missing, "%s%s", missing.len ? "," : "", variables[i].name);
	}
	if (missing.len)
		return err_set(e, CNI_CODE(CNI_BAD_ENV), "required env variables [%s] missing",
			       missing.buf);
	rq->container_id = env->container_id ? env->container_id : "";
	rq->netns = env->netns ? env->netns : "";
	rq->ifname = env->ifname ? env->ifname : "";
	rq->args = env->args ? env->args : "";
	rq->path = env->path ? env->path : "";
	why = *rq->container_id ? cni_name_check(rq->container_id) : NULL;
	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_CONTAINERID %s %s",
			       q(rq->container_id), why);
	why = *rq->ifname ? link_name_check(rq->ifname) : NULL;
	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_ENV), "CNI_IFNAME %s %s", q(rq->ifname), why);
	return 0;
}

static int parse_version(struct cni_request *rq, struct err *e)
{
	const cJSON *j = json_get(rq->conf, "cniVersion");
	int r;

	if (j && !cJSON_IsNull(j) && !cJSON_IsString(j))
		return err_set(e, CNI_CODE(CNI_DECODE), "cniVersion: expected string");
	/* Configurations from before the key existed. */
	if (!cJSON_IsString(j) || !*j->valuestring) {
		rq->version = CNI_0_1_0;
		rq->version_known = rq->command != CNI_VERSION;
		return 0;
	}
	r = cni_version_parse(j->valuestring, &rq->version, e);
	rq->version_known = r >= 0;
	/* Only those that came later compare versions; to these it is one that they do not speak. */
	if (r == -CNI_CODE(CNI_DECODE) && (rq->command == CNI_ADD || rq->command == CNI_DEL)) {
		r = -CNI_CODE(CNI_INCOMPATIBLE_VERSION);
		if (e)
			e->code = -r;
	}
	return r;
}

/* Commands that a version of the specification does not have yet. */
static int check_version(const struct cni_request *rq, struct err *e)
{
	enum cni_version since = rq->command == CNI_CHECK			      ? CNI_0_4_0
				 : rq->command == CNI_GC || rq->command == CNI_STATUS ? CNI_1_1_0
										      : CNI_0_1_0;

	if (rq->version < rq->since)
		return err_set(e, CNI_CODE(CNI_INCOMPATIBLE_VERSION),
			       "incompatible CNI versions; config is \"%s\", plugin supports %s to %s",
			       cni_version_text(rq->version), cni_version_text(rq->since),
			       cni_version_text(CNI_LATEST));
	if (rq->version >= since)
		return 0;
	return err_set(e, CNI_CODE(CNI_INCOMPATIBLE_VERSION), "config version %s does not allow %s",
		       cni_version_text(rq->version), commands[rq->command]);
}

static int parse_name(struct cni_request *rq, struct err *e)
{
	const cJSON *j = json_get(rq->conf, "name");
	const char *why;

	if (j && !cJSON_IsNull(j) && !cJSON_IsString(j))
		return err_set(e, CNI_CODE(CNI_DECODE), "name: expected string");
	rq->name = json_get_str(rq->conf, "name");
	if (!rq->name || !*rq->name)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "missing network name");
	why = cni_name_check(rq->name);
	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "network name %s %s", q(rq->name), why);
	return 0;
}

static int parse_ipam(struct cni_request *rq, struct err *e)
{
	const cJSON *ipam = json_get(rq->conf, "ipam"), *type;

	if (!ipam || cJSON_IsNull(ipam))
		return 0;
	if (!cJSON_IsObject(ipam))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "ipam: expected object");
	type = json_get(ipam, "type");
	if (!type || cJSON_IsNull(type))
		return 0;
	if (!cJSON_IsString(type))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "ipam.type: expected string");
	if (!*type->valuestring)
		return 0;
	if (!path_is_name(type->valuestring))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "ipam.type: %s is not a plugin's name",
			       q(type->valuestring));
	rq->ipam = type->valuestring;
	return 0;
}

static bool is_given(const cJSON *j)
{
	return j && !cJSON_IsNull(j);
}

static int parse_prev(struct cni_request *rq, struct err *e)
{
	static const struct json_at at = {.key = "prevResult"};
	const cJSON *prev = json_get(rq->conf, "prevResult");
	int r;

	if (!is_given(prev))
		return 0;
	r = cni_result_decode(prev, &at, rq->version, &rq->prev, &rq->prev_error);
	rq->has_prev = r >= 0;
	return rq->command == CNI_CHECK && r < 0 ? err_move(e, &rq->prev_error) : 0;
}

/* What plugins look up in passing: of another type it would be as if it were not there. */
static int check_types(const struct cni_request *rq, struct err *e)
{
	static const struct json_at at_type = {.key = "type"}, at_caps = {.key = "capabilities"},
				    at_rc = {.key = "runtimeConfig"}, at_args = {.key = "args"};
	static const struct json_at at_cni = {.up = &at_args, .key = "cni"};
	const cJSON *type = json_get(rq->conf, "type"), *caps = json_get(rq->conf, "capabilities"),
		    *rc = json_get(rq->conf, "runtimeConfig"), *args = json_get(rq->conf, "args"),
		    *cni = json_get(args, "cni"), *cap;
	const char *ignored;
	bool on;
	static const struct json_at at_prev = {.key = "prevResult"};
	const cJSON *prev = json_get(rq->conf, "prevResult");
	int r = is_given(type) ? json_str(type, &at_type, &ignored, e) : 0;

	if (r >= 0 && is_given(prev))
		r = json_is_object(prev, &at_prev, e);
	if (r >= 0 && is_given(rc))
		r = json_is_object(rc, &at_rc, e);
	if (r >= 0 && is_given(args))
		r = json_is_object(args, &at_args, e);
	if (r >= 0 && is_given(cni))
		r = json_is_object(cni, &at_cni, e);
	if (r >= 0 && is_given(caps))
		r = json_is_object(caps, &at_caps, e);
	for (cap = is_given(caps) ? caps->child : NULL; r >= 0 && cap; cap = cap->next) {
		struct json_at at = {.up = &at_caps, .key = cap->string};

		r = is_given(cap) ? json_bool(cap, &at, &on, e) : 0;
	}
	return r;
}

static int parse_rest(struct cni_request *rq, struct err *e)
{
	static const struct json_at at_dns = {.key = "dns"};
	const cJSON *dns = json_get(rq->conf, "dns");
	int r = 0;

	/* A mistake in what goes into a result must not keep DEL from its work. */
	if (rq->command != CNI_DEL && is_given(dns))
		r = cni_dns_decode(dns, &at_dns, &rq->dns, e);
	if (r >= 0 && (rq->command == CNI_ADD || rq->command == CNI_CHECK))
		r = check_types(rq, e);
	if (r >= 0)
		r = cni_attachments_decode(rq->conf, &rq->valid, e);
	return r < 0 ? cni_bad_config(r, e) : parse_prev(rq, e);
}

int cni_request_parse(struct cni_request *rq, const struct cni_env *env, char *text, size_t len,
		      struct err *e)
{
	int r;

	rq->text = text;
	rq->text_len = len;
	r = check_command(rq, env, e);
	if (r >= 0)
		r = check_env(rq, env, e);
	if (r < 0)
		return r;
	rq->conf = json_parse(text, len, CNI_CONF_MAX, e);
	if (rq->conf && cJSON_IsNull(rq->conf)) {
		/* A document that says nothing. */
		cJSON_Delete(rq->conf);
		rq->conf = cJSON_CreateObject();
	}
	if (!rq->conf || !cJSON_IsObject(rq->conf)) {
		_cleanup_free_ char *why = xstrdup(rq->conf ? "expected object" : err_text(e));

		return err_set(e, CNI_CODE(CNI_DECODE), "network configuration: %s", why);
	}
	cni_keys_fold(rq->conf);
	if (rq->command == CNI_VERSION)
		return parse_version(rq, e);
	r = parse_name(rq, e);
	if (r >= 0)
		r = parse_version(rq, e);
	if (r >= 0)
		r = check_version(rq, e);
	if (r >= 0)
		r = parse_ipam(rq, e);
	return r < 0 ? r : parse_rest(rq, e);
}

void cni_request_done(struct cni_request *rq)
{
	free(rq->text);
	cJSON_Delete(rq->conf);
	cni_dns_done(&rq->dns);
	cni_result_done(&rq->prev);
	err_done(&rq->prev_error);
	cni_attachments_done(&rq->valid);
	*rq = (struct cni_request) CNI_REQUEST_INIT;
}

int cni_request_need_prev(const struct cni_request *rq, struct err *e)
{
	if (rq->has_prev)
		return 0;
	if (rq->prev_error.code)
		return err_set(e, rq->prev_error.code, "%s", err_text(&rq->prev_error));
	return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "required prevResult missing");
}

int cni_request_decode(const struct cni_request *rq, const struct json_field *fields, size_t n,
		       void *target, struct err *e)
{
	return cni_bad_config(
		json_decode(rq->conf, JSON_TOP, fields, n, JSON_ALLOW_UNKNOWN, target, e), e);
}

const cJSON *cni_request_get(const struct cni_request *rq, const char *a, const char *b)
{
	const cJSON *j = json_get(rq->conf, a);

	return j && b ? json_get(j, b) : j;
}
