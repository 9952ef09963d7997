#include "cni-plugins/skel/mac.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

static int take(struct cni_mac *m, const char *where, const char *mac, struct err *e)
{
	if (!mac || !*mac)
		return 0;
	/* A group's address, or none, is no link's (is_valid_ether_addr() of the kernel). */
	if (link_mac_parse(mac, m->mac) < 0 || (m->mac[0] & 1) ||
	    !memcmp(m->mac, (const unsigned char[LINK_MAC_LEN]) {0}, LINK_MAC_LEN))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "%s: %s is not a MAC address", where,
			       q(mac));
	m->wanted = true;
	return 0;
}

static int take_member(struct cni_mac *m, const cJSON *object, const char *where, struct err *e)
{
	const cJSON *j = json_get(object, "mac");

	if (j && !cJSON_IsNull(j) && !cJSON_IsString(j))
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "%s: expected string", where);
	return take(m, where, json_get_str(object, "mac"), e);
}

int cni_mac_decode(const struct cni_request *rq, const char *own, struct cni_mac *ret,
		   struct err *e)
{
	_cleanup_free_ char *mac = NULL;
	struct cni_arg known[] = {
		{"MAC", &mac}, {"IP", NULL}, {"GATEWAY", NULL}};
	int r = take(ret, "mac", own, e);

	if (r >= 0)
		r = cni_args_parse(rq->args, known, ELEMENTSOF(known), e);
	if (r >= 0)
		r = take(ret, "CNI_ARGS: MAC", mac, e);
	if (r >= 0)
		r = take_member(ret, cni_request_get(rq, "args", "cni"), "args.cni.mac", e);
	if (r >= 0)
		r = take_member(ret, json_get(rq->conf, "runtimeConfig"), "runtimeConfig.mac", e);
	return r;
}
