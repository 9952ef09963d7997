/*
 * An archive (not compressed) that validation finds nothing wrong with is written again by our own
 * writer: validation must find nothing in that either, and the same entries.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "stage0/worker/check.h"
#include "stage0/worker/pack_patch.h"
#include "tests/fuzz/tar_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

static int next_piece(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct input *in = arg;

	(void) e;
	*data = in->data;
	*len = in->left < 1000 ? in->left : 1000;
	in->data += *len;
	in->left -= *len;
	return *len > 0;
}

static int append(void *arg, const void *data, size_t len, struct err *e)
{
	struct strbuf *sb = arg;

	if (sb->len + len > 8u << 20)
		return err_set(e, EFBIG, "enough");
	strbuf_add(sb, data, len);
	return 0;
}

static int on_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	(void) e;
	strbuf_add(arg, data, len);
	return 0;
}

/* Whether it is valid, and how much is in it. */
static bool is_valid(const uint8_t *data, size_t size, struct strbuf *manifest,
		     struct untar_result *done)
{
	const struct untar_limits limits = {.bytes = 4u << 20, .entries = 1000, .depth = 200};
	struct input in = {data, size};
	struct check_findings findings = {0};
	struct tar *t = tar_new(next_piece, &in);
	_cleanup_err_ struct err e = ERR_INIT;
	int r = check_tar(t, &limits, on_manifest, manifest, &findings, done, &e);
	bool valid = r == 0 && !findings.n;

	if (r < 0 && !e.msg)
		abort();
	check_findings_done(&findings);
	tar_free(t);
	return valid;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT, again = STRBUF_INIT,
				       out = STRBUF_INIT;
	struct pack_options options = {.depth = 200};
	struct tar_writer w = {.sink = append, .arg = &out};
	struct untar_result before, after;
	struct input in = {data, size};
	_cleanup_err_ struct err e = ERR_INIT;
	struct tar *t;
	int r;

	if (!is_valid(data, size, &manifest, &before))
		return 0;
	options.manifest = manifest.buf ? manifest.buf : "";
	options.manifest_len = manifest.len;
	t = tar_new(next_piece, &in);
	r = pack_patch(t, &w, &options, &e);
	tar_free(t);
	if (r == -EFBIG || r == -E2BIG)
		return 0;
	if (r < 0 || !is_valid((const uint8_t *) out.buf, out.len, &again, &after))
		abort();
	if (manifest.len != again.len ||
	    (manifest.len && memcmp(manifest.buf, again.buf, manifest.len)))
		abort();
	/* Entries of the top are left out. */
	if (after.bytes != before.bytes || after.entries > before.entries)
		abort();
	return 0;
}
