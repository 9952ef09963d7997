/*
 * Paths in lists of one a line, between spaces: bytes that are not printable ASCII, spaces and '\' as
 * \ooo, three octal digits, as in /proc/mounts (proc(5)).
 */
#pragma once

/* Owned by the caller. */
char *path_escape(const char *path);
/* NULL when it is malformed, or has a byte that should have been escaped. */
char *path_unescape(const char *text);
