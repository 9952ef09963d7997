/*
 * The header Link (RFC 8288): foreign bytes, of which one word is wanted.
 */
#pragma once

/* The target of the first link whose relation is "next", as it stands there; NULL. Owned by the caller. */
char *http_link_next(const char *value);
