/*
 * A registry without the API of referrers has an index in its place, which whoever pushes keeps (distribution
 * specification, "Pushing Manifests with Subject"): under the tag "sha256-HEX" of what is referred to.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "stage0/oci/attached.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/push.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"

/* *ret stays NULL when there is none yet. */
static int read_list(struct registry *r, const char *tag, cJSON **ret, struct err *e)
{
	struct registry_host *h = &r->hosts[r->n_hosts - 1]; /* REGISTRY_PUSH: the only one */
	_cleanup_free_ char *path = xasprintf("manifests/%s", tag), *text = NULL;
	const struct registry_question question = {
		.path = path, .accept = MEDIA_INDEX, .actions = "pull,push", .max_bytes = OCI_DOCUMENT_MAX};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	size_t len = 0;
	int n = registry_ask(r, h, &question, &d, e);

	if (n < 0)
		return n;
	if (d.head.status == 404) {
		registry_pass_over(&d);
		return 0;
	}
	if (d.head.status != 200)
		return registry_refused(r, h, &d, e);
	n = registry_read(&d, OCI_DOCUMENT_MAX, &text, &len, e);
	return n < 0 ? n : registry_referrers_add(ret, text, len, e);
}

static bool is_listed(const cJSON *manifests, const char *digest)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, manifests)
		if (str_eq(json_get_str(entry, "digest"), digest))
			return true;
	return false;
}

static int add_to_list(struct registry *r, const char *tag, const struct oci_descriptor *d, struct err *e)
{
	_cleanup_json_ cJSON *list = NULL;
	_cleanup_oci_document_ struct oci_document doc = {0};
	int n = read_list(r, tag, &list, e);

	if (n < 0)
		return n;
	if (!list) {
		list = cJSON_CreateObject();
		cJSON_AddNumberToObject(list, "schemaVersion", 2);
		cJSON_AddStringToObject(list, "mediaType", MEDIA_INDEX);
		cJSON_AddArrayToObject(list, "manifests");
	}
	if (is_listed(json_get(list, "manifests"), d->digest))
		return 0;
	cJSON_AddItemToArray(json_get(list, "manifests"), layout_encode(d));
	doc.data = json_print(list, false);
	doc.len = strlen(doc.data);
	if (doc.len > OCI_DOCUMENT_MAX)
		return err_set(e, EFBIG, "%s: its list of referrers is full", tag);
	n = oci_document_hash(r->g, &doc, NULL, tag, e);
	return n < 0 ? n : registry_push_manifest(r, tag, MEDIA_INDEX, &doc, e);
}

int registry_push_referrer(struct registry *r, const char *subject, const struct oci_descriptor *d, struct err *e)
{
	struct registry_host *h = &r->hosts[r->n_hosts - 1];
	_cleanup_oci_document_ struct oci_document list = {0};
	_cleanup_free_ char *tag = attached_tag(subject, "");
	_cleanup_err_ struct err why = ERR_INIT;
	int n = registry_referrers(r, h, subject, NULL, &list, &why);

	if (n != -ENOENT)
		return n < 0 ? err_move(e, &why) : 0;
	n = add_to_list(r, tag, d, e);
	return n < 0 ? err_ctx(e, n, "referrers of %s", subject) : 0;
}
