/*
 * Capability names by libcap, sets as masks.
 */
#include "stage1/run/caps.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/capability.h>

#include "base/str.h"

#define CAP_BIT(c) (UINT64_C(1) << (c))

uint64_t caps_default(void)
{
	return CAP_BIT(CAP_AUDIT_WRITE) | CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FSETID) |
	       CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_NET_RAW) |
	       CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETPCAP) |
	       CAP_BIT(CAP_SETFCAP) | CAP_BIT(CAP_SYS_CHROOT);
}

uint64_t caps_permitted(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};

	if (capget(&head, data) < 0)
		return 0;
	return (uint64_t) data[1].permitted << 32 | data[0].permitted;
}

char *caps_first_name(uint64_t mask)
{
	char *name, *text;

	if (!mask)
		return xstrdup("none");
	name = cap_to_name(__builtin_ctzll(mask));
	if (!name)
		return xasprintf("capability %d", __builtin_ctzll(mask));
	text = xstrdup(name);
	(void) cap_free(name);
	for (char *p = text; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p -= 'a' - 'A';
	return text;
}

/* libcap also takes numbers, other cases and text behind the name; the specification has names only. */
static bool is_name_of(const char *word, cap_value_t c)
{
	_cleanup_free_ char *name = c >= 0 && c < 64 ? caps_first_name(CAP_BIT(c)) : NULL;

	return name && str_eq(name, word);
}

int caps_from_names(char *const *names, uint64_t *ret, struct err *e)
{
	uint64_t mask = 0;

	for (; names && *names; names++) {
		cap_value_t c;

		if (cap_from_name(*names, &c) < 0 || !is_name_of(*names, c))
			return err_set(e, EINVAL, "unknown capability %s", q(*names));
		mask |= CAP_BIT(c);
	}
	*ret = mask;
	return 0;
}
