/*
 * Files in the form of passwd(5) and group(5), of an image: `name:password:id:...`, one a line.  No
 * NSS (it would load libraries of the image, CVE-2019-14271), no other fields.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* A line of passwd(5). */
struct passwd_user {
	const char *name; /* in the text */
	size_t name_len;
	uid_t uid;
	gid_t gid; /* 0 where the line has none */
	const char *home; /* in the text; NULL where the line has none */
	size_t home_len;
};
/*
 * The first line with the name, or (name NULL) the first with the number.  -ENOENT: no such line; -EINVAL: its
 * ids are none.
 */
int passwd_user(const char *text, size_t len, const char *name, uid_t uid, struct passwd_user *ret);
/*
 * Groups that list the name among their members: at most max of them are put into ret, each once; a line whose
 * id is none is skipped.  Returns how many.
 */
size_t passwd_groups_of(const char *text, size_t len, const char *name, size_t name_len, gid_t *ret, size_t max);

/* Look the name up in the text; -ENOENT: no such line, -EINVAL: its id is not one. */
int passwd_find(const char *text, size_t len, const char *name, uid_t *ret);
