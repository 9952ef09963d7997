/*
 * libexec/gantry/fetch: URL -> bytes on a pipe.
 *
 * Words: url=URL, etag=ETAG, max-bytes=N, allow-http, any-certificate.  Descriptors: out, result.
 * Answer: status=200|304, etag=, max-age=.
 */
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/worker/http.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/worker.h"

#define RESOLV_CONF "/etc/resolv.conf"

static int read_words(int argc, char **argv, struct http_request *rq, struct err *e)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "allow-http"))
			rq->allow_http = true;
		else if (!strcmp(word, "any-certificate"))
			rq->any_certificate = true;
		else if (str_starts(word, "url="))
			rq->url = word + 4;
		else if (str_starts(word, "etag="))
			rq->etag = word + 5;
		else if (!str_starts(word, "max-bytes=") || parse_u64(word + 10, INT64_MAX, &rq->max_bytes) < 0)
			return err_set(e, EINVAL, "unknown word %s", q(word));
	}
	return rq->url ? 0 : err_set(e, EINVAL, "no URL");
}

/* Where the resolver's settings really are (systemd-resolved, resolvconf: below /run); NULL: in /etc. */
static char *resolver_dir(void)
{
	char *path = realpath(RESOLV_CONF, NULL), *slash;

	slash = path ? strrchr(path, '/') : NULL;
	if (!slash || slash == path || str_starts(path, "/etc/") || str_starts(path, "/usr/")) {
		free(path);
		return NULL;
	}
	*slash = '\0';
	return path;
}

static int enter_jail(struct err *e)
{
	_cleanup_free_ char *resolver = resolver_dir();
	const char *const shared[] = {
		"/usr", "/etc", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/dev/null", resolver, NULL,
	};
	const struct jail jail = {
		.uid = JAIL_UID_FETCH,
		.network = true,
		.root = -EBADF,
		.shared = shared,
		.filter = JAIL_FILTER_DENY,
		.memory = 1ull << 30,
		.cpu_seconds = 3600,
		.files = 128,
		.processes = 256,
	};

	return jail_enter(&jail, e);
}

static int run(int argc, char **argv, struct strbuf *result, struct err *e)
{
	struct http_request rq = {.max_bytes = 1u << 20, .out = fds_take("out")};
	struct http_answer answer = {0};
	int r = read_words(argc, argv, &rq, e);

	if (r == 0 && rq.out < 0)
		r = err_set(e, EBADF, "a descriptor is missing");
	if (r == 0)
		r = enter_jail(e);
	if (r >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT))
		r = err_set(e, ENOMEM, "curl");
	if (r >= 0)
		r = http_get(&rq, &answer, e);
	if (r == 0) {
		record_addf(result, "status", "%ld", answer.status);
		record_addf(result, "max-age", "%lld", (long long) answer.max_age);
		if (answer.etag)
			record_add(result, "etag", answer.etag);
	}
	free(answer.etag);
	return r;
}

int main(int argc, char **argv)
{
	return worker_main("fetch", argc, argv, run);
}
