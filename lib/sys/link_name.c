/*
 * Names and addresses of links as text; without netlink, so that who only checks a name links no
 * library.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "sys/link.h"

int link_random_mac(unsigned char mac[LINK_MAC_LEN])
{
	if (getrandom(mac, LINK_MAC_LEN, 0) != LINK_MAC_LEN)
		return -EIO;
	mac[0] = (unsigned char) ((mac[0] & 0xfe) | 0x02);
	return 0;
}

const char *link_mac_text(const unsigned char mac[LINK_MAC_LEN], char buf[static LINK_MAC_TEXT])
{
	(void) snprintf(buf, LINK_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
	return buf;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The three usual forms: 02:00:5e:10:00:01, 02-00-5e-10-00-01, 0200.5e10.0001. */
int link_mac_parse(const char *s, unsigned char mac[LINK_MAC_LEN])
{
	char sep = strnlen(s, 5) == 5 && s[4] == '.' ? '.' : strchr(s, '-') ? '-' : ':';
	size_t group = sep == '.' ? 2 : 1; /* bytes between separators */
	unsigned char m[LINK_MAC_LEN];

	for (size_t i = 0; i < LINK_MAC_LEN; i++) {
		int hi, lo;

		if (i && i % group == 0 && *s++ != sep)
			return -EINVAL;
		hi = hex_digit(s[0]);
		lo = hi < 0 ? -1 : hex_digit(s[1]);
		if (lo < 0)
			return -EINVAL;
		m[i] = (unsigned char) (hi << 4 | lo);
		s += 2;
	}
	if (*s)
		return -EINVAL;
	memcpy(mac, m, sizeof m);
	return 0;
}

const char *link_name_check(const char *name)
{
	size_t n = strnlen(name, IFNAMSIZ);

	if (n == 0)
		return "is empty";
	if (n == IFNAMSIZ)
		return "is longer than 15 bytes";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "is a directory";
	/* conf/all and conf/default are not links (ip-sysctl). */
	if (!strcmp(name, "all") || !strcmp(name, "default"))
		return "is reserved by the kernel's parameters";
	/* "eth%d" asks the kernel to choose a number, and is never a link's name. */
	if (strchr(name, '%'))
		return "contains %";
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char) *name))
			return "contains /, : or white space";
	return NULL;
}
