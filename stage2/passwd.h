/*
 * Files in the form of passwd(5) and group(5), of an image: `name:password:id:...`, one a line.  No
 * NSS (it would load libraries of the image, CVE-2019-14271), no other fields.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Look the name up in the text; -ENOENT: no such line, -EINVAL: its id is not one. */
int passwd_find(const char *text, size_t len, const char *name, uid_t *ret);
