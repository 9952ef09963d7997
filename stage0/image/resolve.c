/*
 * The words for images to images in the store, with all that they depend on.
 */
#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/image/internal.h"

/* What needs no source: 0 with the id, 1 when the source must be asked. */
static int from_store(const struct request *rq, const struct image_ref *ref, char **ret_id,
		      struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	if (ref->source == IMAGE_SOURCE_ID)
		return store_find(rq->store, ref->location, ret_id, e);
	if (ref->source == IMAGE_SOURCE_OCI)
		return image_oci_in_store(rq, ret_id, e);
	if (ref->source != IMAGE_SOURCE_NAME || rq->policy == PULL_UPDATE)
		return 1;
	r = image_name_in_store(rq->store, ref, ret_id, &why);
	if (r == -ENOENT)
		return 1;
	if (r == 0)
		log_debug("image: using image from local store for image name %s", ref->text);
	return r < 0 ? err_move(e, &why) : 0;
}

/*
 * rkt's code asks for --insecure-options=http in discovery only: called as rkt, a URL that was typed
 * with http:// is fetched as it stands.  Its signature is looked at all the same, and what came so is
 * known as fetched with that waived.
 */
static int from_typed_url(const struct request *rq, char **ret_id, struct err *e)
{
	struct gantry how = *rq->g;
	struct request own = *rq;

	if (how.rkt && str_starts(rq->location, "http://"))
		how.insecure |= INSECURE_HTTP;
	own.g = &how;
	return image_from_url(&own, ret_id, e);
}

static int from_source(const struct request *rq, const struct image_ref *ref, char **ret_id,
		       struct err *e)
{
	if (ref->source == IMAGE_SOURCE_FILE)
		return image_from_file(rq, ret_id, e);
	if (ref->source == IMAGE_SOURCE_URL)
		return from_typed_url(rq, ret_id, e);
	if (ref->source == IMAGE_SOURCE_OCI)
		return image_from_oci(rq, ret_id, e);
	return image_name_from_remote(rq, ref, ret_id, e);
}

/* One word, as far as it goes: with `fetch` to its end, else 1 when it is not in the store. */
static int resolve_word(const struct request *rq, const char *text, bool fetch, char **ret_id,
			struct err *e)
{
	_cleanup_image_ref_ struct image_ref ref = {0};
	_cleanup_free_ char *shown = url_shown(text);
	struct request own = *rq;
	int r = image_ref_parse(text, &ref, e);

	if (r < 0)
		return r;
	own.location = ref.location;
	r = from_store(&own, &ref, ret_id, e);
	if (r == 1 && fetch)
		r = from_source(&own, &ref, ret_id, e);
	return r < 0 ? err_ctx(e, r, "image %s", q(shown)) : r;
}

int image_fetch_word(const struct request *rq, const struct image_word *word, char **ret_id,
		     struct err *e)
{
	struct request own = *rq;

	own.signature_file = word->signature_file;
	return resolve_word(&own, word->text, true, ret_id, e);
}

static bool is_same(const struct image_word *a, const struct image_word *b)
{
	return str_eq(a->text, b->text) && str_eq(a->signature_file, b->signature_file);
}

/* An image that stands there twice is fetched once. */
static struct image_word *find_twin(struct image_word *words, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (is_same(&words[j], &words[i]))
			return &words[j];
	return NULL;
}

static int resolve_words(const struct request *rq, struct image_word *words, size_t n,
			 struct err *e)
{
	_cleanup_free_ struct image_word **todo = xcalloc(n, sizeof *todo);
	size_t n_todo = 0;

	for (size_t i = 0; i < n; i++) {
		int r = find_twin(words, i)
				? 0
				: resolve_word(rq, words[i].text, false, &words[i].id, e);

		if (r < 0)
			return r;
		if (r == 1)
			todo[n_todo++] = &words[i];
	}
	if (n_todo == 1)
		return image_fetch_word(rq, todo[0], &todo[0]->id, e);
	return n_todo ? image_fetch_parallel(rq, todo, n_todo, e) : 0;
}

int image_resolve_all(const struct gantry *g, struct image_word *words, size_t n,
		      enum pull_policy policy, struct err *e)
{
	_cleanup_fd_ int store = store_open(g, e);
	struct request rq = {.g = g, .store = store, .policy = policy};
	int r = store < 0 ? store : resolve_words(&rq, words, n, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (!words[i].id)
			words[i].id = xstrdup(find_twin(words, i)->id);
	return r < 0 ? r : image_fetch_dependencies(&rq, words, n, e);
}

void image_words_free(struct image_word *words, size_t n)
{
	for (size_t i = 0; words && i < n; i++)
		free(words[i].id);
	free(words);
}

int image_resolve(const struct gantry *g, const char *text, const char *signature_file,
		  enum pull_policy policy, char **ret_id, struct err *e)
{
	struct image_word word = {.text = text, .signature_file = signature_file};
	int r = image_resolve_all(g, &word, 1, policy, e);

	if (r == 0)
		*ret_id = take_ptr(word.id);
	free(word.id);
	return r;
}
