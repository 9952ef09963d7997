#include "cni-plugins/dhcp/conf.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cni-plugins/dhcp/message.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

#define OPTION_VALUE_MAX 255

/* dhcp-options(5) */
static const struct {
	const char *name;
	uint8_t code;
} names[] = {
	{"dhcp-client-identifier", DHCP_OPT_CLIENT_ID},
	{"subnet-mask", DHCP_OPT_MASK},
	{"routers", DHCP_OPT_ROUTER},
	{"host-name", DHCP_OPT_HOST_NAME},
	{"user-class", DHCP_OPT_USER_CLASS},
	{"vendor-class-identifier", DHCP_OPT_VENDOR_CLASS},
};

/* RFC 3442: the classless routes before the others. */
static const uint8_t wanted_always[] = {
	DHCP_OPT_MASK, DHCP_OPT_CLASSLESS_ROUTES, DHCP_OPT_ROUTER, DHCP_OPT_STATIC_ROUTES,
	DHCP_OPT_DNS,  DHCP_OPT_DOMAIN,
};

/* What the exchange itself consists of. */
static const uint8_t own[] = {
	DHCP_OPT_PAD,	 DHCP_OPT_ADDRESS, DHCP_OPT_OVERLOAD,	DHCP_OPT_TYPE,
	DHCP_OPT_SERVER, DHCP_OPT_MESSAGE, DHCP_OPT_PARAMETERS, DHCP_OPT_MAX_SIZE,
	DHCP_OPT_END,
};

void dhcp_conf_done(struct dhcp_conf *c)
{
	for (size_t i = 0; i < c->n_given; i++)
		free(c->given[i].value);
	free(c->given);
	free(c->wanted);
	free(c->socket);
	*c = (struct dhcp_conf) {0};
}

char *dhcp_state_dir(const char *socket)
{
	size_t n = strlen(socket);

	if (str_ends(socket, ".sock") && n > 5 && socket[n - 6] != '/')
		return xstrndup(socket, n - 5);
	return xasprintf("%s.leases", socket);
}

static int decode_code(const cJSON *j, const struct json_at *at, uint8_t *ret, struct err *e)
{
	const char *s = json_get_str(j, "option");
	uint64_t n;

	if (!s || !*s)
		return json_err(at, e, "option: missing");
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (!strcmp(s, names[i].name)) {
			*ret = names[i].code;
			return 0;
		}
	if (parse_u64(s, UINT8_MAX, &n) < 0)
		return json_err(at, e, "option: %s is not a number up to 255 or a known name",
				q(s));
	*ret = (uint8_t) n;
	return 0;
}

static void want(struct dhcp_conf *c, uint8_t code)
{
	if (memchr(c->wanted, code, c->n_wanted))
		return;
	c->wanted[c->n_wanted++] = code;
}

struct decoding {
	const struct cni_request *rq;
	struct dhcp_conf *c;
	bool skip_default;
};

static int decode_skip(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct decoding *d = arg;
	const cJSON *skip = json_get(j, "skipDefault");
	struct json_at at_skip = {.up = at, .key = "skipDefault"};
	bool v = false;
	int r = skip && !cJSON_IsNull(skip) ? json_bool(skip, &at_skip, &v, e) : 0;

	d->skip_default |= v;
	return r;
}

static int decode_request(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct decoding *d = arg;
	uint8_t code;
	int r;

	/* An entry may say skipDefault and nothing else. */
	if (d->skip_default && !json_get(j, "option"))
		return 0;
	r = decode_code(j, at, &code, e);
	if (r >= 0)
		want(d->c, code);
	return r;
}

/* CNI_ARGS is the runtime's: whatever else stands there is of no interest. */
static char *from_arg(const struct cni_request *rq, const char *key)
{
	char *value = NULL;
	struct cni_arg known[] = {{key, &value}};

	(void) cni_args_parse(rq->args, known, ELEMENTSOF(known), NULL);
	return value;
}

