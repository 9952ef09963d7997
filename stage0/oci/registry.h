/*
 * A repository on a registry, by the distribution protocol (v1.1): one question, one answer.  Here is what
 * every question needs: which host to ask and by which scheme, who we are to it, a token for it, and what
 * a refusal says.
 *
 * The hosts of a registry are its mirrors in their order and then itself.  A host is spoken to by https;
 * by http only when that is allowed and https is not to be had there.
 */
#pragma once

#include "stage0/config/config.h"
#include "stage0/image/download.h"
#include "stage0/image/fetchers.h"
#include "stage0/oci/challenge.h"
#include "stage0/oci/login.h"
#include "stage0/oci/registry_trust.h"

struct gantry;

enum host_scheme { HOST_SCHEME_UNKNOWN, HOST_HTTPS, HOST_HTTP };

struct registry_host {
	char *site;	  /* "host[:port]" */
	char *repository; /* its name there: a mirror may have a path before it */
	char *key;	  /* by which credentials are found */
	char *ca;	  /* configured, or NULL */
	bool insecure;	  /* configured: http, or any certificate */
	enum host_scheme scheme;
	struct challenge challenge; /* the last one */
	struct login login;
	struct registry_trust trust;
	bool is_ready; /* the latter two are known */
};

struct registry {
	const struct gantry *g;
	char *name, *repository;
	struct registry_host *hosts;
	size_t n_hosts;
	struct fetchers fetchers;
};

struct oci_ref;
/* oci_ref_parse() with the default registry that is configured. */
int registry_ref_parse(const struct gantry *g, const char *text, struct oci_ref *ret, struct err *e);

enum registry_purpose { REGISTRY_PULL, REGISTRY_PUSH /* to itself, to no mirror */ };
int registry_open(const struct gantry *g, const char *name, const char *repository, enum registry_purpose purpose,
		  struct registry *ret, struct err *e);
void registry_close(struct registry *r);

struct registry_question {
	const char *method;	/* NULL: GET */
	const char *path;	/* behind the repository's name: "manifests/latest" */
	const char *url;	/* or the whole, as the registry gave it (Location) */
	const char *accept, *content_type, *content_range;
	int body;		/* body_length bytes from body_offset on, or nothing; a pipe is asked with only once */
	uint64_t body_offset, body_length;
	uint64_t max_bytes;	/* of the answer */
	uint64_t from;		/* the first byte that is wanted */
	bool immutable;		/* a blob */
	const char *actions;	/* for which a token is wanted: "pull,push"; NULL: "pull" */
	const char *mount_from; /* a repository from which is pulled besides, or NULL */
};

/* The answer has come to its head; its status is the caller's business, but for a 401 that credentials mend. */
int registry_ask(struct registry *r, struct registry_host *h, const struct registry_question *q, struct download *ret,
		 struct err *e);
/* Whether a URL that the host gave is its own: the same scheme, name and port. */
bool registry_is_home(const struct registry_host *h, const char *url);
/*
 * The status is not what was hoped for: the error of it, with what the registry says. -ENOENT for 404,
 * -EACCES for 401 and 403.
 */
int registry_refused(struct registry *r, struct registry_host *h, struct download *d, struct err *e);
/* The body of an answer as a whole, at most `limit` bytes; the download is finished. */
int registry_read(struct download *d, size_t limit, char **ret, size_t *ret_len, struct err *e);
/* An answer whose body nobody wants: the connection is kept. */
void registry_pass_over(struct download *d);

/* --- registry_referrers.c --- */
/*
 * What refers to the manifest of this digest, by the API of 1.1, all pages of it as one index in `ret`, whose
 * digest the caller computes. The registry is asked for those of `artifact_type` (NULL: all), and may give
 * others besides. -ENOENT: it does not have that API.
 */
struct oci_document;
int registry_referrers(struct registry *r, struct registry_host *h, const char *digest, const char *artifact_type,
		       struct oci_document *ret, struct err *e);
/* One page more into *all, NULL at first; no input or output. */
struct cJSON;
int registry_referrers_add(struct cJSON **all, const char *text, size_t len, struct err *e);
/* "NAME%2Bx": what may stand in a query as it is, and the rest in hex. Owned by the caller. */
char *registry_query_word(const char *word);

/* --- registry_token.c --- */
/*
 * A token for the host's challenge, from this process' memory unless `renew`. Owned by the caller, who wipes
 * it.  NULL: the challenge is for basic credentials.
 */
int registry_token(struct registry *r, struct registry_host *h, const struct registry_question *q, bool renew,
		   char **ret, struct err *e);
/* "token" or "access_token", and for how many seconds it is good; no input or output. */
int registry_token_parse(const char *text, size_t len, char **ret, int64_t *ret_seconds, struct err *e);
