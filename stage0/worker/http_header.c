#include "stage0/worker/http_header.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"

void http_headers_init(struct http_headers *h)
{
	*h = (struct http_headers) {
		.length = -1,
		.first = -1,
		.last = -1,
		.total = -1,
		.retry_after = -1,
		.date = -1,
		.expires = -1,
		.max_age = -1,
		.age = -1,
	};
}

void http_headers_done(struct http_headers *h)
{
	free(h->etag);
	free(h->last_modified);
	free(h->location);
	free(h->challenge);
	free(h->content_type);
	free(h->digest);
	free(h->link);
	http_headers_init(h);
}

int64_t http_date(const char *s)
{
	struct tm tm = {0};
	const char *end = strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end && tm.tm_year >= 70 && tm.tm_year < 8000 ? (int64_t) timegm(&tm) : -1;
}

/* Seconds; -1 when it is no number, and the maximum for all that is larger. */
static int64_t read_seconds(const char *s)
{
	size_t n = strspn(s, "0123456789");
	int64_t value = HTTP_AGE_MAX;

	if (!n || s[n])
		return -1;
	return parse_i64(s, 0, HTTP_AGE_MAX, &value) < 0 ? HTTP_AGE_MAX : value;
}

static void read_cache_control(struct http_headers *h, const char *value)
{
	_cleanup_strv_ char **parts = strv_split(value, ',');

	for (size_t i = 0; parts[i]; i++) {
		char *word = parts[i] + strspn(parts[i], " \t");
		size_t n = strlen(word);

		while (n && isspace((unsigned char) word[n - 1]))
			word[--n] = '\0';
		/*
		 * no-cache="Set-Cookie" is about that header only; taken as the whole, nothing is
		 * lost
		 */
		if (!strncasecmp(word, "no-cache", 8) || !strcasecmp(word, "no-store"))
			h->no_cache = true;
		if (!strncasecmp(word, "max-age=", 8)) {
			int64_t age = read_seconds(word + 8);

			/*
			 * RFC 9111 section 4.2.1: of several, and of what is malformed, the stale
			 * one
			 */
			if (age < 0)
				age = 0;
			if (h->max_age < 0 || age < h->max_age)
				h->max_age = age;
		}
	}
}

/* "bytes FIRST-LAST/TOTAL" */
static void read_range(struct http_headers *h, const char *value)
{
	_cleanup_free_ char *copy = NULL;
	int64_t first, last, total = -1;
	char *dash, *slash;

	h->first = h->last = h->total = -1;
	if (strncasecmp(value, "bytes ", 6))
		return;
	copy = xstrdup(value + 6);
	dash = strchr(copy, '-');
	slash = dash ? strchr(dash, '/') : NULL;
	if (!slash)
		return;
	*dash = *slash = '\0';
	if (parse_i64(copy, 0, INT64_MAX - 1, &first) < 0 ||
	    parse_i64(dash + 1, first, INT64_MAX - 1, &last) < 0)
		return;
	if (strcmp(slash + 1, "*") && parse_i64(slash + 1, last + 1, INT64_MAX, &total) < 0)
		return;
	h->first = first;
	h->last = last;
	h->total = total;
}

static void read_retry_after(struct http_headers *h, const char *value, int64_t now)
{
	int64_t at;

	h->retry_after = read_seconds(value);
	if (h->retry_after >= 0)
		return;
	at = http_date(value);
	if (at >= 0)
		h->retry_after = at > now ? at - now : 0;
}

/* It is kept, shown and sent back one day: it must be one harmless word or line. */
static void keep(char **place, const char *value, size_t max)
{
	size_t n = strlen(value);

	free(*place);
	*place = NULL;
	if (!n || n > max || !str_is_utf8(value, n))
		return;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) value[i] < ' ' || value[i] == 0x7f)
			return;
	*place = xstrdup(value);
}

/* A header that may come several times is one list then. */
static void keep_more(char **place, const char *value, size_t max)
{
	_cleanup_free_ char *all = *place ? xasprintf("%s, %s", *place, value) : NULL;

	keep(place, all ? all : value, max);
}

static void read_value(struct http_headers *h, const char *name, const char *value, int64_t now)
{
	if (!strcasecmp(name, "etag"))
		keep(&h->etag, value, HTTP_VALUE_MAX);
	else if (!strcasecmp(name, "last-modified"))
		keep(&h->last_modified, value, HTTP_VALUE_MAX);
	else if (!strcasecmp(name, "location"))
		keep(&h->location, value, HTTP_LOCATION_MAX);
	else if (!strcasecmp(name, "www-authenticate"))
		keep_more(&h->challenge, value, HTTP_CHALLENGE_MAX);
	else if (!strcasecmp(name, "content-type"))
		keep(&h->content_type, value, HTTP_VALUE_MAX);
	else if (!strcasecmp(name, "docker-content-digest"))
		keep(&h->digest, value, HTTP_VALUE_MAX);
	else if (!strcasecmp(name, "link"))
		keep_more(&h->link, value, HTTP_LOCATION_MAX);
	else if (!strcasecmp(name, "cache-control"))
		read_cache_control(h, value);
	else if (!strcasecmp(name, "content-range"))
		read_range(h, value);
	else if (!strcasecmp(name, "content-length"))
		h->length = parse_i64(value, 0, INT64_MAX, &h->length) < 0 ? -1 : h->length;
	else if (!strcasecmp(name, "date"))
		h->date = http_date(value);
	else if (!strcasecmp(name, "expires"))
		h->expires = http_date(value) < 0 ? 0 : http_date(value);
	else if (!strcasecmp(name, "age"))
		h->age = read_seconds(value);
	else if (!strcasecmp(name, "retry-after"))
		read_retry_after(h, value, now);
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct http_headers *h, const char *line)
{
	const char *p = strchr(line, ' ');
	char digits[4];
	uint64_t n;

	if (strncasecmp(line, "HTTP/", 5))
		return false;
	http_headers_done(h);
	if (!p || strlen(p + 1) < 3)
		return true;
	memcpy(digits, p + 1, 3);
	digits[3] = '\0';
	if (parse_u64(digits, 999, &n) == 0)
		h->status = (long) n;
	return true;
}

void http_headers_line(struct http_headers *h, const char *line, size_t len, int64_t now)
{
	_cleanup_free_ char *copy = NULL;
	char *colon, *value;

	if (memchr(line, '\0', len))
		return;
	while (len && isspace((unsigned char) line[len - 1]))
		len--;
	copy = xstrndup(line, len);
	if (read_status(h, copy))
		return;
	colon = strchr(copy, ':');
	if (!colon)
		return;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	read_value(h, copy, value, now);
}

int64_t http_headers_fresh(const struct http_headers *h)
{
	int64_t life = h->max_age;

	if (h->no_cache)
		return 0;
	if (life < 0 && h->expires > 0 && h->date >= 0)
		life = h->expires - h->date;
	if (h->age > 0)
		life -= h->age;
	return life < 0 ? 0 : life > HTTP_AGE_MAX ? HTTP_AGE_MAX : life;
}

const char *http_headers_validator(const struct http_headers *h)
{
	int64_t modified;

	if (h->etag && str_starts(h->etag, "W/"))
		return NULL;
	if (h->etag && *h->etag == '"')
		return h->etag;
	modified = h->last_modified ? http_date(h->last_modified) : -1;
	/*
	 * Within one second a file may change twice.  A server without a clock is taken at its
	 * word.
	 */
	if (modified >= 0 && (h->date < 0 || h->date > modified))
		return h->last_modified;
	/* Without quotes it is no etag; but a server that sends such a thing may know it again. */
	return h->etag;
}
