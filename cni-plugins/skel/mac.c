#include "cni-plugins/skel/mac.h"

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

static int take(struct cni_mac *m, const char *where, const char *mac, struct err *e)
{
	if (!mac || !*mac)
		return 0;
	if (link_mac_parse(mac, m->mac) < 0)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "%s: %s is not a MAC address", where,
			       q(mac));
	m->wanted = true;
	return 0;
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
		r = take(ret, "args.cni.mac",
			 json_get_str(cni_request_get(rq, "args", "cni"), "mac"), e);
	if (r >= 0)
		r = take(ret, "runtimeConfig.mac",
			 json_get_str(json_get(rq->conf, "runtimeConfig"), "mac"), e);
	return r;
}
