/*
 * One container: an app of the pod.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/image_id.h"
#include "spec/app_port.h"
#include "stage0/kube/internal.h"
#include "stage0/oci/ref.h"

struct container {
	char *name, *image, *working_dir, *pull;
	char **command, **args;
	const cJSON *env, *env_from, *ports, *resources, *security, *mounts;
	const cJSON *liveness, *readiness, *startup;
	bool has_stdin, tty;
};

static void container_done(struct container *c)
{
	free(c->name);
	free(c->image);
	free(c->working_dir);
	free(c->pull);
	strv_free(c->command);
	strv_free(c->args);
}

/* --- image --- */

/* A word of gantry's own, or a name as docker's users write it. */
static char *image_word(const char *image)
{
	if (oci_ref_is(image) || strstr(image, "://") || str_starts(image, IMAGE_ID_PREFIX) || *image == '/')
		return xstrdup(image);
	return xasprintf("docker://%s", image);
}

/* Without a word: the newest of what is called latest. */
static bool is_latest(const char *image)
{
	const char *slash = strrchr(image, '/'), *colon = strchr(slash ? slash : image, ':');

	return !strchr(image, '@') && (!colon || !strcmp(colon, ":latest"));
}

static int pull_policy(const struct container *c, const struct json_at *at, char **ret, struct err *e)
{
	static const struct {
		const char *word, *policy;
	} policies[] = {{"Always", "update"}, {"IfNotPresent", "new"}, {"Never", "never"}};
	const struct json_at here = {.up = at, .key = "imagePullPolicy"};

	for (size_t i = 0; c->pull && i < ELEMENTSOF(policies); i++)
		if (!strcmp(policies[i].word, c->pull)) {
			*ret = xstrdup(policies[i].policy);
			return 0;
		}
	if (c->pull)
		return json_err(&here, e, "%s is none of Always, IfNotPresent, Never", q(c->pull));
	*ret = xstrdup(is_latest(c->image) && !str_starts(c->image, IMAGE_ID_PREFIX) ? "update" : "new");
	return 0;
}

/* --- ports --- */

struct port {
	char *name, *protocol, *host_ip;
	int64_t port, host_port;
};

static char *lower(const char *s)
{
	char *copy = xstrdup(s);

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return copy;
}

static void add_host_port(const struct port *p, const char *name, const char *protocol, struct pod_request *req)
{
	struct app_port *to = xcalloc(1, sizeof *to);

	*to = (struct app_port) {.name = xstrdup(name), .protocol = xstrdup(protocol), .port = p->port, .count = 1};
	req->more_ports = xgrow(req->more_ports, req->n_more_ports, sizeof *req->more_ports);
	req->more_ports[req->n_more_ports++] = (struct pod_port) {
		.name = xstrdup(name),
		.host_ip = p->host_ip && *p->host_ip ? xstrdup(p->host_ip) : NULL,
		.host_port = p->host_port,
		.pod_port = p->port,
		.port = to,
	};
}

static int add_port(const cJSON *j, const struct json_at *at, struct app_request *app, struct pod_request *req,
		    struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "containerPort", .type = JSON_F_I64, .offset = offsetof(struct port, port), .required = true,
		 .min = 1, .max = 65535},
		{.key = "hostPort", .type = JSON_F_I64, .offset = offsetof(struct port, host_port), .max = 65535},
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct port, name), .check = ac_name_check},
		{.key = "protocol", .type = JSON_F_STRING, .offset = offsetof(struct port, protocol)},
		{.key = "hostIP", .type = JSON_F_STRING, .offset = offsetof(struct port, host_ip)},
	};
	_cleanup_free_ char *protocol = NULL, *name = NULL;
	struct app_more *more = app->more;
	struct port p = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &p, e);

	protocol = lower(p.protocol ? p.protocol : "TCP");
	if (r == 0 && strcmp(protocol, "tcp") && strcmp(protocol, "udp") && strcmp(protocol, "sctp"))
		r = json_err(at, e, "protocol %s is none of TCP, UDP, SCTP", q(p.protocol));
	if (r == 0) {
		name = p.name ? xstrdup(p.name) : xasprintf("%lld-%s", (long long) p.port, protocol);
		more->ports = xgrow(more->ports, more->n_ports, sizeof *more->ports);
		more->ports[more->n_ports++] = (struct app_port) {
			.name = xstrdup(name), .protocol = xstrdup(protocol), .port = p.port, .count = 1};
		if (p.host_port)
			add_host_port(&p, name, protocol, req);
	}
	free(p.name);
	free(p.protocol);
	free(p.host_ip);
	return r;
}

