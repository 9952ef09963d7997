#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/image/internal.h"

#define PIPE_SIZE (1 << 20) /* fewer changes between two processes; where the host's limit is lower, so be it */

static char **make_words(const struct gantry *g, const char *url, const char *etag, uint64_t max_bytes)
{
	char **words = NULL;

	if (g->insecure & INSECURE_HTTP)
		strv_add(&words, "allow-http");
	if (g->insecure & INSECURE_TLS)
		strv_add(&words, "any-certificate");
	strv_push(&words, xasprintf("max-bytes=%llu", (unsigned long long) max_bytes));
	if (etag)
		strv_push(&words, xasprintf("etag=%s", etag));
	strv_push(&words, xasprintf("url=%s", url));
	return words;
}

int download_start(const struct gantry *g, const char *url, const char *etag, uint64_t max_bytes,
		   struct download *ret, struct err *e)
{
	_cleanup_strv_ char **words = make_words(g, url, etag, max_bytes);
	int fds[2], r;

	if (str_starts(url, "http://") && !(g->insecure & INSECURE_HTTP))
		return err_set(e, EPERM, "http is not allowed (see --insecure-options=http)");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void) fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE);

	const struct fd_name names[] = {{"out", fds[1]}};

	*ret = (struct download) DOWNLOAD_INIT;
	r = worker_start(g, "fetch", words, names, ELEMENTSOF(names), &ret->worker, e);
	(void) fd_close(fds[1]);
	ret->pipe = fds[0];
	if (r < 0)
		ret->pipe = fd_close(ret->pipe);
	return r;
}

void download_stop(struct download *d)
{
	worker_kill(&d->worker);
	d->pipe = fd_close(d->pipe);
}

void download_answer_done(struct download_answer *a)
{
	free(a->etag);
	*a = (struct download_answer) {0};
}

int download_finish(struct download *d, struct download_answer *ret, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *status, *etag, *age;
	int r = worker_finish(&d->worker, WORKER_END_MS, &rec, e);

	d->pipe = fd_close(d->pipe);
	if (r < 0)
		return r;
	status = record_get(&rec, "status");
	etag = record_get(&rec, "etag");
	age = record_get(&rec, "max-age");
	*ret = (struct download_answer) {.unchanged = status && !strcmp(status, "304")};
	/* It is sent back one day: it must be nothing but an etag. */
	if (etag && strlen(etag) < 512 && str_is_utf8(etag, strlen(etag)))
		ret->etag = xstrdup(etag);
	if (age)
		(void) parse_i64(age, 0, INT32_MAX, &ret->max_age);
	return 0;
}

void document_done(struct document *d)
{
	free(d->data);
	free(d->url);
	*d = (struct document) {0};
}

int download_all(const struct gantry *g, const char *url, size_t limit, unsigned flags, struct document *ret,
		 struct err *e)
{
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	struct download_answer answer = {0};
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	int r = download_start(g, url, NULL, limit, &d, e), r2;

	(void) flags;
	if (r < 0)
		return r;
	r2 = read_all(d.pipe, limit, &data, &len);
	r = r2 == -EFBIG ? err_set(e, EFBIG, "it is larger than %zu bytes", limit) : download_finish(&d, &answer, e);
	download_answer_done(&answer);
	if (r == 0 && r2 < 0)
		r = err_sysr(e, r2, "read");
	if (r < 0)
		return r;
	*ret = (struct document) {.data = take_ptr(data), .len = len, .url = xstrdup(url)};
	ret->https = str_starts(url, "https://");
	return 0;
}
