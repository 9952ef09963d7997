/*
 * Members whose values ask for nothing: what the API server puts into each Pod, and what a scheduler found.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/kube/internal.h"

#define WORDS_MAX 2

/*
 * Defaults as in https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/; what is
 * not in a row would ask for something, and the message says why it is not to be had.
 */
static const struct fixed {
	const char *name;
	enum { FIXED_WORD, FIXED_BOOL, FIXED_NUMBER, FIXED_STRING, FIXED_ARRAY } type;
	const char *words[WORDS_MAX]; /* FIXED_WORD: those that mean nothing here */
	bool is;		      /* FIXED_BOOL */
	const char *why;	      /* others are refused */
} rows[] = {
	/* What each Pod has that says nothing, and pod.c does Default. */
	{"dnsPolicy", FIXED_WORD, {"ClusterFirst", "Default"}, .why = "see --dns"},
	{"schedulerName", FIXED_WORD, {"default-scheduler"}, .why = "there is no cluster"},
	{"serviceAccountName", FIXED_WORD, {"default"}, .why = "there is no cluster"},
	{"serviceAccount", FIXED_WORD, {"default"}, .why = "there is no cluster"},
	/* Pods that are there stay, whatever the priority of a new one. */
	{"preemptionPolicy", FIXED_WORD, {"PreemptLowerPriority", "Never"}, .why = "there is no scheduler"},
	{"priority", FIXED_NUMBER, .why = "there is no scheduler"},
	{"automountServiceAccountToken", FIXED_BOOL, .is = false, .why = "there is no cluster"},
	/* Where it ran, and what nodes it would put up with: this one it was given to. */
	{"nodeName", FIXED_STRING, .why = NULL},
	{"tolerations", FIXED_ARRAY, .why = NULL},
	{"terminationMessagePath", FIXED_WORD, {"/dev/termination-log"}, .why = "no message is read from there"},
	{"terminationMessagePolicy", FIXED_WORD, {"File"}, .why = "a message is not taken from what the app says"},
};

static bool fits(const struct fixed *f, const cJSON *j)
{
	switch (f->type) {
	case FIXED_WORD:
		for (size_t i = 0; i < WORDS_MAX && f->words[i]; i++)
			if (cJSON_IsString(j) && !strcmp(j->valuestring, f->words[i]))
				return true;
		return false;
	case FIXED_BOOL:
		return cJSON_IsBool(j) && !!cJSON_IsTrue(j) == f->is;
	case FIXED_NUMBER:
		return cJSON_IsNumber(j) && j->valuedouble == 0;
	case FIXED_STRING:
		return cJSON_IsString(j);
	case FIXED_ARRAY:
		return cJSON_IsArray(j);
	}
	return false;
}

int kube_fixed(const cJSON *j, const struct json_at *at, void *field _unused_, struct err *e)
{
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		if (str_eq(rows[i].name, at->key)) {
			if (fits(&rows[i], j))
				return 0;
			if (!rows[i].why)
				return json_err(at, e, rows[i].type == FIXED_ARRAY ? "expected array" : "expected string");
			text = json_print(j, false);
			return json_err(at, e, "%s is not supported: %s",
					cJSON_IsString(j) ? q(j->valuestring) : q(text), rows[i].why);
		}
	return json_err(at, e, "not supported");
}
