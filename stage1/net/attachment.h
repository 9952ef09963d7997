/*
 * One network of one pod: its ADD, CHECK and DEL.  What the pod directory records of it: cached.h.
 */
#pragma once

#include "stage1/net/conf.h"

struct attachment {
	unsigned index;
	struct cni_network network; /* owned */
	char *ifname, *args, *netns;
	char *pin;   /* where the namespace is mounted, or NULL; netns is the same then (pin.h) */
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
/* Read a record back (cached_list()). -ENOENT: there is nothing (left) to take back of it. */
int attachment_load(struct attachment *ret, int pod_fd, const char *record, struct err *e);
/* CHECK every plugin in order with the result of the ADD; see net_check(). */
int attachment_check(const struct attachment *a, const char *uuid, bool repair, struct err *e);
