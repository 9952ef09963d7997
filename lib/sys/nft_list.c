/* What tables, chains and sets hold. */
#include "sys/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct nlattr *find_attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	nl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (nl_attr_type(a) == type)
			return a;
	return NULL;
}

struct names {
	char **list;
	uint16_t type; /* the attribute that is collected */
	bool comment;
};

static int collect_name(const struct nlmsghdr *h, void *arg)
{
	struct names *c = arg;
	const struct nlattr *a = find_attr(h, c->type);
	char buf[NFT_COMMENT_MAX + 2];

	if (!a)
		return 0;
	if (c->comment && nft_get_comment(a, buf, sizeof buf))
		strv_add(&c->list, buf);
	else if (!c->comment && nl_attr_str(a))
		strv_add(&c->list, nl_attr_str(a));
	return 0;
}

static void restart_names(void *arg)
{
	struct names *c = arg;

	strv_free(c->list);
	c->list = NULL;
}

static int dump_names(struct nl *nl, struct nl_batch *b, struct names *c, char ***ret,
		      struct err *e)
{
	struct nl_dump d = {.each = collect_name, .restart = restart_names, .arg = c};
	int r = nl_dump(nl, b, &d, e);

	if (r < 0)
		strv_free(c->list);
	else
		*ret = c->list;
	return r;
}

int nft_list_sets(struct nl *nl, const struct nft_table *t, char ***ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct names c = {.type = NFTA_SET_NAME};

	nft_put(&b, NFT_MSG_GETSET, 0, t->family, "list sets of", t->name);
	nl_attr_put_strz(b.cur, NFTA_SET_TABLE, t->name);
	return dump_names(nl, &b, &c, ret, e);
}

/* Answers come in the order of the requests: first those of the sets. */
struct wanted {
	const struct nft_chain_use *uses;
	size_t n_sets, n, found;
};

static void see_answer(const struct nlmsghdr *h, size_t index, void *arg)
{
	const struct nlattr *use = find_attr(h, NFTA_CHAIN_USE);
	struct wanted *w = arg;

	if (index < w->n_sets)
		w->found++;
	else if (index - w->n_sets < w->n && use && nl_attr_len(use) >= sizeof(uint32_t))
		w->found += ntohl(nl_attr_u32(use)) >= w->uses[index - w->n_sets].min;
}

static void put_get_chain(struct nl_batch *b, const struct nft_table *t, const char *chain)
{
	nft_put(b, NFT_MSG_GETCHAIN, 0, t->family, "look up chain", chain);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_NAME, chain);
	nl_ignore(b, ENOENT);
}

int nft_have(struct nl *nl, const struct nft_table *t, char *const *sets,
	     const struct nft_chain_use *uses, size_t n, bool *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct wanted w = {.uses = uses, .n = n, .n_sets = strv_len(sets)};
	int r;

	for (char *const *s = sets; s && *s; s++) {
		nft_put(&b, NFT_MSG_GETSET, 0, t->family, "look up set", *s);
		nl_attr_put_strz(b.cur, NFTA_SET_TABLE, t->name);
		nl_attr_put_strz(b.cur, NFTA_SET_NAME, *s);
		nl_ignore(&b, ENOENT);
	}
	for (size_t i = 0; i < n; i++)
		put_get_chain(&b, t, uses[i].chain);
	r = nl_run(nl, &b, see_answer, &w, e);
	*ret = w.found == w.n_sets + n;
	return r;
}

int nft_list_rules(struct nl *nl, const struct nft_table *t, const char *chain, char ***ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct names c = {.type = NFTA_RULE_USERDATA, .comment = true};

	nft_put(&b, NFT_MSG_GETRULE, 0, t->family, "list rules of", t->name);
	nl_attr_put_strz(b.cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b.cur, NFTA_RULE_CHAIN, chain);
	return dump_names(nl, &b, &c, ret, e);
}

static void count_answer(const struct nlmsghdr *h _unused_, size_t index _unused_, void *arg)
{
	++*(size_t *) arg;
}

int nft_have_chain(struct nl *nl, const struct nft_table *t, const char *chain, bool *ret,
		   struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	size_t found = 0;
	int r;

	put_get_chain(&b, t, chain);
	r = nl_run(nl, &b, count_answer, &found, e);
	*ret = found > 0;
	return r;
}

struct rules {
	struct nft_rule_info *list;
	size_t n;
};

static int collect_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *handle = find_attr(h, NFTA_RULE_HANDLE);
	const struct nlattr *data = find_attr(h, NFTA_RULE_USERDATA);
	struct nft_rule_info x = {0};
	struct rules *c = arg;

	if (!handle || nl_attr_len(handle) < sizeof x.handle)
		return 0;
	x.handle = be64toh(nl_attr_u64(handle));
	if (data)
		(void) nft_get_comment(data, x.comment, sizeof x.comment);
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = x;
	return 0;
}

