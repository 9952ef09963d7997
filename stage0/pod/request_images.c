#include "stage0/pod/request_images.h"

#include <errno.h>

#include "base/str.h"

int request_pull_policy(const struct pod_request *req, enum pull_policy *ret, struct err *e)
{
	*ret = PULL_NEW;
	if (req->pull_policy && pull_policy_parse(req->pull_policy, ret) < 0)
		return err_set(e, EINVAL, "--pull-policy %s: new, update or never", q(req->pull_policy));
	return 0;
}

/* Those of the words that are to be fetched by this policy. */
static int resolve_some(const struct gantry *g, const struct pod_request *req, struct image_word *words,
			enum pull_policy policy, enum pull_policy usual, struct err *e)
{
	_cleanup_free_ struct image_word *some = xcalloc(req->n_apps + 1, sizeof *some);
	_cleanup_free_ size_t *which = xcalloc(req->n_apps + 1, sizeof *which);
	size_t n = 0;
	int r;

	for (size_t i = 0; i < req->n_apps; i++) {
		const struct app_more *more = req->apps[i].more;
		enum pull_policy own = usual;

		if (more && pull_policy_parse(more->pull_policy, &own) < 0)
			return err_set(e, EINVAL, "pull policy %s", q(more->pull_policy));
		if (own != policy)
			continue;
		which[n] = i;
		some[n++] = words[i];
	}
	r = n ? image_resolve_all(g, some, n, policy, e) : 0;
	for (size_t i = 0; i < n; i++)
		words[which[i]].id = some[i].id;
	return r;
}

int request_images_resolve(const struct gantry *g, const struct pod_request *req, char **ret_ids, struct err *e)
{
	struct image_word *words;
	enum pull_policy policy;
	int r = request_pull_policy(req, &policy, e);

	if (r < 0)
		return r;
	words = xcalloc(req->n_apps + 1, sizeof *words);
	for (size_t i = 0; i < req->n_apps; i++)
		words[i] = (struct image_word) {
			.text = req->apps[i].image,
			.signature_file = req->apps[i].signature,
		};
	for (int p = PULL_NEW; r == 0 && p <= PULL_NEVER; p++)
		r = resolve_some(g, req, words, (enum pull_policy) p, policy, e);
	for (size_t i = 0; r == 0 && i < req->n_apps; i++)
		ret_ids[i] = take_ptr(words[i].id);
	image_words_free(words, req->n_apps);
	return r;
}
