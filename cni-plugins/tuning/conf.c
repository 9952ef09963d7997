#include "cni-plugins/tuning/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

#define DATA_DIR "/run/cni/tuning"
#define ALLOWLIST "/etc/cni/tuning/allowlist.conf"
#define ALLOWLIST_MAX (256u << 10)

void tuning_link_done(struct tuning_link *l)
{
	free(l->mac);
	*l = (struct tuning_link) {0};
}

void tuning_conf_done(struct tuning_conf *c)
{
	tuning_link_done(&c->link);
	for (size_t i = 0; i < c->n_sysctls; i++) {
		free(c->sysctls[i].key);
		free(c->sysctls[i].path);
		free(c->sysctls[i].value);
	}
	free(c->sysctls);
	free(c->data_dir);
	*c = (struct tuning_conf) {0};
}

bool tuning_link_is_empty(const struct tuning_link *l)
{
	return !l->mac && !l->has_mtu && !l->has_tx_queue_len && !l->has_promisc &&
	       !l->has_all_multicast;
}

static const char *check_mac(const char *text)
{
	unsigned char mac[LINK_MAC_LEN];

	return !*text || link_mac_parse(text, mac) == 0 ? NULL : "not a MAC address";
}

#define LINK(key, type, member) CNI_FIELD(struct tuning_link, key, type, member)
#define HAS(member) .present = offsetof(struct tuning_link, member)

int tuning_link_decode(const cJSON *j, const struct json_at *at, struct tuning_link *ret,
		       struct err *e)
{
	static const struct json_field fields[] = {
		{LINK("mac", STRING, mac), .check = check_mac},
		{LINK("mtu", I64, mtu), .min = 0, .max = INT32_MAX, HAS(has_mtu)},
		{LINK("txQLen", I64, tx_queue_len), .min = 0, .max = INT32_MAX,
		 HAS(has_tx_queue_len)},
		{LINK("promisc", BOOL, promisc), HAS(has_promisc)},
		{LINK("allmulti", BOOL, all_multicast), HAS(has_all_multicast)},
	};
	_cleanup_free_ char *before = take_ptr(ret->mac);
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, ret, e);

	/* An empty one, or a zero, says nothing, as in the reference plugin. */
	if (ret->mac && !*ret->mac)
		free(take_ptr(ret->mac));
	if (!ret->mac)
		ret->mac = take_ptr(before);
	ret->has_mtu &= ret->mtu != 0;
	return r;
}

cJSON *tuning_link_encode(const struct tuning_link *l)
{
	cJSON *j = cJSON_CreateObject();

	if (l->mac)
		cJSON_AddStringToObject(j, "mac", l->mac);
	if (l->has_mtu)
		json_add_int(j, "mtu", l->mtu);
	if (l->has_tx_queue_len)
		json_add_int(j, "txQLen", l->tx_queue_len);
	if (l->has_promisc)
		cJSON_AddBoolToObject(j, "promisc", l->promisc);
	if (l->has_all_multicast)
		cJSON_AddBoolToObject(j, "allmulti", l->all_multicast);
	return j;
}

/* --- sysctls --- */

static int bad(struct err *e, const char *key, const char *why)
{
	return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "sysctl %s: %s", q(key), why);
}

/*
 * "net.ipv4.conf.IFNAME.arp_filter" or with slashes; in the second form a dot is part of a name (of a
 * VLAN's link).  Only the network namespace's own may be set: everything else is the host's.
 */
static char *sysctl_path(const struct cni_request *rq, const char *key)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	char separator = strchr(key, '/') ? '/' : '.';
	_cleanup_strv_ char **parts = strv_split(key, separator);

	for (char **p = parts; *p; p++) {
		const char *part = strcmp(*p, "IFNAME") ? *p : rq->ifname;

		if (!path_is_name(part))
			return NULL;
		strbuf_addf(&sb, "%s%s", sb.len ? "/" : "", part);
	}
	return sb.len && str_starts(sb.buf, "net/") ? strbuf_take(&sb) : NULL;
}

static int add_sysctl(const struct cni_request *rq, struct tuning_conf *c, const cJSON *item,
		      struct err *e)
{
	_cleanup_free_ char *path = sysctl_path(rq, item->string);

