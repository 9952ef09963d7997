/*
 * What an interface was before it was changed: one file for each attachment,
 * DATADIR/CONTAINERID_IFNAME.json, with the reference plugin's members and one more, which says whose
 * it is:
 *
 *	{"mac": "...", "mtu": 1500, "owner": "cni NETWORK CONTAINERID IFNAME"}
 */
#pragma once

#include "cni-plugins/skel/request.h"
#include "cni-plugins/tuning/conf.h"

/* Below `dir`, which is made; what was there is replaced. */
int backup_save(const struct cni_request *rq, const char *dir, const struct tuning_link *before,
		struct err *e);
/* False: there is none, or half of one, of a crash. *ret is owned by the caller. */
bool backup_load(const struct cni_request *rq, const char *dir, struct tuning_link *ret);
/* That there is none is fine. */
int backup_remove(const struct cni_request *rq, const char *dir, struct err *e);
/*
 * Those of the network whose attachments are not valid; of others, and of the reference plugin, none.
 */
int backup_gc(const struct cni_request *rq, const char *dir, struct err *e);
