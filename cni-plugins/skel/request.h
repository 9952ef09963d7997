/*
 * One call of a plugin: the environment and the network configuration from standard input, checked.
 *
 * Every name that could become part of a path (network, container, interface, IPAM type) is checked
 * here, before any plugin sees it (CVE-2021-20206).
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/json.h"
#include "cni-plugins/skel/attachments.h"
#include "cni-plugins/skel/result.h"
#include "cni-plugins/skel/version.h"

/* 65535 port mappings with long addresses are 8 MiB, once in runtimeConfig. */
#define CNI_CONF_MAX (16u << 20)
/* Names become files, table names and comments in the kernel; all of those end at 255 bytes. */
#define CNI_NAME_MAX 200

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSION };

/* The variables as they are, NULL where unset. */
struct cni_env {
	const char *command, *container_id, *netns, *ifname, *args, *path;
};

struct cni_request {
	enum cni_command command;
	/* Borrowed from the environment, "" where unset. */
	const char *container_id, *netns, *ifname, *args, *path;
	char *text; /* standard input as it came, for IPAM plugins; owned */
	size_t text_len;
	cJSON *conf; /* owned */
	enum cni_version since; /* the first version that the plugin speaks; set before parsing */
	enum cni_version version;
	bool version_known; /* errors can name it */
	const char *name;   /* the network; borrowed from conf */
	const char *ipam;   /* ipam.type; NULL: no IPAM */
	struct cni_dns dns;
	bool has_prev;
	struct cni_result prev; /* prevResult */
	/*
	 * What is wrong with prevResult, for those who need it: ADD of a plugin that stands first and
	 * DEL do not.
	 */
	struct err prev_error;
	struct cni_attachments valid;
	const struct cni_plugin *const
		*builtin_ipam; /* may run in this process; NULL-terminated, or NULL */
};
#define CNI_REQUEST_INIT {.command = CNI_STATUS, .version = CNI_LATEST}

/* Takes `text` over in any case. For VERSION only the version is looked at. */
int cni_request_parse(struct cni_request *rq, const struct cni_env *env, char *text, size_t len,
		      struct err *e);
void cni_request_done(struct cni_request *rq);
#define _cleanup_cni_request_ __attribute__((cleanup(cni_request_done)))

/* prevResult or an error that says what is wrong. */
int cni_request_need_prev(const struct cni_request *rq, struct err *e);
/*
 * An error of the JSON getters becomes CNI_BAD_CONFIG; others, such as those of CNI_ARGS, have codes of
 * their own already.
 */
int cni_bad_config(int r, struct err *e);
/* Decode the plugin's own keys of the configuration; unknown ones belong to somebody else. */
int cni_request_decode(const struct cni_request *rq, const struct json_field *fields, size_t n,
		       void *target, struct err *e);
/* conf.A.B (B may be NULL), or NULL. */
const cJSON *cni_request_get(const struct cni_request *rq, const char *a, const char *b);
/* The form that names of networks and container ids have: NULL, or what is wrong. */
const char *cni_name_check(const char *name);