	if (!path)
		return bad(e, item->string, "is not below net");
	if (!cJSON_IsString(item))
		return bad(e, item->string, "expected string");
	for (size_t i = 0; i < c->n_sysctls; i++)
		if (!strcmp(c->sysctls[i].path, path))
			return bad(e, item->string, "is there twice");
	c->sysctls = xgrow(c->sysctls, c->n_sysctls, sizeof *c->sysctls);
	c->sysctls[c->n_sysctls++] = (struct tuning_sysctl) {
		.key = xstrdup(item->string),
		.path = take_ptr(path),
		.value = xstrdup(item->valuestring),
	};
	return 0;
}

/* args.cni's object, where there is one, goes before the file's. */
static int decode_sysctls(const struct cni_request *rq, struct tuning_conf *c, struct err *e)
{
	const cJSON *own = json_get(rq->conf, "sysctl"), *item;
	const cJSON *args = json_get(cni_request_get(rq, "args", "cni"), "sysctl");
	const cJSON *list = cJSON_IsObject(args) ? args : own;
	int r = 0;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsObject(list))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "sysctl: expected object");
	for (item = list->child; r >= 0 && item; item = item->next)
		r = add_sysctl(rq, c, item, e);
	return r;
}

/* Each line is an expression; without the file everything is allowed. */
static int match_list(const char *text, const struct tuning_sysctl *s, bool *ret, struct err *e)
{
	_cleanup_strv_ char **lines = strv_split(text, '\n');

	*ret = false;
	for (char **l = lines; *l && !*ret; l++) {
		regex_t re;

		if (!**l || **l == '#')
			continue;
		if (regcomp(&re, *l, REG_EXTENDED | REG_NOSUB))
			return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
				       ALLOWLIST ": %s is not a regular expression", q(*l));
		*ret = regexec(&re, s->key, 0, NULL, 0) == 0;
		regfree(&re);
	}
	return 0;
}

static int check_allowlist(const struct tuning_conf *c, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	size_t len;
	bool allowed;
	int r = c->n_sysctls ? file_read_at(AT_FDCWD, ALLOWLIST, ALLOWLIST_MAX, &text, &len, &why)
			     : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : err_move(e, &why);
	for (size_t i = 0; i < c->n_sysctls; i++) {
		r = match_list(text, &c->sysctls[i], &allowed, e);
		if (r < 0)
			return r;
		if (!allowed)
			return bad(e, c->sysctls[i].key, "is not allowed by " ALLOWLIST);
	}
	return 0;
}

/* --- the whole --- */

int tuning_conf_dir(const struct cni_request *rq, struct tuning_conf *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct tuning_conf, "dataDir", STRING, data_dir)},
	};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), ret, e);

	if (r >= 0 && (!ret->data_dir || !*ret->data_dir)) {
		free(ret->data_dir);
		ret->data_dir = xstrdup(DATA_DIR);
	}
	return r;
}

static void take_mac(struct tuning_link *l, const char *mac)
{
	if (!mac || !*mac)
		return;
	free(l->mac);
	l->mac = xstrdup(mac);
}

/* CNI_ARGS MAC, then runtimeConfig.mac; args.cni comes last here. */
static int decode_link(const struct cni_request *rq, struct tuning_link *l, struct err *e)
{
	static const struct json_at at_args = {.key = "args"},
				    at_cni = {.up = &at_args, .key = "cni"};
	const cJSON *cni = cni_request_get(rq, "args", "cni");
	_cleanup_free_ char *mac = NULL;
	struct cni_arg known[] = {{"MAC", &mac}, {"IP", NULL}, {"GATEWAY", NULL}};
	const char *runtime = json_get_str(json_get(rq->conf, "runtimeConfig"), "mac");
	int r = tuning_link_decode(rq->conf, JSON_TOP, l, e);

	if (r >= 0)
		r = cni_args_parse(rq->args, known, ELEMENTSOF(known), e);
	if (r < 0)
		return r;
	take_mac(l, mac);
	take_mac(l, runtime);
	if (cJSON_IsObject(cni))
		r = tuning_link_decode(cni, &at_cni, l, e);
	if (r >= 0 && l->mac && check_mac(l->mac))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "mac %s: not a MAC address", q(l->mac));
	return r;
}

int tuning_conf_decode(const struct cni_request *rq, struct tuning_conf *ret, struct err *e)
{
	int r = tuning_conf_dir(rq, ret, e);

	if (r >= 0)
		r = decode_link(rq, &ret->link, e);
	r = cni_bad_config(r, e);
	if (r >= 0)
		r = decode_sysctls(rq, ret, e);
	return r < 0 ? r : check_allowlist(ret, e);
}