static int decode_provide(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct decoding *d = arg;
	const char *value = json_get_str(j, "value"), *key = json_get_str(j, "fromArg");
	_cleanup_free_ char *v = key && *key ? from_arg(d->rq, key) : NULL;
	uint8_t code;
	int r = decode_code(j, at, &code, e);

	if (r < 0)
		return r;
	if (memchr(own, code, sizeof own))
		return json_err(at, e, "option: %u is one that the client itself sets", code);
	if (!v && value && *value)
		v = xstrdup(value);
	if (!v)
		return 0;
	if (strlen(v) > OPTION_VALUE_MAX)
		return json_err(at, e, "value too long for option %u", code);
	for (size_t i = 0; i < d->c->n_given; i++)
		if (d->c->given[i].code == code) {
			free(d->c->given[i].value);
			d->c->given[i].value = take_ptr(v);
			return 0;
		}
	d->c->given = xgrow(d->c->given, d->c->n_given, sizeof *d->c->given);
	d->c->given[d->c->n_given++] = (struct dhcp_given) {code, take_ptr(v)};
	return 0;
}

static int decode_suppress(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct decoding *d = arg;
	const char *s;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	if (strcmp(s, "gateway") != 0)
		return json_err(at, e, "unknown value %s, \"gateway\" is known", q(s));
	d->c->skip_gateway = true;
	return 0;
}

static int refuse_v6(const cJSON *j, const struct json_at *at, void *arg _unused_, struct err *e)
{
	const char *s;
	int r = json_str(j, at, &s, e);

	return r < 0 || !strchr(s, ':') ? r
					: json_err(at, e, "%s: dhcp gives IPv4 addresses only", q(s));
}

static int each(const cJSON *list, const struct json_at *at,
		int (*fn)(const cJSON *, const struct json_at *, void *, struct err *),
		struct decoding *d, struct err *e)
{
	return list && !cJSON_IsNull(list) ? json_each(list, at, fn, d, e) : 0;
}

static int decode_lists(struct decoding *d, const cJSON *ipam, struct err *e)
{
	static const struct json_at up = {.key = "ipam"}, args = {.key = "args"},
				    cni = {.up = &args, .key = "cni"},
				    runtime = {.key = "runtimeConfig"};
	static const struct json_at request = {.up = &up, .key = "request"},
				    provide = {.up = &up, .key = "provide"},
				    suppress = {.up = &up, .key = "suppress"},
				    args_ips = {.up = &cni, .key = "ips"},
				    runtime_ips = {.up = &runtime, .key = "ips"};
	int r = each(json_get(ipam, "request"), &request, decode_skip, d, e);

	if (r >= 0 && !d->skip_default)
		for (size_t i = 0; i < ELEMENTSOF(wanted_always); i++)
			want(d->c, wanted_always[i]);
	if (r >= 0)
		r = each(json_get(ipam, "request"), &request, decode_request, d, e);
	if (r >= 0)
		r = each(json_get(ipam, "provide"), &provide, decode_provide, d, e);
	if (r >= 0)
		r = each(json_get(ipam, "suppress"), &suppress, decode_suppress, d, e);
	if (r >= 0)
		r = each(json_get(cni_request_get(d->rq, "args", "cni"), "ips"), &args_ips,
			 refuse_v6, d, e);
	if (r >= 0)
		r = each(cni_request_get(d->rq, "runtimeConfig", "ips"), &runtime_ips, refuse_v6, d,
			 e);
	return r;
}

static const char *check_socket(const char *s)
{
	return !*s || *s == '/' ? NULL : "must be an absolute path";
}

static int decode_keys(const struct cni_request *rq, struct dhcp_conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct dhcp_conf, "daemonSocketPath", STRING, socket),
		 .check = check_socket},
		{CNI_FIELD(struct dhcp_conf, "priority", I64, priority), .max = INT32_MAX},
	};
	static const struct json_at at = {.key = "ipam"};
	const cJSON *ipam = json_get(rq->conf, "ipam");
	int r;

	if (!cJSON_IsObject(ipam))
		return err_set(e, EINVAL, "IPAM config missing 'ipam' key");
	r = json_decode(ipam, &at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, c, e);
	if (r >= 0 && (!c->socket || !*c->socket)) {
		free(c->socket);
		c->socket = xstrdup(DHCP_SOCKET);
	}
	return r;
}

int dhcp_conf_socket(const struct cni_request *rq, struct dhcp_conf *ret, struct err *e)
{
	return cni_bad_config(decode_keys(rq, ret, e), e);
}

int dhcp_conf_decode(const struct cni_request *rq, struct dhcp_conf *ret, struct err *e)
{
	struct decoding d = {.rq = rq, .c = ret};
	int r = decode_keys(rq, ret, e);

	if (r >= 0) {
		ret->wanted = xcalloc(UINT8_MAX + 1, 1);
		r = decode_lists(&d, json_get(rq->conf, "ipam"), e);
	}
	return cni_bad_config(r, e);
}
