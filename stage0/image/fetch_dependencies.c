/*
 * What an image depends on, depth first; then its tree.
 *
 * A dependency is looked for as the renderer will look for it (store_find_dependency()), so that
 * what is fetched here is what is found there.  One command asks for each at most once, however
 * many images need it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "stage0/image/internal.h"
#include "stage0/oci/image.h"
#include "stage0/render/render.h"

#define DEPTH_MAX 32
#define IMAGES_MAX 512 /* of one command; they may be of many strangers */

struct visit {
	const struct visit *above; /* the image that needs this one */
	const char *id, *name;
	int depth;
};

struct walk {
	const struct request *rq;
	char **asked; /* name and labels of what was fetched by this command */
	struct nameval_list found; /* with the id: one may be named a thousand times */
	unsigned fetched;
	bool plain;  /* the last word's image is its own tree */
	char **done; /* ids whose dependencies are all there */
};

/* The same for every order of the labels. */
static char *key_of(const struct dependency *d)
{
	_cleanup_strv_ char **labels = NULL;
	_cleanup_free_ char *all = NULL;

	for (size_t i = 0; i < d->labels.n; i++)
		strv_push(&labels, xasprintf("%s=%s", d->labels.v[i].name, d->labels.v[i].value));
	strv_sort(labels);
	all = strv_join(labels, "\n");
	return xasprintf("%s\n%s\n%s", d->image_name, d->image_id ? d->image_id : "", all);
}

/* "a.com/a:1,os=linux", for messages and as the operator would write it. */
static char *text_of(const struct dependency *d)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *version = nameval_get(&d->labels, "version");

	strbuf_addf(&sb, "%s%s%s", d->image_name, version ? ":" : "", version ? version : "");
	for (size_t i = 0; i < d->labels.n; i++)
		if (strcmp(d->labels.v[i].name, "version"))
			strbuf_addf(&sb, ",%s=%s", d->labels.v[i].name, d->labels.v[i].value);
	return strbuf_take(&sb);
}

/* Whether the store may answer: what is pinned by its id cannot get newer. */
static bool may_be_stored(const struct walk *w, const struct dependency *d, const char *key)
{
	return d->image_id || w->rq->policy != PULL_UPDATE || strv_has(w->asked, key);
}

static int fetch(struct walk *w, const struct dependency *d, const char *text, struct err *e)
{
	struct image_ref ref = {
		.source = IMAGE_SOURCE_NAME, .location = d->image_name, .labels = d->labels};
	_cleanup_free_ char *own_text = xstrdup(text), *id = NULL;
	int r;

	ref.text = own_text;
	r = image_name_from_remote(w->rq, &ref, &id, e);
	if (r == 0 && d->image_id && strcmp(id, d->image_id))
		return err_set(e, EINVAL, "what discovery gives is %s, and %s is required", id,
			       d->image_id);
	return r;
}

/* The archive as it was downloaded: what whoever wrote the manifest could see. */
static int check_size(const struct walk *w, const struct dependency *d, const char *id,
		      struct err *e)
{
	struct store_info info = {0};
	int r = d->size < 0 ? 0 : store_info(w->rq->store, id, &info, e);

	if (r == 0 && d->size >= 0 && info.blob_size != d->size)
		r = err_set(e, EINVAL, "it has %lld bytes, and %lld are required",
			    (long long) info.blob_size, (long long) d->size);
	store_info_done(&info);
	return r;
}

/* From the store, or else from where it is: what the renderer will find. */
static int find(struct walk *w, const struct dependency *d, const char *key, const char *text,
		char **ret_id, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = -ENOENT;

	if (may_be_stored(w, d, key))
		r = store_find_dependency(w->rq->store, NULL, d, ret_id, &why);
	if (r == 0 && !strv_has(w->asked, key))
		log_debug("image: using image from local store for image name %s", text);
	if (r == -ENOENT && w->fetched++ >= IMAGES_MAX)
		return err_set(e, E2BIG, "more than %d dependencies", IMAGES_MAX);
	if (r == -ENOENT) {
		r = fetch(w, d, text, e);
		if (r < 0)
			return err_ctx(e, r, "dependency %s", q(text));
		strv_add(&w->asked, key);
		r = store_find_dependency(w->rq->store, NULL, d, ret_id, &why);
	}
	return r < 0 ? err_move(e, &why) : 0;
}

