#include "stage0/worker/tar_internal.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

struct tar {
	tar_source source;
	tar_seek seek;
	void *arg;
	const uint8_t *p; /* what the source gave and is not used yet */
	size_t have;
	bool at_end, used; /* used: there was a block at all */
	uint8_t block[TAR_BLOCK]; /* one that did not lie in one piece */

	struct tar_header head;
	struct tar_pax pax;
	char *long_name, *long_link;
	uint64_t left, padding; /* of the entry's data */
	size_t piece;
	uint64_t piece_done;
};

struct tar *tar_new(tar_source source, void *arg)
{
	struct tar *t = xcalloc(1, sizeof *t);

	t->source = source;
	t->arg = arg;
	return t;
}

void tar_set_lenient(struct tar *t)
{
	t->pax.lenient = true;
}

void tar_set_seek(struct tar *t, tar_seek seek)
{
	t->seek = seek;
}

size_t tar_unused(const struct tar *t)
{
	return t->have;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	tar_entry_done(&t->head.entry);
	tar_pax_done(&t->pax);
	free(t->long_name);
	free(t->long_link);
	free(t);
}

/* --- bytes --- */

/* Have at least one byte: 1, 0 at the end of the stream. */
static int fill(struct tar *t, struct err *e)
{
	while (!t->have && !t->at_end) {
		int r = t->source(t->arg, &t->p, &t->have, e);

		if (r < 0)
			return r;
		if (r == 0)
			t->at_end = true;
	}
	return t->have ? 1 : 0;
}

static void use(struct tar *t, size_t n)
{
	t->p += n;
	t->have -= n;
	t->used = true;
}

static int cut_short(struct err *e)
{
	return err_set(e, EINVAL, "the archive is cut short");
}

static int copy(struct tar *t, void *to, size_t n, struct err *e)
{
	for (size_t done = 0; done < n;) {
		int r = fill(t, e);
		size_t some;

		if (r <= 0)
			return r < 0 ? r : cut_short(e);
		some = t->have < n - done ? t->have : n - done;
		memcpy((uint8_t *) to + done, t->p, some);
		use(t, some);
		done += some;
	}
	return 0;
}

static int skip(struct tar *t, uint64_t n, struct err *e)
{
	while (n) {
		size_t some;
		int r;

		if (!t->have && t->seek)
			return t->seek(t->arg, n, e);
		r = fill(t, e);
		if (r <= 0)
			return r < 0 ? r : cut_short(e);
		some = t->have < n ? t->have : (size_t) n;
		use(t, some);
		n -= some;
	}
	return 0;
}

/* The next block, in the source's memory if it lies there whole. */
static int next_block(struct tar *t, const uint8_t **ret, struct err *e)
{
	if (t->have >= TAR_BLOCK) {
		*ret = t->p;
		use(t, TAR_BLOCK);
		return 0;
	}
	*ret = t->block;
	return copy(t, t->block, TAR_BLOCK, e);
}

