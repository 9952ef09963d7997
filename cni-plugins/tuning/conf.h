/* The configuration of the tuning plugin. */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/link.h"

/* Attributes of a link, each with whether it is wanted (or, in a backup, was changed). */
struct tuning_link {
	char *mac; /* owned; NULL: not wanted */
	int64_t mtu, tx_queue_len;
	bool promisc, all_multicast;
	bool has_mtu, has_tx_queue_len, has_promisc, has_all_multicast;
};
void tuning_link_done(struct tuning_link *l);
/* {"mac", "mtu", "promisc", "allmulti", "txQLen"}; what is not there stays as it is in *ret. */
int tuning_link_decode(const cJSON *j, const struct json_at *at, struct tuning_link *ret,
		       struct err *e);
cJSON *tuning_link_encode(const struct tuning_link *l);
bool tuning_link_is_empty(const struct tuning_link *l);

struct tuning_sysctl {
	char *key;   /* as written, for messages; owned */
	char *path;  /* below /proc/sys, the interface's name put in; owned */
	char *value; /* owned */
};

struct tuning_conf {
	struct tuning_link link;
	struct tuning_sysctl *sysctls; /* owned */
	size_t n_sysctls;
	char *data_dir; /* owned */
};

int tuning_conf_decode(const struct cni_request *rq, struct tuning_conf *ret, struct err *e);
/* For DEL: only where the backup is. */
int tuning_conf_dir(const struct cni_request *rq, struct tuning_conf *ret, struct err *e);
void tuning_conf_done(struct tuning_conf *c);
#define _cleanup_tuning_conf_ __attribute__((cleanup(tuning_conf_done)))
