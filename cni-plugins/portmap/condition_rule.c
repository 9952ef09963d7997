#include "cni-plugins/portmap/condition_rule.h"

static void put_link(struct nft_rule *r, const struct condition *c, const struct condition_value *v)
{
	if (c->field == CONDITION_INPUT)
		(v->prefix ? nft_rule_input_like : nft_rule_input)(r, v->link, !c->not);
	else
		(v->prefix ? nft_rule_output_like : nft_rule_output)(r, v->link, !c->not);
}

static void put_value(struct nft_rule *r, const struct condition *c, const struct condition_value *v)
{
	switch (c->field) {
	case CONDITION_SOURCE:
		(c->not ? nft_rule_source_not : nft_rule_source)(r, &v->net);
		break;
	case CONDITION_DESTINATION:
		(c->not ? nft_rule_destination_not : nft_rule_destination)(r, &v->net);
		break;
	case CONDITION_SOURCE_TYPE:
		nft_rule_source_type(r, v->low, !c->not);
		break;
	case CONDITION_DESTINATION_TYPE:
		nft_rule_destination_type(r, v->low, !c->not);
		break;
	case CONDITION_INPUT:
	case CONDITION_OUTPUT:
		put_link(r, c, v);
		break;
	case CONDITION_PROTOCOL:
		nft_rule_protocol(r, (uint8_t) v->low, !c->not);
		break;
	case CONDITION_SOURCE_PORT:
		nft_rule_source_port(r, (uint16_t) v->low, (uint16_t) v->high, !c->not);
		break;
	case CONDITION_DESTINATION_PORT:
		nft_rule_destination_port(r, (uint16_t) v->low, (uint16_t) v->high, !c->not);
		break;
	case CONDITION_STATE:
		nft_rule_state(r, v->low, !c->not);
		break;
	case CONDITION_MARK:
		nft_rule_mark(r, v->low, v->high, !c->not);
		break;
	}
}

void conditions_put(struct nft_rule *r, const struct conditions *c, size_t k)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct condition *x = &c->list[i];

		if (!x->not) {
			put_value(r, x, &x->values[k % x->n]);
			k /= x->n;
			continue;
		}
		for (size_t v = 0; v < x->n; v++)
			put_value(r, x, &x->values[v]);
	}
}
