#include "stage0/worker/pack_out.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

#define OUT_BUFFER (256u << 10)
#define IN_BUFFER (256u << 10) /* small writes are gathered: headers are 512 bytes */
#define LEVEL 3
#define LEVEL_BUFFER ISAL_DEF_LVL3_DEFAULT

struct pack_out {
	int fd;
	bool gzip;
	EVP_MD_CTX *md;
	struct isal_zstream z;
	uint8_t level[LEVEL_BUFFER];
	uint8_t out[OUT_BUFFER];
	uint8_t in[IN_BUFFER];
	size_t have; /* in `in` */
};

int pack_out_init(struct err *e)
{
	EVP_MD_CTX *md;
	int ok;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	md = EVP_MD_CTX_new();
	ok = md && EVP_DigestInit_ex(md, EVP_sha512(), NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : err_set(e, ENOTSUP, "SHA-512 is not available");
}

struct pack_out *pack_out_new(int fd, bool gzip)
{
	struct pack_out *o = xcalloc(1, sizeof *o);

	o->fd = fd;
	o->gzip = gzip;
	o->md = EVP_MD_CTX_new();
	if (!o->md || !EVP_DigestInit_ex(o->md, EVP_sha512(), NULL))
		abort();
	/*
	 * Its header says no time and no name: the same archive gives the same bytes, on one kind
	 * of processor (the library has code of its own for each).
	 */
	isal_deflate_init(&o->z);
	o->z.gzip_flag = IGZIP_GZIP;
	o->z.level = LEVEL;
	o->z.level_buf = o->level;
	o->z.level_buf_size = LEVEL_BUFFER;
	return o;
}

void pack_out_free(struct pack_out *o)
{
	if (!o)
		return;
	EVP_MD_CTX_free(o->md);
	free(o);
}

static int deflate_some(struct pack_out *o, bool last, struct err *e)
{
	o->z.next_in = o->in;
	o->z.avail_in = (uint32_t) o->have;
	o->z.end_of_stream = last;
	o->z.flush = NO_FLUSH;
	do {
		int r;

		o->z.next_out = o->out;
		o->z.avail_out = OUT_BUFFER;
		if (isal_deflate(&o->z) != COMP_OK)
			return err_set(e, EIO, "compress");
		r = write_all(o->fd, o->out, OUT_BUFFER - o->z.avail_out);
		if (r < 0)
			return err_sysr(e, r, "write the archive");
	} while (o->z.avail_out == 0 || o->z.avail_in ||
		 (last && o->z.internal_state.state != ZSTATE_END));
	o->have = 0;
	return 0;
}

static int flush(struct pack_out *o, bool last, struct err *e)
{
	int r;

	if (!EVP_DigestUpdate(o->md, o->in, o->have))
		return err_set(e, EIO, "hash");
	if (o->gzip)
		return deflate_some(o, last, e);
	r = write_all(o->fd, o->in, o->have);
	o->have = 0;
	return r < 0 ? err_sysr(e, r, "write the archive") : 0;
}

int pack_out_write(void *out, const void *data, size_t len, struct err *e)
{
	struct pack_out *o = out;
	const uint8_t *p = data;

	while (len) {
		size_t some = len < IN_BUFFER - o->have ? len : IN_BUFFER - o->have;

		memcpy(o->in + o->have, p, some);
		o->have += some;
		p += some;
		len -= some;
		if (o->have == IN_BUFFER) {
			int r = flush(o, false, e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int pack_out_finish(struct pack_out *o, char id[IMAGE_ID_LEN + 1], struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	int r = flush(o, true, e), n;

	if (r < 0)
		return r;
	if (!EVP_DigestFinal_ex(o->md, digest, NULL))
		return err_set(e, EIO, "hash");
	n = snprintf(id, IMAGE_ID_LEN + 1, "%s", IMAGE_ID_PREFIX);
	for (int i = 0; i < 64; i++)
		n += snprintf(id + n, (size_t) (IMAGE_ID_LEN + 1 - n), "%02x", digest[i]);
	return 0;
}
