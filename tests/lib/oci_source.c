/*
 * oci-source: asks a registry, by gantry's own client, for single things; for tests of what a whole pull
 * would hide.
 *
 *	oci-source [-i WORD]... manifest|referrers|blob|document REFERENCE [DIGEST [SIZE [FROM] | TYPE]]
 *
 * WORDs are those of --insecure-options (http, tls).  $LIBEXEC is where the workers lie, $LOCAL the
 * configuration.  The bytes go to standard output, what is known of them to standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/oci/ref.h"
#include "stage0/oci/source.h"

static int show(const struct oci_document *d)
{
	fprintf(stderr, "digest=%s type=%s\n", d->digest, d->media_type ? d->media_type : "");
	return write_all(1, d->data, d->len);
}

static int show_stream(struct blob_stream *b, struct err *e)
{
	char buf[65536];
	ssize_t n;

	fprintf(stderr, "offset=%lld length=%lld\n", (long long) b->offset, (long long) b->length);
	while ((n = read(b->fd, buf, sizeof buf)) > 0)
		if (write_all(1, buf, (size_t) n) < 0)
			return -EPIPE;
	return download_finish(&b->download, e);
}

static int run(struct source *s, const struct oci_ref *ref, char **argv, struct err *e)
{
	_cleanup_oci_document_ struct oci_document doc = {0};
	_cleanup_blob_stream_ struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
	struct oci_descriptor d = {.media_type = (char *) "application/octet-stream", .digest = argv[2]};
	int64_t from = 0;
	int r;

	if (strcmp(argv[0], "referrers") && argv[2] && argv[3] && (parse_i64(argv[3], 0, INT64_MAX, &d.size) < 0 ||
				   (argv[4] && parse_i64(argv[4], 0, INT64_MAX, &from) < 0)))
		return err_set(e, EINVAL, "not a number");
	if (!strcmp(argv[0], "manifest"))
		r = s->ops->manifest(s, ref->digest ? ref->digest : ref->tag, &doc, e);
	else if (!strcmp(argv[0], "referrers"))
		r = s->ops->referrers(s, argv[2], argv[3], &doc, e);
	else if (!strcmp(argv[0], "document"))
		r = s->ops->document(s, &d, &doc, e);
	else
		r = s->ops->blob(s, &d, from, &b, e);
	if (r < 0)
		return r;
	return b.fd >= 0 ? show_stream(&b, e) : show(&doc);
}

int main(int argc, char **argv)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_source_ struct source *s = NULL;
	struct gantry g = {.system_config = (char *) "/nonexistent", .local_config = getenv("LOCAL"),
			   .libexec = getenv("LIBEXEC")};
	int i, r;

	log_init("oci-source");
	for (i = 1; i + 1 < argc && !strcmp(argv[i], "-i"); i += 2)
		g.insecure |= !strcmp(argv[i + 1], "http") ? INSECURE_HTTP : INSECURE_TLS;
	if (argc - i < 2 || !g.libexec || !g.local_config)
		return 2;
	r = oci_ref_parse(argv[i + 1], "docker.io", &ref, &e);
	if (r == 0)
		r = source_open(&g, -EBADF, &ref, &s, &e);
	if (r == 0)
		r = run(s, &ref, argv + i, &e);
	if (r < 0)
		fprintf(stderr, "%d: %s\n", r, err_text(&e));
	return r < 0 ? 254 : 0;
}
