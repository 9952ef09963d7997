#include "stage0/oci/evidence.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_check.h"
#include "base/str.h"
#include "spec/oci.h"

static void signature_done(struct evidence_signature *s)
{
	free(s->digest);
	free(s->data);
	free(s->signature);
}

void evidence_done(struct evidence *ev)
{
	for (size_t i = 0; i < ev->n; i++)
		signature_done(&ev->v[i]);
	for (size_t i = 0; i < ev->n_indexes; i++)
		free(ev->indexes[i].data);
	free(ev->v);
	free(ev->indexes);
	free(ev->signer);
	free(ev->reference);
	free(ev->path);
	*ev = (struct evidence) {0};
}

static bool is_same(const struct evidence_signature *a, const struct evidence_signature *b)
{
	return a->type == b->type && !strcmp(a->digest, b->digest) && a->len == b->len &&
	       !memcmp(a->data, b->data, a->len) && str_eq(a->signature, b->signature);
}

int evidence_add(struct evidence *ev, const struct evidence_signature *s, struct err *e)
{
	for (size_t i = 0; i < ev->n; i++)
		if (is_same(&ev->v[i], s))
			return 0;
	if (ev->n == EVIDENCE_SIGNATURES_MAX)
		return err_set(e, E2BIG, "the rule asks for more than %d signatures", EVIDENCE_SIGNATURES_MAX);
	ev->v = xgrow(ev->v, ev->n, sizeof *ev->v);
	ev->v[ev->n++] = (struct evidence_signature) {
		.type = s->type,
		.digest = xstrdup(s->digest),
		.data = xmemdup(s->data, s->len),
		.len = s->len,
		.signature = xstrdup_null(s->signature),
	};
	return 0;
}

void evidence_add_index(struct evidence *ev, const char *data, size_t len)
{
	ev->indexes = xgrow(ev->indexes, ev->n_indexes, sizeof *ev->indexes);
	ev->indexes[ev->n_indexes++] = (struct evidence_index) {.data = xmemdup(data, len), .len = len};
}

/* --- encoding --- */

static const struct {
	const char *word;
	enum requirement_type type;
} types[] = {{"openpgp", REQUIRE_SIGNED_BY}, {"sigstore", REQUIRE_SIGSTORE}};

static void add_base64(cJSON *o, const char *key, const char *data, size_t len)
{
	_cleanup_free_ char *text = base64_encode(data, len);

	cJSON_AddStringToObject(o, key, text);
}

static cJSON *encode_signature(const struct evidence_signature *s)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < ELEMENTSOF(types); i++)
		if (types[i].type == s->type)
			cJSON_AddStringToObject(o, "type", types[i].word);
	cJSON_AddStringToObject(o, "digest", s->digest);
	add_base64(o, "data", s->data, s->len);
	if (s->signature)
		cJSON_AddStringToObject(o, "signature", s->signature);
	return o;
}

int evidence_print(const struct evidence *ev, char **ret, struct err *e)
{
	_cleanup_json_ cJSON *o = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;
	cJSON *list;

	cJSON_AddStringToObject(o, "reference", ev->reference);
	if (ev->path)
		cJSON_AddStringToObject(o, "path", ev->path);
	list = cJSON_AddArrayToObject(o, "signatures");
	for (size_t i = 0; i < ev->n; i++)
		cJSON_AddItemToArray(list, encode_signature(&ev->v[i]));
	list = cJSON_AddArrayToObject(o, "indexes");
	for (size_t i = 0; i < ev->n_indexes; i++) {
		_cleanup_free_ char *data = base64_encode(ev->indexes[i].data, ev->indexes[i].len);

		cJSON_AddItemToArray(list, cJSON_CreateString(data));
	}
	text = json_print(o, false);
	if (strlen(text) > EVIDENCE_MAX)
		return err_set(e, EFBIG, "its signatures and indexes are more than %u bytes", EVIDENCE_MAX);
	*ret = take_ptr(text);
	return 0;
}

/* --- decoding --- */

struct signature_words {
	char *type, *digest, *data, *signature;
};

#define WORD(member) .type = JSON_F_STRING, .offset = offsetof(struct signature_words, member)

static int take_words(struct signature_words *w, const struct json_at *at, struct evidence_signature *s,
		      struct err *e)
{
	size_t i = 0;

	while (i < ELEMENTSOF(types) && strcmp(types[i].word, w->type))
		i++;
	if (i == ELEMENTSOF(types))
		return json_err(at, e, "type %s is not known", q(w->type));
	if (!w->signature != (types[i].type == REQUIRE_SIGNED_BY))
		return json_err(at, e, "signature does not go with type %s, or is missing", q(w->type));
	if (base64_decode(w->data, &s->data, &s->len) < 0)
		return json_err(at, e, "data is not base64");
	s->type = types[i].type;
	s->digest = take_ptr(w->digest);
	s->signature = take_ptr(w->signature);
	return 0;
}

static int decode_signature(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type", WORD(type), .required = true},
		{.key = "digest", WORD(digest), .required = true, .check = oci_digest_check},
		{.key = "data", WORD(data), .required = true},
		{.key = "signature", WORD(signature), .check = json_check_not_empty},
	};
	struct evidence *ev = arg;
	struct signature_words w = {0};
	struct evidence_signature s = {0};
	int r = ev->n == EVIDENCE_SIGNATURES_MAX ? json_err(at, e, "too many") : 0;

	if (r == 0)
		r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &w, e);
	if (r == 0)
		r = take_words(&w, at, &s, e);
	if (r == 0) {
		ev->v = xgrow(ev->v, ev->n, sizeof *ev->v);
		ev->v[ev->n++] = s;
	}
	free(w.type);
	free(w.digest);
	free(w.data);
	free(w.signature);
	return r;
}

static int decode_index(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	struct evidence *ev = arg;
	const char *text;
	size_t len;
	int r = ev->n_indexes == EVIDENCE_INDEXES_MAX ? json_err(at, e, "too many") : json_str(j, at, &text, e);

	if (r < 0)
		return r;
	if (base64_decode(text, &data, &len) < 0)
		return json_err(at, e, "not base64");
	evidence_add_index(ev, data, len);
	return 0;
}

static int decode_signatures(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct evidence *ev = (struct evidence *) ((char *) field - offsetof(struct evidence, v));

	return json_each(j, at, decode_signature, ev, e);
}

static int decode_indexes(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct evidence *ev = (struct evidence *) ((char *) field - offsetof(struct evidence, indexes));

	return json_each(j, at, decode_index, ev, e);
}

int evidence_parse(const char *text, size_t len, struct evidence *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "reference", .type = JSON_F_STRING, .offset = offsetof(struct evidence, reference),
		 .required = true, .check = json_check_not_empty},
		{.key = "path", .type = JSON_F_STRING, .offset = offsetof(struct evidence, path),
		 .check = json_check_not_empty},
		{.key = "signatures", .type = JSON_F_CALL, .offset = offsetof(struct evidence, v),
		 .required = true, .decode = decode_signatures},
		{.key = "indexes", .type = JSON_F_CALL, .offset = offsetof(struct evidence, indexes),
		 .required = true, .decode = decode_indexes},
	};
	_cleanup_json_ cJSON *j = json_parse(text, len, EVIDENCE_MAX, e);
	struct evidence ev = {0};
	int r = j ? json_decode(j, JSON_TOP, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &ev, e) : -EINVAL;

	if (r < 0)
		evidence_done(&ev);
	else
		*ret = ev;
	return r;
}
