#include "stage0/pod/manifest_images.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "stage0/oci/ref.h"
#include "stage0/store/store.h"

struct found {
	cJSON **images; /* of the apps that are meant */
	struct image_word *words;
	size_t n;
};

static void find(const cJSON *manifest, struct found *ret)
{
	const cJSON *apps = json_get(manifest, "apps"), *app;

	cJSON_ArrayForEach(app, apps) {
		cJSON *image = json_get(app, "image");
		const char *name = json_get_str(image, "name");

		if (!name || !oci_ref_is(name))
			continue;
		ret->images = xgrow(ret->images, ret->n, sizeof *ret->images);
		ret->words = xgrow(ret->words, ret->n, sizeof *ret->words);
		ret->words[ret->n] = (struct image_word) {.text = name};
		ret->images[ret->n++] = image;
	}
}

static int name_of(int store, const char *id, char **ret, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(store, id, &text, &len, e);

	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	if (!m)
		return err_ctx(e, -EINVAL, "image %s", id);
	*ret = xstrdup(m->name);
	return 0;
}

/* An id that the operator wrote, or its beginning, is what he insists on. */
static int fill_in(int store, cJSON *image, const struct image_word *word, struct err *e)
{
	const char *want = json_get_str(image, "id");
	_cleanup_free_ char *name = NULL;
	int r;

	if (want && !str_starts(word->id, want))
		return err_set(e, EBADMSG, "image %s is %s, and not %s", q(word->text), word->id, q(want));
	r = name_of(store, word->id, &name, e);
	if (r < 0)
		return r;
	cJSON_DeleteItemFromObjectCaseSensitive(image, "id");
	cJSON_AddStringToObject(image, "id", word->id);
	/* word->text was its string. */
	cJSON_ReplaceItemInObjectCaseSensitive(image, "name", cJSON_CreateString(name));
	return 0;
}

int manifest_images_fetch(const struct gantry *g, int store, enum pull_policy policy, char **text, size_t *len,
			  struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(*text, *len, JSON_MANIFEST_MAX, NULL);
	struct found f = {0};
	int r = 0;

	find(j, &f);
	if (f.n)
		r = image_resolve_all(g, f.words, f.n, policy, e);
	for (size_t i = 0; r == 0 && i < f.n; i++)
		r = fill_in(store, f.images[i], &f.words[i], e);
	if (r == 0 && f.n) {
		free(*text);
		*text = json_print(j, false);
		*len = strlen(*text);
	}
	image_words_free(f.words, f.n);
	free(f.images);
	return r;
}