static int get(struct walk *w, const struct dependency *d, char **ret_id, struct err *e)
{
	_cleanup_free_ char *key = key_of(d), *text = text_of(d);
	const char *known = nameval_get(&w->found, key);
	int r = known ? 0 : find(w, d, key, text, ret_id, e);

	if (r < 0)
		return r;
	if (known)
		*ret_id = xstrdup(known);
	else
		nameval_set(&w->found, key, *ret_id);
	r = check_size(w, d, *ret_id, e);
	return r < 0 ? err_ctx(e, r, "dependency %s", q(text)) : 0;
}

/* "a.com/a -> a.com/b -> a.com/a" */
static int describe_cycle(const struct visit *v, const char *id, struct err *e)
{
	_cleanup_free_ char *chain = xstrdup(v->name);
	const struct visit *up;

	for (up = v->above; up; up = up->above) {
		char *longer = xasprintf("%s -> %s", up->name, chain);

		free(chain);
		chain = longer;
		if (!strcmp(up->id, id))
			break;
	}
	return err_set(e, ELOOP, "the dependencies form a cycle: %s", chain);
}

static bool is_above(const struct visit *v, const char *id)
{
	for (v = v->above; v; v = v->above)
		if (!strcmp(v->id, id))
			return true;
	return false;
}

static int load(const struct walk *w, const char *id, struct image_manifest **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(w->rq->store, id, &text, &len, e);

	if (r < 0)
		return r;
	*ret = image_manifest_parse(text, len, e);
	return *ret ? 0 : err_ctx(e, -EINVAL, "image %s", id);
}

static int visit(struct walk *w, const struct visit *above, const char *id, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	struct visit v = {.above = above, .id = id, .depth = above ? above->depth + 1 : 0};
	int r;

	if (strv_has(w->done, id))
		return 0;
	r = load(w, id, &m, e);
	if (r < 0)
		return r;
	v.name = m->name;
	w->plain = !above && !render_is_needed(m);
	if (is_above(&v, id))
		return describe_cycle(&v, id, e);
	if (v.depth > DEPTH_MAX)
		return err_set(e, E2BIG, "the dependencies are more than %d deep", DEPTH_MAX);
	for (size_t i = 0; r == 0 && i < m->n_dependencies; i++) {
		_cleanup_free_ char *needed = NULL;

		r = get(w, &m->dependencies[i], &needed, e);
		if (r == 0)
			r = visit(w, &v, needed, e);
	}
	if (r == 0)
		strv_add(&w->done, id);
	return r;
}

/*
 * So that the first run need not: the tree of an image that is more than its own layer.  Who is not
 * root reaches no tree, as with rkt; run and prepare, which are root's, make it then.
 */
static int render(const struct request *rq, const char *id, struct err *e)
{
	_cleanup_fd_ int use = -EBADF;
	_cleanup_free_ char *tree = NULL;

	/* The trees of an OCI image are its layers', and were made with it. */
	if (geteuid() != 0 || oci_image_is(rq->store, id) == 1)
		return 0;
	use = store_lock_use(rq->store, LOCK_SHARED, true, e);
	return use < 0 ? use : render_tree(rq->g, rq->store, id, &tree, e);
}

/* A word that was fetched by name is asked for already, should another image need it. */
static void note_words(struct walk *w, const struct image_word *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_image_ref_ struct image_ref ref = {0};

		if (image_ref_parse(words[i].text, &ref, NULL) == 0 &&
		    ref.source == IMAGE_SOURCE_NAME) {
			const struct dependency d = {.image_name = ref.location,
						     .labels = ref.labels};

			strv_push(&w->asked, key_of(&d));
		}
	}
}

int image_fetch_dependencies(const struct request *rq, const struct image_word *words, size_t n,
			     struct err *e)
{
	struct walk w = {.rq = rq};
	int r = 0;

	note_words(&w, words, n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		w.plain = false;
		r = visit(&w, NULL, words[i].id, e);
		if (r == 0 && !w.plain)
			r = render(rq, words[i].id, e);
		/* It was fetched; that somebody removes it at this moment is no failure of that. */
		if (r == -ENOENT && store_has(rq->store, words[i].id) == 0) {
			if (e)
				err_done(e);
			r = 0;
		}
		if (r < 0) {
			_cleanup_free_ char *shown = url_shown(words[i].text);

			r = err_ctx(e, r, "image %s", q(shown));
		}
	}
	nameval_done(&w.found);
	strv_free(w.asked);
	strv_free(w.done);
	return r;
}
