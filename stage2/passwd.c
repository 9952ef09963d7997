#include "stage2/passwd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

/* A part of the text: a line, or a field of one. */
struct part {
	const char *p;
	size_t len;
};

/* Take the part up to the next `sep` off; false: nothing is left. */
static bool take(struct part *rest, char sep, struct part *ret)
{
	const char *end;

	if (!rest->p)
		return false;
	end = memchr(rest->p, sep, rest->len);
	*ret = (struct part) {rest->p, end ? (size_t) (end - rest->p) : rest->len};
	if (end)
		*rest = (struct part) {end + 1, rest->len - ret->len - 1};
	else
		*rest = (struct part) {NULL, 0};
	return true;
}

static bool is(const struct part *part, const char *s, size_t len)
{
	return part->len == len && !memcmp(part->p, s, len);
}

static int parse_id(const struct part *field, uid_t *ret)
{
	char digits[16];

	if (field->len >= sizeof digits)
		return -EINVAL;
	memcpy(digits, field->p, field->len);
	digits[field->len] = '\0';
	return parse_uid(digits, ret) < 0 ? -EINVAL : 0;
}

/* name:password:id:... */
static int parse_line(struct part line, struct part *name, uid_t *ret_id, struct part *rest)
{
	struct part password, id;

	if (!take(&line, ':', name) || !take(&line, ':', &password) || !take(&line, ':', &id))
		return -EINVAL;
	*rest = line;
	return parse_id(&id, ret_id);
}

static bool is_name(const char *name)
{
	return *name && !strpbrk(name, ":\n");
}

int passwd_find(const char *text, size_t len, const char *name, uid_t *ret)
{
	struct part all = {text, len}, line, rest;
	size_t name_len = strlen(name);

	if (!is_name(name))
		return -ENOENT;
	while (take(&all, '\n', &line))
		if (line.len > name_len && line.p[name_len] == ':' && !memcmp(line.p, name, name_len)) {
			struct part first;
			uid_t id;
			int r = parse_line(line, &first, &id, &rest);

			if (r == 0)
				*ret = id;
			return r;
		}
	return -ENOENT;
}

int passwd_user(const char *text, size_t len, const char *name, uid_t uid, struct passwd_user *ret)
{
	struct part all = {text, len}, line;

	if (name && !is_name(name))
		return -ENOENT;
	while (take(&all, '\n', &line)) {
		struct part first = {0}, rest = {0}, gid, comment, home;
		uid_t id = 0;
		int r = parse_line(line, &first, &id, &rest);

		if (name ? !is(&first, name, strlen(name)) || line.len == first.len : r < 0 || id != uid)
			continue;
		*ret = (struct passwd_user) {.name = first.p, .name_len = first.len, .uid = id};
		if (r == 0 && take(&rest, ':', &gid) && gid.len)
			r = parse_id(&gid, &ret->gid);
		if (take(&rest, ':', &comment) && take(&rest, ':', &home) && home.len) {
			ret->home = home.p;
			ret->home_len = home.len;
		}
		return r;
	}
	return -ENOENT;
}

static bool has_member(struct part rest, const char *name, size_t name_len)
{
	struct part members, member;

	if (!take(&rest, ':', &members))
		return false;
	while (take(&members, ',', &member))
		if (is(&member, name, name_len))
			return true;
	return false;
}

size_t passwd_groups_of(const char *text, size_t len, const char *name, size_t name_len, gid_t *ret, size_t max)
{
	struct part all = {text, len}, line;
	size_t n = 0;

	while (name_len && n < max && take(&all, '\n', &line)) {
		struct part group, rest;
		size_t i = 0;
		gid_t gid;

		if (parse_line(line, &group, &gid, &rest) < 0 || !has_member(rest, name, name_len))
			continue;
		while (i < n && ret[i] != gid)
			i++;
		if (i == n)
			ret[n++] = gid;
	}
	return n;
}
