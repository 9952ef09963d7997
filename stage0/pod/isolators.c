#include "stage0/pod/isolators.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

/* The message without the place in a document that nobody wrote. */
static const char *without_place(const char *message)
{
	const char *text = str_starts(message, "[0].value") ? strstr(message, ": ") : NULL;

	return text ? text + 2 : message;
}

/*
 * The JSON form of an isolator goes through the one decoder: the same rules and ranges for both
 * doors.
 */
static int add_json(struct isolator_list *list, const char *option, const char *name, cJSON *value,
		    struct err *e)
{
	struct isolator_list parsed = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	int r = isolators_decode_one(ISO_SCOPE_APP, name, value, JSON_TOP, &parsed, &why);

	if (r < 0) {
		isolators_done(&parsed);
		return err_set(e, -r, "--%s: %s", option, without_place(err_text(&why)));
	}
	isolators_remove(list, parsed.v[0].kind);
	isolators_add(list, parsed.v[0]);
	free(parsed.v);
	return 0;
}

static cJSON *limit_object(const char *limit, bool request_too)
{
	cJSON *o = cJSON_CreateObject();

	if (request_too)
		cJSON_AddStringToObject(o, "request", limit);
	cJSON_AddStringToObject(o, "limit", limit);
	return o;
}

static cJSON *number_or_text(const char *text)
{
	int64_t v;

	/* What is no number stays text, so that the decoder says what it expected. */
	return parse_i64(text, INT32_MIN, INT32_MAX, &v) == 0 ? cJSON_CreateNumber((double) v)
							      : cJSON_CreateString(text);
}

static cJSON *set_object(char *const *names)
{
	cJSON *o = cJSON_CreateObject(), *set = cJSON_AddArrayToObject(o, "set");

	for (; names && *names; names++)
		cJSON_AddItemToArray(set, cJSON_CreateString(*names));
	return o;
}

static int apply_caps(const struct app_request *a, struct isolator_list *list, struct err *e)
{
	const char *text = a->caps_retain ? a->caps_retain : a->caps_remove;
	_cleanup_strv_ char **names = NULL;

	if (a->caps_retain && a->caps_remove)
		return err_set(e, EINVAL, "--caps-retain and --caps-remove exclude each other");
	if (!text)
		return 0;
	names = strv_split(text, ',');
	isolators_remove(list, ISO_CAPS_RETAIN);
	isolators_remove(list, ISO_CAPS_REMOVE);
	return add_json(list, a->caps_retain ? "caps-retain" : "caps-remove",
			isolator_name(a->caps_retain ? ISO_CAPS_RETAIN : ISO_CAPS_REMOVE),
			set_object(names), e);
}

/* "mode=retain,errno=EPERM,read,write" */
static int apply_seccomp(const char *text, struct isolator_list *list, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(text, ','), **calls = NULL;
	const char *mode = NULL, *err_no = NULL;
	cJSON *value;

	for (char **p = parts; *p; p++) {
		if (str_starts(*p, "mode=") && !mode)
			mode = *p + strlen("mode=");
		else if (str_starts(*p, "errno=") && !err_no)
			err_no = *p + strlen("errno=");
		else if (strchr(*p, '='))
			return err_set(e, EINVAL, "--seccomp %s: unknown or repeated word %s",
				       q(text), q(*p));
		else
			strv_add(&calls, *p);
	}
	if (!mode || (strcmp(mode, "retain") && strcmp(mode, "remove")))
		return err_set(e, EINVAL, "--seccomp %s: mode=retain or mode=remove is needed",
			       q(text));
	isolators_remove(list, ISO_SECCOMP_RETAIN);
	isolators_remove(list, ISO_SECCOMP_REMOVE);
	value = set_object(calls);
	if (err_no)
		cJSON_AddStringToObject(value, "errno", err_no);
	return add_json(list, "seccomp",
			isolator_name(!strcmp(mode, "retain") ? ISO_SECCOMP_RETAIN
							      : ISO_SECCOMP_REMOVE),
			value, e);
}

int isolators_apply(const struct app_request *a, struct isolator_list *list, struct err *e)
{
	const struct {
		const char *value, *option;
		enum isolator_kind kind;
		enum { LIMIT, LIMIT_ONLY, NUMBER } form;
	} rows[] = {
		{a->memory, "memory", ISO_MEMORY, LIMIT},
		{a->cpu, "cpu", ISO_CPU, LIMIT},
		{a->pids, "pids", ISO_PIDS, LIMIT_ONLY},
		{a->cpu_shares, "cpu-shares", ISO_CPU_SHARES, NUMBER},
		{a->oom_score_adj, "oom-score-adj", ISO_OOM_SCORE_ADJ, NUMBER},
	};
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(rows) && r == 0; i++) {
		if (!rows[i].value)
			continue;
		r = add_json(list, rows[i].option, isolator_name(rows[i].kind),
			     rows[i].form == NUMBER
				     ? number_or_text(rows[i].value)
				     : limit_object(rows[i].value, rows[i].form == LIMIT),
			     e);
	}
	if (r == 0)
		r = apply_caps(a, list, e);
	if (r == 0 && a->seccomp)
		r = apply_seccomp(a->seccomp, list, e);
	return r;
}
