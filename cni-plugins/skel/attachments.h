/* The attachments that a GC declares valid: everything else of the network may go. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/json.h"

struct cni_attachment {
	const char *container_id, *ifname; /* borrowed from the document */
};

struct cni_attachments {
	struct cni_attachment *list; /* owned, sorted */
	size_t n;
	bool known; /* false: the caller said nothing, which is not "nothing is valid" */
};

void cni_attachments_done(struct cni_attachments *a);
/* From cni.dev/valid-attachments, or libcni's older cni.dev/attachments. */
int cni_attachments_decode(const cJSON *conf, struct cni_attachments *ret, struct err *e);
/*
 * ifname NULL: any interface of the container (leases of old host-local versions do not name it).
 */
bool cni_attachments_have(const struct cni_attachments *a, const char *container_id,
			  const char *ifname);

#define CNI_OWNER_MAX 251 /* with its NUL: as long as a comment of nftables */
/*
 * "cni NETWORK CONTAINERID IFNAME", as rules and links carry it.  The id is always whole, lest one container's
 * DEL takes what is another's whose id begins alike: where there is no room, a hash stands for the network.
 */
void cni_owner(const char *network, const char *container_id, const char *ifname,
	       char buf[static CNI_OWNER_MAX]);
/* The owner is of this network and not a valid attachment of it. */
bool cni_owner_is_stale(const char *owner, const char *network, const struct cni_attachments *valid);
