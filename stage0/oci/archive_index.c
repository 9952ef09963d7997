#include "stage0/oci/archive_index.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/path_escape.h"
#include "base/str.h"
#include "stage0/worker/worker.h"

#define TEXT_MAX (17u << 20) /* a little more than what the worker allows itself */
#define INDEX_MS (600 * 1000) /* of a file on a slow disk: only headers are read */
#define LINKS_MAX 8

void archive_index_done(struct archive_index *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].name);
		free(x->v[i].target);
	}
	free(x->v);
	*x = (struct archive_index) {0};
}

/* "./a//b" -> "a/b" */
static char *plain_name(const char *name)
{
	_cleanup_free_ char *absolute = xasprintf("/%s", name), *clean = path_clean(absolute);

	return xstrdup(clean + 1);
}

/* The word up to the next space; NULL when there is no more. */
static char *next_word(char **line)
{
	char *word = *line, *space = word ? strchr(word, ' ') : NULL;

	if (space)
		*space++ = '\0';
	*line = space;
	return word;
}

static int parse_line(char *line, struct archive_entry *ret)
{
	const char *kind = next_word(&line), *first = next_word(&line);
	_cleanup_free_ char *name = NULL;

	if (!first || !line)
		return -EINVAL;
	if (str_eq(kind, "link")) {
		ret->target = path_unescape(first);
		if (!ret->target)
			return -EINVAL;
	} else if (!str_eq(kind, "file") || parse_u64(first, INT64_MAX, &ret->offset) < 0 ||
		   parse_u64(next_word(&line), INT64_MAX, &ret->size) < 0 || !line) {
		return -EINVAL;
	}
	name = path_unescape(line);
	if (!name)
		return -EINVAL;
	ret->name = plain_name(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct archive_entry *) a)->name, ((const struct archive_entry *) b)->name);
}

static int check_unique(const struct archive_index *x, struct err *e)
{
	for (size_t i = 1; i < x->n; i++)
		if (!strcmp(x->v[i - 1].name, x->v[i].name))
			return err_set(e, EINVAL, "%s is in the archive twice", q(x->v[i].name));
	return 0;
}

int archive_index_parse(char *text, struct archive_index *ret, struct err *e)
{
	struct archive_index x = {0};
	int r = 0;

	for (char *line = text, *end; r == 0 && *line; line = end) {
		struct archive_entry entry = {0};

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		r = parse_line(line, &entry);
		x.v = xgrow(x.v, x.n, sizeof *x.v);
		x.v[x.n++] = entry;
	}
	if (r < 0) {
		err_set(e, EPROTO, "image unpack gave a malformed answer");
	} else if (x.n) {
		qsort(x.v, x.n, sizeof *x.v, by_name);
		r = check_unique(&x, e);
	}
	if (r < 0)
		archive_index_done(&x);
	else
		*ret = x;
	return r;
}

int archive_index_make(const struct gantry *g, int file, struct archive_index *ret, struct err *e)
{
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *text = NULL;
	const struct fd_name names[] = {{"blob", file}};
	const struct worker_text job = {.name = "unpack", .words = (char *[]) {"index", NULL}, .fds = names,
					.n = ELEMENTSOF(names), .out = "lists", .limit = TEXT_MAX};
	int r = worker_start_text(g, &job, &w, &text, NULL, e);

	if (r == 0)
		r = worker_finish(&w, INDEX_MS, &rec, e);
	return r < 0 ? r : archive_index_parse(text, ret, e);
}

static const struct archive_entry *find_exact(const struct archive_index *x, const char *name)
{
	const struct archive_entry key = {.name = (char *) name};

	return x->n ? bsearch(&key, x->v, x->n, sizeof *x->v, by_name) : NULL;
}

/* A symbolic link is seen from where it lies, a hard link from the top: the index does not tell which it is. */
static const struct archive_entry *follow(const struct archive_index *x, const struct archive_entry *link)
{
	size_t dir = (size_t) (path_last(link->name) - link->name);
	_cleanup_free_ char *beside = xasprintf("%.*s%s", (int) dir, link->name, link->target);
	_cleanup_free_ char *a = plain_name(beside), *b = plain_name(link->target);
	const struct archive_entry *found = path_is_absolute(link->target) ? NULL : find_exact(x, a);

	return found ? found : find_exact(x, b);
}

const struct archive_entry *archive_index_find(const struct archive_index *x, const char *name)
{
	_cleanup_free_ char *plain = plain_name(name);
	const struct archive_entry *entry = find_exact(x, plain);

	for (int i = 0; entry && entry->target; i++)
		entry = i < LINKS_MAX ? follow(x, entry) : NULL;
	return entry;
}
