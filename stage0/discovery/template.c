/*
 * URL templates, and which names they are for.
 */
#include <string.h>

#include "base/str.h"
#include "spec/nameval.h"
#include "spec/well_known.h"
#include "stage0/discovery/discovery.h"

bool discovery_is_prefix(const char *prefix, const char *name)
{
	size_t len = strlen(prefix);

	if (len && prefix[len - 1] == '/')
		len--;
	return len && !strncmp(prefix, name, len) && (!name[len] || name[len] == '/');
}

static const char *value_of(const char *var, const struct nameval_list *labels)
{
	const char *value = nameval_get(labels, var);

	if (value)
		return value;
	if (!strcmp(var, "version"))
		return "latest";
	if (!strcmp(var, "os"))
		return "linux";
	return strcmp(var, "arch") ? NULL : well_known_host_arch();
}

/*
 * The template is the word of the host, a label may be that of a stranger (a dependency's): it must
 * not say anything about the URL but its own place in it.
 */
static void add_value(struct strbuf *sb, const char *value)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+";

	for (; *value; value++) {
		if (strchr(plain, *value))
			strbuf_addc(sb, *value);
		else
			strbuf_addf(sb, "%%%02X", (unsigned char) *value);
	}
}

static bool add_variable(struct strbuf *sb, const char *var, const char *name,
			 const struct nameval_list *labels, const char *ext)
{
	const char *value;

	if (!strcmp(var, "name")) {
		strbuf_adds(sb, name);
		return true;
	}
	if (!strcmp(var, "ext")) {
		strbuf_adds(sb, ext);
		return true;
	}
	value = value_of(var, labels);
	if (value)
		add_value(sb, value);
	return value != NULL;
}

char *discovery_expand(const char *template, const char *name, const struct nameval_list *labels,
		       const char *ext)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const char *p = template;

	while (*p) {
		size_t text = strcspn(p, "{");
		_cleanup_free_ char *var = NULL;

		strbuf_add(&sb, p, text);
		p += text;
		if (!*p)
			break;
		text = strcspn(++p, "{}");
		if (p[text] != '}')
			return NULL;
		var = xstrndup(p, text);
		if (!add_variable(&sb, var, name, labels, ext))
			return NULL;
		p += text + 1;
	}
	return strbuf_take(&sb);
}
