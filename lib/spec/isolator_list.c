/* Lists of decoded isolators: finding, changing, copying, and writing them back as JSON. */
#include "base/str.h"
#include "spec/isolator.h"

const struct isolator *isolator_find(const struct isolator_list *l, enum isolator_kind kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind == kind)
			return &l->v[i];
	return NULL;
}

/* Those whose value is kept as JSON. */
#define CASE_RAW                                                                                   \
	case ISO_SELINUX:                                                                          \
	case ISO_APPARMOR:                                                                         \
	case ISO_SYSCTL:                                                                           \
	case ISO_STOP_SIGNAL:                                                                      \
	case ISO_RESTART:                                                                          \
	case ISO_HEALTHCHECK:                                                                      \
	case ISO_STOP_TIMEOUT:                                                                     \
	case ISO_PROBE

static void isolator_done(struct isolator *iso)
{
	switch (iso->kind) {
	case ISO_CAPS_RETAIN:
	case ISO_CAPS_REMOVE:
	case ISO_SECCOMP_RETAIN:
	case ISO_SECCOMP_REMOVE:
		strv_free(iso->names.set);
		free(iso->names.err_no);
		break;
	CASE_RAW:
		cJSON_Delete(iso->raw);
		break;
	default:
		break;
	}
}

void isolators_remove(struct isolator_list *l, enum isolator_kind kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].kind == kind)
			isolator_done(&l->v[i]);
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
}

void isolators_add(struct isolator_list *l, struct isolator iso)
{
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = iso;
}

void isolators_copy(struct isolator_list *dst, const struct isolator_list *src)
{
	*dst = (struct isolator_list) {0};
	for (size_t i = 0; i < src->n; i++) {
		struct isolator iso = src->v[i];

		switch (iso.kind) {
		case ISO_CAPS_RETAIN:
		case ISO_CAPS_REMOVE:
		case ISO_SECCOMP_RETAIN:
		case ISO_SECCOMP_REMOVE:
			iso.names.set = strv_copy(iso.names.set);
			iso.names.err_no = xstrdup_null(iso.names.err_no);
			break;
		CASE_RAW:
			iso.raw = cJSON_Duplicate(iso.raw, true);
			break;
		default:
			break;
		}
		isolators_add(dst, iso);
	}
}

void isolators_done(struct isolator_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		isolator_done(&l->v[i]);
	free(l->v);
	*l = (struct isolator_list) {0};
}

static void add_quantity(cJSON *o, const char *key, int64_t v, const char *suffix)
{
	_cleanup_free_ char *s = NULL;

	if (v < 0)
		return;
	s = xasprintf("%lld%s", (long long) v, suffix);
	cJSON_AddStringToObject(o, key, s);
}

static cJSON *encode_resource(const struct iso_resource *res, const char *suffix)
{
	cJSON *o = cJSON_CreateObject();

	if (res->is_default)
		cJSON_AddBoolToObject(o, "default", true);
	add_quantity(o, "request", res->request, suffix);
	add_quantity(o, "limit", res->limit, suffix);
	return o;
}

static cJSON *encode_names(const struct isolator *iso)
{
	const char *const *set = (const char *const *) iso->names.set;
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToObject(o, "set", cJSON_CreateStringArray(set, (int) strv_len(iso->names.set)));
	if (iso->names.err_no)
		cJSON_AddStringToObject(o, "errno", iso->names.err_no);
	return o;
}

static cJSON *encode_value(const struct isolator *iso)
{
	cJSON *o;

	switch (iso->kind) {
	case ISO_CPU:
		return encode_resource(&iso->resource, "m");
	case ISO_MEMORY:
	case ISO_BLOCK_BW:
	case ISO_BLOCK_IOPS:
	case ISO_NET_BW:
		return encode_resource(&iso->resource, "");
	case ISO_CAPS_RETAIN:
	case ISO_CAPS_REMOVE:
	case ISO_SECCOMP_RETAIN:
	case ISO_SECCOMP_REMOVE:
		return encode_names(iso);
	case ISO_NO_NEW_PRIVS:
	case ISO_LOGIN_GROUPS:
	case ISO_INIT_APP:
		return cJSON_CreateBool(iso->flag);
	CASE_RAW:
		return cJSON_Duplicate(iso->raw, true);
	case ISO_CPU_SHARES:
	case ISO_OOM_SCORE_ADJ:
		return cJSON_CreateNumber((double) iso->number);
	case ISO_PIDS:
		o = cJSON_CreateObject();
		add_quantity(o, "limit", iso->number, "");
		return o;
	case ISO_KIND_MAX:
		break;
	}
	return cJSON_CreateNull();
}

cJSON *isolators_encode(const struct isolator_list *l)
{
	cJSON *a = cJSON_CreateArray();

	for (size_t i = 0; i < l->n; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "name", isolator_name(l->v[i].kind));
		cJSON_AddItemToObject(o, "value", encode_value(&l->v[i]));
		cJSON_AddItemToArray(a, o);
	}
	return a;
}
