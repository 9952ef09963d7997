/*
 * Sparse files: which pieces of the file are stored (GNU tar manual, "Storing Sparse Files").
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/worker/tar_internal.h"

int tar_piece_add(struct tar_piece **v, size_t *n, uint64_t offset, uint64_t len, struct err *e)
{
	if (*n >= TAR_SPARSE_MAX)
		return err_set(e, E2BIG, "sparse file in too many pieces");
	*v = xgrow(*v, *n, sizeof **v);
	(*v)[(*n)++] = (struct tar_piece) {offset, len};
	return 0;
}

int tar_sparse_list(const char *text, struct tar_piece **v, size_t *n, struct err *e)
{
	_cleanup_strv_ char **words = strv_split(text, ',');
	size_t count = strv_len(words);
	int r = 0;

	if (*v || count % 2 || count / 2 > TAR_SPARSE_MAX)
		return err_set(e, EINVAL, "sparse file with a malformed map");
	for (size_t i = 0; r == 0 && i < count; i += 2) {
		uint64_t offset, len;

		if (parse_u64(words[i], INT64_MAX, &offset) < 0 || parse_u64(words[i + 1], INT64_MAX, &len) < 0)
			return err_set(e, EINVAL, "sparse file with a malformed map");
		r = tar_piece_add(v, n, offset, len, e);
	}
	return r;
}

int tar_sparse_pairs(const uint8_t *p, size_t pairs, struct tar_piece **v, size_t *n, struct err *e)
{
	for (size_t i = 0; i < pairs; i++, p += 24) {
		int64_t offset, len;
		int r;

		if (!p[0] || !p[12])
			return 0;
		if (tar_number(p, 12, false, &offset) < 0 || tar_number(p + 12, 12, false, &len) < 0)
			return err_set(e, EINVAL, "sparse file with a malformed map");
		r = tar_piece_add(v, n, (uint64_t) offset, (uint64_t) len, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_sparse_check(const struct tar_entry *entry, struct err *e)
{
	uint64_t pos = 0, sum = 0;

	for (size_t i = 0; i < entry->n_pieces; i++) {
		const struct tar_piece *p = &entry->pieces[i];

		if (p->offset < pos || p->offset > entry->size || p->len > entry->size - p->offset)
			return err_set(e, EINVAL, "sparse file with a malformed map");
		pos = p->offset + p->len;
		sum += p->len;
	}
	if (sum != entry->stored)
		return err_set(e, EINVAL, "sparse file whose map does not fit what is stored");
	return 0;
}
