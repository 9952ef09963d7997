#include "stage0/worker/inflate.h"

#include <bzlib.h>
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <zstd.h>
#include <zstd_errors.h>

/* What one step of a decoder came to. */
enum step { STEP_MORE, STEP_MEMBER_ENDS };

#define BEGINNING 6 /* bytes that tell all forms apart */

struct inflate {
	const struct format *format;
	inflate_source source;
	void *arg;
	const uint8_t *p;
	size_t have;
	/* A beginning that lies in two pieces, put together; what is behind it waits. */
	uint8_t joint[2 * BEGINNING];
	const uint8_t *rest;
	size_t rest_len;
	uint64_t total;
	bool at_end;	/* of the input */
	bool in_member; /* of the output */
	bool ended;
	struct inflate_state *gzip;
	bz_stream bzip2;
	lzma_stream xz;
	ZSTD_DCtx *zstd;
};

struct format {
	const char *name;
	const char *magic;
	size_t magic_len;
	enum inflate_forms forms; /* the fewest that it is one of */
	int (*begin)(struct inflate *f, struct err *e);
	/* Take from f->p, put to *out; returns a step or -EINVAL. */
	int (*step)(struct inflate *f, uint8_t **out, size_t *left, struct err *e);
	void (*end)(struct inflate *f);
};

/* --- none --- */

static int none_begin(struct inflate *f, struct err *e)
{
	(void) f;
	(void) e;
	return 0;
}

static int none_step(struct inflate *f, uint8_t **out, size_t *left, struct err *e)
{
	size_t n = f->have < *left ? f->have : *left;

	(void) e;
	memcpy(*out, f->p, n);
	f->p += n;
	f->have -= n;
	*out += n;
	*left -= n;
	return f->at_end && !f->have ? STEP_MEMBER_ENDS : STEP_MORE;
}

static void none_end(struct inflate *f)
{
	(void) f;
}

/* --- gzip: RFC 1952, by ISA-L, which checks length and CRC --- */

static int gzip_begin(struct inflate *f, struct err *e)
{
	(void) e;
	if (!f->gzip)
		f->gzip = xmalloc(sizeof *f->gzip);
	isal_inflate_init(f->gzip);
	f->gzip->crc_flag = ISAL_GZIP;
	return 0;
}

static int gzip_step(struct inflate *f, uint8_t **out, size_t *left, struct err *e)
{
	struct inflate_state *s = f->gzip;
	int r;

	s->next_in = (uint8_t *) f->p;
	s->avail_in = (uint32_t) f->have;
	s->next_out = *out;
	s->avail_out = (uint32_t) *left;
	r = isal_inflate(s);
	if (r < 0)
		return err_set(e, EINVAL, r == ISAL_INCORRECT_CHECKSUM ? "gzip: wrong checksum" : "gzip: damaged data");
	f->p = s->next_in;
	f->have = s->avail_in;
	*out = s->next_out;
	*left = s->avail_out;
	return s->block_state == ISAL_BLOCK_FINISH ? STEP_MEMBER_ENDS : STEP_MORE;
}

static void gzip_end(struct inflate *f)
{
	(void) f;
}

/* --- bzip2 --- */

static int bzip2_begin(struct inflate *f, struct err *e)
{
	f->bzip2 = (bz_stream) {0};
	return BZ2_bzDecompressInit(&f->bzip2, 0, 0) == BZ_OK ? 0 : err_set(e, ENOMEM, "bzip2");
}

static int bzip2_step(struct inflate *f, uint8_t **out, size_t *left, struct err *e)
{
	bz_stream *s = &f->bzip2;
	int r;

	s->next_in = (char *) f->p;
	s->avail_in = (unsigned) f->have;
	s->next_out = (char *) *out;
	s->avail_out = (unsigned) *left;
	r = BZ2_bzDecompress(s);
	if (r != BZ_OK && r != BZ_STREAM_END)
		return err_set(e, EINVAL, "bzip2: damaged data");
	f->p = (const uint8_t *) s->next_in;
	f->have = s->avail_in;
	*out = (uint8_t *) s->next_out;
	*left = s->avail_out;
	return r == BZ_STREAM_END ? STEP_MEMBER_ENDS : STEP_MORE;
}

