#include "cni-plugins/bandwidth/conf.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "cni-plugins/skel/code.h"

static const char *check_pair(int64_t rate, int64_t burst)
{
	if (rate < 0 || burst < 0)
		return "rate and burst must not be negative";
	if (rate && !burst)
		return "if rate is set, burst must also be set";
	if (burst && !rate)
		return "if burst is set, rate must also be set";
	if (rate && rate < 8)
		return "rate must be at least 8 bits a second";
	if (burst && burst < 8)
		return "burst must be at least 8 bits";
	if (burst / 8 >= UINT32_MAX)
		return "burst cannot be more than 4GB";
	return NULL;
}

static int check_limits(const struct bandwidth_conf *l, struct err *e)
{
	const char *in = check_pair(l->ingress_rate, l->ingress_burst);
	const char *out = check_pair(l->egress_rate, l->egress_burst);

	if (in || out)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "%s: %s", in ? "ingress" : "egress",
			       in ? in : out);
	return 0;
}

bool bandwidth_conf_is_empty(const struct bandwidth_conf *l)
{
	return !l->ingress_rate && !l->ingress_burst && !l->egress_rate && !l->egress_burst;
}

int bandwidth_conf_decode(const struct cni_request *rq, struct bandwidth_conf *ret, struct err *e)
{
#define RATE(key, member)                                                                      \
	{CNI_FIELD(struct bandwidth_conf, key, I64, member), .min = INT64_MIN / 2048,          \
	 .max = INT64_MAX / 2048}
	static const struct json_field fields[] = {
		RATE("ingressRate", ingress_rate), RATE("ingressBurst", ingress_burst),
		RATE("egressRate", egress_rate),   RATE("egressBurst", egress_burst),
	};
#undef RATE
	static const struct json_at at_rc = {.key = "runtimeConfig"},
				    at = {.up = &at_rc, .key = "bandwidth"};
	const cJSON *runtime = cni_request_get(rq, "runtimeConfig", "bandwidth");
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), ret, e);
	bool own = false;

	/* A zero there is a word as well: no limit. */
	for (size_t i = 0; i < ELEMENTSOF(fields); i++)
		own |= json_get(rq->conf, fields[i].key) != NULL;
	if (r >= 0 && !own && runtime && !cJSON_IsNull(runtime)) {
		r = json_decode(runtime, &at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, ret,
				e);
		r = cni_bad_config(r, e);
	}
	return r < 0 ? r : check_limits(ret, e);
}
