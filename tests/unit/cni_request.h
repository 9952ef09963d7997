/* A plugin's call, built from a configuration: for tests of what plugins make of it. */
#pragma once

#include "tests/unit/unit.h"

#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/request.h"

/* members: of the configuration, beside cniVersion and name. */
static inline void make_request(struct cni_request *rq, const char *command, const char *args, const char *members)
{
	struct cni_env env = {.command = command, .container_id = "c1", .netns = "/ns", .ifname = "eth0",
			      .args = args, .path = "/cni"};
	char *text = xasprintf("{\"cniVersion\":\"1.1.0\",\"name\":\"net\",%s}", members);
	_cleanup_err_ struct err e = ERR_INIT;

	*rq = (struct cni_request) CNI_REQUEST_INIT;
	if (cni_request_parse(rq, &env, text, strlen(text), &e) < 0)
		fail_msg("%s: %s", members, err_text(&e));
}