static int add_ports(const cJSON *j, const struct json_at *at, struct app_request *app, struct pod_request *req,
		     struct err *e)
{
	const struct json_at here = {.up = at, .key = "ports"};
	size_t i = 0;
	int r = j ? json_is_array(j, &here, e) : 0;

	for (const cJSON *p = j && r == 0 ? j->child : NULL; r == 0 && p; p = p->next, i++)
		r = add_port(p, &(struct json_at) {&here, NULL, i}, app, req, e);
	return r;
}

/* --- resources --- */

struct amounts {
	char *cpu, *memory;
};

static int decode_amounts(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "cpu", .type = JSON_F_CALL, .offset = offsetof(struct amounts, cpu), .decode = kube_quantity},
		{.key = "memory", .type = JSON_F_CALL, .offset = offsetof(struct amounts, memory),
		 .decode = kube_quantity},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, field, e);
}

struct resources {
	struct amounts limits, requests;
};

static int add_resource(const char *name, const char *request, const char *limit, const struct json_at *at,
			struct app_more *more, struct err *e)
{
	const struct json_at here = {.up = at, .key = strchr(name, '/') + 1};
	cJSON *value;

	if (!request && !limit)
		return 0;
	value = cJSON_CreateObject();
	if (request)
		cJSON_AddStringToObject(value, "request", request);
	if (limit)
		cJSON_AddStringToObject(value, "limit", limit);
	return kube_isolator(&more->isolators, name, value, &here, e);
}

static int add_resources(const cJSON *j, const struct json_at *at, struct app_more *more, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "limits", .type = JSON_F_CALL, .offset = offsetof(struct resources, limits),
		 .decode = decode_amounts},
		{.key = "requests", .type = JSON_F_CALL, .offset = offsetof(struct resources, requests),
		 .decode = decode_amounts},
	};
	const struct json_at here = {.up = at, .key = "resources"};
	struct resources res = {0};
	int r = j ? json_decode(j, &here, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &res, e) : 0;

	if (r == 0)
		r = add_resource("resource/cpu", res.requests.cpu, res.limits.cpu, &here, more, e);
	if (r == 0)
		r = add_resource("resource/memory", res.requests.memory, res.limits.memory, &here, more, e);
	free(res.limits.cpu);
	free(res.limits.memory);
	free(res.requests.cpu);
	free(res.requests.memory);
	return r;
}

/* --- mounts --- */

struct mount {
	char *name, *path;
	bool read_only;
};

static int add_mount(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct mount, name), .required = true,
		 .check = ac_name_check},
		{.key = "mountPath", .type = JSON_F_STRING, .offset = offsetof(struct mount, path), .required = true,
		 .check = ac_absolute_path_check},
		{.key = "readOnly", .type = JSON_F_BOOL, .offset = offsetof(struct mount, read_only)},
	};
	struct app_request *app = arg;
	struct mount m = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &m, e);

	if (r == 0 && strchr(m.path, ','))
		r = json_err(at, e, "mountPath %s: a comma is not supported", q(m.path));
	if (r == 0) {
		strv_push(&app->mounts, xasprintf("volume=%s,target=%s", m.name, m.path));
		if (m.read_only)
			strv_add(&app->more->read_only, m.path);
	}
	free(m.name);
	free(m.path);
	return r;
}

/* --- the whole --- */

static int substitute_all(const struct kube_docs *docs, char **words, char *const *environment,
			  const struct json_at *at, struct err *e)
{
	for (; words && *words; words++) {
		char *text;
		int r = kube_substitute(docs, *words, environment, at, &text, e);

		if (r < 0)
			return r;
		free(*words);
		*words = text;
	}
	return 0;
}

