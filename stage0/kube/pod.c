/*
 * A Pod with its ConfigMaps, from JSON to a request.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/kube/internal.h"

/* --- documents --- */

static bool is_kind(const cJSON *doc, const char *kind)
{
	return str_eq(json_get_str(doc, "kind"), kind) && str_eq(json_get_str(doc, "apiVersion"), "v1");
}

const cJSON *kube_map(const struct kube_docs *docs, const char *name)
{
	for (size_t i = 0; i < docs->n_maps; i++)
		if (str_eq(json_get_str(json_get(docs->maps[i], "metadata"), "name"), name))
			return docs->maps[i];
	return NULL;
}

static const char *only_strings(const cJSON *object)
{
	for (const cJSON *c = object ? object->child : NULL; c; c = c->next)
		if (!cJSON_IsString(c))
			return c->string;
	return NULL;
}

/* As Kubernetes has it: they become names of files. */
static bool is_key(const char *s)
{
	size_t len = strlen(s);

	return len && len <= 253 && strcmp(s, ".") && !str_starts(s, "..") &&
	       len == strspn(s, "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static int check_map(const cJSON *j, const struct json_at *at, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "apiVersion", .type = JSON_F_IGNORE}, {.key = "kind", .type = JSON_F_IGNORE},
		{.key = "metadata", .type = JSON_F_IGNORE},   {.key = "data", .type = JSON_F_IGNORE},
		{.key = "immutable", .type = JSON_F_IGNORE},
	};
	const struct json_at data_at = {.up = at, .key = "data"};
	const cJSON *data = json_get(j, "data");
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, NULL, e);

	if (r == 0 && data && json_is_object(data, &data_at, e) < 0)
		return -EINVAL;
	if (r == 0 && only_strings(data))
		r = json_err(&data_at, e, "%s: expected a string", q(only_strings(data)));
	for (const cJSON *pair = r == 0 && data ? data->child : NULL; pair; pair = pair->next)
		if (!is_key(pair->string))
			return json_err(&data_at, e, "%s is no key", q(pair->string));
	return r;
}

static int sort_document(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct kube_docs *docs = arg;
	const char *kind = json_get_str(j, "kind"), *version = json_get_str(j, "apiVersion");

	if (cJSON_IsNull(j)) /* an empty document */
		return 0;
	if (is_kind(j, "ConfigMap")) {
		const char *name = json_get_str(json_get(j, "metadata"), "name");

		if (!name || kube_map(docs, name))
			return name ? json_err(at, e, "there is a ConfigMap %s already", q(name))
				    : json_err(at, e, "a ConfigMap without metadata.name");
		docs->maps = xgrow(docs->maps, docs->n_maps, sizeof *docs->maps);
		docs->maps[docs->n_maps++] = j;
		return check_map(j, at, e);
	}
	if (!is_kind(j, "Pod"))
		return json_err(at, e, "kind %s of %s is not supported, only Pod and ConfigMap of v1",
				kind ? q(kind) : "(none)", version ? q(version) : "(none)");
	if (docs->pod)
		return json_err(at, e, "there is a Pod already: a file has one");
	docs->pod = j;
	return 0;
}

/* --- the pod --- */

struct metadata {
	char *name;
	const cJSON *labels, *annotations;
};

struct spec {
	const cJSON *containers, *init, *volumes, *security;
	char *restart, *hostname;
	bool host_network, host_pid, host_ipc, share, has_share, links;
	bool host_users, has_host_users;
	int64_t grace;
};

static void add_pairs(const cJSON *object, char ***ret)
{
	for (const cJSON *c = object ? object->child : NULL; c; c = c->next)
		strv_push(ret, xasprintf("%s=%s", c->string, c->valuestring));
}

