/*
 * The signatures of an image in the store once more: what they were accepted for stands beside them, who
 * may sign that is today's policy to say.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/oci/image.h"
#include "stage0/oci/trust.h"
#include "stage0/oci/verify.h"
#include "stage0/store/store.h"

static int read_evidence(int store, const char *id, struct evidence *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_IMAGE "/%s/" IMAGE_SIGNATURES, id), *text = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	struct store_info info = {0};
	size_t len;
	int r = store_info(store, id, &info, e);

	if (r < 0)
		return r;
	r = file_read_at(store, path, EVIDENCE_MAX, &text, &len, &why);
	/* Who fetched it kept no signatures yet. */
	if (r == -ENOENT && info.signer)
		r = err_set(e, ENOENT, "its signatures were not kept (fetch it again)");
	else if (r == -ENOENT)
		r = err_set(e, ENOENT, "it was fetched without a signature");
	else if (r < 0)
		r = err_move(e, &why);
	else
		r = evidence_parse(text, len, ret, e);
	store_info_done(&info);
	return r;
}

static int manifest_digest(const struct gantry *g, int store, const char *id, struct oci_document *ret,
			   struct err *e)
{
	_cleanup_source_ struct source *s = NULL;
	int r = source_open_store(g, store, id, &s, e);

	return r < 0 ? r : s->ops->manifest(s, NULL, ret, e);
}

static int check_lists(const struct evidence_index *index, const char *digest, struct err *e)
{
	_cleanup_oci_index_ struct oci_index *x = oci_index_parse(index->data, index->len, e);

	if (!x)
		return -EINVAL;
	for (size_t i = 0; i < x->n_manifests; i++)
		if (!strcmp(x->manifests[i].digest, digest))
			return 0;
	return err_set(e, EBADMSG, "an index that was kept does not lead to %s", digest);
}

/* From the manifest up to what may have been signed: *ret is the digest of that, owned by the caller. */
static int follow_indexes(const struct gantry *g, const struct evidence *ev, const char *manifest, char **ret,
			  struct err *e)
{
	_cleanup_free_ char *digest = xstrdup(manifest);

	for (size_t i = ev->n_indexes; i-- > 0;) {
		char sha256[OCI_SHA256_LEN + 1], id[IMAGE_ID_LEN + 1];
		int r = check_lists(&ev->indexes[i], digest, e);

		if (r == 0)
			r = oci_digest_of(g, ev->indexes[i].data, ev->indexes[i].len, sha256, id, e);
		if (r < 0)
			return r;
		free(digest);
		digest = xstrdup(sha256);
	}
	*ret = take_ptr(digest);
	return 0;
}

/* The reference that the signatures were accepted for; of a path, what it was then. */
static int read_reference(struct evidence *ev, struct oci_ref *ret, struct err *e)
{
	int r = oci_ref_parse(ev->reference, OCI_DEFAULT_REGISTRY, ret, e);

	if (r == 0 && ret->path && ev->path) {
		free(ret->path);
		ret->path = take_ptr(ev->path);
	}
	return r;
}

static int check(const struct gantry *g, int store, const char *id, char **ret_signer, struct err *e)
{
	_cleanup_oci_document_ struct oci_document manifest = {0};
	_cleanup_evidence_ struct evidence ev = {0};
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_free_ char *top = NULL;
	int r = read_evidence(store, id, &ev, e);

	if (r == 0)
		r = manifest_digest(g, store, id, &manifest, e);
	if (r == 0)
		r = read_reference(&ev, &ref, e);
	if (r == 0)
		r = follow_indexes(g, &ev, manifest.digest, &top, e);
	return r < 0 ? r : oci_policy_check_kept(g, &ref, &ev, top, manifest.digest, ret_signer, e);
}

int oci_verify_signature(const struct gantry *g, int store, const char *id, char **ret_signer, struct err *e)
{
	int r = check(g, store, id, ret_signer, e);

	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}
