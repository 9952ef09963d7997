/*
 * Network configurations: files of net.d and the built-in ones, brought into one form.
 */
#pragma once

#include "base/json.h"

struct cni_network {
	char *name;
	char *file;    /* where it came from; NULL: built in */
	char *version; /* cniVersion that is used, negotiated */
	cJSON *list;   /* the whole configuration list; `plugins` is an array of objects with `type` */
};

/* A file that is no configuration: what it would have defined cannot be known. */
struct cni_broken {
	char *text;
	char *why; /* begins with the file's name */
};

struct cni_networks {
	struct cni_network *v;
	size_t n;
	struct cni_broken *broken;
	size_t n_broken;
};

/*
 * All networks of DIR (which may be missing) in file name order, then the built-in ones that no file replaces.
 * A broken file is no error here, but has to be asked about.
 */
int cni_networks_load(const char *dir, struct cni_networks *ret, struct err *e);
void cni_networks_done(struct cni_networks *l);
/*
 * Whether a broken file might be the definition of this network: then nothing else, least of all a built-in
 * one, may take its place.  NULL: of any.
 */
int cni_networks_check(const struct cni_networks *l, const char *name, struct err *e);
const struct cni_network *cni_network_find(const struct cni_networks *l, const char *name);
/* One configuration from its text (a list, or a single plugin of the old form). */
int cni_network_parse(const char *text, size_t len, struct cni_network *ret, struct err *e);
void cni_network_done(struct cni_network *n);
/* ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$, for network names and container ids. */
bool cni_name_is_valid(const char *s);
/* -1, 0, 1 as "1.0.0" is older, equal, newer; both must be valid. */
int cni_version_cmp(const char *a, const char *b);
