#include "spec/check.h"

static const char *const purposes[CHECK_PURPOSE_MAX] = {
	[CHECK_HEALTH] = "health",
	[CHECK_LIVENESS] = "liveness",
	[CHECK_READINESS] = "readiness",
	[CHECK_STARTUP] = "startup",
};

const char *check_purpose_name(enum check_purpose purpose)
{
	return purposes[purpose];
}

void check_done(struct check *c)
{
	strv_free(c->exec);
	strv_free(c->headers);
	free(c->host);
	free(c->path);
	*c = (struct check) {0};
}
