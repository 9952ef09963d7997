#include "spec/check_decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define MS_MAX (365ll * 24 * 3600 * 1000)
#define COUNT_MAX 1000000

/* --- values --- */

/* A duration, in whole milliseconds, upwards. */
static int decode_ms(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	int64_t ns;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	if (parse_duration(s, &ns) < 0 || ns < 0 || ns / 1000000 >= MS_MAX)
		return json_err(at, e, "%s: not a duration", q(s));
	*(int64_t *) field = (ns + 999999) / 1000000;
	return 0;
}

/* A time of nothing would be a loop. */
static int decode_positive_ms(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	int r = decode_ms(j, at, field, e);

	return r == 0 && !*(int64_t *) field ? json_err(at, e, "must be more than 0") : r;
}

static const char *check_address(const char *s)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, s, buf) == 1 || inet_pton(AF_INET6, s, buf) == 1 ? NULL : "not an address";
}

/* One line of a request each: nothing in it may end it (CWE-113). */
static const char *check_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char) *s < ' ' || *s == 0x7f)
			return "control character";
	return NULL;
}

static const char *check_path(const char *s)
{
	return *s != '/' ? "must begin with a slash" : strchr(s, ' ') ? "space" : check_line(s);
}

static const char *check_header(const char *s)
{
	const char *colon = strchr(s, ':');

	return !colon || colon == s ? "expected \"Name: value\"" : check_line(s);
}

#define CHECK(field) offsetof(struct check, field)

static int decode_http(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "port", .type = JSON_F_I64, .offset = CHECK(port), .required = true, .min = 1, .max = 65535},
		{.key = "path", .type = JSON_F_STRING, .offset = CHECK(path), .check = check_path},
		{.key = "host", .type = JSON_F_STRING, .offset = CHECK(host), .check = check_address},
		{.key = "headers", .type = JSON_F_STRV, .offset = CHECK(headers), .check = check_header},
	};
	struct check *c = field;
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, c, e);

	if (r == 0 && !c->path)
		c->path = xstrdup("/");
	c->how = CHECK_HTTP;
	return r;
}

static int decode_tcp(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "port", .type = JSON_F_I64, .offset = CHECK(port), .required = true, .min = 1, .max = 65535},
		{.key = "host", .type = JSON_F_STRING, .offset = CHECK(host), .check = check_address},
	};
	struct check *c = field;

	c->how = CHECK_TCP;
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, c, e);
}

/* --- checks --- */

int healthcheck_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "exec", .type = JSON_F_STRV, .offset = CHECK(exec), .required = true},
		{.key = "interval", .type = JSON_F_CALL, .offset = CHECK(period_ms), .decode = decode_positive_ms},
		{.key = "timeout", .type = JSON_F_CALL, .offset = CHECK(timeout_ms), .decode = decode_positive_ms},
		{.key = "startPeriod", .type = JSON_F_CALL, .offset = CHECK(grace_ms), .decode = decode_ms},
		{.key = "retries", .type = JSON_F_I64, .offset = CHECK(failures), .min = 1, .max = COUNT_MAX},
	};
	struct check *c = field;
	int r;

	/* docker's defaults. */
	*c = (struct check) {.purpose = CHECK_HEALTH, .period_ms = 30000, .timeout_ms = 30000,
			     .successes = 1, .failures = 3};
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, c, e);
	c->delay_ms = c->period_ms;
	return r == 0 && !strv_len(c->exec) ? json_err(at, e, "exec must not be empty") : r;
}

static int find_purpose(const char *word)
{
	for (int i = CHECK_LIVENESS; i < CHECK_PURPOSE_MAX; i++)
		if (!strcmp(check_purpose_name((enum check_purpose) i), word))
			return i;
	return -1;
}

static int check_probe(const struct json_at *at, struct check *c, struct err *e)
{
	int ways = (strv_len(c->exec) > 0) + (c->port && c->path) + (c->port && !c->path);

	if (ways != 1)
		return json_err(at, e, "expected one of exec, httpGet and tcpSocket");
	if (c->purpose != CHECK_READINESS && c->successes != 1)
		return json_err(at, e, "successThreshold is 1 for all but readiness");
	return 0;
}

int probe_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct {
		char *type;
		struct check check;
	} p = {0};
#define PROBE(field) offsetof(__typeof__(p), field)
	const struct json_field fields[] = {
		{.key = "type", .type = JSON_F_STRING, .offset = PROBE(type), .required = true},
		{.key = "exec", .type = JSON_F_STRV, .offset = PROBE(check.exec)},
		{.key = "httpGet", .type = JSON_F_CALL, .offset = PROBE(check), .decode = decode_http},
		{.key = "tcpSocket", .type = JSON_F_CALL, .offset = PROBE(check), .decode = decode_tcp},
		{.key = "initialDelay", .type = JSON_F_CALL, .offset = PROBE(check.delay_ms), .decode = decode_ms},
		{.key = "period", .type = JSON_F_CALL, .offset = PROBE(check.period_ms),
		 .decode = decode_positive_ms},
		{.key = "timeout", .type = JSON_F_CALL, .offset = PROBE(check.timeout_ms),
		 .decode = decode_positive_ms},
		{.key = "successThreshold", .type = JSON_F_I64, .offset = PROBE(check.successes), .min = 1,
		 .max = COUNT_MAX},
		{.key = "failureThreshold", .type = JSON_F_I64, .offset = PROBE(check.failures), .min = 1,
		 .max = COUNT_MAX},
	};
