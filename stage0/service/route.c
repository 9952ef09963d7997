#include "stage0/service/route.h"

#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"

#define BASE "/acMetadata/v1"

/* A pattern of a path: words, and at most one "*", which is an app's name. */
static const struct place {
	const char *before, *after; /* after: NULL where the path has no name in it */
	enum route_what what;
} places[] = {
	{BASE "/pod/annotations", NULL, ROUTE_POD_ANNOTATIONS},
	{BASE "/pod/manifest", NULL, ROUTE_POD_MANIFEST},
	{BASE "/pod/uuid", NULL, ROUTE_POD_UUID},
	{BASE "/pod/hmac/sign", NULL, ROUTE_SIGN},
	{BASE "/pod/hmac/verify", NULL, ROUTE_VERIFY},
	{BASE "/apps/", "/annotations", ROUTE_APP_ANNOTATIONS},
	{BASE "/apps/", "/image/manifest", ROUTE_APP_MANIFEST},
	{BASE "/apps/", "/image/id", ROUTE_APP_ID},
};

/* An app's name up to the next slash; whatever is none names no app. */
static const char *take_app(const char *s, struct route *ret)
{
	size_t len = strcspn(s, "/");

	if (len > ROUTE_NAME_MAX)
		return NULL;
	memcpy(ret->app, s, len);
	ret->app[len] = '\0';
	if (!ac_name_check(ret->app))
		return s + len;
	ret->app[0] = '\0';
	return NULL;
}

static bool fits(const struct place *p, const char *path, struct route *ret)
{
	if (!p->after)
		return !strcmp(path, p->before);
	if (!str_starts(path, p->before))
		return false;
	path = take_app(path + strlen(p->before), ret);
	if (path && !strcmp(path, p->after))
		return true;
	ret->app[0] = '\0';
	return false;
}

void route_public(const char *path, struct route *ret)
{
	size_t len;

	*ret = (struct route) {.what = ROUTE_NONE};
	if (*path++ != '/')
		return;
	len = strcspn(path, "/");
	if (len != METADATA_TOKEN_LEN)
		return;
	memcpy(ret->token, path, len);
	ret->token[len] = '\0';
	if (metadata_token_check(ret->token, NULL) < 0) {
		ret->token[0] = '\0';
		return;
	}
	for (size_t i = 0; i < ELEMENTSOF(places); i++)
		if (fits(&places[i], path + len, ret)) {
			ret->what = places[i].what;
			return;
		}
}

void route_registration(const char *path, struct route *ret)
{
	*ret = (struct route) {.what = ROUTE_NONE};
	if (!str_starts(path, "/pods/"))
		return;
	path += strlen("/pods/");
	if (strcspn(path, "/") != UUID_LEN)
		return;
	memcpy(ret->uuid, path, UUID_LEN);
	ret->uuid[UUID_LEN] = '\0';
	path += UUID_LEN;
	if (uuid_check(ret->uuid)) {
		ret->uuid[0] = '\0';
		return;
	}
	if (!*path) {
		ret->what = ROUTE_POD;
		return;
	}
	path = take_app(path + 1, ret);
	if (path && !*path)
		ret->what = ROUTE_APP;
}
