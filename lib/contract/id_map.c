#include "contract/id_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

int id_map_parse(const char *text, struct id_map *ret)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t) (colon - text) : 0;
	char digits[16];
	uint64_t shift, count;
	int r;

	if (!colon || len >= sizeof digits)
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	r = parse_u64(digits, UINT32_MAX - 1, &shift);
	if (r == 0)
		r = parse_u64(colon + 1, UINT32_MAX - shift, &count);
	if (r < 0)
		return r;
	if (!shift || !count)
		return -ERANGE;
	*ret = (struct id_map) {(uint32_t) shift, (uint32_t) count};
	return 0;
}

const char *id_map_text(const struct id_map *m, char buf[ID_MAP_TEXT_MAX])
{
	(void) snprintf(buf, ID_MAP_TEXT_MAX, "%u:%u", m->shift, m->count);
	return buf;
}
