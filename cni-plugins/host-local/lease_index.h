/*
 * Who holds what, in one read: a text kept inside the lock file, so that a call costs the same
 * with a thousand leases as with one.  The lease files remain the truth, and other writers know
 * only them:
 *
 *	BOOT-ID
 *	modification time of the directory when this was written
 *	IP CONTAINERID IFNAME
 *	...
 *
 * The text counts only while the directory still has that time: every lease that comes or goes
 * changes it, whoever does it.  Else the directory is read and the text made anew.  Before a
 * change the time is wiped out, so that a crash half-way leaves no text that looks right.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/ip.h"

#define BOOT_ID_LEN 36

struct lease_index {
	struct strbuf text; /* the lines */
	size_t stored;	    /* so much of it is in the file already */
	bool valid;	    /* the text tells all leases */
	bool wiped;	    /* the file's time was taken back: it must be saved */
	char boot[BOOT_ID_LEN + 1];
};
#define LEASE_INDEX_INIT {.text = STRBUF_INIT}

void lease_index_done(struct lease_index *x);
/* Read it from the lock file; valid tells whether it can be used. */
int lease_index_load(struct lease_index *x, int lock, int dir, struct err *e);
/* Nothing is known any more; add everything, then it is valid. */
void lease_index_clear(struct lease_index *x);
/* Before the first change of the directory. */
int lease_index_wipe(struct lease_index *x, int lock, struct err *e);
/*
 * Names that are not of the form that the specification gives them are left out: nobody can ask
 * for them.
 */
void lease_index_add(struct lease_index *x, const struct ip *ip, const char *id,
		     const char *ifname);
void lease_index_remove(struct lease_index *x, const struct ip *ip);
/*
 * The addresses of (id, ifname), and those of id from leases without an interface; owned by the
 * caller.
 */
void lease_index_find(const struct lease_index *x, const char *id, const char *ifname,
		      struct ip **ret, size_t *ret_n);
/* Write it, with the directory's time as it is now. */
int lease_index_save(struct lease_index *x, int lock, int dir, struct err *e);
