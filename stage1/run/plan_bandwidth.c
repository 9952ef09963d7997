/*
 * The isolator resource/network-bandwidth: bytes a second, received and sent each (appc
 * specification, "resource/network-bandwidth").  The apps of a pod share its interfaces, where
 * nobody can tell whose a packet is: the limit is the pod's.  An app alone in its pod may have it as
 * well; the lower one counts.
 */
#include <errno.h>

#include "base/str.h"
#include "stage1/run/plan.h"

static int take(const struct isolator *iso, const char *whose, struct plan *plan, struct err *e)
{
	int64_t limit = iso->resource.limit;

	if (!plan->private_net)
		return err_set(e, EINVAL,
			       "%sisolator %s: the pod has the host's network (--net=host)", whose,
			       isolator_name(iso->kind));
	if (!limit)
		return err_set(e, EINVAL, "%sisolator %s: no bytes at all are --net=none", whose,
			       isolator_name(iso->kind));
	if (!plan->net_bytes || limit < plan->net_bytes)
		plan->net_bytes = limit;
	return 0;
}

static int take_app(const struct plan_app *pa, struct plan *plan, struct err *e)
{
	const struct isolator *iso = isolator_find(pa->isolators, ISO_NET_BW);
	_cleanup_free_ char *whose = xasprintf("app %s: ", pa->name);

	if (iso && plan->n_apps > 1)
		return err_set(e, EINVAL,
			       "%sisolator %s: the apps of a pod share its network, of several "
			       "only the pod can be limited (isolators of its manifest)",
			       whose, isolator_name(iso->kind));
	return iso ? take(iso, whose, plan, e) : 0;
}

int plan_bandwidth(struct plan *plan, struct err *e)
{
	const struct isolator *iso = isolator_find(plan->isolators, ISO_NET_BW);
	int r = iso ? take(iso, "", plan, e) : 0;

	for (size_t i = 0; i < plan->n_apps && r == 0; i++)
		r = take_app(&plan->apps[i], plan, e);
	if (r == 0 && plan->net_bytes && !plan->nets)
		strv_push(&plan->notes,
			  xasprintf("isolator %s: there is no network to limit (--net=none)",
				    isolator_name(ISO_NET_BW)));
	return r;
}
