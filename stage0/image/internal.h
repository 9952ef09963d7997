/*
 * Private to stage0/image: from a source to an image in the store.
 */
#pragma once

#include "base/fd.h"
#include "stage0/context.h"
#include "stage0/image/download.h"
#include "stage0/image/image.h"
#include "stage0/image/progress.h"
#include "stage0/store/partial.h"
#include "stage0/store/store.h"
#include "stage0/trust/keystore.h"
#include "stage0/worker/worker.h"

#define IMAGE_BLOB_MAX (8ull << 30)  /* bytes of one archive as it is downloaded */
#define SIGNATURE_MAX (64u << 10)    /* of a signature file (gpg.fail 2025: no reason to read more) */
#define WORKER_END_MS 10000	     /* for the answer of a worker that has ended, or is about to */
#define FETCH_STALL_MS (120 * 1000)  /* without a byte; the fetch worker itself gives up sooner */
#define FINISH_MS (1800 * 1000)	     /* for what is left to do when all bytes are there */

/* What is wanted, from the words of a command to the source. */
struct request {
	const struct gantry *g;
	int store;
	const char *location;	    /* path or URL */
	const char *signature_file; /* --signature, or NULL */
	const char *signature_url;  /* NULL: LOCATION.asc */
	enum pull_policy policy;
	/*
	 * NULL, or what the image must say of itself: the name, and each of these labels with this
	 * value.  Anything else is an error, before anything is published.
	 */
	const struct image_ref *expect;
	bool quiet; /* no progress bar, no lines of what is done */
	bool no_bar; /* lines only: others write to the same terminal */
};

/* --- from_url.c --- */
/* The whole id of what is at this URL, from the store or from the server as the policy says. */
int image_from_url(const struct request *rq, char **ret_id, struct err *e);

/* --- from_file.c --- */
int image_from_file(const struct request *rq, char **ret_id, struct err *e);

/* --- from_name.c --- */
/* -ENOENT when the store has none that this machine could use. */
int image_name_in_store(int store, const struct image_ref *ref, char **ret_id, struct err *e);
/* By discovery, and then from the first endpoint that gives the right image. */
int image_name_from_remote(const struct request *rq, const struct image_ref *ref, char **ret_id, struct err *e);

/* --- from_oci.c --- */
int image_from_oci(const struct request *rq, char **ret_id, struct err *e);
/* 0 with the id when no source need be asked, else 1; -ENOENT when none may be. */
int image_oci_in_store(const struct request *rq, char **ret_id, struct err *e);

/* --- resolve.c --- */
/* One word without its dependencies. */
int image_fetch_word(const struct request *rq, const struct image_word *word, char **ret_id, struct err *e);

/* --- fetch_parallel.c --- */
int image_fetch_parallel(const struct request *rq, struct image_word *const *words, size_t n, struct err *e);

/* --- fetch_dependencies.c --- */
int image_fetch_dependencies(const struct request *rq, const struct image_word *words, size_t n, struct err *e);

struct signature {
	char *data;
	size_t len;
};

/* --- signature.c --- */
static inline bool signature_wanted(const struct gantry *g)
{
	return !(g->insecure & INSECURE_IMAGE);
}
/* From beside a local image, or from the operator's --signature. -ENOENT "error opening signature file ...". */
int signature_read(const char *path, struct signature *ret, struct err *e);
void signature_done(struct signature *sig);
#define _cleanup_signature_ __attribute__((cleanup(signature_done)))
/* Start the verify worker: the image in `blob` as `progress` tells, with the keys for the image's name. */
int signature_start_check(const struct gantry *g, const struct signature *sig, const char *image_name, int blob,
			  int progress, struct worker *ret, struct err *e);
/* Its answer: the first signer (owned by the caller). */
int signature_finish_check(struct worker *w, int timeout_ms, char **ret_signer, struct err *e);

/*
 * Whether the signature is of a key that we have, which can be told without the image: a worker that
 * checks it with nothing.  Its end says -ENOKEY, or 0 when only the whole check can tell.
 */
int signature_start_issuer_check(const struct gantry *g, const struct signature *sig,
				 const char *image_name, struct worker *ret, struct err *e);
int signature_finish_issuer_check(struct worker *w, struct err *e);

/* --- remote.c: what is known of URLs, so that nothing is downloaded twice --- */
struct remote {
	char *id, *etag, *last_modified; /* the latter two may be NULL */
	int64_t fresh, time; /* seconds; since the epoch */
	unsigned waived;     /* the checks of the transport that were waived: INSECURE_HTTP, INSECURE_TLS */
};

/* -ENOENT when nothing is known, or the image is not in the store any more. */
int remote_get(int store, const char *url, struct remote *ret);
bool remote_is_fresh(const struct remote *r);
/* `old`: what the answer 304 was about, or NULL; what that did not say again still holds. */
void remote_put(int store, const char *url, const char *id, const struct download_head *h, unsigned waived,
		const struct remote *old);
void remote_done(struct remote *r);

/* --- known.c --- */
/*
 * A local file that is in the store already, byte for byte: 1, verified if sig is given; 0 if it is not
 * there.  Saves the unpacking of what is there; what is verified is the store's own copy.
 */
int known_image(const struct gantry *g, int store, const char *source, int file, const struct signature *sig,
		char **ret_id, struct err *e);

/* --- import.c: the pipeline --- */
struct import {
	const struct gantry *g;
	int store;
	const char *source;	     /* for the record: path or URL */
	int file;		     /* a local image, open; or -EBADF */
	struct download *download;   /* or this; */
	struct partial *partial;     /* where its bytes go, and the first of them may be; or NULL */
	const struct image_ref *expect; /* what the image must say of itself, or NULL */
	const struct signature *sig; /* NULL: the operator waived it, or it comes later: */
	int (*late_signature)(void *arg, const struct signature **ret, struct err *e);
	void *arg;
	struct progress *progress; /* or NULL */
};

/* Whether the image is the one that was asked for: the name, and each label of `expect`. */
int image_check_expected(const struct image_ref *expect, const char *name, const struct nameval_list *labels, struct err *e);

/*
 * Read the source once: copy, verify, inflate, hash and unpack, and publish when all of it is right.
 * When it is not, `partial` keeps what came only if it was the source that failed.
 */
int import_image(const struct import *in, char **ret_id, struct err *e);
