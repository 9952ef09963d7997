#include "cni-plugins/host-local/range.h"

#include <errno.h>

#include "base/mem.h"
#include "base/str.h"

const char *range_text(const struct range *r, char buf[static RANGE_TEXT_MAX])
{
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

	(void) snprintf(buf, RANGE_TEXT_MAX, "%s-%s", ip_text(&r->start, a), ip_text(&r->end, b));
	return buf;
}

static int check_subnet(const struct range *r, struct err *e)
{
	struct cidr net = cidr_network(&r->subnet);
	char text[CIDR_TEXT_MAX], good[CIDR_TEXT_MAX];

	if (!ip_is_set(&r->subnet.ip))
		return err_set(e, EINVAL, "subnet is missing");
	if (r->subnet.prefix + 2 > ip_bits(&r->subnet.ip))
		return err_set(e, EINVAL, "network %s is too small to allocate from",
			       cidr_text(&r->subnet, text));
	if (!cidr_eq(&net, &r->subnet))
		return err_set(e, EINVAL, "network %s has host bits set; the network is %s",
			       cidr_text(&r->subnet, text), cidr_text(&net, good));
	return 0;
}

static int check_bound(const struct range *r, const char *what, const struct ip *ip, struct err *e)
{
	char a[IP_TEXT_MAX], text[CIDR_TEXT_MAX];

	if (!cidr_contains(&r->subnet, ip))
		return err_set(e, EINVAL, "%s %s is not in network %s", what, ip_text(ip, a),
			       cidr_text(&r->subnet, text));
	return 0;
}

int range_complete(struct range *r, struct err *e)
{
	char text[RANGE_TEXT_MAX];
	int ret = check_subnet(r, e);

	if (ret < 0)
		return ret;
	if (!ip_is_set(&r->gw)) {
		r->gw = cidr_first(&r->subnet);
		(void) ip_next(&r->gw);
	} else if (r->gw.family != r->subnet.ip.family) {
		return err_set(e, EINVAL, "gateway and subnet are of different families");
	}
	if (!ip_is_set(&r->start)) {
		r->start = cidr_first(&r->subnet);
		(void) ip_next(&r->start);
	}
	if (!ip_is_set(&r->end)) {
		r->end = cidr_last(&r->subnet);
		/* IPv6 has no broadcast address. */
		if (r->end.family == AF_INET)
			(void) ip_prev(&r->end);
	}
	ret = check_bound(r, "rangeStart", &r->start, e);
	if (ret >= 0)
		ret = check_bound(r, "rangeEnd", &r->end, e);
	if (ret >= 0 && ip_cmp(&r->start, &r->end) > 0)
		ret = err_set(e, EINVAL, "range %s ends before it starts", range_text(r, text));
	return ret;
}

bool range_contains(const struct range *r, const struct ip *ip)
{
	return ip->family == r->start.family && ip_cmp(ip, &r->start) >= 0 &&
	       ip_cmp(ip, &r->end) <= 0;
}

bool range_overlaps(const struct range *a, const struct range *b)
{
	return a->start.family == b->start.family && ip_cmp(&a->start, &b->end) <= 0 &&
	       ip_cmp(&b->start, &a->end) <= 0;
}

int range_set_check(const struct range_set *s, struct err *e)
{
	char a[RANGE_TEXT_MAX], b[RANGE_TEXT_MAX];

	if (!s->n)
		return err_set(e, EINVAL, "empty range set");
	for (size_t i = 1; i < s->n; i++)
		for (size_t j = 0; j < i; j++) {
			if (s->list[i].start.family != s->list[j].start.family)
				return err_set(e, EINVAL, "mixed address families");
			if (range_overlaps(&s->list[i], &s->list[j]))
				return err_set(e, EINVAL, "subnets overlap: %s and %s",
					       range_text(&s->list[j], a),
					       range_text(&s->list[i], b));
		}
	return 0;
}

bool range_set_overlaps(const struct range_set *a, const struct range_set *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (range_overlaps(&a->list[i], &b->list[j]))
				return true;
	return false;
}

const struct range *range_set_find(const struct range_set *s, const struct ip *ip)
{
	for (size_t i = 0; i < s->n; i++)
		if (range_contains(&s->list[i], ip))
			return &s->list[i];
	return NULL;
}

static void advance(struct range_walk *w)
{
	const struct range *r = &w->set->list[w->i];

	if (!ip_eq(&w->next, &r->end)) {
		(void) ip_next(&w->next);
		return;
	}
	w->i = (w->i + 1) % w->set->n;
	w->next = w->set->list[w->i].start;
}

void range_walk_init(struct range_walk *w, const struct range_set *s, const struct ip *last)
{
	const struct range *r = ip_is_set(last) ? range_set_find(s, last) : NULL;

	*w = (struct range_walk) {.set = s};
	if (r) {
		w->i = (size_t) (r - s->list);
		w->next = *last;
		advance(w);
	} else {
		w->next = s->list[0].start;
	}
	w->first = w->next;
}

bool range_walk_next(struct range_walk *w, struct ip *ip, const struct range **range)
{
	for (;;) {
		const struct range *r = &w->set->list[w->i];

		if (w->begun && ip_eq(&w->next, &w->first))
			return false;
		w->begun = true;
		*ip = w->next;
		*range = r;
		advance(w);
		if (!ip_eq(ip, &r->gw))
			return true;
	}
}
