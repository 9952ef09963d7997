#include "stage1/seccomp/prefix.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>

#ifndef AF_VSOCK
#define AF_VSOCK 40
#endif
#define TIOCSTI_NR 0x5412
#define TIOCLINUX_NR 0x541c
/* x32 calls carry this bit: left to libseccomp, which refuses that architecture. */
#define X32_BIT 0x40000000

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low half of an argument is elsewhere"
#endif
#define ARG_LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* Architectures that get the prefix: libseccomp's token is the kernel's AUDIT_ARCH. */
static const uint32_t arches[] = {
#if defined(__x86_64__)
	SCMP_ARCH_X86_64, SCMP_ARCH_X86,
#elif defined(__aarch64__)
	SCMP_ARCH_AARCH64, SCMP_ARCH_ARM,
#elif defined(__i386__)
	SCMP_ARCH_X86,
#elif defined(__arm__)
	SCMP_ARCH_ARM,
#else
	SCMP_ARCH_PPC64LE,
#endif
};

int prefix_call(struct prefix *p, int nr, uint32_t action, struct err *e)
{
	if (p->n_newer == ELEMENTSOF(p->newer))
		return err_set(e, E2BIG, "seccomp: too many new system calls");
	p->newer[p->n_newer].nr = nr;
	p->newer[p->n_newer++].action = action;
	return 0;
}

static void stmt(struct strbuf *sb, uint16_t code, uint32_t k)
{
	struct sock_filter f = BPF_STMT(code, k);

	strbuf_add(sb, &f, sizeof f);
}

static void jump(struct strbuf *sb, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	struct sock_filter f = BPF_JUMP(code, k, yes, no);

	strbuf_add(sb, &f, sizeof f);
}

/* "if nr is this: return action". A holds nr. */
static void on_call(struct strbuf *sb, uint32_t nr, uint32_t action)
{
	jump(sb, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
	stmt(sb, BPF_RET | BPF_K, action);
}

/* "if nr is this and the low half of the argument is one of the two: EPERM". A holds nr, before and after. */
static void on_argument(struct strbuf *sb, int nr, unsigned arg, uint32_t one, uint32_t other)
{
	jump(sb, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) nr, 0, 5);
	stmt(sb, BPF_LD | BPF_W | BPF_ABS, (uint32_t) ARG_LOW(arg));
	jump(sb, BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0);
	jump(sb, BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1);
	stmt(sb, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	stmt(sb, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
}

/* The highest number that libseccomp, or our own list, knows. */
static uint32_t last_known(const struct prefix *p, uint32_t arch)
{
	uint32_t last = 0;

	for (int nr = 0; nr < 1024; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, nr);

		if (name)
			last = (uint32_t) nr;
		free(name);
	}
	for (size_t i = 0; i < p->n_newer; i++)
		if ((uint32_t) p->newer[i].nr > last)
			last = (uint32_t) p->newer[i].nr;
	return last;
}

static void add_arch(const struct prefix *p, uint32_t arch, struct strbuf *sb)
{
	int nr;

	stmt(sb, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < p->n_newer; i++)
		on_call(sb, (uint32_t) p->newer[i].nr, p->newer[i].action);
	if (!p->is_default)
		return;
	/* Beyond what is known, but not x32. */
	jump(sb, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0);
	jump(sb, BPF_JMP | BPF_JGT | BPF_K, last_known(p, arch), 0, 1);
	stmt(sb, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	nr = seccomp_syscall_resolve_name_arch(arch, "ioctl");
	on_argument(sb, nr, 1, TIOCSTI_NR, TIOCLINUX_NR);
	nr = seccomp_syscall_resolve_name_arch(arch, "socket");
	if (nr >= 0)
		on_argument(sb, nr, 0, AF_VSOCK, AF_ALG);
}

void prefix_add(const struct prefix *p, struct strbuf *sb)
{
	for (size_t i = 0; i < ELEMENTSOF(arches); i++) {
		_cleanup_strbuf_ struct strbuf part = STRBUF_INIT;
		size_t n;

		if (!p->n_newer && !p->is_default)
			return;
		add_arch(p, arches[i], &part);
		n = part.len / sizeof(struct sock_filter);
		stmt(sb, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
		/* Conditional jumps reach 255 instructions only: step over by an unconditional one. */
		jump(sb, BPF_JMP | BPF_JEQ | BPF_K, arches[i], 1, 0);
		stmt(sb, BPF_JMP | BPF_JA, (uint32_t) n);
		strbuf_add(sb, part.buf, part.len);
	}
}
