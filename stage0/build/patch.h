/*
 * Changes to an image manifest, by options of the command line (those of actool patch-manifest).
 *
 * The document stays what it was but for what is changed, in its order; what comes out is checked
 * as every manifest is.
 */
#pragma once

#include "base/json.h"
#include "base/opt.h"

struct patch_request {
	char *name, *exec, *user, *group, *working_dir, *supplementary_gids;
	char **labels, **annotations, **environment, **isolator;
	char *mounts, *ports, *isolators;
	char *capability, *revoke_capability, *seccomp_mode, *seccomp_set;
	char *pre_start, *post_stop;
};

extern const struct opt patch_opts[];
extern const size_t n_patch_opts;
void patch_request_done(struct patch_request *rq);

/* Whether anything is to be changed. */
bool patch_is_empty(const struct patch_request *rq);
/*
 * Change the text (owned by the caller, replaced). It was checked before and is checked afterwards.
 */
int patch_manifest(const struct patch_request *rq, char **text, size_t *len, struct err *e);

/* --- patch_words.c: the small languages of the options --- */
/* "cmd arg arg": an array of its words. -EINVAL: none. */
int patch_exec(const char *text, cJSON **ret, struct err *e);
/* "name,path=/p,readOnly=true:name2,path=..." */
int patch_mounts(const char *text, cJSON **ret, struct err *e);
/* "name,protocol=tcp,port=80,count=2,socketActivated=true:..." */
int patch_ports(const char *text, cJSON **ret, struct err *e);
/* "a,b,c": {"set": [...]} */
cJSON *patch_set(const char *text);
/* "name,key=value,key=value:name2,...": [{"name", "value": {key: value}}] */
int patch_isolators(const char *text, cJSON **ret, struct err *e);
/* "name=JSON" */
int patch_isolator(const char *text, cJSON **ret, struct err *e);
