#include "cni-plugins/dnsname/conf.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

#define NAME_LEN_MAX 253 /* RFC 1035 section 2.3.4, as text */
#define LABEL_LEN_MAX 63

void dnsname_conf_done(struct dnsname_conf *c)
{
	free(c->domain);
	strv_free(c->aliases);
	*c = (struct dnsname_conf) {0};
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* It becomes a word of a file and of a command line: nothing else than a host's name may. */
static const char *check_name(const char *name)
{
	size_t label = 0;

	if (strlen(name) > NAME_LEN_MAX)
		return "no host name: too long";
	for (const char *c = name;; c++) {
		if (*c && *c != '.') {
			if (!is_label_char(*c) || (*c == '-' && !label))
				return "no host name";
			label++;
			continue;
		}
		if (!label || label > LABEL_LEN_MAX)
			return "no host name";
		label = 0;
		if (!*c)
			return NULL;
	}
}

static const char *check_domain(const char *name)
{
	return *name ? check_name(name) : NULL;
}

static int add_alias(struct dnsname_conf *c, const char *name, struct err *e)
{
	const char *why = check_name(name);

	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "aliases: %s: %s", q(name), why);
	if (!strv_has(c->aliases, name))
		strv_add(&c->aliases, name);
	return 0;
}

/*
 * The capability aliases: a list of names after the conventions of the specification; podman says
 * them by network, {"NETWORK": [...]}.
 */
static int add_aliases(const struct cni_request *rq, struct dnsname_conf *c, struct err *e)
{
	const cJSON *list = cni_request_get(rq, "runtimeConfig", "aliases");
	int r = 0;

	if (cJSON_IsObject(list))
		list = json_get(list, rq->name);
	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "runtimeConfig.aliases: expected array");
	for (const cJSON *a = list ? list->child : NULL; a && r == 0; a = a->next)
		r = cJSON_IsString(a) ? add_alias(c, a->valuestring, e)
				      : err_set(e, CNI_CODE(CNI_BAD_CONFIG),
						"runtimeConfig.aliases: expected strings");
	return r;
}

/* What Kubernetes' runtimes and podman call the container. */
static int add_pod_name(const struct cni_request *rq, struct dnsname_conf *c, struct err *e)
{
	static const char key[] = "K8S_POD_NAME=";
	_cleanup_strv_ char **args = strv_split(rq->args, ';');

	for (char **a = args; a && *a; a++)
		if (str_starts(*a, key) && (*a)[sizeof key - 1])
			return add_alias(c, *a + sizeof key - 1, e);
	return 0;
}

int dnsname_conf_decode(const struct cni_request *rq, struct dnsname_conf *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct dnsname_conf, "domainName", STRING, domain),
		 .check = check_domain},
		{CNI_FIELD(struct dnsname_conf, "multiDomain", BOOL, multi_domain)},
	};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), ret, e);

	if (r >= 0 && ret->domain && !*ret->domain) {
		free(ret->domain);
		ret->domain = NULL;
	}
	if (r >= 0)
		r = add_aliases(rq, ret, e);
	return r < 0 ? r : add_pod_name(rq, ret, e);
}
