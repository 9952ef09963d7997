/*
 * Downloads: the fetch worker started, its answer read, its credentials chosen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fd.h"
#include "stage0/worker/worker.h"

struct auth;
struct fetcher;
struct fetchers;
struct gantry;

/* What is said to a server with whom there is more to say than "GET": a registry. */
struct download_exchange {
	const char *method;		   /* NULL: GET */
	const char *accept, *content_type, *content_range; /* or NULL */
	int body;			   /* -EBADF, or what is sent: body_length bytes of a file, or of a pipe */
	uint64_t body_offset, body_length;
	const struct auth *auth; /* of this origin alone, or NULL; none that is configured for a host is used */
	bool allow_http, any_certificate;  /* here, besides what the operator allowed everywhere */
	const char *more_ca;		       /* PEM, or NULL: believed besides the host's, on redirects as well */
	const char *client_cert, *client_key; /* PEM, or NULL; for this origin alone */
	bool immutable; /* its name is its digest: a part of it needs no validator */
	struct fetchers *fetchers;
};

struct download_request {
	const struct gantry *g;
	const char *url;
	uint64_t max_bytes; /* of the whole file */
	/* Of a copy that we have: if it is right still, the status is 304. */
	const char *etag, *last_modified;
	/* Of a copy that we have the first `offset` bytes of: 206 means that the rest comes. */
	uint64_t offset;
	const char *validator;
	bool retry; /* a server that is just starting, or a broken connection, gets another try */
	bool accept_later; /* 202 is an answer */
	bool meta_tags;	   /* the file is a page, and what comes are its tags of discovery */
	const struct download_exchange *exchange; /* or NULL; then every status is an answer */
};

/* What is known before the body comes. */
struct download_head {
	long status;		    /* 200, 206; 202, 304: there is no body */
	char *url;		    /* where the redirects led to */
	bool https;		    /* every hop was */
	char *etag, *last_modified; /* or NULL */
	char *validator;	    /* with which the download can be resumed, or NULL */
	int64_t fresh;		    /* seconds for which there is no need to ask again */
	int64_t length;		    /* of the whole file, or -1 */
	/* of an exchange; NULL when there is none */
	char *challenge;    /* WWW-Authenticate, several as one list */
	char *content_type, *digest; /* Docker-Content-Digest */
	char *location;	    /* absolute */
	char *next;	    /* Link: where the next page is, absolute */
	int64_t retry_after; /* seconds, or -1 */
};

struct download {
	struct worker worker;
	struct fetcher *fetcher; /* or this, and its answer will come on the descriptor */
	struct fetchers *fetchers;
	int answer;
	int pipe; /* the body */
	struct download_head head;
};
#define DOWNLOAD_INIT {.worker = WORKER_INIT, .pipe = -EBADF, .answer = -EBADF}

/*
 * Start, and wait for the head; the errors of a server that does not give the file come from here.
 */
int download_start(const struct download_request *rq, struct download *ret, struct err *e);
/* When the pipe has ended: whether that was the file's end. */
int download_finish(struct download *d, struct err *e);
void download_stop(struct download *d);
#define _cleanup_download_ __attribute__((cleanup(download_stop)))

/* A small file as a whole. */
struct document {
	char *data; /* NUL-terminated besides */
	size_t len;
	char *url;  /* where the redirects led to; without user and password */
	bool https; /* every hop of the way was over TLS */
};
void document_done(struct document *d);
#define _cleanup_document_ __attribute__((cleanup(document_done)))
enum {
	/*
	 * The file is a page of HTML; `data` are the lines "NAME\tCONTENT\n" of its meta tags
	 * ac-discovery and ac-discovery-pubkeys, taken out by the worker.
	 */
	DOWNLOAD_META_TAGS = 1 << 0,
	/* A server that is just starting gets time; not where another may answer. */
	DOWNLOAD_RETRY = 1 << 1,
	DOWNLOAD_LATER = 1 << 2, /* the server may say 202, "not ready yet": the answer is 1 */
};
/* -EFBIG when it is larger than `limit`. */
int download_all(const struct gantry *g, const char *url, size_t limit, unsigned flags,
		 struct document *ret, struct err *e);
/* The URL without user and password: for messages and records.  Owned by the caller. */
char *url_shown(const char *url);
