/*
 * Network configurations: files of net.d and the built-in ones, brought into one form.
 */
#pragma once

#include "base/json.h"

struct cni_network {
	char *name;
	char *file;    /* where it came from; NULL: built in */
	char *version; /* cniVersion that is used, negotiated */
	cJSON *list;   /* the whole configuration list; `plugins` is an array of objects with `type`
			*/
};

struct cni_networks {
	struct cni_network *v;
	size_t n;
};

/*
 * All networks of DIR (which may be missing) in file name order, then those of the directories `more`
 * (strv or NULL; all must be there) in theirs, then the built-in ones.  Of a name the first file counts;
 * a later one is told of, with the one that won.
 */
int cni_networks_load(const char *dir, char *const *more, struct cni_networks *ret, struct err *e);
void cni_networks_done(struct cni_networks *l);
const struct cni_network *cni_network_find(const struct cni_networks *l, const char *name);
/* One configuration from its text (a list, or a single plugin of the old form). */
int cni_network_parse(const char *text, size_t len, struct cni_network *ret, struct err *e);
void cni_network_done(struct cni_network *n);
/* ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$, for network names and container ids. */
bool cni_name_is_valid(const char *s);
/* true, or the word in any case, as libcni takes it. */
bool cni_is_true(const cJSON *j);
/* -1, 0, 1 as "1.0.0" is older, equal, newer; both must be valid. */
int cni_version_cmp(const char *a, const char *b);
