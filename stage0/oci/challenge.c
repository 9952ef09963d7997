#include "stage0/oci/challenge.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define PARAMETERS_MAX 64 /* of all challenges; nobody sends that many */

void challenge_done(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	free(c->error);
	*c = (struct challenge) {0};
}

/* RFC 9110 section 5.6.2 */
static bool is_token(char c)
{
	return c && (isalnum((unsigned char) c) || strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(const char **p)
{
	*p += strspn(*p, " \t");
}

/* The elements of a list may be empty (section 5.6.1.2). */
static void skip_commas(const char **p)
{
	*p += strspn(*p, " \t,");
}

static char *take_token(const char **p)
{
	const char *begin = *p;

	while (is_token(**p))
		++*p;
	return *p == begin ? NULL : xstrndup(begin, (size_t) (*p - begin));
}

/* "..." with backslashes; NULL when it does not end. */
static char *take_quoted(const char **p)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (++*p; **p != '"'; ++*p) {
		if (**p == '\\')
			++*p;
		if (!**p)
			return NULL;
		strbuf_addc(&sb, **p);
	}
	++*p;
	return strbuf_take(&sb);
}

/* 1: NAME = VALUE was taken; 0: it is none, and nothing was taken; -EINVAL. */
static int take_parameter(const char **p, char **ret_name, char **ret_value)
{
	const char *at = *p;
	_cleanup_free_ char *name = take_token(&at), *value = NULL;

	if (!name)
		return 0;
	skip_space(&at);
	if (*at != '=')
		return 0;
	at++;
	skip_space(&at);
	value = *at == '"' ? take_quoted(&at) : take_token(&at);
	if (!value)
		return -EINVAL;
	skip_space(&at);
	if (*at && *at != ',')
		return -EINVAL;
	*p = at;
	*ret_name = take_ptr(name);
	*ret_value = take_ptr(value);
	return 1;
}

/* token68, which NTLM and the like have in place of parameters; it ends with the challenge. */
static bool skip_token68(const char **p)
{
	const char *at = *p;

	at += strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
	at += strspn(at, "=");
	if (at == *p || (*at && *at != ',' && *at != ' ' && *at != '\t'))
		return false;
	skip_space(&at);
	if (*at && *at != ',')
		return false;
	*p = at;
	return true;
}

/* Twice in one challenge is two meanings. */
static int keep(struct challenge *c, const char *name, char **value)
{
	const struct {
		const char *name;
		char **place;
	} rows[] = {
		{"realm", &c->realm}, {"service", &c->service}, {"scope", &c->scope}, {"error", &c->error}};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		if (strcasecmp(name, rows[i].name))
			continue;
		if (*rows[i].place)
			return -EINVAL;
		*rows[i].place = take_ptr(*value);
	}
	return 0;
}

static int take_parameters(const char **p, struct challenge *one, unsigned *n)
{
	for (;;) {
		_cleanup_free_ char *name = NULL, *value = NULL;
		const char *at = *p;
		int r;

		skip_commas(&at);
		r = take_parameter(&at, &name, &value);
		if (r <= 0)
			return r;
		if (++*n > PARAMETERS_MAX)
			return -EINVAL;
		*p = at;
		r = keep(one, name, &value);
		if (r < 0)
			return r;
	}
}

static int take_challenge(const char **p, struct challenge *c, unsigned *n)
{
	_cleanup_challenge_ struct challenge one = {0};
	_cleanup_free_ char *scheme = take_token(p);
	const char *at;
	int r;

	if (!scheme || (**p && !strchr(" \t,", **p)))
		return -EINVAL;
	skip_space(p);
	at = *p;
	r = skip_token68(p) ? 0 : take_parameters(p, &one, n);
	if (r == 0 && *p == at && *at && *at != ',')
		r = -EINVAL;
	if (r < 0)
		return r;
	if (!strcasecmp(scheme, "basic"))
		c->basic = true;
	if (strcasecmp(scheme, "bearer") || c->bearer)
		return 0;
	if (!one.realm)
		return -EINVAL;
	one.basic = c->basic;
	one.bearer = true;
	*c = one;
	one = (struct challenge) {0};
	return 0;
}

int challenge_parse(const char *text, struct challenge *ret, struct err *e)
{
	_cleanup_challenge_ struct challenge c = {0};
	const char *p = text;
	unsigned n = 0;

	for (skip_commas(&p); *p; skip_commas(&p))
		if (take_challenge(&p, &c, &n) < 0)
			return err_set(e, EINVAL, "a malformed WWW-Authenticate: %s", q(text));
	*ret = c;
	c = (struct challenge) {0};
	return 0;
}