static int read_metadata(const cJSON *j, const struct json_at *at, struct pod_request *req, struct kube_run *run,
			 struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct metadata, name), .required = true,
		 .check = ac_name_check},
		{.key = "labels", .type = JSON_F_CALL, .offset = offsetof(struct metadata, labels),
		 .decode = kube_keep},
		{.key = "annotations", .type = JSON_F_CALL, .offset = offsetof(struct metadata, annotations),
		 .decode = kube_keep},
		/* What a cluster calls it, and keeps about it. */
		{.key = "namespace", .type = JSON_F_IGNORE},	       {.key = "uid", .type = JSON_F_IGNORE},
		{.key = "creationTimestamp", .type = JSON_F_IGNORE}, {.key = "resourceVersion", .type = JSON_F_IGNORE},
		{.key = "generation", .type = JSON_F_IGNORE},	       {.key = "managedFields", .type = JSON_F_IGNORE},
		{.key = "generateName", .type = JSON_F_IGNORE},	       {.key = "ownerReferences", .type = JSON_F_IGNORE},
		{.key = "selfLink", .type = JSON_F_IGNORE},
	};
	const struct json_at labels_at = {.up = at, .key = "labels"}, notes_at = {.up = at, .key = "annotations"};
	struct metadata m = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &m, e);

	if (r == 0 && m.labels && (json_is_object(m.labels, &labels_at, e) < 0 || only_strings(m.labels)))
		r = json_err(&labels_at, e, "expected strings");
	if (r == 0 && m.annotations && (json_is_object(m.annotations, &notes_at, e) < 0 || only_strings(m.annotations)))
		r = json_err(&notes_at, e, "expected strings");
	if (r == 0) {
		add_pairs(m.labels, &req->user_labels);
		add_pairs(m.annotations, &req->user_annotations);
		run->hostname = xstrdup(m.name);
		if (!req->pod_name)
			req->pod_name = take_ptr(m.name);
	}
	free(m.name);
	return r;
}

static int restart_word(const char *word, const struct json_at *at, const char **ret, struct err *e)
{
	static const struct {
		const char *word, *policy;
	} policies[] = {{"Always", "always"}, {"OnFailure", "on-failure"}, {"Never", "never"}};
	const struct json_at here = {.up = at, .key = "restartPolicy"};

	for (size_t i = 0; i < ELEMENTSOF(policies); i++)
		if (!strcmp(policies[i].word, word ? word : "Always")) {
			*ret = policies[i].policy;
			return 0;
		}
	return json_err(&here, e, "%s is none of Always, OnFailure, Never", q(word));
}

/* What a pod of gantry is always like, or never. */
static int check_fixed(const struct spec *s, const struct json_at *at, struct err *e)
{
	if (s->host_pid || s->host_ipc)
		return json_err(at, e, "%s: not supported", s->host_pid ? "hostPID" : "hostIPC");
	if (s->has_host_users && !s->host_users && s->host_network)
		return json_err(at, e, "hostNetwork: a pod with hostUsers false has a network of its own");
	if (s->has_share && !s->share)
		return json_err(at, e, "shareProcessNamespace: the apps of a pod always share it");
	return 0;
}

static int add_grace(int64_t seconds, const struct json_at *at, struct pod_request *req, struct err *e)
{
	_cleanup_free_ char *text = xasprintf("%llds", (long long) seconds);
	cJSON *value = cJSON_CreateObject();

	cJSON_AddStringToObject(value, "timeout", text);
	return isolators_decode_one(ISO_SCOPE_POD, "gantry/stop-timeout", value, at, &req->isolators, e);
}

static int add_containers(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
			  const struct kube_defaults *defaults, bool init, struct pod_request *req, struct err *e)
{
	size_t i = 0;
	int r = j ? json_is_array(j, at, e) : 0;

	for (const cJSON *c = j && r == 0 ? j->child : NULL; r == 0 && c; c = c->next, i++)
		r = kube_container(docs, c, &(struct json_at) {at, NULL, i}, defaults, init, req, e);
	return r;
}

static int convert_spec(const struct kube_docs *docs, const struct spec *s, const struct json_at *at,
			struct pod_request *req, struct kube_run *run, struct err *e)
{
	const struct json_at init_at = {.up = at, .key = "initContainers"}, main_at = {.up = at, .key = "containers"},
			     volumes_at = {.up = at, .key = "volumes"},
			     security_at = {.up = at, .key = "securityContext"};
	struct kube_defaults d = {0};
	int r = check_fixed(s, at, e);

	if (r == 0)
		r = restart_word(s->restart, at, &d.restart, e);
	if (r == 0)
		r = kube_pod_security(s->security, &security_at, &d, req, e);
	if (r == 0)
		r = kube_volumes(docs, s->volumes, &volumes_at, d.fs_group, req, e);
	if (r == 0)
		r = add_containers(docs, s->init, &init_at, &d, true, req, e);
	if (r == 0)
		r = add_containers(docs, s->containers, &main_at, &d, false, req, e);
	if (r == 0 && (!s->containers || !s->containers->child))
		r = json_err(&main_at, e, "must not be empty");
	if (r == 0 && s->grace >= 0)
		r = add_grace(s->grace, at, req, e);
	if (s->has_host_users && !s->host_users)
		req->private_users = true;
	run->host_network = s->host_network;
	free(d.gids);
	free(d.seccomp);
	return r;
}

