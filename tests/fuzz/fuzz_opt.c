/* A command line, one word on each line, against a table with an option of every type. */
#include <stdint.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	bool flag;
	char *text;
	char **list, **net;
	int64_t wait, n;
};

static int call(void *target, const char *value, struct err *e)
{
	struct target *t = target;

	t->flag = !t->flag;
	return *value ? 0 : err_set(e, 22, "empty");
}

#define AT(member) .offset = offsetof(struct target, member)

static const struct opt opts[] = {
	{.name = "flag", .short_name = 'f', .type = OPT_FLAG, AT(flag)},
	{.name = "text", .short_name = 't', .type = OPT_STRING, AT(text)},
	{.name = "list", .type = OPT_STRV, AT(list)},
	{.name = "net", .type = OPT_OPTIONAL, AT(net), .bare = "default"},
	{.name = "wait", .type = OPT_DURATION, AT(wait)},
	{.name = "number", .short_name = 'n', .type = OPT_I64, AT(n)},
	{.name = "call", .type = OPT_CALL, .call = call},
	{.name = "users", .type = OPT_STRING, .refused = "not here"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_strv_ char **argv = strv_split(text, '\n'), **words = NULL;
	struct target t = {0};
	struct opt_table table = OPT_TABLE(opts, &t);
	struct opt_cursor c = {.argc = (int) strv_len(argv), .argv = argv};
	_cleanup_err_ struct err e = ERR_INIT;
	int r = opt_parse_all(&c, &table, 1, size % 2, &words, &e);

	if ((r < 0) != !!e.msg || c.pos > c.argc || strv_len(words) > strv_len(argv) || (r >= 0 && c.pos != c.argc))
		abort();
	free(t.text);
	strv_free(t.list);
	strv_free(t.net);
	return 0;
}
