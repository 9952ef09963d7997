/*
 * livenessProbe, readinessProbe, startupProbe: values of the isolator gantry/probe.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/kube/internal.h"

struct probe {
	const cJSON *exec, *http, *tcp;
	int64_t delay, period, timeout, successes, failures;
};

/* A number, or the name of one of the container's ports. */
static int find_port(const cJSON *j, const struct json_at *at, const struct app_more *more, int64_t *ret,
		     struct err *e)
{
	const char *name;

	if (cJSON_IsNumber(j))
		return json_int(j, at, 1, 65535, ret, e);
	if (!j)
		return json_err(at, e, "required member is missing");
	if (json_str(j, at, &name, e) < 0)
		return -EINVAL;
	for (size_t i = 0; i < more->n_ports; i++)
		if (!strcmp(more->ports[i].name, name)) {
			*ret = more->ports[i].port;
			return 0;
		}
	return json_err(at, e, "the container has no port %s", q(name));
}

static int add_exec(const cJSON *j, const struct json_at *at, cJSON *value, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "command", .type = JSON_F_CALL, .required = true, .decode = kube_keep},
	};
	const cJSON *command = NULL;
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &command, e);

	if (r == 0)
		cJSON_AddItemToObject(value, "exec", cJSON_Duplicate(command, true));
	return r;
}

struct header {
	char *name, *value;
};

static int add_header(const cJSON *j, const struct json_at *at, void *headers, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct header, name), .required = true},
		{.key = "value", .type = JSON_F_STRING, .offset = offsetof(struct header, value), .required = true},
	};
	struct header h = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &h, e);

	if (r == 0) {
		_cleanup_free_ char *line = xasprintf("%s: %s", h.name, h.value);

		cJSON_AddItemToArray(headers, cJSON_CreateString(line));
	}
	free(h.name);
	free(h.value);
	return r;
}

struct request {
	const cJSON *port, *headers;
	char *path, *host, *scheme;
};

static int add_request(const cJSON *j, const struct json_at *at, bool http, const struct app_more *more,
		       cJSON *value, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "port", .type = JSON_F_CALL, .offset = offsetof(struct request, port), .decode = kube_keep},
		{.key = "host", .type = JSON_F_STRING, .offset = offsetof(struct request, host)},
		{.key = "path", .type = JSON_F_STRING, .offset = offsetof(struct request, path)},
		{.key = "scheme", .type = JSON_F_STRING, .offset = offsetof(struct request, scheme)},
		{.key = "httpHeaders", .type = JSON_F_CALL, .offset = offsetof(struct request, headers),
		 .decode = kube_keep},
	};
	const struct json_at port_at = {.up = at, .key = "port"}, headers_at = {.up = at, .key = "httpHeaders"};
	cJSON *o = cJSON_AddObjectToObject(value, http ? "httpGet" : "tcpSocket");
	struct request rq = {0};
	int64_t port = 0;
	int r = json_decode(j, at, fields, http ? ELEMENTSOF(fields) : 2, JSON_REFUSE_UNKNOWN, &rq, e);

	if (r == 0)
		r = find_port(rq.port, &port_at, more, &port, e);
	if (r == 0 && rq.scheme && strcmp(rq.scheme, "HTTP"))
		r = json_err(at, e, "scheme %s is not supported, only HTTP", q(rq.scheme));
	if (r == 0) {
		cJSON_AddNumberToObject(o, "port", (double) port);
		if (rq.host)
			cJSON_AddStringToObject(o, "host", rq.host);
		if (http)
			cJSON_AddStringToObject(o, "path", rq.path && *rq.path ? rq.path : "/");
	}
	if (r == 0 && rq.headers)
		r = json_each(rq.headers, &headers_at, add_header, cJSON_AddArrayToObject(o, "headers"), e);
	free(rq.path);
	free(rq.host);
	free(rq.scheme);
	return r;
}

static void add_seconds(cJSON *o, const char *key, int64_t seconds)
{
	_cleanup_free_ char *text = xasprintf("%llds", (long long) seconds);

	if (seconds >= 0)
		cJSON_AddStringToObject(o, key, text);
}

#define PROBE(field) offsetof(struct probe, field)

int kube_probe(const cJSON *j, const struct json_at *at, const char *type, const struct app_more *more,
	       struct isolator_list *list, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "exec", .type = JSON_F_CALL, .offset = PROBE(exec), .decode = kube_keep},
		{.key = "httpGet", .type = JSON_F_CALL, .offset = PROBE(http), .decode = kube_keep},
		{.key = "tcpSocket", .type = JSON_F_CALL, .offset = PROBE(tcp), .decode = kube_keep},
		{.key = "initialDelaySeconds", .type = JSON_F_I64, .offset = PROBE(delay), .max = INT32_MAX},
		{.key = "periodSeconds", .type = JSON_F_I64, .offset = PROBE(period), .min = 1, .max = INT32_MAX},
		{.key = "timeoutSeconds", .type = JSON_F_I64, .offset = PROBE(timeout), .min = 1, .max = INT32_MAX},
		{.key = "successThreshold", .type = JSON_F_I64, .offset = PROBE(successes), .min = 1,
		 .max = 1000000},
		{.key = "failureThreshold", .type = JSON_F_I64, .offset = PROBE(failures), .min = 1, .max = 1000000},
	};
	const struct json_at exec_at = {.up = at, .key = "exec"}, http_at = {.up = at, .key = "httpGet"},
			     tcp_at = {.up = at, .key = "tcpSocket"};
	struct probe p = {.delay = -1, .period = -1, .timeout = -1};
	_cleanup_json_ cJSON *value = cJSON_CreateObject();
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &p, e);

	cJSON_AddStringToObject(value, "type", type);
	if (r == 0 && p.exec)
		r = add_exec(p.exec, &exec_at, value, e);
	if (r == 0 && p.http)
		r = add_request(p.http, &http_at, true, more, value, e);
	if (r == 0 && p.tcp)
		r = add_request(p.tcp, &tcp_at, false, more, value, e);
	if (r < 0)
		return r;
	add_seconds(value, "initialDelay", p.delay);
	add_seconds(value, "period", p.period);
	add_seconds(value, "timeout", p.timeout);
	if (p.successes)
		cJSON_AddNumberToObject(value, "successThreshold", (double) p.successes);
	if (p.failures)
		cJSON_AddNumberToObject(value, "failureThreshold", (double) p.failures);
	return kube_isolator(list, "gantry/probe", take_ptr(value), at, e);
}
