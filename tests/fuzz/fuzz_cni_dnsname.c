/*
 * What dnsname makes of a configuration: CNI_ARGS (first line), then the configuration; and of the file with a
 * network's names.  What becomes a word of a file and of a command line is a host's name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni-plugins/dnsname/conf.h"
#include "cni-plugins/dnsname/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

static bool is_word(const char *s)
{
	return *s && *s != '-' && strlen(s) <= 253 && !strpbrk(s, " \t\r\n#/,;'\"\\") && str_is_utf8(s, strlen(s));
}

static void conf(const char *args, char *text, size_t len)
{
	struct cni_env env = {.command = "ADD", .container_id = "c", .netns = "/n", .ifname = "eth0", .args = args,
			      .path = "/p"};
	_cleanup_cni_request_ struct cni_request rq = CNI_REQUEST_INIT;
	_cleanup_dnsname_conf_ struct dnsname_conf c = {0};
	_cleanup_err_ struct err e = ERR_INIT;

	if (cni_request_parse(&rq, &env, text, len, &e) < 0)
		return;
	if (dnsname_conf_decode(&rq, &c, &e) < 0) {
		must(e.msg);
		return;
	}
	must(!c.domain || is_word(c.domain));
	for (char **a = c.aliases; a && *a; a++) {
		must(is_word(*a));
		must(!strv_has(a + 1, *a));
	}
}

/* Whatever lies there is read; what is written of it reads the same. */
static void names(const char *text)
{
	_cleanup_free_ char *once = NULL, *twice = NULL;
	_cleanup_names_ struct names first = {0}, second = {0};

	names_decode(text, &first);
	once = names_encode(&first);
	names_decode(once, &second);
	must(first.n == second.n);
	twice = names_encode(&second);
	must(!strcmp(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *eol = size ? memchr(data, '\n', size) : NULL;
	size_t skip = eol ? (size_t) (eol - data) + 1 : 0;
	_cleanup_free_ char *args = xstrndup((const char *) data, eol ? skip - 1 : 0),
			    *text = xstrndup((const char *) data, size);
	char *copy = xmalloc(size - skip + 1);

	if (size > skip)
		memcpy(copy, data + skip, size - skip);
	copy[size - skip] = '\0';
	conf(args, copy, size - skip);
	names(text);
	return 0;
}
