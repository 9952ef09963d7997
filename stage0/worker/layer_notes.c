/*
 * What is to be known of paths until the end of a layer: a hash table.
 */
#include <string.h>

#include "stage0/worker/layer_internal.h"

static size_t place_of(const struct layer_notes *s, const char *path)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	size_t i;

	for (const char *p = path; *p; p++)
		h = (h ^ (unsigned char) *p) * 0x100000001b3u;
	i = (size_t) h & (s->slots - 1);
	while (s->v[i].path && strcmp(s->v[i].path, path))
		i = (i + 1) & (s->slots - 1);
	return i;
}

struct layer_note *layer_notes_find(const struct layer_notes *s, const char *path)
{
	struct layer_note *note = s->n ? &s->v[place_of(s, path)] : NULL;

	return note && note->path ? note : NULL;
}

static void resize(struct layer_notes *s, size_t slots)
{
	struct layer_notes old = *s;

	s->slots = slots;
	s->v = xcalloc(slots, sizeof *s->v);
	for (size_t i = 0; i < old.slots; i++)
		if (old.v[i].path)
			s->v[place_of(s, old.v[i].path)] = old.v[i];
	free(old.v);
}

struct layer_note *layer_notes_get(struct layer_notes *s, const char *path)
{
	struct layer_note *note;

	if (2 * s->n >= s->slots)
		resize(s, s->slots ? 2 * s->slots : 64);
	note = &s->v[place_of(s, path)];
	if (!note->path) {
		note->path = xstrdup(path);
		s->n++;
	}
	return note;
}

/* Taken out one by one: those that stand behind the gap because of it move up. */
static void drop_one(struct layer_notes *s, size_t i)
{
	free(s->v[i].path);
	s->v[i] = (struct layer_note) {0};
	s->n--;
	for (i = (i + 1) & (s->slots - 1); s->v[i].path; i = (i + 1) & (s->slots - 1)) {
		struct layer_note moved = s->v[i];

		s->v[i] = (struct layer_note) {0};
		s->v[place_of(s, moved.path)] = moved;
	}
}

static void drop_below(struct layer_notes *s, const char *path)
{
	size_t len = strlen(path), dropped = 0;

	for (size_t i = 0; i < s->slots; i++) {
		char *p = s->v[i].path;

		if (!p || strncmp(p, path, len) || p[len] != '/')
			continue;
		free(p);
		s->v[i] = (struct layer_note) {0};
		dropped++;
	}
	s->n -= dropped;
	if (dropped)
		resize(s, s->slots);
}

void layer_notes_drop(struct layer_notes *s, const char *path, bool below)
{
	struct layer_note *note = layer_notes_find(s, path);

	if (note)
		drop_one(s, (size_t) (note - s->v));
	if (below)
		drop_below(s, path);
}

void layer_notes_done(struct layer_notes *s)
{
	for (size_t i = 0; i < s->slots; i++)
		free(s->v[i].path);
	free(s->v);
	*s = (struct layer_notes) {0};
}
