#include "cni-plugins/bridge/vlan_set.h"

#include "base/mem.h"

bool vlan_set_has(const struct vlan_set *s, unsigned id)
{
	return id <= VLAN_ID_MAX && (s->bits[id / 64] >> (id % 64) & 1);
}

bool vlan_set_next(const struct vlan_set *s, unsigned *first, unsigned *last)
{
	while (*first <= VLAN_ID_MAX && !vlan_set_has(s, *first))
		++*first;
	if (*first > VLAN_ID_MAX)
		return false;
	*last = *first;
	while (vlan_set_has(s, *last + 1))
		++*last;
	return true;
}

struct item {
	int64_t min, max, id;
	bool has_min, has_max, has_id;
};

static bool is_id(int64_t n)
{
	return n > 0 && n <= VLAN_ID_MAX;
}

static int check_item(const struct item *i, const struct json_at *at, struct err *e)
{
	if (i->has_min && !i->has_max)
		return json_err(at, e, "minID and maxID should be configured simultaneously, "
				       "maxID is missing");
	if (i->has_max && !i->has_min)
		return json_err(at, e, "minID and maxID should be configured simultaneously, "
				       "minID is missing");
	if (i->has_min && !is_id(i->min))
		return json_err(at, e, "incorrect trunk minID parameter");
	if (i->has_max && !is_id(i->max))
		return json_err(at, e, "incorrect trunk maxID parameter");
	if (i->has_min && i->max < i->min)
		return json_err(at, e, "minID is greater than maxID in trunk parameter");
	if (i->has_id && !is_id(i->id))
		return json_err(at, e, "incorrect trunk id parameter");
	return 0;
}

static void add(struct vlan_set *s, int64_t from, int64_t to)
{
	for (int64_t n = from; n <= to; n++)
		s->bits[n / 64] |= UINT64_C(1) << (n % 64);
}

#define FIELD(key_, member, has) \
	.key = key_, .type = JSON_F_I64, .offset = offsetof(struct item, member), \
	.min = INT32_MIN, .max = INT32_MAX, .present = offsetof(struct item, has)

static int decode_item(const cJSON *value, const struct json_at *at, void *set, struct err *e)
{
	static const struct json_field fields[] = {
		{FIELD("minID", min, has_min)},
		{FIELD("maxID", max, has_max)},
		{FIELD("id", id, has_id)},
	};
	struct item i = {0};
	int r = json_decode(value, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, &i, e);

	if (r >= 0)
		r = check_item(&i, at, e);
	if (r < 0)
		return r;
	if (i.has_min)
		add(set, i.min, i.max);
	if (i.has_id)
		add(set, i.id, i.id);
	return 0;
}

int vlan_set_decode(const cJSON *value, const struct json_at *at, void *set, struct err *e)
{
	((struct vlan_set *) set)->given = true;
	return json_each(value, at, decode_item, set, e);
}
