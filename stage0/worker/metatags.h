/*
 * The meta tags of a page by which appc's discovery finds images and keys.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define METATAGS_PAGE_MAX (1u << 20) /* bytes of the page */
#define METATAGS_MAX 64		     /* tags of ours on it */
#define METATAGS_CONTENT_MAX 4096    /* bytes of one tag's content */

/*
 * Read an HTML page, however broken, and append a line "NAME\tPREFIX URL\n" for each <meta> tag
 * whose name is ac-discovery or ac-discovery-pubkeys and whose content is two words of printable
 * ASCII, in the page's order; other tags are left out.  -EFBIG when the page is past a limit: half
 * a page's answer could be the wrong half.
 */
int metatags_read(const char *page, size_t len, struct strbuf *ret, struct err *e);