static void bzip2_end(struct inflate *f)
{
	(void) BZ2_bzDecompressEnd(&f->bzip2);
}

/* --- xz --- */

static int xz_begin(struct inflate *f, struct err *e)
{
	f->xz = (lzma_stream) LZMA_STREAM_INIT;
	return lzma_stream_decoder(&f->xz, INFLATE_XZ_MEMORY, 0) == LZMA_OK ? 0 : err_set(e, ENOMEM, "xz");
}

static int xz_step(struct inflate *f, uint8_t **out, size_t *left, struct err *e)
{
	lzma_stream *s = &f->xz;
	lzma_ret r;

	s->next_in = f->p;
	s->avail_in = f->have;
	s->next_out = *out;
	s->avail_out = *left;
	r = lzma_code(s, LZMA_RUN);
	if (r == LZMA_MEMLIMIT_ERROR)
		return err_set(e, E2BIG, "xz: the dictionary is larger than the limit");
	if (r != LZMA_OK && r != LZMA_STREAM_END)
		return err_set(e, EINVAL, "xz: damaged data");
	f->p = s->next_in;
	f->have = s->avail_in;
	*out = s->next_out;
	*left = s->avail_out;
	return r == LZMA_STREAM_END ? STEP_MEMBER_ENDS : STEP_MORE;
}

static void xz_end(struct inflate *f)
{
	lzma_end(&f->xz);
}

/* --- zstd: RFC 8878; the library passes over skippable frames, as if they were empty ones --- */

static int zstd_begin(struct inflate *f, struct err *e)
{
	if (!f->zstd)
		f->zstd = ZSTD_createDCtx();
	if (!f->zstd || ZSTD_isError(ZSTD_DCtx_reset(f->zstd, ZSTD_reset_session_only)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(f->zstd, ZSTD_d_windowLogMax, INFLATE_ZSTD_WINDOW)))
		return err_set(e, ENOMEM, "zstd");
	return 0;
}

static int zstd_step(struct inflate *f, uint8_t **out, size_t *left, struct err *e)
{
	ZSTD_inBuffer in = {.src = f->p, .size = f->have};
	ZSTD_outBuffer to = {.dst = *out, .size = *left};
	size_t r = ZSTD_decompressStream(f->zstd, &to, &in);

	if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return err_set(e, E2BIG, "zstd: the window is larger than the limit");
	if (ZSTD_isError(r))
		return err_set(e, EINVAL, ZSTD_getErrorCode(r) == ZSTD_error_checksum_wrong
						  ? "zstd: wrong checksum"
						  : "zstd: damaged data");
	f->p += in.pos;
	f->have -= in.pos;
	*out += to.pos;
	*left -= to.pos;
	return r == 0 ? STEP_MEMBER_ENDS : STEP_MORE;
}

static void zstd_end(struct inflate *f)
{
	(void) f;
}

static const struct format formats[] = {
	{"gzip", "\x1f\x8b", 2, INFLATE_ACI, gzip_begin, gzip_step, gzip_end},
	{"bzip2", "BZh", 3, INFLATE_ACI, bzip2_begin, bzip2_step, bzip2_end},
	{"xz", "\xfd" "7zXZ\0", 6, INFLATE_ACI, xz_begin, xz_step, xz_end},
	{"zstd", "\x28\xb5\x2f\xfd", 4, INFLATE_ANY, zstd_begin, zstd_step, zstd_end},
};
static const struct format none = {"none", "", 0, INFLATE_ACI, none_begin, none_step, none_end};

/* --- the stream --- */

static int next_piece(struct inflate *f, const uint8_t **data, size_t *len, struct err *e)
{
	int r;

	if (f->rest_len) {
		*data = f->rest;
		*len = f->rest_len;
		f->rest_len = 0;
		return 1;
	}
	r = f->source(f->arg, data, len, e);
	f->at_end = r == 0;
	f->total += r > 0 ? *len : 0;
	return r;
}