static int add_life(const struct container *c, const struct json_at *at, const struct kube_defaults *defaults,
		    bool init, struct app_more *more, struct err *e)
{
	const struct {
		const cJSON *j;
		const char *member, *type;
	} probes[] = {
		{c->liveness, "livenessProbe", "liveness"},
		{c->readiness, "readinessProbe", "readiness"},
		{c->startup, "startupProbe", "startup"},
	};
	cJSON *policy = cJSON_CreateObject();
	int r;

	cJSON_AddStringToObject(policy, "policy", defaults->restart);
	r = kube_isolator(&more->isolators, "gantry/restart", policy, at, e);
	if (r == 0 && init)
		r = kube_isolator(&more->isolators, "gantry/init-app", cJSON_CreateBool(true), at, e);
	for (size_t i = 0; r == 0 && i < ELEMENTSOF(probes); i++) {
		const struct json_at here = {.up = at, .key = probes[i].member};

		if (probes[i].j && init)
			r = json_err(&here, e, "an init container has no probes");
		else if (probes[i].j)
			r = kube_probe(probes[i].j, &here, probes[i].type, more, &more->isolators, e);
	}
	return r;
}

static int fill(const struct kube_docs *docs, struct container *c, const struct json_at *at,
		const struct kube_defaults *defaults, bool init, struct pod_request *req, struct err *e)
{
	const struct json_at security_at = {.up = at, .key = "securityContext"},
			     mounts_at = {.up = at, .key = "volumeMounts"};
	struct app_request *app = &req->apps[req->n_apps - 1];
	int r = c->has_stdin || c->tty ? json_err(at, e, "stdin and tty are not supported (see gantry enter)") : 0;

	if (r == 0)
		r = pull_policy(c, at, &app->more->pull_policy, e);
	if (r == 0)
		r = kube_environment(docs, c->env, c->env_from, at, app, e);
	if (r == 0)
		r = add_ports(c->ports, at, app, req, e);
	if (r == 0)
		r = add_resources(c->resources, at, app->more, e);
	if (r == 0)
		r = kube_container_security(c->security, &security_at, defaults, app, e);
	if (r == 0 && c->mounts)
		r = json_each(c->mounts, &mounts_at, add_mount, app, e);
	if (r == 0)
		r = add_life(c, at, defaults, init, app->more, e);
	if (r == 0)
		r = substitute_all(docs, c->command, app->environment, at, e);
	if (r == 0)
		r = substitute_all(docs, c->args, app->environment, at, e);
	if (r < 0)
		return r;
	app->more->command = take_ptr(c->command);
	app->has_args = c->args != NULL;
	app->args = take_ptr(c->args);
	app->working_dir = take_ptr(c->working_dir);
	return 0;
}

#define C(field) offsetof(struct container, field)
#define KEEP(key_, field) {.key = key_, .type = JSON_F_CALL, .offset = C(field), .decode = kube_keep}

int kube_container(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
		   const struct kube_defaults *defaults, bool init, struct pod_request *req, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = C(name), .required = true, .check = ac_name_check},
		{.key = "image", .type = JSON_F_STRING, .offset = C(image), .required = true},
		{.key = "imagePullPolicy", .type = JSON_F_STRING, .offset = C(pull)},
		{.key = "command", .type = JSON_F_STRV, .offset = C(command)},
		{.key = "args", .type = JSON_F_STRV, .offset = C(args)},
		{.key = "workingDir", .type = JSON_F_STRING, .offset = C(working_dir)},
		KEEP("env", env),
		KEEP("envFrom", env_from),
		KEEP("ports", ports),
		KEEP("resources", resources),
		KEEP("securityContext", security),
		KEEP("volumeMounts", mounts),
		KEEP("livenessProbe", liveness),
		KEEP("readinessProbe", readiness),
		KEEP("startupProbe", startup),
		{.key = "stdin", .type = JSON_F_BOOL, .offset = C(has_stdin)},
		{.key = "tty", .type = JSON_F_BOOL, .offset = C(tty)},
		KUBE_FIXED("terminationMessagePath"),
		KUBE_FIXED("terminationMessagePolicy"),
	};
	struct container c = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &c, e);

	for (size_t i = 0; r == 0 && i < req->n_apps; i++)
		if (!strcmp(req->apps[i].name, c.name))
			r = json_err(at, e, "container %s is there twice", q(c.name));
	if (r == 0) {
		req->apps = xgrow(req->apps, req->n_apps, sizeof *req->apps);
		req->apps[req->n_apps++] = (struct app_request) {
			.image = image_word(c.image),
			.name = xstrdup(c.name),
			.more = xcalloc(1, sizeof(struct app_more)),
		};
		r = fill(docs, &c, at, defaults, init, req, e);
	}
	container_done(&c);
	return r;
}
