/*
 * The device list on cgroup v2: a small eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE) built by hand, since
 * it is only a chain of comparisons.  Context: struct bpf_cgroup_dev_ctx {access_type, major, minor}.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/cgroup_ops.h"

#define INSNS_MAX 512

struct prog {
	struct bpf_insn insns[INSNS_MAX];
	size_t n;
};

static void emit(struct prog *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	if (p->n < INSNS_MAX)
		p->insns[p->n] = (struct bpf_insn) {.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};
	p->n++;
}

static int access_bits(const char *access)
{
	int bits = 0;

	for (; *access; access++)
		bits |= *access == 'r' ? BPF_DEVCG_ACC_READ : *access == 'w' ? BPF_DEVCG_ACC_WRITE : BPF_DEVCG_ACC_MKNOD;
	return bits;
}

/* r2 = type, r3 = access, r4 = major, r5 = minor. */
static void emit_head(struct prog *p)
{
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, 0);
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 4, 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1, 8, 0);
}

/* "if it is this device and asks for no more than this: allow"; a miss jumps behind. */
static void emit_device(struct prog *p, const struct cg_device *d)
{
	bool any_type = d->type == 'a';
	int len = (any_type ? 0 : 1) + 3 + (d->major >= 0) + (d->minor >= 0) + 2;
	int at = 0;

#define MISS ((int16_t) (len - ++at))
	if (!any_type)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, MISS,
		     d->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	at += 2;
	emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, access_bits(d->access));
	emit(p, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_3, MISS, 0);
	if (d->major >= 0)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, MISS, (int32_t) d->major);
	if (d->minor >= 0)
		emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, MISS, (int32_t) d->minor);
#undef MISS
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int cg_devices_attach(int dirfd, const struct cg_limits *l, struct err *e)
{
	_cleanup_free_ struct prog *p = xcalloc(1, sizeof *p);
	_cleanup_fd_ int prog = -EBADF;
	union bpf_attr attr;

	emit_head(p);
	for (size_t i = 0; i < l->n_devices; i++)
		emit_device(p, &l->device_list[i]);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	if (p->n > INSNS_MAX)
		return err_set(e, E2BIG, "too many devices for one app");
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t) p->insns;
	attr.insn_cnt = (uint32_t) p->n;
	attr.license = (uintptr_t) "Apache-2.0";
	prog = (int) syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	if (prog < 0)
		return err_sys(e, "load the device program (bpf)");
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t) dirfd;
	attr.attach_bpf_fd = (uint32_t) prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	/* A parent of the host's may have a program of its own: both have to agree. */
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) < 0)
		return err_sys(e, "attach the device program to the cgroup (bpf)");
	return 0;
}
