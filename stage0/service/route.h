/*
 * What a URL of the metadata service asks for: pure functions over its path.
 *
 *	/TOKEN/acMetadata/v1/pod/...		the public side
 *	/pods/UUID, /pods/UUID/APP		the registration side
 */
#pragma once

#include <stddef.h>

#include "contract/metadata.h"
#include "spec/uuid.h"

enum route_what {
	ROUTE_NONE, /* no such place; the token may still be told (401 comes before 404) */
	ROUTE_POD_ANNOTATIONS,
	ROUTE_POD_MANIFEST,
	ROUTE_POD_UUID,
	ROUTE_APP_ANNOTATIONS,
	ROUTE_APP_MANIFEST,
	ROUTE_APP_ID,
	ROUTE_SIGN,
	ROUTE_VERIFY,
	/* registration */
	ROUTE_POD,
	ROUTE_APP,
};

#define ROUTE_NAME_MAX 512 /* the longest name of an app that is looked at */

struct route {
	enum route_what what;
	char token[METADATA_TOKEN_LEN + 1]; /* "" when there is none of its form */
	char uuid[UUID_LEN + 1];
	char app[ROUTE_NAME_MAX + 1];
};

/* The path as the client wrote it, with its escapes undone. */
void route_public(const char *path, struct route *ret);
void route_registration(const char *path, struct route *ret);