static uint64_t padding_of(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* --- the end --- */

/*
 * Two blocks of zeros, then zeros only.  Anything else a reader that goes on would take for entries,
 * and one that stops would not see: two trees under one id.
 */
static int finish(struct tar *t, struct err *e)
{
	const uint8_t *block;
	int r = t->pax.lenient ? fill(t, e) : 1;

	if (r <= 0)
		return r;
	r = next_block(t, &block, e);
	if (r < 0)
		return r;
	if (!tar_block_is_zero(block))
		return err_set(e, EINVAL, "the archive's end mark is damaged");
	while ((r = fill(t, e)) > 0) {
		if (t->p[0] || memcmp(t->p, t->p + 1, t->have - 1))
			return err_set(e, EINVAL, "there is something behind the end of the archive");
		use(t, t->have);
	}
	return r;
}

/* --- headers --- */

static int read_extension(struct tar *t, char **ret, struct err *e)
{
	uint64_t size = t->head.entry.stored;
	int r;

	if (size > TAR_EXTENSION_MAX)
		return err_set(e, E2BIG, "header of %llu bytes", (unsigned long long) size);
	*ret = xmalloc((size_t) size + 1);
	(*ret)[size] = '\0';
	r = copy(t, *ret, (size_t) size, e);
	return r < 0 ? r : skip(t, padding_of(size), e);
}

static int take_long(char **slot, char *text, size_t size, struct err *e)
{
	/* GNU tar counts the NUL at the end. */
	if (*slot || !*text || strlen(text) + 1 < size) {
		free(text);
		return err_set(e, EINVAL, "malformed long name");
	}
	*slot = text;
	return 0;
}

static int extension(struct tar *t, struct err *e)
{
	uint64_t size = t->head.entry.stored;
	char *text = NULL;
	int r = read_extension(t, &text, e);

	if (r == 0 && t->head.kind == TAR_KIND_LONG_NAME)
		return take_long(&t->long_name, text, (size_t) size, e);
	if (r == 0 && t->head.kind == TAR_KIND_LONG_LINK)
		return take_long(&t->long_link, text, (size_t) size, e);
	if (r == 0)
		r = tar_pax_parse(text, (size_t) size, t->head.kind == TAR_KIND_PAX_GLOBAL, &t->pax, e);
	free(text);
	return r;
}

static int long_names(struct tar *t, struct err *e)
{
	struct tar_entry *entry = &t->head.entry;

	if ((t->long_name && (t->pax.path || t->pax.sparse_name)) || (t->long_link && t->pax.link))
		return err_set(e, EINVAL, "entry with two names");
	if (t->long_link && !entry->link)
		return err_set(e, EINVAL, "target of what is no link");
	if (t->long_name) {
		free(entry->path);
		entry->path = take_ptr(t->long_name);
	}
	if (t->long_link) {
		free(entry->link);
		entry->link = take_ptr(t->long_link);
	}
	return 0;
}

/* GNU 'S': four pairs in the header, 21 in each continuation (offset 504: there is one more). */
static int old_sparse_map(struct tar *t, const uint8_t *block, struct err *e)
{
	struct tar_entry *entry = &t->head.entry;
	bool more = block[482] != 0;
	int r = tar_sparse_pairs(block + 386, 4, &entry->pieces, &entry->n_pieces, e);

	entry->is_sparse = true;
	while (r == 0 && more) {
		r = next_block(t, &block, e);
		if (r < 0)
			break;
		more = block[504] != 0;
		r = tar_sparse_pairs(block, 21, &entry->pieces, &entry->n_pieces, e);
	}
	return r;
}

/* A decimal line of the map that version 1.0 has at the head of the data. */
static int map_line(struct tar *t, uint64_t *used, uint64_t *ret, struct err *e)
{
	char line[24];
	size_t n = 0;

	for (;;) {
		int r = *used < t->head.entry.stored ? copy(t, &line[n], 1, e) : err_set(e, EINVAL, "sparse map is cut");

		if (r < 0)
			return r;
		++*used;
		if (line[n] == '\n')
			break;
		if (++n == sizeof line)
			return err_set(e, EINVAL, "sparse file with a malformed map");
	}
	line[n] = '\0';
	return parse_u64(line, INT64_MAX, ret) < 0 ? err_set(e, EINVAL, "sparse file with a malformed map") : 0;
}

static int map_in_data(struct tar *t, struct err *e)
{
	struct tar_entry *entry = &t->head.entry;
	uint64_t used = 0, count, offset, len, pad;
	int r = map_line(t, &used, &count, e);

	if (r == 0 && entry->n_pieces)
		r = err_set(e, EINVAL, "sparse file with two maps");
	while (r == 0 && count--) {
		r = map_line(t, &used, &offset, e);
		if (r == 0)
			r = map_line(t, &used, &len, e);
		if (r == 0)
			r = tar_piece_add(&entry->pieces, &entry->n_pieces, offset, len, e);
	}
	pad = padding_of(used);
	if (r == 0 && pad > entry->stored - used)
		r = err_set(e, EINVAL, "sparse map is cut");
	if (r == 0)
		r = skip(t, pad, e);
	entry->stored -= used + pad;
	return r;
}

static int begin_data(struct tar *t, struct err *e)
{
	struct tar_entry *entry = &t->head.entry;
	uint64_t padding = padding_of(entry->stored);
	int r = 0;

	if (entry->type != TAR_FILE && entry->stored)
		return err_set(e, EINVAL, "data behind what is no file");
	if (entry->is_sparse && t->pax.sparse_map_in_data)
		r = map_in_data(t, e);
	if (r == 0 && entry->is_sparse)
		r = tar_sparse_check(entry, e);
	t->left = entry->stored;
	t->padding = padding;
	t->piece = 0;
	t->piece_done = 0;
	return r;
}

static int entry(struct tar *t, const uint8_t *block, struct err *e)
{
	int r = t->head.old_sparse ? old_sparse_map(t, block, e) : 0;

	if (r == 0)
		r = long_names(t, e);
	if (r == 0)
		r = tar_pax_apply(&t->pax, &t->head.entry, e);
	if (r == 0)
		r = begin_data(t, e);
	tar_pax_done(&t->pax);
	return r < 0 ? err_ctx(e, r, "%s", q(t->head.entry.path)) : 1;
}

static bool is_pending(const struct tar *t)
{
	return t->pax.any || t->long_name || t->long_link;
}

int tar_next(struct tar *t, const struct tar_entry **ret, struct err *e)
{
	int r = skip(t, t->left + t->padding, e);

	t->left = t->padding = 0;
	while (r == 0) {
		const uint8_t *block;

		tar_entry_done(&t->head.entry);
		r = fill(t, e);
		if (r == 0 && t->pax.lenient && t->used && !is_pending(t))
			return 0;
		if (r == 0)
			return err_set(e, EINVAL, "the archive is cut short: it has no end mark");
		if (r > 0)
			r = next_block(t, &block, e);
		if (r < 0)
			break;
		if (tar_block_is_zero(block))
			return is_pending(t) ? err_set(e, EINVAL, "header for an entry that does not come") : finish(t, e);
		r = tar_header_parse(block, &t->head, e);
		if (r == 0)
			r = t->head.kind == TAR_KIND_ENTRY ? entry(t, block, e) : extension(t, e);
	}
	if (r > 0)
		*ret = &t->head.entry;
	return r;
}

int tar_data(struct tar *t, const uint8_t **data, size_t *len, uint64_t *offset, struct err *e)
{
	struct tar_entry *entry = &t->head.entry;
	const struct tar_piece *p = NULL;
	uint64_t some = t->left;
	int r;

	if (!t->left) {
		r = skip(t, t->padding, e);
		t->padding = 0;
		return r;
	}
	r = fill(t, e);
	if (r <= 0)
		return r < 0 ? r : cut_short(e);
	*offset = entry->stored - t->left;
	if (entry->is_sparse) {
		while (entry->pieces[t->piece].len == t->piece_done) {
			t->piece++;
			t->piece_done = 0;
		}
		p = &entry->pieces[t->piece];
		*offset = p->offset + t->piece_done;
		some = p->len - t->piece_done;
	}
	if (some > t->have)
		some = t->have;
	*data = t->p;
	*len = (size_t) some;
	use(t, (size_t) some);
	t->left -= some;
	t->piece_done += p ? some : 0;
	return 1;
}
