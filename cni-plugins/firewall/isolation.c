#include "cni-plugins/firewall/isolation.h"

#include <errno.h>
#include <linux/netfilter.h>

#include "base/mem.h"
#include "base/str.h"

/* -i BRIDGE [!] -o BRIDGE, or -o BRIDGE alone; to: NULL drops */
static const struct rule {
	const char *chain, *mark; /* the bridge's name, which has no colon, follows the mark */
	bool input, output_is;
	const char *to;
} rules[] = {
	{ISOLATION_STAGE_1, "gantry:", true, false, ISOLATION_STAGE_2},
	{ISOLATION_STAGE_2, "gantry:", false, true, NULL},
	/* Its own mark: networks that share a bridge need not agree. */
	{ISOLATION_STAGE_1, "gantry:isolated:", true, true, NULL},
};

static size_t n_rules(const struct isolation *i)
{
	return i->neighbours ? ELEMENTSOF(rules) : ELEMENTSOF(rules) - 1;
}

static int is_there(const struct isolation *i, const struct rule *x, struct nl *nl, bool *ret,
		    struct err *e)
{
	_cleanup_free_ char *mark = xasprintf("%s%s", x->mark, i->bridge);
	_cleanup_strv_ char **have = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	int r = nft_list_rules(nl, i->table, x->chain, &have, &why);

	*ret = r >= 0 && strv_has(have, mark);
	return r < 0 && r != -ENOENT ? err_move(e, &why) : 0;
}

static void put_rule(const struct isolation *i, const struct rule *x, struct nl_batch *b)
{
	_cleanup_free_ char *mark = xasprintf("%s%s", x->mark, i->bridge);
	struct nft_rule r;

	nft_rule_begin(&r, b, i->table, x->chain, mark);
	if (x->input)
		nft_rule_input(&r, i->bridge, true);
	nft_rule_output(&r, i->bridge, x->output_is);
	nft_rule_counter(&r);
	if (x->to)
		nft_rule_jump(&r, x->to);
	else
		nft_rule_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

int isolation_put(const struct isolation *i, struct nl *nl, struct nl_batch *b, struct err *e)
{
	const struct nft_chain stages[] = {{.name = ISOLATION_STAGE_1}, {.name = ISOLATION_STAGE_2}};
	int r = 0;

	for (size_t k = 0; k < ELEMENTSOF(stages); k++)
		nft_put_chain(b, i->table, &stages[k]);
	for (size_t k = 0; r >= 0 && k < n_rules(i); k++) {
		bool have;

		r = is_there(i, &rules[k], nl, &have, e);
		if (r >= 0 && !have)
			put_rule(i, &rules[k], b);
	}
	return r;
}

int isolation_missing(const struct isolation *i, struct nl *nl, const char **ret, struct err *e)
{
	int r = 0;

	*ret = NULL;
	for (size_t k = 0; r >= 0 && !*ret && k < n_rules(i); k++) {
		bool have;

		r = is_there(i, &rules[k], nl, &have, e);
		if (r >= 0 && !have)
			*ret = rules[k].chain;
	}
	return r;
}
