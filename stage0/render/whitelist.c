/*
 * Sets of paths.  They come from manifests of images: any bytes but NUL, in any number.
 */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "stage0/render/internal.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void add(struct path_list *l, char *path)
{
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = path;
}

static void sort(struct path_list *l)
{
	size_t n = 0;

	if (!l->n)
		return;
	qsort(l->v, l->n, sizeof *l->v, by_text);
	for (size_t i = 0; i < l->n; i++)
		if (n && !strcmp(l->v[n - 1], l->v[i]))
			free(l->v[i]);
		else
			l->v[n++] = l->v[i];
	l->n = n;
}

void path_list_read(char *const *white, struct path_list *ret)
{
	*ret = (struct path_list) {.some = white && white[0]};
	for (size_t i = 0; white && white[i]; i++) {
		_cleanup_free_ char *clean = path_clean(white[i]);

		/* "/" is the root itself, which is always there. */
		if (clean[1])
			add(ret, xstrdup(clean + 1));
	}
	sort(ret);
}

void path_list_read_parents(char *const *white, struct path_list *ret)
{
	size_t n;

	path_list_read(white, ret);
	n = ret->n;
	for (size_t i = 0; i < n; i++)
		for (const char *p = strchr(ret->v[i], '/'); p; p = strchr(p + 1, '/'))
			add(ret, xstrndup(ret->v[i], (size_t) (p - ret->v[i])));
	sort(ret);
}

void path_list_both(const struct path_list *a, const struct path_list *b, struct path_list *ret)
{
	const struct path_list *from = a->some ? a : b, *other = a->some ? b : a;

	*ret = (struct path_list) {.some = from->some};
	for (size_t i = 0; i < from->n; i++)
		if (!other->some || paths_have(other->v, other->n, from->v[i]))
			add(ret, xstrdup(from->v[i]));
}

size_t path_list_bytes(const struct path_list *l)
{
	size_t bytes = 0;

	for (size_t i = 0; i < l->n; i++)
		bytes += strlen(l->v[i]) + 1 + sizeof *l->v;
	return bytes;
}

void path_list_done(struct path_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct path_list) {0};
}

bool paths_have(char *const *v, size_t n, const char *path)
{
	return n && bsearch(&path, v, n, sizeof *v, by_text);
}
