/*
 * What is done to networks beside bringing a pod's up and down: CHECK of a pod's attachments, GC and
 * STATUS of the host's networks.
 */
#pragma once

#include "stage1/net/conf.h"

/*
 * CHECK every attachment of the pod, in order; repair: our own plugins put back what somebody flushed
 * first (CNI_ARGS Repair=1).  Each failure is logged; the first is returned.  A network that says
 * disableCheck, or is older than CHECK (0.4.0), has nothing to say.
 */
int net_check(int pod_fd, const char *uuid, bool repair, struct err *e);
/* STATUS: the first plugin that is not ready. Before 1.1.0 nobody is asked. */
int net_status(const struct cni_network *n, struct err *e);
/*
 * GC: whatever is not of an attachment that a pod of `data_dir` has recorded, or of a pod that lives, is
 * released.  No network of this host comes up or goes down meanwhile.  All plugins are asked; the first
 * error is returned.
 */
int net_gc(const struct cni_network *n, const char *data_dir, struct err *e);

/*
 * The lock between those two: shared while plugins add and delete, exclusive while they collect.
 * Returns the descriptor that holds it.
 */
int net_lock(bool exclusive, struct err *e);
