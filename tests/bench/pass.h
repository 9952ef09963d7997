/*
 * pass.h - the extracting end of the streaming pass.
 *
 * Life cycle: tar_open, tar_feed for each piece of the archive in order, tar_close.
 * Errors: a line and the end of the program. Threads: one thread uses it.
 */
#pragma once

#include <stddef.h>

struct tar;

struct tar *tar_open(const char *directory);
void tar_feed(struct tar *t, const char *data, size_t len);
/* Sets the directories' times, which extracting into them has changed; returns the entries. */
long tar_close(struct tar *t);
_Noreturn void pass_die(const char *what);
