/*
 * The names of one network, as a file of hosts(5) that the server reads.  A comment in front of
 * the lines of a container says whose they are:
 *
 *	# CONTAINERID IFNAME
 *	10.7.0.2 web front
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cni-plugins/skel/attachments.h"

struct names_entry {
	char *owner; /* "CONTAINERID IFNAME" */
	char *lines; /* text, each line with its end; may be empty */
};

struct names {
	struct names_entry *v;
	size_t n;
};
void names_done(struct names *n);
#define _cleanup_names_ __attribute__((cleanup(names_done)))

/* The file's text, and back: what does not begin as above has no names. */
void names_decode(const char *text, struct names *ret);
char *names_encode(const struct names *n); /* owned by the caller */
/* A file that is missing or empty has no names. */
int names_read(int dir, struct names *ret, struct err *e);
int names_write(int dir, const struct names *n, struct err *e);
/* In place of what the owner had; both are copied. */
void names_put(struct names *n, const char *owner, const char *lines);
const struct names_entry *names_find(const struct names *n, const char *owner);
/* Whether there was something of the owner. */
bool names_drop(struct names *n, const char *owner);
/* What is of no valid attachment. */
bool names_keep(struct names *n, const struct cni_attachments *valid);
