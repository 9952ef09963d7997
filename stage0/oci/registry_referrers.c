/*
 * The referrers of a manifest, page by page (distribution specification, "Listing Referrers").
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "stage0/oci/registry.h"
#include "stage0/oci/source.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define PAGES_MAX 32 /* of one list; all of them together are one document's size */

char *registry_query_word(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (; *word; word++)
		if (strchr(plain, *word))
			strbuf_add(&sb, word, 1);
		else
			strbuf_addf(&sb, "%%%02X", (unsigned char) *word);
	return strbuf_take(&sb);
}

int registry_referrers_add(struct cJSON **all, const char *text, size_t len, struct err *e)
{
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	_cleanup_oci_index_ struct oci_index *checked = NULL;
	_cleanup_json_ cJSON *page = NULL;
	cJSON *list, *entry;
	int r = oci_document_kind(NULL, text, len, &kind, e);

	if (r == 0 && kind != OCI_MEDIA_INDEX)
		r = err_set(e, EINVAL, "it is no index");
	if (r < 0)
		return r;
	checked = oci_index_parse(text, len, e);
	page = checked ? json_parse(text, len, OCI_DOCUMENT_MAX, e) : NULL;
	if (!page)
		return -EINVAL;
	if (!*all) {
		*all = take_ptr(page);
		return 0;
	}
	list = json_get(page, "manifests");
	while ((entry = list ? list->child : NULL)) {
		(void) cJSON_DetachItemViaPointer(list, entry);
		cJSON_AddItemToArray(json_get(*all, "manifests"), entry);
	}
	return 0;
}

/* One page; *next (owned by the caller) is where the following one is, or NULL. */
static int read_page(struct registry *r, struct registry_host *h, const struct registry_question *what, char **text,
		     size_t *len, char **next, struct err *e)
{
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	_cleanup_free_ char *following = NULL;
	int n = registry_ask(r, h, what, &d, e);

	if (n == 0 && d.head.status != 200)
		n = registry_refused(r, h, &d, e);
	if (n < 0)
		return n;
	following = xstrdup_null(d.head.next);
	n = registry_read(&d, what->max_bytes, text, len, e);
	if (n < 0)
		return err_ctx(e, n, "registry %s: referrers", h->site);
	/* Our credentials are for this host, and its word is what was asked for. */
	if (following && !registry_is_home(h, following))
		return err_set(e, EPROTO, "registry %s: it has the next page of referrers elsewhere, %s", h->site,
			       q(following));
	*next = take_ptr(following);
	return 0;
}

static int read_pages(struct registry *r, struct registry_host *h, const char *path, cJSON **all, struct err *e)
{
	_cleanup_free_ char *url = NULL;
	size_t left = OCI_DOCUMENT_MAX;

	for (int i = 0; i == 0 || url; i++) {
		const struct registry_question q = {
			.path = path, .url = url, .accept = MEDIA_INDEX, .max_bytes = left};
		_cleanup_free_ char *text = NULL, *next = NULL;
		size_t len = 0;
		int n;

		if (i == PAGES_MAX)
			return err_set(e, E2BIG, "registry %s: more than %d pages of referrers", h->site, PAGES_MAX);
		n = read_page(r, h, &q, &text, &len, &next, e);
		/* A page that is gone is no registry without referrers. */
		if (n < 0)
			return n == -ENOENT && i > 0 ? err_ctx(e, -EIO, "page %d of referrers", i + 1) : n;
		n = registry_referrers_add(all, text, len, e);
		if (n < 0)
			return err_ctx(e, n, "registry %s: referrers", h->site);
		left -= len;
		free(url);
		url = take_ptr(next);
	}
	return 0;
}

int registry_referrers(struct registry *r, struct registry_host *h, const char *digest, const char *artifact_type,
		       struct oci_document *ret, struct err *e)
{
	_cleanup_free_ char *type = artifact_type ? registry_query_word(artifact_type) : NULL;
	/*
	 * Whoever asked looks at the types all the same, so that what the registry says of filters that
	 * it applied (OCI-Filters-Applied) changes nothing.
	 */
	_cleanup_free_ char *path = type ? xasprintf("referrers/%s?artifactType=%s", digest, type) :
					   xasprintf("referrers/%s", digest);
	_cleanup_json_ cJSON *all = NULL;
	int n = read_pages(r, h, path, &all, e);

	if (n < 0)
		return n;
	*ret = (struct oci_document) {.data = json_print(all, false), .media_type = xstrdup(MEDIA_INDEX)};
	ret->len = strlen(ret->data);
	return 0;
}
