/* ExposedPorts to ports of an app: "80/tcp", "53", "5000-5010/udp". */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/oci/convert_internal.h"

#define PORT_MAX 65535

struct exposed {
	uint64_t from, to;
	char *protocol;
};

static int parse_range(char *text, struct exposed *p)
{
	char *hyphen = strchr(text, '-');

	if (hyphen)
		*hyphen++ = '\0';
	if (parse_u64(text, PORT_MAX, &p->from) < 0 || !p->from)
		return -EINVAL;
	p->to = p->from;
	if (hyphen && parse_u64(hyphen, PORT_MAX, &p->to) < 0)
		return -EINVAL;
	return p->to < p->from ? -EINVAL : 0;
}

static int parse(const char *text, struct exposed *ret, struct err *e)
{
	static const char *const protocols[] = {"tcp", "udp", "sctp"};
	_cleanup_free_ char *copy = xstrdup(text);
	char *slash = strchr(copy, '/');
	const char *protocol = "tcp";
	size_t i = 0;

	if (slash) {
		*slash++ = '\0';
		protocol = slash;
	}
	while (i < ELEMENTSOF(protocols) && strcasecmp(protocols[i], protocol))
		i++;
	if (i == ELEMENTSOF(protocols) || parse_range(copy, ret) < 0)
		return err_set(e, EINVAL, "ExposedPorts: %s: not a port or a range of ports", q(text));
	ret->protocol = (char *) protocols[i];
	return 0;
}

static cJSON *encode(const struct exposed *p, const char *name)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddStringToObject(o, "protocol", p->protocol);
	json_add_int(o, "port", (int64_t) p->from);
	if (p->to > p->from)
		json_add_int(o, "count", (int64_t) (p->to - p->from + 1));
	return o;
}

int convert_ports(cJSON *app, char *const *exposed, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	cJSON *v = NULL;

	if (strv_len(exposed) > PORTS_MAX)
		return err_set(e, EINVAL, "more than %d ExposedPorts", PORTS_MAX);
	for (char *const *text = exposed; text && *text; text++) {
		struct exposed p = {0};
		char *name;
		int r = parse(*text, &p, e);

		if (r < 0)
			return r;
		name = p.to > p.from ? xasprintf("%u-%u-%s", (unsigned) p.from, (unsigned) p.to, p.protocol)
				     : xasprintf("%u-%s", (unsigned) p.from, p.protocol);
		/* "80" and "80/tcp" are one. */
		if (strv_has(names, name)) {
			free(name);
			continue;
		}
		strv_push(&names, name);
		v = v ? v : cJSON_AddArrayToObject(app, "ports");
		cJSON_AddItemToArray(v, encode(&p, name));
	}
	return 0;
}