#define SPEC(field) offsetof(struct spec, field)

static int read_spec(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
		     struct pod_request *req, struct kube_run *run, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "containers", .type = JSON_F_CALL, .offset = SPEC(containers), .required = true,
		 .decode = kube_keep},
		{.key = "initContainers", .type = JSON_F_CALL, .offset = SPEC(init), .decode = kube_keep},
		{.key = "volumes", .type = JSON_F_CALL, .offset = SPEC(volumes), .decode = kube_keep},
		{.key = "securityContext", .type = JSON_F_CALL, .offset = SPEC(security), .decode = kube_keep},
		{.key = "restartPolicy", .type = JSON_F_STRING, .offset = SPEC(restart)},
		{.key = "hostname", .type = JSON_F_STRING, .offset = SPEC(hostname), .check = ac_name_check},
		{.key = "hostNetwork", .type = JSON_F_BOOL, .offset = SPEC(host_network)},
		{.key = "hostPID", .type = JSON_F_BOOL, .offset = SPEC(host_pid)},
		{.key = "hostIPC", .type = JSON_F_BOOL, .offset = SPEC(host_ipc)},
		{.key = "hostUsers", .type = JSON_F_BOOL, .offset = SPEC(host_users), .present = SPEC(has_host_users)},
		{.key = "shareProcessNamespace", .type = JSON_F_BOOL, .offset = SPEC(share),
		 .present = SPEC(has_share)},
		/* Links are variables with the addresses of the services that there are: none. */
		{.key = "enableServiceLinks", .type = JSON_F_BOOL, .offset = SPEC(links)},
		{.key = "terminationGracePeriodSeconds", .type = JSON_F_I64, .offset = SPEC(grace), .max = 86400},
		KUBE_FIXED("dnsPolicy"),
		KUBE_FIXED("schedulerName"),
		KUBE_FIXED("serviceAccountName"),
		KUBE_FIXED("serviceAccount"),
		KUBE_FIXED("automountServiceAccountToken"),
		KUBE_FIXED("priority"),
		KUBE_FIXED("preemptionPolicy"),
		KUBE_FIXED("nodeName"),
		KUBE_FIXED("tolerations"),
	};
	struct spec s = {.grace = -1};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &s, e);

	run->host_dns = r == 0 && str_eq(json_get_str(j, "dnsPolicy"), "Default");
	if (r == 0)
		r = convert_spec(docs, &s, at, req, run, e);
	if (r == 0 && s.hostname) {
		free(run->hostname);
		run->hostname = take_ptr(s.hostname);
	}
	free(s.restart);
	free(s.hostname);
	return r;
}

struct pod {
	const cJSON *metadata, *spec;
};

static int read_pod(const struct kube_docs *docs, struct pod_request *req, struct kube_run *run, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "apiVersion", .type = JSON_F_IGNORE},
		{.key = "kind", .type = JSON_F_IGNORE},
		{.key = "status", .type = JSON_F_IGNORE}, /* what a cluster saw */
		{.key = "metadata", .type = JSON_F_CALL, .offset = offsetof(struct pod, metadata), .required = true,
		 .decode = kube_keep},
		{.key = "spec", .type = JSON_F_CALL, .offset = offsetof(struct pod, spec), .required = true,
		 .decode = kube_keep},
	};
	static const struct json_at metadata_at = {.key = "metadata"}, spec_at = {.key = "spec"};
	struct pod p = {0};
	int r = json_decode(docs->pod, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &p, e);

	if (r == 0)
		r = read_metadata(p.metadata, &metadata_at, req, run, e);
	return r == 0 ? read_spec(docs, p.spec, &spec_at, req, run, e) : r;
}

void kube_run_done(struct kube_run *run)
{
	free(run->hostname);
	strv_free(run->dirs);
	strv_free(run->files);
	*run = (struct kube_run) {0};
}

int kube_convert(const char *json, size_t len, struct pod_request *req, struct kube_run *run, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(json, len, KUBE_DOCUMENTS_MAX, e);
	size_t room = KUBE_ROOM;
	struct kube_docs docs = {.room = &room, .run = run};
	int r = j ? json_each(j, JSON_TOP, sort_document, &docs, e) : -EINVAL;

	if (r == 0 && !docs.pod)
		r = err_set(e, EINVAL, "there is no Pod");
	if (r == 0)
		r = read_pod(&docs, req, run, e);
	free(docs.maps);
	return r;
}
