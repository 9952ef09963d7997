/*
 * Meta discovery (appc specification 0.8.11, "App Container Image Discovery"): from an image's name
 * to the URLs where the image, its signature and the keys for the name are.
 *
 * The page https://NAME?ac-discovery=1 is asked, and then those of the parents of the name down to
 * the host alone, until one of them has an answer.  Plain http is asked after https, and only where
 * `g` allows it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gantry;
struct nameval_list;

struct endpoint {
	char *image;
	char *signature; /* NULL: the template does not tell one from the other */
};

struct endpoints {
	struct endpoint *v; /* in the page's order */
	size_t n;
};
void endpoints_done(struct endpoints *ep);
#define _cleanup_endpoints_ __attribute__((cleanup(endpoints_done)))

/* -ENOENT with what each page said. */
int discovery_images(const struct gantry *g, const char *name, const struct nameval_list *labels,
		     struct endpoints *ret, struct err *e);

struct key_places {
	char **urls;
	bool https; /* the page that names them came over TLS all the way */
};
void key_places_done(struct key_places *kp);
#define _cleanup_key_places_ __attribute__((cleanup(key_places_done)))

/* Where the keys for images of this name and below it are. */
int discovery_keys(const struct gantry *g, const char *name, struct key_places *ret, struct err *e);

/* --- template.c --- */
/*
 * Put values for {name}, {version}, {os}, {arch}, {ext} and {any label} into a URL.  Version is
 * "latest" unless there is such a label, os and arch are this machine's.  NULL when something has
 * no value.
 */
char *discovery_expand(const char *template, const char *name, const struct nameval_list *labels,
		       const char *ext);
/* Whole components: a.com/b is a prefix of a.com/b/c, not of a.com/bc. */
bool discovery_is_prefix(const char *prefix, const char *name);
