/*
 * Two trees that should be the same: one that is kept, and one that was just made from the same
 * archive.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct tree_compare {
	size_t wrong; /* entries that differ, are missing or too many */
	char *first;  /* what is wrong with the first: "/etc/passwd: is missing"; owned */
};

/*
 * Compare the directory `kept` with `fresh`: names, kinds, owners, modes, times of change, extended
 * attributes, contents, and which names are links to one file.  What is wrong in `kept` is put
 * right by the entries of `fresh`, which loses them; what is too many goes to the directory
 * `trash`.  All three are on one file system.  Entries that are right are not touched: a pod that
 * uses them sees nothing.
 */
int tree_compare_and_mend(int kept, int fresh, int trash, struct tree_compare *ret, struct err *e);
void tree_compare_done(struct tree_compare *c);
