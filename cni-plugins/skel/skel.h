/*
 * The frame of every plugin: main() fills one of these and calls cni_main().
 *
 * The frame reads the call (request.h), runs the command, and prints the result, or the error
 * object with exit status 1, on standard output.  A command that is NULL is done by doing
 * nothing.
 */
#pragma once

#include "cni-plugins/skel/request.h"

struct cni_plugin {
	const char *name;
	enum cni_version since; /* the first version that it speaks */
	int (*add)(const struct cni_request *rq, struct cni_result *ret, struct err *e);
	int (*del)(const struct cni_request *rq, struct err *e);
	int (*check)(const struct cni_request *rq, struct err *e);
	int (*gc)(const struct cni_request *rq, struct err *e);
	int (*status)(const struct cni_request *rq, struct err *e);
	/* IPAM plugins that are linked in and may be called instead of executed (ipam.h). */
	const struct cni_plugin *const *builtin_ipam;
};

int cni_main(const struct cni_plugin *p);
