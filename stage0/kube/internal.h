/*
 * Private to stage0/kube.
 */
#pragma once

#include "base/json.h"
#include "stage0/kube/kube.h"

#define KUBE_DOCUMENTS_MAX (4u << 20) /* bytes of JSON */
#define KUBE_ROOM (8u << 20)	      /* see kube_docs.room */

/* The documents of one pod. */
struct kube_docs {
	const cJSON *pod;
	const cJSON **maps; /* ConfigMaps */
	size_t n_maps;
	struct kube_run *run; /* what is for the run goes there */
	size_t *room; /* bytes that may still come from putting in what is named: a short file can name much */
};
/* The ConfigMap of that name, or NULL. */
const cJSON *kube_map(const struct kube_docs *docs, const char *name);

/* For json_field.decode: decoded when more is known; the field is a const cJSON *. */
int kube_keep(const cJSON *j, const struct json_at *at, void *field, struct err *e);
/* fixed.c: a member of which only values that ask for nothing are accepted; nothing is stored. */
int kube_fixed(const cJSON *j, const struct json_at *at, void *field, struct err *e);
#define KUBE_FIXED(key_) {.key = key_, .type = JSON_F_CALL, .decode = kube_fixed}
/* A number as text: a quantity may be written as either. The field is a char *. */
int kube_quantity(const cJSON *j, const struct json_at *at, void *field, struct err *e);

/* What the pod says for all its containers. */
struct kube_defaults {
	int64_t user, group; /* -1: not said */
	bool non_root;
	char *gids;    /* "1,2", or NULL */
	char *seccomp; /* or NULL */
	const char *restart; /* "always", "on-failure", "never" */
	int64_t fs_group;    /* -1 */
};

/* container.c: one app of the pod, appended. */
int kube_container(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
		   const struct kube_defaults *defaults, bool init, struct pod_request *req, struct err *e);

/* security.c */
int kube_pod_security(const cJSON *j, const struct json_at *at, struct kube_defaults *ret,
		      struct pod_request *req, struct err *e);
int kube_container_security(const cJSON *j, const struct json_at *at, const struct kube_defaults *defaults,
			    struct app_request *app, struct err *e);

/* environment.c: env and envFrom into app->environment; later, $(NAME) in words. */
int kube_environment(const struct kube_docs *docs, const cJSON *env, const cJSON *from, const struct json_at *at,
		     struct app_request *app, struct err *e);
/* Put in $(NAME); *ret is owned by the caller. */
int kube_substitute(const struct kube_docs *docs, const char *text, char *const *environment,
		    const struct json_at *at, char **ret, struct err *e);
/* Take so many bytes of docs->room. */
int kube_take_room(const struct kube_docs *docs, size_t bytes, const struct json_at *at, struct err *e);

/* probe.c */
int kube_probe(const cJSON *j, const struct json_at *at, const char *type, const struct app_more *more,
	       struct isolator_list *list, struct err *e);

/* volume.c: spec.volumes. */
int kube_volumes(const struct kube_docs *docs, const cJSON *j, const struct json_at *at, int64_t fs_group,
		 struct pod_request *req, struct err *e);

/* isolator.c: decode NAME with this value (taken over) and append it; one of the kind is replaced. */
int kube_isolator(struct isolator_list *list, const char *name, cJSON *value, const struct json_at *at,
		  struct err *e);