static void restart_rules(void *arg)
{
	((struct rules *) arg)->n = 0;
}

int nft_list_rule_infos(struct nl *nl, const struct nft_table *t, const char *chain,
			struct nft_rule_info **ret, size_t *ret_n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct rules c = {0};
	struct nl_dump d = {.each = collect_rule, .restart = restart_rules, .arg = &c};
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	nft_put(&b, NFT_MSG_GETRULE, 0, t->family, "list rules of", chain);
	nl_attr_put_strz(b.cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b.cur, NFTA_RULE_CHAIN, chain);
	r = nl_dump(nl, &b, &d, &why);
	*ret = c.list;
	*ret_n = c.n;
	if (r >= 0 || r == -ENOENT)
		return 0;
	free(c.list);
	*ret = NULL;
	*ret_n = 0;
	return err_move(e, &why);
}

struct first_rule {
	const char *comment;
	bool is;
};

static int compare_rule(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *data = find_attr(h, NFTA_RULE_USERDATA);
	char comment[NFT_COMMENT_MAX + 2] = "";
	struct first_rule *f = arg;

	if (!find_attr(h, NFTA_RULE_HANDLE))
		return 0;
	if (data)
		(void) nft_get_comment(data, comment, sizeof comment);
	f->is = !strcmp(comment, f->comment);
	return -ECANCELED;
}

int nft_first_rule_is(const struct nft_table *t, const char *chain, const char *comment, bool *ret,
		      struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct first_rule f = {.comment = comment};
	struct nl_dump d = {.each = compare_rule, .arg = &f, .piece = NL_PIECE_MIN};
	_cleanup_err_ struct err why = ERR_INIT;
	/* One of its own, closed in the middle of the dump: the kernel lists no more than is read. */
	_cleanup_nl_ struct nl nl = NL_INIT;
	int r = nl_open(&nl, NETLINK_NETFILTER, e);

	if (r < 0)
		return r;
	nft_put(&b, NFT_MSG_GETRULE, 0, t->family, "list rules of", chain);
	nl_attr_put_strz(b.cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b.cur, NFTA_RULE_CHAIN, chain);
	r = nl_dump(&nl, &b, &d, &why);
	*ret = f.is;
	return r >= 0 || r == -ENOENT || r == -ECANCELED ? 0 : err_move(e, &why);
}

struct elements {
	struct nft_element *list;
	size_t n;
};

/* The value of a key or of a map's data; as much of it as there is room for is none. */
static unsigned get_value(const struct nlattr *nest, unsigned char value[static NFT_KEY_MAX])
{
	const struct nlattr *a;

	nl_attr_for_each_nested(a, nest) {
		size_t len = nl_attr_len(a);

		if (nl_attr_type(a) != NFTA_DATA_VALUE || len > NFT_KEY_MAX)
			continue;
		memcpy(value, nl_attr_payload(a), len);
		return (unsigned) len;
	}
	return 0;
}

static void collect_element(const struct nlattr *elem, struct elements *c)
{
	struct nft_element x = {0};
	const struct nlattr *a;

	nl_attr_for_each_nested(a, elem) {
		if (nl_attr_type(a) == NFTA_SET_ELEM_KEY)
			x.key_len = get_value(a, x.key);
		else if (nl_attr_type(a) == NFTA_SET_ELEM_DATA)
			x.data_len = get_value(a, x.data);
		else if (nl_attr_type(a) == NFTA_SET_ELEM_USERDATA)
			(void) nft_get_comment(a, x.comment, sizeof x.comment);
	}
	if (!x.key_len)
		return;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = x;
}

static int collect_elements(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *list = find_attr(h, NFTA_SET_ELEM_LIST_ELEMENTS), *a;

	if (list)
		nl_attr_for_each_nested(a, list)
			collect_element(a, arg);
	return 0;
}

static void restart_elements(void *arg)
{
	((struct elements *) arg)->n = 0;
}

int nft_list_elements(struct nl *nl, const struct nft_table *t, const char *set, struct nft_element **ret,
		      size_t *ret_n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct elements c = {0};
	struct nl_dump d = {.each = collect_elements, .restart = restart_elements, .arg = &c};
	int r;

	nft_put(&b, NFT_MSG_GETSETELEM, 0, t->family, "list elements of", set);
	nl_attr_put_strz(b.cur, NFTA_SET_ELEM_LIST_TABLE, t->name);
	nl_attr_put_strz(b.cur, NFTA_SET_ELEM_LIST_SET, set);
	r = nl_dump(nl, &b, &d, e);
	if (r < 0) {
		free(c.list);
		return r;
	}
	*ret = c.list;
	*ret_n = c.n;
	return 0;
}