/* At least `want` bytes in one piece, as far as there are; no more than BEGINNING. */
static int fill(struct inflate *f, size_t want, struct err *e)
{
	while (f->have < want && !f->at_end) {
		const uint8_t *data;
		uint8_t kept[BEGINNING];
		size_t len, some, had = f->have;
		int r;

		memcpy(kept, f->p, had);
		r = next_piece(f, &data, &len, e);
		if (r < 0)
			return r;
		if (r == 0) {
			/* What the source gave before is not there any more. */
			memcpy(f->joint, kept, had);
			f->p = f->joint;
			break;
		}
		if (!had) {
			f->p = data;
			f->have = len;
			continue;
		}
		some = len < BEGINNING ? len : BEGINNING;
		memcpy(f->joint, kept, had);
		memcpy(f->joint + had, data, some);
		f->p = f->joint;
		f->have = had + some;
		f->rest = data + some;
		f->rest_len = len - some;
	}
	return 0;
}

static bool begins(const struct inflate *f, const struct format *format)
{
	/* A skippable frame, 0x184D2A50 to 5F in little endian, may stand before the first and between any. */
	if (format->begin == zstd_begin && f->have >= 4 && (f->p[0] & 0xf0) == 0x50 &&
	    !memcmp(f->p + 1, "\x2a\x4d\x18", 3))
		return true;
	return f->have >= format->magic_len && !memcmp(f->p, format->magic, format->magic_len);
}

struct inflate *inflate_new(enum inflate_forms forms, inflate_source source, void *arg, struct err *e)
{
	struct inflate *f = xcalloc(1, sizeof *f);
	int r;

	f->source = source;
	f->arg = arg;
	f->p = f->joint;
	f->format = &none;
	r = fill(f, BEGINNING, e);
	if (r == 0 && !f->have)
		r = err_set(e, EINVAL, "the file is empty");
	for (size_t i = 0; i < ELEMENTSOF(formats); i++)
		if (formats[i].forms <= forms && begins(f, &formats[i]))
			f->format = &formats[i];
	if (r == 0)
		r = f->format->begin(f, e);
	f->in_member = r == 0;
	if (r == 0)
		return f;
	inflate_free(f);
	return NULL;
}

void inflate_free(struct inflate *f)
{
	if (!f)
		return;
	if (f->in_member)
		f->format->end(f);
	free(f->gzip);
	(void) ZSTD_freeDCtx(f->zstd);
	free(f);
}

/* A member ended: another one, zeros to the end (padding to a block), or an error. */
static int next_member(struct inflate *f, struct err *e)
{
	int r;

	f->format->end(f);
	f->in_member = false;
	r = fill(f, BEGINNING, e);
	if (r == 0 && f->format->magic_len && begins(f, f->format)) {
		r = f->format->begin(f, e);
		f->in_member = r == 0;
		return r;
	}
	while (r == 0 && f->have) {
		for (size_t i = 0; i < f->have; i++)
			if (f->p[i])
				return err_set(e, EINVAL, "%s: there is something behind the end", f->format->name);
		f->have = 0;
		r = fill(f, 1, e);
	}
	f->ended = true;
	return r;
}

ssize_t inflate_read(struct inflate *f, uint8_t *buf, size_t n, struct err *e)
{
	uint8_t *out = buf;
	size_t left = n;

	while (left && !f->ended) {
		size_t had, room = left;
		int r = fill(f, 1, e), step;

		if (r < 0)
			return r;
		had = f->have;
		step = f->format->step(f, &out, &left, e);
		if (step < 0)
			return step;
		if (step == STEP_MEMBER_ENDS)
			r = next_member(f, e);
		else if (f->at_end && !f->have && !had && left == room)
			r = err_set(e, EINVAL, "%s: the data is cut short", f->format->name);
		if (r < 0)
			return r;
	}
	return (ssize_t) (n - left);
}

uint64_t inflate_input(const struct inflate *f)
{
	return f->total;
}
