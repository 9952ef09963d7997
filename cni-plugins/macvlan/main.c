/*
 * macvlan: a link of the container's own on one of the host's, with an address of its own.  The host
 * does not reach its own macvlan children: the kernel is made so.
 */
#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/mac.h"
#include "cni-plugins/skel/skel.h"

struct conf {
	struct child_conf child;
	struct cni_mac mac;
	char *mode, *own_mac; /* owned */
	int64_t bc_queue_len;
};

static void conf_done(struct conf *c)
{
	child_conf_done(&c->child);
	free(c->mode);
	free(c->own_mac);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

static int decode_mode(const struct conf *c, struct child *ret, struct err *e)
{
	const char *word = c->mode && *c->mode ? c->mode : "bridge";
	const struct link_mode *mode = link_mode_find(link_macvlan_modes, word);

	if (!mode)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "unknown macvlan mode: %s", q(word));
	ret->link.value = mode->value;
	return 0;
}

static int decode(const struct cni_request *rq, struct conf *c, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "mode", STRING, mode)},
		{CNI_FIELD(struct conf, "mac", STRING, own_mac)},
		{CNI_FIELD(struct conf, "bcqueuelen", I64, bc_queue_len), .min = 0, .max = UINT32_MAX},
	};
	int r = child_conf_decode(rq, &c->child, ret, e);

	if (r >= 0)
		r = cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
	if (r >= 0)
		r = cni_mac_decode(rq, c->own_mac, &c->mac, e);
	ret->link.kind = "macvlan";
	ret->link.value_type = LINK_VALUE_U32;
	ret->link.mac = c->mac.wanted ? c->mac.mac : NULL;
	ret->link.bc_queue_len = (unsigned) c->bc_queue_len;
	ret->arp_notify = true;
	return r < 0 ? r : decode_mode(c, ret, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	struct child child = {0};
	int r = decode(rq, &c, &child, e);

	return r < 0 ? r : child_add(rq, &child, false, ret, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	struct child child = {0};
	int r = decode(rq, &c, &child, e);

	return r < 0 ? r : child_check(rq, &child, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "macvlan",
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
