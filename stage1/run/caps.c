/*
 * Capability names, sets as masks.
 */
#include "stage1/run/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return (uint64_t) data[1].permitted << 32 | data[0].permitted;
}

/* As the specification writes them; the kernel's numbers (linux/capability.h). */
static const char *const names_of[] = {
#define NAME(c) [c] = #c
	NAME(CAP_CHOWN), NAME(CAP_DAC_OVERRIDE), NAME(CAP_DAC_READ_SEARCH), NAME(CAP_FOWNER), NAME(CAP_FSETID),
	NAME(CAP_KILL), NAME(CAP_SETGID), NAME(CAP_SETUID), NAME(CAP_SETPCAP), NAME(CAP_LINUX_IMMUTABLE),
	NAME(CAP_NET_BIND_SERVICE), NAME(CAP_NET_BROADCAST), NAME(CAP_NET_ADMIN), NAME(CAP_NET_RAW),
	NAME(CAP_IPC_LOCK), NAME(CAP_IPC_OWNER), NAME(CAP_SYS_MODULE), NAME(CAP_SYS_RAWIO), NAME(CAP_SYS_CHROOT),
	NAME(CAP_SYS_PTRACE), NAME(CAP_SYS_PACCT), NAME(CAP_SYS_ADMIN), NAME(CAP_SYS_BOOT), NAME(CAP_SYS_NICE),
	NAME(CAP_SYS_RESOURCE), NAME(CAP_SYS_TIME), NAME(CAP_SYS_TTY_CONFIG), NAME(CAP_MKNOD), NAME(CAP_LEASE),
	NAME(CAP_AUDIT_WRITE), NAME(CAP_AUDIT_CONTROL), NAME(CAP_SETFCAP), NAME(CAP_MAC_OVERRIDE),
	NAME(CAP_MAC_ADMIN), NAME(CAP_SYSLOG), NAME(CAP_WAKE_ALARM), NAME(CAP_BLOCK_SUSPEND), NAME(CAP_AUDIT_READ),
	NAME(CAP_PERFMON), NAME(CAP_BPF), NAME(CAP_CHECKPOINT_RESTORE),
#undef NAME
};

char *caps_first_name(uint64_t mask)
{
	unsigned c = mask ? (unsigned) __builtin_ctzll(mask) : 0;

	if (!mask)
		return xstrdup("none");
	return c < ELEMENTSOF(names_of) ? xstrdup(names_of[c]) : xasprintf("capability %u", c);
}

int caps_from_names(char *const *names, uint64_t *ret, struct err *e)
{
	uint64_t mask = 0;

	for (; names && *names; names++) {
		size_t c = 0;

		while (c < ELEMENTSOF(names_of) && strcmp(names_of[c], *names))
			c++;
		if (c == ELEMENTSOF(names_of))
			return err_set(e, EINVAL, "unknown capability %s", q(*names));
		mask |= CAP_BIT(c);
	}
	*ret = mask;
	return 0;
}
