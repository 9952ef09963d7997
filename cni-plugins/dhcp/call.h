/*
 * What the plugin asks the daemon, over a stream socket: one JSON object, the end of writing, one
 * JSON object back, the end.
 *
 *	{"version": 1, "command": "ADD", "containerID": "...", "netns": "/...", "ifname": "eth0",
 *	 "args": "CNI_ARGS", "conf": {"cniVersion": ..., "name": ..., "ipam": {...}}}
 *	{"result": {...}} or {} or {"code": 7, "msg": "..."}
 *
 * The results are of the newest version; the plugin converts.  Both ends are one program and come
 * together, so that the version only tells an old daemon from a new plugin.
 */
#pragma once

#include "cni-plugins/dhcp/conf.h"

#define CALL_MAX CNI_CONF_MAX
#define CALL_ANSWER_MAX (1u << 20)

struct call {
	cJSON *doc; /* owned; as it came */
	char *command, *container_id, *netns, *ifname, *args; /* owned; rq borrows from them */
	int64_t version;
	struct cni_request rq;
	struct dhcp_conf conf; /* for ADD only */
};
#define CALL_INIT {.rq = CNI_REQUEST_INIT}

/* prefix: goes before the namespace's path. */
int call_decode(const char *text, size_t len, const char *prefix, struct call *ret, struct err *e);
void call_done(struct call *c);
#define _cleanup_call_ __attribute__((cleanup(call_done)))
/* The document for a request; free with cJSON_Delete(). */
cJSON *call_encode(const struct cni_request *rq);

/*
 * Ask the daemon at `socket`. *ret: what it answered, without error; free with cJSON_Delete().
 * -ENOENT when no daemon listens there.
 */
int call_daemon(const struct cni_request *rq, const char *socket, cJSON **ret, struct err *e);
