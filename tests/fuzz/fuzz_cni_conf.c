/*
 * What a CNI plugin reads from its runtime: CNI_ARGS (first line), then the network configuration, as
 * every command and every plugin sees it.
 */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/bridge/conf.h"
#include "cni-plugins/host-local/conf.h"
#include "cni-plugins/skel/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const struct cni_env *env, const char *text, size_t len)
{
	_cleanup_host_local_conf_ struct host_local_conf h = {0};
	_cleanup_bridge_conf_ struct bridge_conf b = {0};
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	char *copy = xmalloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	if (cni_request_parse(&rq, env, copy, len, &e) < 0)
		return;
	(void) bridge_conf_decode(&rq, &b, &e);
	if (host_local_conf_decode(&rq, &h, &e) < 0)
		return;
	for (size_t i = 0; i < h.n_sets; i++) {
		struct ip last = {0}, ip;
		const struct range *range;
		struct range_walk w;

		range_walk_init(&w, &h.sets[i], &last);
		for (int n = 0; n < 300 && range_walk_next(&w, &ip, &range); n++)
			if (range_set_find(&h.sets[i], &ip) != range || ip_eq(&ip, &range->gw))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const commands[] = {"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"};
	const uint8_t *eol = size ? memchr(data, '\n', size) : NULL;
	size_t skip = eol ? (size_t) (eol - data) + 1 : 0;
	_cleanup_free_ char *args = xstrndup((const char *) data, eol ? skip - 1 : 0);

	for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
		struct cni_env env = {.command = commands[i], .container_id = "c", .netns = "/n", .ifname = "eth0",
				      .args = args, .path = "/p"};

		decode(&env, (const char *) data + skip, size - skip);
	}
	return 0;
}
