/* What appc has no member for: gantry's isolators carry it to whoever runs the app. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/convert_internal.h"

#define SECOND 1000000000ll

static void add(cJSON *list, const char *name, cJSON *value)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddItemToObject(o, "value", value);
	cJSON_AddItemToArray(list, o);
}

/* "quit", "SIGQUIT" and "3" are all written. */
static char *signal_word(const char *s)
{
	_cleanup_free_ char *upper = xstrdup(s);

	if (*s && strspn(s, "0123456789") == strlen(s))
		return take_ptr(upper);
	for (char *p = upper; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char) (*p - 'a' + 'A');
	return str_starts(upper, "SIG") ? take_ptr(upper) : xasprintf("SIG%s", upper);
}

static void add_duration(cJSON *o, const char *key, int64_t ns, int64_t otherwise)
{
	_cleanup_free_ char *text = NULL;

	if (!ns)
		ns = otherwise;
	text = ns % SECOND ? xasprintf("%lldns", (long long) ns) : xasprintf("%llds", (long long) (ns / SECOND));
	cJSON_AddStringToObject(o, key, text);
}

/* NULL: there is none; {"NONE"}: an earlier image's is turned off. */
static int add_healthcheck(cJSON *list, const struct oci_healthcheck *h, struct err *e)
{
	char *const *test = h ? h->test : NULL;
	cJSON *value, *exec;

	if (!test || str_eq(*test, "NONE"))
		return 0;
	if (!str_eq(*test, "CMD") && !str_eq(*test, "CMD-SHELL"))
		return err_set(e, EINVAL, "Healthcheck: %s: neither NONE, CMD nor CMD-SHELL", q(*test));
	if (!test[1])
		return err_set(e, EINVAL, "Healthcheck: %s without a command", *test);
	value = cJSON_CreateObject();
	exec = cJSON_AddArrayToObject(value, "exec");
	if (str_eq(*test, "CMD-SHELL")) {
		cJSON_AddItemToArray(exec, cJSON_CreateString("/bin/sh"));
		cJSON_AddItemToArray(exec, cJSON_CreateString("-c"));
	}
	for (char *const *w = test + 1; *w; w++)
		cJSON_AddItemToArray(exec, cJSON_CreateString(*w));
	/* Docker's defaults, where the image has none. */
	add_duration(value, "interval", h->interval_ns, 30 * SECOND);
	add_duration(value, "timeout", h->timeout_ns, 30 * SECOND);
	add_duration(value, "startPeriod", h->start_period_ns, 0);
	json_add_int(value, "retries", h->retries ? h->retries : 3);
	add(list, "gantry/healthcheck", value);
	return 0;
}

int convert_isolators(cJSON *app, const struct oci_config *c, bool login_groups, struct err *e)
{
	_cleanup_json_ cJSON *list = cJSON_CreateArray();
	int r = add_healthcheck(list, c->healthcheck, e);

	if (r < 0)
		return r;
	if (c->stop_signal && *c->stop_signal) {
		_cleanup_free_ char *word = signal_word(c->stop_signal);
		cJSON *value = cJSON_CreateObject();

		cJSON_AddStringToObject(value, "signal", word);
		add(list, "gantry/stop-signal", value);
	}
	if (login_groups)
		add(list, "gantry/login-groups", cJSON_CreateBool(true));
	if (list->child)
		cJSON_AddItemToObject(app, "isolators", take_ptr(list));
	return 0;
}
