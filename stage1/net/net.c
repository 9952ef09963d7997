#include "stage1/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/net/attachment.h"
#include "stage1/net/bandwidth.h"
#include "stage1/net/cached.h"
#include "stage1/net/forward.h"
#include "stage1/net/operations.h"
#include "stage1/net/plugin.h"
#include "stage1/net/ports.h"
#include "stage1/net/result.h"
#include "sys/legacy_filter.h"

struct net_plan {
	char *uuid;
	int pod_fd;
	struct attachment *v;
	size_t n;
};

void net_plan_free(struct net_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		attachment_done(&p->v[i]);
	free(p->v);
	free(p->uuid);
	free(p);
}

/* Each plugin must be there before anything is changed. */
static int check_plugins(const struct attachment *a, struct err *e)
{
	for (const cJSON *p = json_get(a->network.list, "plugins")->child; p; p = p->next) {
		_cleanup_free_ char *program = NULL;
		int r = cni_plugin_find(a->path, json_get_str(p, "type"), &program, e);

		if (r < 0)
			return err_ctx(e, r, "failed to setup network %s", q(a->network.name));
	}
	return 0;
}

static int add_attachment(struct net_plan *p, const struct cni_network *n, const char *args,
			  struct err *e)
{
	struct attachment *a;

	p->v = xgrow(p->v, p->n, sizeof *p->v);
	a = &p->v[p->n];
	*a = (struct attachment) {.index = (unsigned) p->n,
				  .args = xstrdup(args),
				  .path = cni_plugin_path()};
	p->n++;
	a->ifname = xasprintf("eth%u", a->index);
	a->netns = xstrdup("");
	a->network.name = xstrdup(n->name);
	a->network.file = xstrdup_null(n->file);
	a->network.version = xstrdup(n->version);
	a->network.list = cJSON_Duplicate(n->list, true);
	if (!n->file) {
		net_forward_add(a->network.list);
		legacy_filter_warn(AF_INET, NULL);
	}
	return check_plugins(a, e);
}

static const char *args_of(char *const *nets, const char *name)
{
	size_t len = strlen(name);

	for (; *nets; nets++)
		if (!strncmp(*nets, name, len) && ((*nets)[len] == ':' || (*nets)[len] == '\0'))
			return (*nets)[len] ? *nets + len + 1 : "";
	return NULL;
}

/* Names that nothing defines, for one line. */
static int check_known(const struct net_request *req, const struct cni_networks *all, struct err *e)
{
	_cleanup_strbuf_ struct strbuf missing = STRBUF_INIT;

	for (char *const *n = req->nets; *n; n++) {
		_cleanup_free_ char *name = xstrndup(*n, strcspn(*n, ":"));

		if (strcmp(name, "all") && !cni_network_find(all, name))
			strbuf_addf(&missing, "%s%s", missing.len ? ", " : "", q(name));
	}
	if (missing.len)
		return err_set(e, ENOENT, "failed to setup network: networks not found: %s",
			       missing.buf);
	return 0;
}

/* In the order of the files, whatever the order of the names: that numbers eth0, eth1. */
static int select_networks(const struct net_request *req, struct net_plan *p, struct err *e)
{
	_cleanup_free_ char *dir =
		path_join(req->local_config ? req->local_config : LOCAL_CONFIG_DIR, "net.d");
	bool everything = strv_has(req->nets, "all");
	struct cni_networks all = {0};
	int r = cni_networks_load(dir, req->net_dirs, &all, e);

	if (r < 0)
		return err_ctx(e, r, "failed to setup network");
	r = check_known(req, &all, e);
	for (size_t i = 0; i < all.n && r == 0; i++) {
		const char *args = args_of(req->nets, all.v[i].name);

		/* "all" means what the administrator configured, and the default network. */
		if (!args && everything &&
		    (all.v[i].file || !strcmp(all.v[i].name, "default")))
			args = "";
		if (args)
			r = add_attachment(p, &all.v[i], args, e);
	}
	cni_networks_done(&all);
	return r;
}

/*
 * The ports lead to the first network that masquerades, else to the last one, as rkt has it.
 */
