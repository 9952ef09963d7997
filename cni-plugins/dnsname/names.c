#include "cni-plugins/dnsname/names.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_NAME "hosts"
#define FILE_MAX (16u << 20)

static void entry_done(struct names_entry *x)
{
	free(x->owner);
	free(x->lines);
}

void names_done(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		entry_done(&n->v[i]);
	free(n->v);
	*n = (struct names) {0};
}

static void append(struct names *n, char *owner, char *lines)
{
	n->v = xgrow(n->v, n->n, sizeof *n->v);
	n->v[n->n++] = (struct names_entry) {.owner = owner, .lines = lines};
}

void names_decode(const char *text, struct names *ret)
{
	for (const char *at = text; str_starts(at, "# ");) {
		const char *owner = at + 2, *lines = owner + strcspn(owner, "\n");
		char *whose = xstrndup(owner, (size_t) (lines - owner));

		lines += *lines == '\n';
		for (at = lines; *at && *at != '#'; at += *at == '\n')
			at += strcspn(at, "\n");
		append(ret, whose, xstrndup(lines, (size_t) (at - lines)));
	}
}

char *names_encode(const struct names *n)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < n->n; i++)
		strbuf_addf(&sb, "# %s\n%s", n->v[i].owner, n->v[i].lines);
	return sb.buf ? strbuf_take(&sb) : xstrdup("");
}

int names_read(int dir, struct names *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read_at(dir, FILE_NAME, FILE_MAX, &text, &len, e);

	if (r == -ENOENT) {
		if (e)
			err_done(e);
		return 0;
	}
	if (r == 0)
		names_decode(text, ret);
	return r;
}

int names_write(int dir, const struct names *n, struct err *e)
{
	_cleanup_free_ char *text = names_encode(n);

	/* The server has given up root by the time it reads it again. */
	return file_write_at(dir, FILE_NAME, text, strlen(text), 0644, FILE_FAST, e);
}

const struct names_entry *names_find(const struct names *n, const char *owner)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->v[i].owner, owner))
			return &n->v[i];
	return NULL;
}

static void remove_at(struct names *n, size_t i)
{
	entry_done(&n->v[i]);
	memmove(n->v + i, n->v + i + 1, (--n->n - i) * sizeof *n->v);
}

bool names_drop(struct names *n, const char *owner)
{
	const struct names_entry *x = names_find(n, owner);

	if (x)
		remove_at(n, (size_t) (x - n->v));
	return x;
}

void names_put(struct names *n, const char *owner, const char *lines)
{
	(void) names_drop(n, owner);
	append(n, xstrdup(owner), xstrdup(lines));
}

bool names_keep(struct names *n, const struct cni_attachments *valid)
{
	size_t before = n->n;

	for (size_t i = n->n; i-- > 0;) {
		_cleanup_free_ char *id = xstrndup(n->v[i].owner, strcspn(n->v[i].owner, " "));
		const char *ifname = n->v[i].owner + strlen(id);

		if (!cni_attachments_have(valid, id, *ifname ? ifname + 1 : ifname))
			remove_at(n, i);
	}
	return n->n < before;
}
