#include "stage0/image/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

#define PAINT_MS 200
#define NARROW 40 /* columns: no room for a bar */

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static char *size_text(uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB"};
	double n = (double) bytes / 1024;
	size_t i = 0;

	if (bytes < 1024)
		return xasprintf("%u B", (unsigned) bytes);
	for (; n >= 1024 && i + 1 < ELEMENTSOF(units); i++)
		n /= 1024;
	return xasprintf(n < 10 ? "%.1f %s" : "%.0f %s", n, units[i]);
}

static unsigned columns(void)
{
	struct winsize ws;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col ? ws.ws_col : 80;
}

void progress_start(struct progress *p, const char *url, bool quiet, bool bar)
{
	*p = (struct progress) {
		.url = url,
		.lines = !quiet,
		.bar = !quiet && bar && !log_is_debug() && isatty(STDERR_FILENO),
	};
	if (p->lines && !p->bar)
		log_info("downloading %s", url);
}

void progress_begin(struct progress *p, uint64_t first, int64_t total)
{
	_cleanup_free_ char *text = NULL;

	p->first = first;
	p->total = total > 0 ? (uint64_t) total : 0;
	p->started = p->painted = now_ms();
	if (!first || !p->lines)
		return;
	text = size_text(first);
	log_info("resuming %s (%s are there)", p->url, text);
}

/* The end of the URL tells more than its beginning. */
static void add_name(struct strbuf *sb, const char *url, size_t width)
{
	_cleanup_free_ char *shown = str_escape(url, strlen(url));
	const char *slash = strrchr(shown, '/');
	const char *name = slash && slash[1] ? slash + 1 : shown;
	size_t n = strlen(name);

	strbuf_addf(sb, "%.*s", (int) (n < width ? n : width), name);
}

static void add_bar(struct strbuf *sb, unsigned width, uint64_t bytes, uint64_t total)
{
	unsigned full =
		(unsigned) ((double) (bytes < total ? bytes : total) / (double) total * width);

	strbuf_adds(sb, " [");
	for (unsigned i = 0; i < width; i++)
		strbuf_addc(sb, i < full ? '=' : i == full ? '>' : ' ');
	strbuf_addc(sb, ']');
}

static void paint(struct progress *p, uint64_t bytes, int64_t now)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *have = size_text(bytes), *speed = NULL, *all = NULL;
	unsigned width = columns();
	size_t numbers;

	speed = now > p->started ?
			size_text((bytes - p->first) * 1000 / (uint64_t) (now - p->started)) :
			xstrdup("0 B");
	all = p->total ? size_text(p->total) : xstrdup("?");
	strbuf_addc(&sb, '\r');
	add_name(&sb, p->url, width / 3);
	numbers = strlen(have) + strlen(all) + strlen(speed) + 10;
	if (p->total && width > NARROW && width > sb.len + numbers + 8)
		add_bar(&sb, (unsigned) (width - sb.len - numbers - 4), bytes, p->total);
	strbuf_addf(&sb, " %s/%s %s/s\x1b[K", have, all, speed);
	(void) !write(STDERR_FILENO, sb.buf, sb.len);
}

void progress_step(struct progress *p, uint64_t bytes)
{
	int64_t now;

	if (!p->bar)
		return;
	now = now_ms();
	if (now - p->painted < PAINT_MS)
		return;
	p->painted = now;
	paint(p, bytes, now);
}

static void wipe(const struct progress *p)
{
	if (p->bar)
		(void) !write(STDERR_FILENO, "\r\x1b[K", 4);
}

void progress_end(struct progress *p, uint64_t bytes, bool ok)
{
	_cleanup_free_ char *text = size_text(bytes);

	wipe(p);
	if (ok && p->lines)
		log_info("downloaded %s (%s)", p->url, text);
}

void progress_note(struct progress *p, const char *text)
{
	wipe(p);
	if (p->lines)
		log_info("%s %s", text, p->url);
}