#undef PROBE
	struct check *c = field;
	int r, purpose;

	/* Kubernetes' defaults. */
	p.check = (struct check) {.period_ms = 10000, .timeout_ms = 1000, .successes = 1, .failures = 3};
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &p, e);
	*c = p.check;
	purpose = r == 0 ? find_purpose(p.type) : -1;
	if (r == 0 && purpose < 0)
		r = json_err(at, e, "type %s is none of liveness, readiness, startup", q(p.type));
	if (r == 0) {
		c->purpose = (enum check_purpose) purpose;
		r = check_probe(at, c, e);
	}
	free(p.type);
	return r;
}

/* --- single words --- */

static int decode_word(const cJSON *j, const struct json_at *at, const char *key, char **ret, struct err *e)
{
	const struct json_field fields[] = {{.key = key, .type = JSON_F_STRING, .required = true}};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, ret, e);
}

int restart_decode(const cJSON *j, const struct json_at *at, enum restart_policy *ret, struct err *e)
{
	static const char *const words[RESTART_MAX] = {
		[RESTART_NEVER] = "never",
		[RESTART_ON_FAILURE] = "on-failure",
		[RESTART_ALWAYS] = "always",
	};
	_cleanup_free_ char *word = NULL;
	int r = decode_word(j, at, "policy", &word, e);

	for (int i = RESTART_NEVER; r == 0 && i < RESTART_MAX; i++)
		if (!strcmp(words[i], word)) {
			*ret = (enum restart_policy) i;
			return 0;
		}
	return r == 0 ? json_err(at, e, "policy %s is none of never, on-failure, always", q(word)) : r;
}

/* signal(7), numbers of x86 and arm; the real-time ones as glibc counts them. */
#define RT_MIN 34
#define RT_MAX 64

static int parse_rt(const char *word, int *ret)
{
	bool up = str_starts(word, "RTMIN"), down = str_starts(word, "RTMAX");
	uint64_t n = 0;

	if (!up && !down)
		return -1;
	word += 5;
	if (*word && (*word != (up ? '+' : '-') || parse_u64(word + 1, RT_MAX - RT_MIN, &n) < 0))
		return -1;
	*ret = up ? RT_MIN + (int) n : RT_MAX - (int) n;
	return 0;
}

int stop_signal_parse(const char *word, int *ret)
{
	static const char *const names[] = {
		[1] = "HUP",   [2] = "INT",    [3] = "QUIT",  [4] = "ILL",   [5] = "TRAP",    [6] = "ABRT",
		[7] = "BUS",   [8] = "FPE",    [9] = "KILL",  [10] = "USR1", [11] = "SEGV",   [12] = "USR2",
		[13] = "PIPE", [14] = "ALRM",  [15] = "TERM", [16] = "STKFLT", [17] = "CHLD", [18] = "CONT",
		[19] = "STOP", [20] = "TSTP",  [21] = "TTIN", [22] = "TTOU", [23] = "URG",    [24] = "XCPU",
		[25] = "XFSZ", [26] = "VTALRM", [27] = "PROF", [28] = "WINCH", [29] = "IO",   [30] = "PWR",
		[31] = "SYS",
	};
	uint64_t n;

	if (parse_u64(word, RT_MAX, &n) == 0 && n) {
		*ret = (int) n;
		return 0;
	}
	if (str_starts(word, "SIG"))
		word += 3;
	if (parse_rt(word, ret) == 0)
		return 0;
	for (size_t i = 1; i < ELEMENTSOF(names); i++)
		if (!strcmp(names[i], word)) {
			*ret = (int) i;
			return 0;
		}
	return -EINVAL;
}

int stop_signal_decode(const cJSON *j, const struct json_at *at, int *ret, struct err *e)
{
	_cleanup_free_ char *word = NULL;
	int r = decode_word(j, at, "signal", &word, e);

	if (r == 0 && stop_signal_parse(word, ret) < 0)
		r = json_err(at, e, "%s is no signal", q(word));
	return r;
}

int stop_timeout_decode(const cJSON *j, const struct json_at *at, int64_t *ret_ms, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "timeout", .type = JSON_F_CALL, .required = true, .decode = decode_ms},
	};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, ret_ms, e);

	return r == 0 && *ret_ms > 24 * 3600 * 1000 ? json_err(at, e, "timeout: more than a day") : r;
}
