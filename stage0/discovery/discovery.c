#include "stage0/discovery/discovery.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/nameval.h"
#include "stage0/context.h"
#include "stage0/image/internal.h"

#define LINES_MAX (512u << 10) /* what the worker makes of a page */
#define LEVELS_MAX 32	       /* components of a name, each of which costs a question */

/* What is looked for, on one page after the other. */
struct search {
	const struct gantry *g;
	const char *tag, *name;
	bool (*take)(struct search *s, const char *url); /* false: of no use */
	const struct nameval_list *labels;
	struct endpoints endpoints;
	char **urls;
	size_t matched, taken;
	bool https;
	struct strbuf tried;
};

void endpoints_done(struct endpoints *ep)
{
	for (size_t i = 0; i < ep->n; i++) {
		free(ep->v[i].image);
		free(ep->v[i].signature);
	}
	free(ep->v);
	*ep = (struct endpoints) {0};
}

void key_places_done(struct key_places *kp)
{
	strv_free(kp->urls);
	*kp = (struct key_places) {0};
}

static bool is_url(const char *s)
{
	if (!str_starts(s, "https://") && !str_starts(s, "http://"))
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

/* One line of the worker's answer: "NAME\tPREFIX URL". */
static void read_line(struct search *s, char *line)
{
	char *content = strchr(line, '\t'), *url = content ? strchr(content, ' ') : NULL;

	if (!url)
		return;
	*content++ = '\0';
	*url++ = '\0';
	if (strcmp(line, s->tag) || !discovery_is_prefix(content, s->name))
		return;
	s->matched++;
	if (s->take(s, url))
		s->taken++;
}

static void note(struct search *s, const char *url, const char *why)
{
	log_debug("meta tag '%s' not found on %s: %s", s->tag, url, why);
	strbuf_addf(&s->tried, "%s%s: %s", s->tried.len ? "; " : "", url, why);
}

/* Whether this page had what was looked for. */
static bool ask(struct search *s, const char *scheme, const char *place)
{
	_cleanup_free_ char *url = xasprintf("%s://%s?ac-discovery=1", scheme, place);
	_cleanup_document_ struct document doc = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_strv_ char **lines = NULL;

	if (download_all(s->g, url, LINES_MAX, DOWNLOAD_META_TAGS, &doc, &why) < 0) {
		note(s, url, err_text(&why));
		return false;
	}
	s->matched = 0;
	lines = strv_split(doc.data ? doc.data : "", '\n');
	for (size_t i = 0; lines[i]; i++)
		read_line(s, lines[i]);
	s->https = doc.https && !(s->g->insecure & INSECURE_TLS);
	if (!s->taken && s->matched)
		note(s, url, "no template whose variables all have a value");
	else if (!s->taken)
		note(s, url, "no such tag for this name");
	return s->taken > 0;
}

/* The name's own page, then its parents', down to the host's. */
static int walk(struct search *s, struct err *e)
{
	_cleanup_free_ char *place = xstrdup(s->name);

	for (int level = 0; level < LEVELS_MAX; level++) {
		char *slash = strrchr(place, '/');

		if (ask(s, "https", place) ||
		    (s->g->insecure & INSECURE_HTTP && ask(s, "http", place)))
			return 0;
		if (!slash)
			break;
		*slash = '\0';
	}
	return err_set(e, ENOENT, "discovery failed for %s: %s", q(s->name),
		       s->tried.buf ? s->tried.buf : "");
}

static bool take_endpoint(struct search *s, const char *template)
{
	_cleanup_free_ char *image = discovery_expand(template, s->name, s->labels, "aci");
	_cleanup_free_ char *signature = discovery_expand(template, s->name, s->labels, "aci.asc");

	if (!image || !signature || !is_url(image))
		return false;
	if (!strcmp(image, signature))
		free(take_ptr(signature));
	s->endpoints.v = xgrow(s->endpoints.v, s->endpoints.n, sizeof *s->endpoints.v);
	s->endpoints.v[s->endpoints.n++] = (struct endpoint) {take_ptr(image), take_ptr(signature)};
	return true;
}

int discovery_images(const struct gantry *g, const char *name, const struct nameval_list *labels,
		     struct endpoints *ret, struct err *e)
{
	struct search s = {
		.g = g, .tag = "ac-discovery", .name = name, .take = take_endpoint, .labels = labels,
	};
	int r = walk(&s, e);

	strbuf_done(&s.tried);
	if (r == 0)
		*ret = s.endpoints;
	else
		endpoints_done(&s.endpoints);
	return r;
}

static bool take_key(struct search *s, const char *url)
{
	if (!is_url(url))
		return false;
	if (!strv_has(s->urls, url))
		strv_add(&s->urls, url);
	return true;
}

int discovery_keys(const struct gantry *g, const char *name, struct key_places *ret, struct err *e)
{
	struct search s = {.g = g, .tag = "ac-discovery-pubkeys", .name = name, .take = take_key};
	int r = walk(&s, e);

	strbuf_done(&s.tried);
	if (r == 0)
		*ret = (struct key_places) {.urls = s.urls, .https = s.https};
	else
		strv_free(s.urls);
	return r;
}
