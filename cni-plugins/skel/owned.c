#include "cni-plugins/skel/owned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"

struct owned {
	const struct owned_kind *kind;
	char name[NFT_NAME_MAX];
	struct nft_table table;
	char owner[NFT_COMMENT_MAX + 1]; /* "CONTAINERID IFNAME" */
	int lock;
	struct nl nl;
};
#define OWNED_INIT {.lock = -EBADF, .nl = NL_INIT}

static void owned_done(struct owned *o)
{
	nl_close(&o->nl);
	o->lock = fd_close(o->lock);
}
#define _cleanup_owned_ __attribute__((cleanup(owned_done)))

static int open_table(struct owned *o, const struct owned_kind *kind, const struct cni_request *rq,
		      enum lock_kind lock, struct err *e)
{
	_cleanup_free_ char *path = path_join(OWNED_LOCK_DIR, kind->lock);
	_cleanup_err_ struct err first = ERR_INIT;

	o->kind = kind;
	/* Names are bounded by CNI_NAME_MAX and interface names by IFNAMSIZ: both fit. */
	(void) snprintf(o->name, sizeof o->name, "%s%s", kind->prefix, rq->name);
	o->table = (struct nft_table) {.family = kind->family, .name = o->name};
	(void) snprintf(o->owner, sizeof o->owner, "%s %s", rq->container_id, rq->ifname);
	o->lock = lock_file_at(AT_FDCWD, path, lock, true, &first);
	if (o->lock == -ENOENT) {
		int r = path_mkdirs(OWNED_LOCK_DIR, 0700, e);

		if (r < 0)
			return r;
		o->lock = lock_file_at(AT_FDCWD, path, lock, true, &first);
	}
	if (o->lock < 0)
		return err_move(e, &first);
	return nl_open(&o->nl, NETLINK_NETFILTER, e);
}

/* --- adding --- */

bool owned_has_rule(const struct owned_build *o, const char *comment)
{
	return strv_has(o->rules, comment);
}

uint32_t owned_put_set(struct owned_build *o, const struct nft_set *set)
{
	struct nft_set s = *set;

	s.id = o->next_id++;
	if (!strv_has(o->sets, s.name)) {
		nft_put_set(o->b, o->table, &s);
		strv_add(&o->sets, s.name);
	}
	return s.id;
}

static void own(const struct owned *o, const struct owned_element *x, struct nft_element *ret)
{
	*ret = x->el;
	(void) snprintf(ret->comment, sizeof ret->comment, "%s", o->owner);
}

/* The usual case: everything is there, one transaction with nothing but elements. */
static int add_elements(struct owned *o, const struct owned_element *list, size_t n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct nft_element el;

	nft_begin(&b);
	for (size_t i = 0; i < n; i++) {
		own(o, &list[i], &el);
		nft_put_element(&b, &o->table, list[i].set, &el, NLM_F_EXCL);
	}
	nft_end(&b);
	return nl_run(&o->nl, &b, NULL, NULL, e);
}

/* What there is of the network's table; nothing at all is fine. */
static int list_table(struct owned *o, char ***sets, char ***rules, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = nft_list_sets(&o->nl, &o->table, sets, &why);

	for (const char *const *c = o->kind->chains; r >= 0 && rules && *c; c++) {
		_cleanup_strv_ char **some = NULL;

		r = nft_list_rules(&o->nl, &o->table, *c, &some, &why);
		for (char **s = some; s && *s; s++)
			strv_add(rules, *s);
		/* A chain that somebody took away has no rules. */
		if (r == -ENOENT) {
			err_done(&why);
			r = 0;
		}
	}
	return r < 0 && r != -ENOENT ? err_move(e, &why) : 0;
}

static int have_all(struct owned *o, const struct owned_element *list, size_t n, const void *arg,
		    bool *ret, struct err *e)
{
	_cleanup_free_ struct nft_chain_use *uses = NULL;
	_cleanup_strv_ char **sets = NULL;
	size_t n_uses = 0;

	for (size_t i = 0; i < n; i++)
		if (!strv_has(sets, list[i].set))
			strv_add(&sets, list[i].set);
	for (const char *const *c = o->kind->chains; *c; c++) {
		struct nft_chain_use use = {*c, o->kind->uses(*c, arg)};

		if (!use.min)
			continue;
		uses = xgrow(uses, n_uses, sizeof *uses);
		uses[n_uses++] = use;
	}
	return nft_have(&o->nl, &o->table, sets, uses, n_uses, ret, e);
}

