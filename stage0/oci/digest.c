#include "stage0/oci/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "spec/oci.h"
#include "stage0/worker/worker.h"

#define ANSWER_MS (60 * 1000) /* for some MiB: only a machine that stands still needs more */
#define SLOWEST 1024	      /* bytes in a millisecond, of a file that is larger */

static int read_answer(struct worker *w, int64_t more_ms, char *ret_sha256, char *ret_sha512_id, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = worker_finish(w, (int) (more_ms > INT32_MAX / 2 ? INT32_MAX / 2 : more_ms) + ANSWER_MS, &rec, e);
	const char *sha256, *id;

	if (r < 0)
		return r;
	sha256 = record_get(&rec, "sha256");
	id = record_get(&rec, "sha512");
	if (!sha256 || oci_digest_check(sha256) || strlen(sha256) != OCI_SHA256_LEN || !id ||
	    image_id_check(id))
		return err_set(e, EPROTO, "image unpack gave a malformed answer");
	if (ret_sha256)
		memcpy(ret_sha256, sha256, OCI_SHA256_LEN + 1);
	if (ret_sha512_id)
		memcpy(ret_sha512_id, id, IMAGE_ID_LEN + 1);
	return 0;
}

int oci_digest_of_file(const struct gantry *g, int fd, char ret_sha256[OCI_SHA256_LEN + 1],
		       char ret_sha512_id[IMAGE_ID_LEN + 1], struct err *e)
{
	_cleanup_worker_ struct worker w = WORKER_INIT;
	const struct fd_name names[] = {{"blob", fd}};
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	r = worker_start(g, "unpack", (char *[]) {"digest", NULL}, names, ELEMENTSOF(names), &w, e);
	return r < 0 ? r : read_answer(&w, st.st_size / SLOWEST, ret_sha256, ret_sha512_id, e);
}

int oci_digest_of(const struct gantry *g, const char *data, size_t len,
		  char ret_sha256[OCI_SHA256_LEN + 1], char ret_sha512_id[IMAGE_ID_LEN + 1], struct err *e)
{
	_cleanup_fd_ int blob = fd_sealed("document", data, len, e);

	return blob < 0 ? blob : oci_digest_of_file(g, blob, ret_sha256, ret_sha512_id, e);
}

int oci_digest_verify(const struct gantry *g, const char *data, size_t len, const char *digest,
		      const char *what, struct err *e)
{
	char sha256[OCI_SHA256_LEN + 1], id[IMAGE_ID_LEN + 1];
	int r;

	if (oci_digest_check(digest))
		return err_set(e, EINVAL, "%s: digest %s: %s", what, q(digest), oci_digest_check(digest));
	r = oci_digest_of(g, data, len, sha256, id, e);
	if (r < 0)
		return err_ctx(e, r, "%s", what);
	id[strlen("sha512")] = ':';
	if (str_starts(digest, "sha512:"))
		return str_eq(id, digest) ? 0 : err_set(e, EBADMSG, "%s has the digest %s, not %s", what, id, digest);
	return str_eq(sha256, digest) ? 0 : err_set(e, EBADMSG, "%s has the digest %s, not %s", what, sha256, digest);
}
