/* An index or a manifest, as a registry might send it. */
#include <stdint.h>

#include "spec/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_descriptor(const struct oci_descriptor *d)
{
	if (!d->media_type || !d->digest || oci_digest_check(d->digest) || d->size < 0)
		abort();
}

static void check_index(const char *text, size_t size)
{
	static const struct oci_platform machine = {(char *) "linux", (char *) "amd64", (char *) "v3", NULL};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_index_ struct oci_index *x = oci_index_parse(text, size, &e);

	if (!x != !!e.msg)
		abort();
	for (size_t i = 0; x && i < x->n_manifests; i++)
		check_descriptor(&x->manifests[i]);
	if (x && !oci_index_choose(x, &machine, &e) && !e.msg)
		abort();
}

static void check_manifest(const char *text, size_t size)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(text, size, &e);

	if (!m != !!e.msg)
		abort();
	if (!m)
		return;
	check_descriptor(&m->config);
	for (size_t i = 0; i < m->n_layers; i++)
		check_descriptor(&m->layers[i]);
	if (oci_manifest_check_image(m, &e) == 0 && !m->n_layers)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	_cleanup_err_ struct err e = ERR_INIT;
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	int r = oci_document_kind(NULL, text, size, &kind, &e);

	if (r < 0 ? !e.msg : kind != OCI_MEDIA_INDEX && kind != OCI_MEDIA_MANIFEST)
		abort();
	check_index(text, size);
	check_manifest(text, size);
	return 0;
}