static int add_ports(const struct net_request *req, struct net_plan *p, struct err *e)
{
	struct attachment *a = p->n ? &p->v[p->n - 1] : NULL;
	int r;

	if (!req->n_ports)
		return 0;
	if (!a)
		return err_set(e, EINVAL, "there is no network to forward ports to");
	for (size_t i = p->n; i-- > 0;)
		if (net_has_masquerade(p->v[i].network.list))
			a = &p->v[i];
	r = net_ports_add(a->network.list, req->ports, req->n_ports, &a->caps, e);
	return r < 0 ? r : check_plugins(a, e);
}

static bool takes_aliases(const struct attachment *a)
{
	for (const cJSON *p = json_get(a->network.list, "plugins")->child; p; p = p->next)
		if (cJSON_IsTrue(json_get(json_get(p, "capabilities"), "aliases")))
			return true;
	return false;
}

/* The capability aliases, for whoever serves names on a network of the pod. */
static void add_aliases(const struct net_request *req, struct net_plan *p)
{
	for (size_t i = 0; req->aliases && i < p->n; i++) {
		struct attachment *a = &p->v[i];
		cJSON *list;

		if (!takes_aliases(a))
			continue;
		if (!a->caps)
			a->caps = cJSON_CreateObject();
		list = cJSON_AddArrayToObject(a->caps, "aliases");
		for (char *const *name = req->aliases; *name; name++)
			cJSON_AddItemToArray(list, cJSON_CreateString(*name));
	}
}

/* Each interface of the pod has the whole rate; lo is none of ours. */
static int add_bandwidth(const struct net_request *req, struct net_plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; req->bandwidth && i < p->n && r == 0; i++) {
		net_bandwidth_add(p->v[i].network.list, req->bandwidth, &p->v[i].caps);
		r = check_plugins(&p->v[i], e);
	}
	return r;
}

int net_plan(const struct net_request *req, struct net_plan **ret, struct err *e)
{
	struct net_plan *p = xcalloc(1, sizeof *p);
	int r = 0;

	p->uuid = xstrdup(req->uuid);
	p->pod_fd = req->pod_fd;
	if (req->nets && !strv_has(req->nets, "none"))
		r = select_networks(req, p, e);
	if (r == 0)
		r = add_ports(req, p, e);
	if (r == 0)
		r = add_bandwidth(req, p, e);
	add_aliases(req, p);
	if (r < 0) {
		net_plan_free(p);
		return r;
	}
	if (req->netns_path)
		net_plan_netns(p, req->netns_path, req->netns_fd);
	*ret = p;
	return 0;
}

void net_plan_netns(struct net_plan *p, const char *path, int fd)
{
	(void) fd;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].netns);
		p->v[i].netns = xstrdup(path);
	}
}

char **net_plan_lines(const struct net_plan *p)
{
	char **lines = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct attachment *a = &p->v[i];
		_cleanup_strbuf_ struct strbuf types = STRBUF_INIT;
		_cleanup_free_ char *args = str_escape(a->args, strlen(a->args));

		for (const cJSON *c = json_get(a->network.list, "plugins")->child; c; c = c->next)
			strbuf_addf(&types, "%s%s", types.len ? "+" : "", json_get_str(c, "type"));
		strv_push(&lines,
			  xasprintf("%s: %s (%s, %s)%s%s", a->ifname, a->network.name, types.buf,
				    a->network.file ? a->network.file : "built in",
				    *args ? " " : "", args));
	}
	return lines;
}

void net_result_done(struct net_result *r)
{
	strv_free(r->nameservers);
	strv_free(r->search);
	strv_free(r->options);
	strv_free(r->addresses);
	strv_free(r->gateways);
	free(r->domain);
	free(r->dns_network);
	*r = (struct net_result) {0};
}

