/*
 * From a request that has arrived whole to its answer: what is asked of the registry and what is
 * put into it.  Nothing here knows of sockets or of the HTTP library.
 */
#pragma once

#include "stage0/service/registry.h"

struct request {
	const char *method;
	const char *path;
	const char *content_type; /* NULL: not given */
	const char *body;
	size_t len;
	/* of the query: registration of a pod */
	const char *token, *data_dir;
};

struct answer {
	unsigned status;
	const char *type;  /* of the content */
	const char *allow; /* methods, with status 405 */
	char *body;	   /* owned */
	size_t len;
};
#define ANSWER_FORM_MAX (1u << 20) /* bytes of a form */

void answer_public(struct registry *reg, const struct request *rq, struct answer *ret);
/* port: of the public side, told to who registers. */
void answer_registration(struct registry *reg, unsigned port, const struct request *rq,
			 struct answer *ret);