/* What is in one set: read once for all elements of it, which stand together in the caller's list. */
struct listing {
	const char *set; /* NULL: nothing read yet */
	struct nft_element *list;
	size_t n;
};

static void listing_done(struct listing *l)
{
	free(l->list);
	*l = (struct listing) {0};
}
#define _cleanup_listing_ __attribute__((cleanup(listing_done)))

static int cmp_key(const void *a, const void *b)
{
	const struct nft_element *x = a, *y = b;

	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return memcmp(x->key, y->key, x->key_len);
}

static int read_set(struct owned *o, const char *set, struct listing *l, struct err *e)
{
	int r;

	if (l->set && !strcmp(l->set, set))
		return 0;
	listing_done(l);
	r = nft_list_elements(&o->nl, &o->table, set, &l->list, &l->n, e);
	if (r < 0)
		return r;
	l->set = set;
	if (l->n)
		qsort(l->list, l->n, sizeof *l->list, cmp_key);
	return r;
}

/* There is one element at most with a key. */
static const struct nft_element *find_key(const struct listing *l, const struct nft_element *el)
{
	return l->n ? bsearch(el, l->list, l->n, sizeof *l->list, cmp_key) : NULL;
}

/* Somebody's element where ours is to be: refused where that is a conflict, else put down to go. */
static int clear_place(struct owned *o, struct nl_batch *b, const struct owned_element *x,
		       struct listing *there, struct err *e)
{
	const struct nft_element *have;
	int r = read_set(o, x->set, there, e);

	have = r < 0 ? NULL : find_key(there, &x->el);
	if (!have)
		return r;
	if (o->kind->conflict && strcmp(have->comment, o->owner))
		return err_set(e, CNI_CODE(CNI_OTHER), "%s of %s: in use by container %s",
			       o->kind->what, x->name, q(have->comment));
	nft_put_element_del(b, &o->table, x->set, have);
	return 0;
}

/* Under the exclusive lock: whatever is missing, and the elements, in one transaction. */
static int build(struct owned *o, const struct owned_element *list, size_t n, const void *arg,
		 struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_strv_ char **before = NULL;
	_cleanup_listing_ struct listing there = {0};
	struct owned_build ob = {.b = &b, .table = &o->table, .next_id = 1, .arg = arg};
	struct nft_element el;
	int r = list_table(o, &before, &ob.rules, e);

	for (char **s = before; s && *s; s++)
		strv_add(&ob.sets, *s);
	if (r >= 0) {
		nft_begin(&b);
		nft_put_table(&b, &o->table, 0);
		o->kind->build(&ob);
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (strv_has(before, list[i].set))
			r = clear_place(o, &b, &list[i], &there, e);
		own(o, &list[i], &el);
		nft_put_element(&b, &o->table, list[i].set, &el, NLM_F_EXCL);
	}
	strv_free(ob.sets);
	strv_free(ob.rules);
	if (r < 0)
		return r;
	nft_end(&b);
	return nl_run(&o->nl, &b, NULL, NULL, e);
}

int owned_add(const struct owned_kind *kind, const struct cni_request *rq,
	      const struct owned_element *list, size_t n, const void *arg, struct err *e)
{
	_cleanup_owned_ struct owned o = OWNED_INIT;
	_cleanup_err_ struct err first = ERR_INIT;
	bool have;
	int r;

	if (!n)
		return 0;
	r = open_table(&o, kind, rq, LOCK_SHARED, e);
	if (r >= 0)
		r = have_all(&o, list, n, arg, &have, e);
	if (r < 0)
		return r;
	if (have) {
		r = add_elements(&o, list, n, &first);
		/* An element that nobody took away, a table that somebody just did: build() sees to it. */
		if (r != -EEXIST && r != -ENOENT)
			return r < 0 ? err_move(e, &first) : r;
	}
	r = lock_fd(o.lock, LOCK_EXCLUSIVE, true);
	if (r < 0)
		return err_sysr(e, r, "lock %s", kind->what);
	return build(&o, list, n, arg, e);
}

/* --- removing --- */

static int remove_table(struct owned *o, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	nft_begin(&b);
	nft_put_table_del(&b, &o->table);
	nft_end(&b);
	return nl_run(&o->nl, &b, NULL, NULL, e);
}

