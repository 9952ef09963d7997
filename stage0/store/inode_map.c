#include "stage0/store/inode_map.h"

#include <stdint.h>

#include "base/mem.h"

static struct inode_name *slot_of(const struct inode_map *m, ino_t ino)
{
	size_t i = (size_t) ((uint64_t) ino * 0x9e3779b97f4a7c15u) & (m->slots - 1);

	while (m->v[i].path && m->v[i].ino != ino)
		i = (i + 1) & (m->slots - 1);
	return &m->v[i];
}

static void make_room(struct inode_map *m)
{
	struct inode_map old = *m;

	if (2 * m->n < m->slots)
		return;
	m->slots = m->slots ? 2 * m->slots : 256;
	m->v = xcalloc(m->slots, sizeof *m->v);
	for (size_t i = 0; i < old.slots; i++)
		if (old.v[i].path)
			* slot_of(m, old.v[i].ino) = old.v[i];
	free(old.v);
}

struct inode_name *inode_map_get(struct inode_map *m, ino_t ino)
{
	struct inode_name *f;

	make_room(m);
	f = slot_of(m, ino);
	if (!f->path) {
		f->ino = ino;
		m->n++;
	}
	return f;
}

void inode_map_done(struct inode_map *m)
{
	for (size_t i = 0; i < m->slots; i++)
		free(m->v[i].path);
	free(m->v);
	*m = (struct inode_map) {0};
}
