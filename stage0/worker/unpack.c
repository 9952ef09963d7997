#include "stage0/worker/unpack.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "base/fd.h"
#include "stage0/worker/digest.h"
#include "stage0/worker/inflate.h"
#include "stage0/worker/intake.h"
#include "stage0/worker/ring.h"

#define SLOT (256u << 10) /* small enough to be in the cache when the second reader comes */
/* Several layers at a time: together they are to need no more memory than one image of appc's. */
#define LAYER_SLOTS 5

enum { READER_HASH, READER_TAR, READERS };

/* One thread of the pass, with its own error. */
struct role {
	struct unpack *u;
	pthread_t thread;
	int r;
	struct err e;
};

struct unpack {
	struct ring ring;
	enum inflate_forms forms;
	const EVP_MD *(*hash_out)(void);
	struct intake *intake; /* hashes the bytes as they come; NULL: nobody does */
	struct arriving *image;
	const struct unpack_limits *limits;
	struct role inflate, hash;
	unsigned char digest[EVP_MAX_MD_SIZE];
	bool holds_slot; /* the tar reader has a buffer that it was not through with */
};

int unpack_init(struct err *e)
{
	EVP_MD_CTX *md;
	bool ok;

	/* Without the host's openssl.cnf, and tables of names of old: there is nothing in them for a plain hash. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
				    OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
			    NULL);
	md = EVP_MD_CTX_new();
	ok = md && EVP_DigestInit_ex(md, EVP_sha512(), NULL) && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : err_set(e, ENOTSUP, "SHA-2 is not available");
}

/* --- inflating --- */

static int next_of_image(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct unpack *u = arg;
	int r;

	if (!u->intake)
		return arriving_next(u->image, data, len, e);
	r = intake_next(u->intake, data, len);
	/* The thread that failed says why. */
	return r < 0 ? err_set(e, ECANCELED, "stopped") : r;
}

/*
 * An archive that lies (a few KiB that become gigabytes) is stopped early; the size limit is a
 * second line.
 */
static int check_ratio(const struct unpack_limits *l, uint64_t in, uint64_t out, struct err *e)
{
	if (out > l->ratio_after && out / l->ratio > in)
		return err_set(
			e, EFBIG,
			"the image grows to more than %llu times its size: over the ratio limit",
			(unsigned long long) l->ratio);
	/* Headers and padding are not counted among the files' bytes. */
	if (out > l->tar.bytes + l->tar.entries * 4096)
		return err_set(e, EFBIG, "the image is larger than the limit");
	return 0;
}

static int inflate_all(struct unpack *u, struct inflate *f, struct err *e)
{
	uint64_t out = 0;

	for (;;) {
		uint8_t *slot = ring_to_fill(&u->ring);
		ssize_t n;
		int r;

		if (!slot)
			return -ECANCELED;
		n = inflate_read(f, slot, SLOT, e);
		if (n < 0)
			return (int) n;
		out += (uint64_t) n;
		r = check_ratio(u->limits, inflate_input(f), out, e);
		if (r < 0)
			return r;
		if (n)
			ring_filled(&u->ring, (size_t) n);
		if (n < SLOT)
			return 0;
	}
}

static void *inflate_main(void *arg)
{
	struct role *role = arg;
	struct unpack *u = role->u;
	struct inflate *f = inflate_new(u->forms, next_of_image, u, &role->e);

	role->r = f ? inflate_all(u, f, &role->e) : -role->e.code;
	inflate_free(f);
	if (role->r < 0)
		ring_fail(&u->ring);
	else
		ring_end(&u->ring);
	return NULL;
}

/* --- hashing --- */

static void *hash_main(void *arg)
{
	struct role *role = arg;
	struct unpack *u = role->u;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int ok = md && EVP_DigestInit_ex(md, u->hash_out(), NULL), r = 0;
	const uint8_t *data;
	size_t len;

	while (ok && (r = ring_to_read(&u->ring, READER_HASH, &data, &len)) > 0) {
		ok = EVP_DigestUpdate(md, data, len);
		ring_read(&u->ring, READER_HASH);
	}
	if (ok && r == 0)
		ok = EVP_DigestFinal_ex(md, u->digest, NULL);
	EVP_MD_CTX_free(md);
	role->r = ok ? r : err_set(&role->e, EIO, "hash");
	if (role->r < 0)
		ring_fail(&u->ring);
	return NULL;
}

/* --- unpacking --- */

static void give_back(struct unpack *u)
{
	if (u->holds_slot)
		ring_read(&u->ring, READER_TAR);
	u->holds_slot = false;
}

static int next_piece(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct unpack *u = arg;
	int r;

	give_back(u);
	r = ring_to_read(&u->ring, READER_TAR, data, len);
	u->holds_slot = r > 0;
	/* The thread that failed says why. */
	return r < 0 ? err_set(e, ECANCELED, "stopped") : r;
}

static int start(struct role *role, struct unpack *u, void *(*fn)(void *), struct err *e)
{
	int r;

	role->u = u;
	r = pthread_create(&role->thread, NULL, fn, role);
	return r ? err_set(e, r, "start a thread") : 0;
}

/* The cause, not that the others stopped because of it. */
static int first_error(struct unpack *u, int r, struct err *mine, struct err *e)
{
	if (r < 0 && r != -ECANCELED)
		return err_move(e, mine);
	if (u->inflate.r < 0 && u->inflate.r != -ECANCELED)
		return err_move(e, &u->inflate.e);
	if (u->hash.r < 0 && u->hash.r != -ECANCELED)
		return err_move(e, &u->hash.e);
	if (u->intake && u->intake->r < 0 && u->intake->e.code)
		return err_move(e, &u->intake->e);
	if (u->inflate.r == -ECANCELED && u->inflate.e.code)
		return err_move(e, &u->inflate.e);
	return r < 0 ? err_move(e, mine) : 0;
}

/* The third thread's work, on what next_piece() gives. */
typedef int (*consume_fn)(struct unpack *u, void *arg, struct err *e);

/* The others wait for each other, and perhaps for bytes that nobody wants any more. */
static void stop_all(struct unpack *u)
{
	ring_fail(&u->ring);
	u->image->stop = true;
	if (u->intake)
		intake_stop(u->intake);
}

static int run(struct unpack *u, consume_fn consume, void *arg, size_t slots, struct err *e)
{
	_cleanup_err_ struct err mine = ERR_INIT;
	int r, r2;

	ring_init(&u->ring, slots, SLOT, READERS);
	r = start(&u->inflate, u, inflate_main, e);
	if (r == 0) {
		r2 = start(&u->hash, u, hash_main, &mine);
		r = r2 < 0 ? r2 : consume(u, arg, &mine);
		give_back(u);
		if (r < 0)
			stop_all(u);
		(void) pthread_join(u->inflate.thread, NULL);
		if (r2 == 0)
			(void) pthread_join(u->hash.thread, NULL);
		if (u->intake)
			intake_stop(u->intake);
		r = first_error(u, r, &mine, e);
	}
	arriving_done(u->image);
	err_done(&u->inflate.e);
	err_done(&u->hash.e);
	ring_done(&u->ring);
	return r;
}

/* An image of appc's: its id is a hash of what it inflates to. */
static int pass(struct unpack *u, consume_fn consume, void *arg, char *id, struct err *e)
{
	int r;

	u->hash_out = EVP_sha512;
	r = run(u, consume, arg, RING_SLOTS_MAX, e);
	if (r == 0)
		digest_print_id(u->digest, id);
	return r;
}

struct untar_work {
	int top;
	untar_manifest manifest;
	void *arg;
	struct untar_result *ret;
};

static int consume_tar(struct unpack *u, void *arg, struct err *e)
{
	struct untar_work *w = arg;
	struct tar *t = tar_new(next_piece, u);
	int r = untar(t, w->top, &u->limits->tar, w->manifest, w->arg, w->ret, e);

	tar_free(t);
	return r;
}

int unpack(struct arriving *image, int top, const struct unpack_limits *limits,
	   untar_manifest manifest, void *arg, struct unpack_result *ret, struct err *e)
{
	struct unpack u = {.image = image, .limits = limits};
	struct untar_work w = {.top = top, .manifest = manifest, .arg = arg, .ret = &ret->tar};

	return pass(&u, consume_tar, &w, ret->id, e);
}

struct check_work {
	untar_manifest manifest;
	void *arg;
	struct check_findings *findings;
	struct untar_result *ret;
};

static int consume_check(struct unpack *u, void *arg, struct err *e)
{
	struct check_work *w = arg;
	struct tar *t = tar_new(next_piece, u);
	int r = check_tar(t, &u->limits->tar, w->manifest, w->arg, w->findings, w->ret, e);

	tar_free(t);
	return r;
}

int unpack_check(struct arriving *image, const struct unpack_limits *limits,
		 untar_manifest manifest, void *arg, struct check_findings *findings,
		 struct unpack_result *ret, struct err *e)
{
	struct unpack u = {.image = image, .limits = limits};
	struct check_work w = {
		.manifest = manifest, .arg = arg, .findings = findings, .ret = &ret->tar};

	return pass(&u, consume_check, &w, ret->id, e);
}

static int consume_plain(struct unpack *u, void *arg, struct err *e)
{
	const int *out = arg;
	const uint8_t *data;
	size_t len;
	int r;

	while ((r = next_piece(u, &data, &len, e)) > 0) {
		r = *out < 0 ? 0 : write_all(*out, data, len);
		if (r < 0)
			return err_sysr(e, r, "write");
	}
	return r;
}

int unpack_plain(struct arriving *image, int out, const struct unpack_limits *limits, char *ret_id,
		 struct err *e)
{
	struct unpack u = {.image = image, .limits = limits, .forms = INFLATE_ANY};

	return pass(&u, consume_plain, &out, ret_id, e);
}

struct layer_work {
	int top;
	struct layer_lists *lists;
	struct untar_result *ret;
};

static int consume_layer(struct unpack *u, void *arg, struct err *e)
{
	struct layer_work *w = arg;
	struct tar *t = tar_new(next_piece, u);
	int r = layer_untar(t, w->top, &u->limits->tar, w->lists, w->ret, e);

	tar_free(t);
	return r;
}

static int digest_of_input(EVP_MD_CTX *md, bool sha512, char *ret, struct err *e)
{
	unsigned char raw[EVP_MAX_MD_SIZE];

	if (!EVP_DigestFinal_ex(md, raw, NULL))
		return err_set(e, EIO, "hash");
	if (!sha512) {
		digest_print_sha256(raw, ret);
		return 0;
	}
	digest_print_id(raw, ret);
	ret[strlen("sha512")] = ':'; /* as it stands in manifests */
	return 0;
}

int unpack_layer(struct arriving *blob, int top, const struct unpack_layer_how *how,
		 const struct unpack_limits *limits, struct unpack_layer_result *ret, struct err *e)
{
	struct unpack u = {
		.image = blob,
		.limits = limits,
		.forms = INFLATE_ANY,
		.hash_out = EVP_sha256,
	};
	struct layer_work w = {.top = top, .lists = &ret->lists, .ret = &ret->tar};
	struct intake in;
	int out = -EBADF, r;

	*ret = (struct unpack_layer_result) {0};
	u.intake = &in;
	r = intake_start(&in, blob, how->sha512 ? EVP_sha512() : EVP_sha256(), e);
	if (r == 0)
		r = run(&u, how->hash_only ? consume_plain : consume_layer,
			how->hash_only ? (void *) &out : (void *) &w, LAYER_SLOTS, e);
	if (r == 0)
		r = digest_of_input(in.md, how->sha512, ret->digest, e);
	if (r == 0)
		digest_print_sha256(u.digest, ret->diff_id);
	intake_done(&in);
	return r;
}
