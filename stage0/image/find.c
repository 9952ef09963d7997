/*
 * What a user calls an image of the store. Of the names of an OCI image the store has the last; the others
 * stand where it is kept what each reference gave (remote.c).
 */
#include "base/str.h"
#include "stage0/image/internal.h"
#include "stage0/oci/ref.h"
#include "stage0/oci/registry.h"
#include "stage0/store/store.h"

int image_find(const struct gantry *g, int store, const char *word, char **ret_id, struct err *e)
{
	_cleanup_oci_ref_ struct oci_ref ref = {0};
	_cleanup_free_ char *printed = NULL, *key = NULL;
	struct remote known = {0};
	int r;

	if (!oci_ref_is(word))
		return store_find(store, word, ret_id, e);
	r = registry_ref_parse(g, word, &ref, e);
	if (r < 0)
		return r;
	printed = oci_ref_print(&ref);
	key = xasprintf("docker://%s", printed);
	if (ref.transport != OCI_REGISTRY || remote_get(store, key, &known) < 0)
		return store_find(store, word, ret_id, e);
	*ret_id = take_ptr(known.id);
	remote_done(&known);
	return 0;
}
