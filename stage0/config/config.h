/*
 * The operator's settings: files *.json in auth.d, paths.d, stage1.d and registries.d of the vendor's, the
 * administrator's and the user's directory, each later directory winning for each domain, registry,
 * path or field.  The formats and names are rkt's (rktKind, rktVersion).
 *
 * Each kind is read when somebody asks for it: starting a pod reads no credentials.  A missing
 * directory is an empty one; everything else that is not as it should be is an error that names the
 * file and the place in it.
 *
 * Credentials never go on an argv, into a log or into the environment; auth_done() and
 * docker_auth_done() wipe them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gantry;

enum auth_type {
	AUTH_BASIC, /* user, password */
	AUTH_OAUTH, /* token: "Authorization: Bearer TOKEN" */
	AUTH_AWS,   /* access_key_id, secret_key, region: AWS signature version 4 */
};

struct auth {
	char *domain; /* "host" or "host:port", lower case */
	enum auth_type type;
	char *user, *password;
	char *token;
	char *access_key_id, *secret_key, *region; /* region: "us-east-1" where none is given */
};

struct auth_list {
	struct auth *v; /* sorted by domain, which are unique */
	size_t n;
};
#define AUTH_LIST_INIT {0}
void auth_done(struct auth_list *l);
#define _cleanup_auth_ __attribute__((cleanup(auth_done)))

int config_load_auth(const struct gantry *g, struct auth_list *ret, struct err *e);
/*
 * What to say to that host: `host` is that of the URL, with ":port" when the URL has one, and must
 * be what an entry says, as in rkt (another port is another server); case does not matter.  NULL:
 * nothing.
 */
const struct auth *auth_for(const struct auth_list *l, const char *host);

/* Credentials of a docker registry. */
struct docker_auth {
	char *registry;
	char *user, *password;
};

struct docker_auth_list {
	struct docker_auth *v; /* sorted by registry, which are unique */
	size_t n;
};
#define DOCKER_AUTH_LIST_INIT {0}
void docker_auth_done(struct docker_auth_list *l);
#define _cleanup_docker_auth_ __attribute__((cleanup(docker_auth_done)))

int config_load_docker_auth(const struct gantry *g, struct docker_auth_list *ret, struct err *e);

struct config_paths {
	char *data;	     /* the data directory, or NULL: not configured */
	char *stage1_images; /* where installed stage1 images lie, or NULL */
};
#define CONFIG_PATHS_INIT {0}
void config_paths_done(struct config_paths *p);
#define _cleanup_config_paths_ __attribute__((cleanup(config_paths_done)))

int config_load_paths(const struct gantry *g, struct config_paths *ret, struct err *e);

struct config_stage1 {
	char *name, *version; /* both or none */
	char *location;	      /* absolute path or URL, or NULL */
};
#define CONFIG_STAGE1_INIT {0}
void config_stage1_done(struct config_stage1 *s);
#define _cleanup_config_stage1_ __attribute__((cleanup(config_stage1_done)))

int config_load_stage1(const struct gantry *g, struct config_stage1 *ret, struct err *e);

/* How a registry of images is reached. */
struct registry_conf {
	char *registry;	 /* "host" or "host:port", lower case: as it stands in references */
	bool is_default; /* names without a registry are of this one */
	char **mirrors;	 /* "host[:port][/path]", asked first and in order; may be NULL */
	bool insecure;	 /* plain http, or a certificate that nobody vouches for, is good enough */
	char *ca;	 /* absolute path of certificates (PEM) that vouch for it, or NULL */
};

struct registry_conf_list {
	struct registry_conf *v; /* sorted by registry, which are unique; at most one is the default */
	size_t n;
};
#define REGISTRY_CONF_LIST_INIT {0}
void registry_confs_done(struct registry_conf_list *l);
#define _cleanup_registry_confs_ __attribute__((cleanup(registry_confs_done)))

int config_load_registries(const struct gantry *g, struct registry_conf_list *ret, struct err *e);
/* NULL: nothing is said of it. */
const struct registry_conf *registry_conf_for(const struct registry_conf_list *l, const char *registry);
/* Borrowed; never NULL. */
const char *registry_conf_default(const struct registry_conf_list *l);