/* "255.255.255.0" of a prefix length; for IPv6 the length itself. */
static void add_mask(cJSON *o, const char *len_text, bool v4)
{
	uint64_t len;
	uint32_t mask;
	char text[16];

	if (!v4 || parse_u64(len_text, 32, &len) < 0) {
		cJSON_AddStringToObject(o, "mask", len_text);
		return;
	}
	mask = len ? ~0u << (32 - len) : 0;
	(void) snprintf(text, sizeof text, "%u.%u.%u.%u", mask >> 24, mask >> 16 & 255,
			mask >> 8 & 255, mask & 255);
	cJSON_AddStringToObject(o, "mask", text);
}

static cJSON *info_of(const struct attachment *a, char *const *addresses)
{
	cJSON *o = cJSON_CreateObject();
	_cleanup_free_ char *plugin = NULL, *ip = NULL;
	const char *first = addresses ? addresses[0] : NULL;

	(void) cni_plugin_find(a->path,
			       json_get_str(json_get(a->network.list, "plugins")->child, "type"),
			       &plugin, NULL);
	cJSON_AddStringToObject(o, "netName", a->network.name);
	cJSON_AddStringToObject(o, "netConf", a->network.file ? a->network.file : "");
	cJSON_AddStringToObject(o, "pluginPath", plugin ? plugin : "");
	cJSON_AddStringToObject(o, "ifName", a->ifname);
	if (first) {
		ip = xstrndup(first, strcspn(first, "/"));
		cJSON_AddStringToObject(o, "ip", ip);
	}
	cJSON_AddStringToObject(o, "args", a->args);
	if (first)
		add_mask(o, strchr(first, '/') + 1, !strchr(ip, ':'));
	return o;
}

static int write_info(const struct net_plan *p, cJSON *info, struct err *e)
{
	_cleanup_free_ char *text = json_print(info, false);

	return file_write_at(p->pod_fd, POD_NET_INFO, text, strlen(text), 0644, FILE_FAST, e);
}

int net_up(struct net_plan *p, struct net_result *ret, struct err *e)
{
	_cleanup_json_ cJSON *info = cJSON_CreateArray();
	_cleanup_fd_ int lock = p->n ? net_lock(false, e) : -EBADF;
	int r = p->n && lock < 0 ? lock : 0;

	*ret = (struct net_result) {0};
	for (size_t i = 0; i < p->n && r == 0; i++) {
		struct attachment *a = &p->v[i];
		_cleanup_strv_ char **addresses = NULL;

		r = attachment_add(a, p->pod_fd, p->uuid, e);
		if (r == 0 && cni_result_addresses(a->result, &addresses, e) < 0)
			r = err_ctx(e, -EINVAL, "failed to setup network %s", q(a->network.name));
		if (r < 0)
			break;
		cni_result_dns(a->result, a->network.name, ret);
		cni_result_gateways(a->result, &ret->gateways);
		cJSON_AddItemToArray(info, info_of(a, addresses));
		for (char **s = addresses; s && *s; s++)
			strv_add(&ret->addresses, *s);
	}
	if (r == 0 && p->n)
		r = write_info(p, info, e);
	if (r < 0)
		net_result_done(ret);
	return r;
}

int net_down(int pod_fd, const char *uuid, const char *netns_path, struct err *e)
{
	_cleanup_strv_ char **records = NULL;
	_cleanup_fd_ int lock = -EBADF;
	int r, first = 0;

	r = cached_list(pod_fd, &records, e);
	if (r == 0 && !records && unlinkat(pod_fd, POD_NET, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY)
		log_warning("%s: another version of gantry has set up this pod's networks, and only that one can take "
			    "back what they have of it", uuid);
	if (r < 0 || !records)
		return r;
	lock = net_lock(false, e);
	if (lock < 0)
		return lock;
	for (char **record = records; *record; record++) {
		_cleanup_err_ struct err why = ERR_INIT;
		struct attachment a = {0};

		r = attachment_load(&a, pod_fd, *record, &why);
		/*
		 * Nothing left of it. The same error of the DEL would be a plugin that is gone: no
		 * success.
		 */
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = attachment_del(&a, pod_fd, uuid, netns_path, &why);
		attachment_done(&a);
		if (r < 0 && first)
			log_error("%s", err_text(&why));
		else if (r < 0)
			first = err_move(e, &why);
	}
	return first;
}
