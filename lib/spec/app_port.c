#include "spec/app_port.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"

#define PORT_MAX 65535

static const char *check_protocol(const char *s)
{
	if (!*s)
		return "must not be empty";
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] ? "not a protocol's name" : NULL;
}

#define AT(member) .offset = offsetof(struct app_port, member)

int app_port_decode(const cJSON *j, const struct json_at *at, struct app_port *p, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, AT(name), .required = true, .check = ac_name_check},
		{.key = "protocol", .type = JSON_F_STRING, AT(protocol), .required = true, .check = check_protocol},
		{.key = "port", .type = JSON_F_I64, AT(port), .required = true, .min = 1, .max = PORT_MAX},
		{.key = "count", .type = JSON_F_I64, AT(count), .min = 1, .max = PORT_MAX},
		{.key = "socketActivated", .type = JSON_F_BOOL, AT(socket_activated)},
	};
	struct json_at count_at = {.up = at, .key = "count"};
	int r;

	p->count = 1;
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, p, e);
	if (r < 0)
		return r;
	if (p->port + p->count - 1 > PORT_MAX)
		return json_err(&count_at, e, "%lld ports from %lld on go beyond %d", (long long) p->count,
				(long long) p->port, PORT_MAX);
	return 0;
}

cJSON *app_port_encode(const struct app_port *p)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", p->name);
	cJSON_AddStringToObject(o, "protocol", p->protocol);
	cJSON_AddNumberToObject(o, "port", (double) p->port);
	cJSON_AddNumberToObject(o, "count", (double) p->count);
	cJSON_AddBoolToObject(o, "socketActivated", p->socket_activated);
	return o;
}

void app_port_copy(struct app_port *dst, const struct app_port *src)
{
	*dst = *src;
	dst->name = xstrdup_null(src->name);
	dst->protocol = xstrdup_null(src->protocol);
}

void app_port_done(struct app_port *p)
{
	free(p->name);
	free(p->protocol);
	*p = (struct app_port) {0};
}