struct doomed {
	const struct cni_request *rq; /* GC: what it does not list goes; else: what is `owner`'s */
	const char *owner;
	size_t others, ours;
	struct nl_batch b;
};

static bool is_doomed(const struct doomed *d, const char *comment)
{
	_cleanup_free_ char *id = NULL;
	char *space;

	if (d->owner)
		return !strcmp(comment, d->owner);
	id = xstrdup(comment);
	space = strchr(id, ' ');
	if (!space)
		return true;
	*space = '\0';
	return !cni_attachments_have(&d->rq->valid, id, space + 1);
}

static int scan_set(struct owned *o, const char *set, struct doomed *d, struct err *e)
{
	_cleanup_free_ struct nft_element *list = NULL;
	size_t n;
	int r = nft_list_elements(&o->nl, &o->table, set, &list, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (!is_doomed(d, list[i].comment)) {
			d->others++;
			continue;
		}
		nft_put_element_del(&d->b, &o->table, set, &list[i]);
		d->ours++;
	}
	return r;
}

/* The lock is exclusive: between looking and removing nothing is added. */
static int remove_doomed(struct owned *o, struct doomed *d, struct err *e)
{
	_cleanup_strv_ char **sets = NULL;
	int r = list_table(o, &sets, NULL, e);

	if (r < 0 || !sets)
		return r;
	nft_begin(&d->b);
	for (char **s = sets; r >= 0 && *s; s++)
		r = scan_set(o, *s, d, e);
	nft_end(&d->b);
	if (r < 0)
		return r;
	if (!d->others)
		return remove_table(o, e);
	return d->ours ? nl_run(&o->nl, &d->b, NULL, NULL, e) : 0;
}

static int owned_remove(const struct owned_kind *kind, const struct cni_request *rq, bool gc,
			struct nl *late, struct err *e)
{
	_cleanup_owned_ struct owned o = OWNED_INIT;
	struct doomed d = {.rq = rq, .b = NL_BATCH_INIT};
	int r = open_table(&o, kind, rq, LOCK_EXCLUSIVE, e);

	if (r < 0)
		return r;
	d.owner = gc ? NULL : o.owner;
	r = remove_doomed(&o, &d, e);
	nl_batch_done(&d.b);
	nl_close(late);
	*late = o.nl;
	o.nl = (struct nl) NL_INIT;
	return r;
}

int owned_del(const struct owned_kind *kind, const struct cni_request *rq, struct nl *late,
	      struct err *e)
{
	return owned_remove(kind, rq, false, late, e);
}

int owned_gc(const struct owned_kind *kind, const struct cni_request *rq, struct nl *late,
	     struct err *e)
{
	return rq->valid.known ? owned_remove(kind, rq, true, late, e) : 0;
}

/* --- checking --- */

static bool has_element(const struct owned *o, const struct listing *there,
			const struct nft_element *el)
{
	const struct nft_element *have = find_key(there, el);

	return have && have->data_len == el->data_len &&
	       !memcmp(have->data, el->data, el->data_len) && !strcmp(have->comment, o->owner);
}

static int check_element(struct owned *o, const struct owned_element *x, struct listing *there,
			 struct err *e)
{
	int r = read_set(o, x->set, there, e);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r >= 0 && has_element(o, there, &x->el))
		return 0;
	return err_set(e, CNI_CODE(CNI_OTHER), "%s of %s is missing", o->kind->what, x->name);
}

int owned_check(const struct owned_kind *kind, const struct cni_request *rq,
		const struct owned_element *list, size_t n, char *const *rules, struct err *e)
{
	_cleanup_owned_ struct owned o = OWNED_INIT;
	_cleanup_strv_ char **sets = NULL, **have = NULL;
	_cleanup_listing_ struct listing there = {0};
	int r = n ? open_table(&o, kind, rq, LOCK_SHARED, e) : 0;

	if (r >= 0 && n)
		r = list_table(&o, &sets, &have, e);
	for (char *const *s = rules; r >= 0 && n && s && *s; s++)
		if (!strv_has(have, *s))
			r = err_set(e, CNI_CODE(CNI_OTHER), "%s of %s is missing: no rule %s",
				    kind->what, list[0].name, q(*s));
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = check_element(&o, &list[i], &there, e);
	return r;
}
