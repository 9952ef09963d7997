/*
 * Checks in an app record: "check" begins one, "check-arg" adds to it.
 */
#include "contract/app_record_check.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

struct app_check *app_record_add_check(struct app_record *rec, enum check_how how, unsigned port,
				       const char *host, const char *path)
{
	struct app_check *c;

	rec->checks = xgrow(rec->checks, rec->n_checks, sizeof *rec->checks);
	c = &rec->checks[rec->n_checks++];
	*c = (struct app_check) {how, port, xstrdup_null(host), xstrdup_null(path), NULL};
	return c;
}

/* Cut one word at the next space; NULL when there is none. */
static char *next_word(char **rest)
{
	char *word = *rest, *space = strchr(word, ' ');

	if (!space)
		return NULL;
	*space = '\0';
	*rest = space + 1;
	return word;
}

/* exec | http PORT HOST PATH | tcp PORT HOST */
int app_check_set(struct app_record *rec, _unused_ void *field, const char *value, _unused_ size_t n)
{
	bool http = str_starts(value, "http "), tcp = str_starts(value, "tcp ");
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = copy + (http ? 5 : 4), *port, *host;
	uint64_t number;

	if (rec->n_checks == CHECKS_MAX)
		return -EINVAL;
	if (!strcmp(value, "exec")) {
		app_record_add_check(rec, CHECK_EXEC, 0, NULL, NULL);
		return 0;
	}
	port = http || tcp ? next_word(&rest) : NULL;
	if (!port || parse_u64(port, 65535, &number) < 0 || !number)
		return -EINVAL;
	host = http ? next_word(&rest) : rest;
	if (!host || !*host || !*rest)
		return -EINVAL;
	app_record_add_check(rec, http ? CHECK_HTTP : CHECK_TCP, (unsigned) number, host, http ? rest : NULL);
	return 0;
}

char *app_check_get(const struct app_record *rec, _unused_ const void *field, size_t n)
{
	const struct app_check *c = rec->checks + n;

	if (n >= rec->n_checks)
		return NULL;
	if (c->how == CHECK_EXEC)
		return xstrdup("exec");
	return c->how == CHECK_HTTP ? xasprintf("http %u %s %s", c->port, c->host, c->path)
				    : xasprintf("tcp %u %s", c->port, c->host);
}

/* N TEXT: one more argument, or line, of check N. */
int app_check_set_arg(struct app_record *rec, _unused_ void *field, const char *value, _unused_ size_t n)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *rest = copy, *word = next_word(&rest);
	uint64_t index;

	if (!word || !rec->n_checks || parse_u64(word, rec->n_checks - 1, &index) < 0)
		return -EINVAL;
	strv_add(&rec->checks[index].args, rest);
	return 0;
}

char *app_check_get_arg(const struct app_record *rec, _unused_ const void *field, size_t n)
{
	for (size_t i = 0; i < rec->n_checks; i++) {
		size_t len = strv_len(rec->checks[i].args);

		if (n < len)
			return xasprintf("%zu %s", i, rec->checks[i].args[n]);
		n -= len;
	}
	return NULL;
}

void app_checks_done(struct app_record *rec)
{
	for (size_t i = 0; i < rec->n_checks; i++) {
		free(rec->checks[i].host);
		free(rec->checks[i].path);
		strv_free(rec->checks[i].args);
	}
	free(rec->checks);
}
