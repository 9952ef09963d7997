/*
 * One network of one pod: what the pod directory records of it, and its ADD and DEL.
 *
 *	net/I.conf    the configuration list that was used
 *	net/I.state   flat record: name, file, cni-version, ifname, args, path (repeated),
 *	              netns, pin (pin.h; where plugins are not ours), phase=adding
 *	net/I.caps    capability arguments (runtimeConfig), where there are any
 *	net/I.result  the final result: there once all plugins have added
 */
#pragma once

#include "stage1/net/conf.h"

struct attachment {
	unsigned index;
	struct cni_network network; /* owned */
	char *ifname, *args, *netns;
	char *pin;   /* where the namespace is mounted, or NULL; then netns is the same */
	char **path; /* CNI_PATH */
	cJSON *result; /* the last plugin's, or NULL */
	cJSON *caps;   /* capability arguments by name, or NULL */
};
void attachment_done(struct attachment *a);

/*
 * ADD every plugin in order. When one fails, DEL is run for the whole chain and nothing stays
 * recorded if that worked.
 */
int attachment_add(struct attachment *a, int pod_fd, const char *uuid, struct err *e);
/* DEL in reverse order; removes the records on success. */
int attachment_del(struct attachment *a, int pod_fd, const char *uuid, const char *netns,
		   struct err *e);
/* Read records back. -ENOENT: there is nothing (left) to take back of this index. */
int attachment_load(struct attachment *ret, int pod_fd, unsigned index, struct err *e);
/* Indexes of the pod that have a state, highest first; *ret is owned by the caller. */
int attachments_recorded(int pod_fd, unsigned **ret, size_t *ret_n, struct err *e);
/* CHECK every plugin in order with the result of the ADD; see net_check(). */
int attachment_check(const struct attachment *a, const char *uuid, bool repair, struct err *e);
