/*
 * Who we are to a registry: gantry's own configuration (kind dockerAuth), then the files and helpers that
 * docker and podman share.
 *
 *	$REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME/containers/auth.json,
 *	$DOCKER_CONFIG/config.json (~/.docker/config.json)
 *
 * In each file: the helper that credHelpers names for the host, then the longest entry of auths that is
 * the repository, a part of its path or the host, then the helper credsStore.  No secret ever stands on an
 * argv, in the environment or in a message.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

struct gantry;

struct login {
	char *user, *password; /* both or none */
	char *identity_token;  /* to be changed into a token (OAuth 2 refresh token), or NULL */
	char *registry_token;  /* a bearer token as it is, or NULL */
	char *from;	       /* where it stands, for messages; NULL: there is none */
};
void login_done(struct login *l);
#define _cleanup_login_ __attribute__((cleanup(login_done)))

/*
 * `registry` as in references ("docker.io", "localhost:5000"); `repository` may be NULL.  Nothing found:
 * 0 and *ret is empty.
 */
int login_find(const struct gantry *g, const char *registry, const char *repository, struct login *ret,
	       struct err *e);
static inline bool login_is_set(const struct login *l)
{
	return l->from;
}

/* --- parts, without input or output: login_file.c --- */

#define LOGIN_FILE_MAX (1u << 20)
/* "https://index.docker.io/v1/" -> "docker.io"; a host, or HOST/PATH. Owned by the caller. */
char *login_normal_key(const char *key);
/* What a docker configuration says: credentials, or (*ret_helper, owned) the helper that knows them. */
int login_from_file(const char *text, size_t len, const char *registry, const char *repository,
		    struct login *ret, char **ret_helper, struct err *e);
/* NULL when the word may be the end of a program's name, "docker-credential-NAME"; else what is wrong. */
const char *login_check_helper(const char *name);
/* The answer of `docker-credential-NAME get`. */
int login_from_helper(const char *text, size_t len, struct login *ret, struct err *e);
