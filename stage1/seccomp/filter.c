#include "stage1/seccomp/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage1/seccomp/prefix.h"
#include "stage1/seccomp/sets.h"

/* Namespace flags of clone(2); the flags are the first argument everywhere but on s390. */
#define CLONE_NAMESPACES 0x7e020000UL

struct build {
	scmp_filter_ctx ctx;
	uint32_t action;	/* for the calls that are listed */
	struct prefix prefix;
	char **seen;
};

/* errno(3): second names, which strerrorname_np(3) does not give. */
static const struct {
	const char *name;
	int n;
} errno_aliases[] = {
	{"EWOULDBLOCK", EWOULDBLOCK},
	{"ENOTSUP", ENOTSUP},
	{"EDEADLOCK", EDEADLOCK},
};

static int errno_number(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(errno_aliases); i++)
		if (!strcmp(errno_aliases[i].name, name))
			return errno_aliases[i].n;
	for (int n = 1; n < 134; n++) {
		const char *known = strerrorname_np(n);

		if (known && !strcmp(known, name))
			return n;
	}
	return -EINVAL;
}

/*
 * The same rules for 32-bit calls: a 64-bit program may make those too.  x32 is not there: hardly a
 * kernel offers it, and libseccomp's "bad architecture" ends who tries.
 */
static int add_architectures(scmp_filter_ctx ctx, struct err *e)
{
#if defined(__x86_64__)
	static const uint32_t more[] = {SCMP_ARCH_X86};
#elif defined(__aarch64__)
	static const uint32_t more[] = {SCMP_ARCH_ARM};
#else
	static const uint32_t more[] = {SCMP_ARCH_NATIVE};
#endif
	for (size_t i = 0; i < ELEMENTSOF(more); i++) {
		int r = seccomp_arch_add(ctx, more[i]);

		if (r < 0 && r != -EEXIST)
			return err_sysr(e, r, "seccomp: add architecture");
	}
	return 0;
}

static int rule(struct build *b, uint32_t action, const char *call, unsigned n, const struct scmp_arg_cmp *args,
		struct err *e)
{
	int nr = seccomp_syscall_resolve_name(call), r;

	if (nr == __NR_SCMP_ERROR)
		return err_set(e, EINVAL, "seccomp: unknown system call %s", q(call));
	r = seccomp_rule_add_array(b->ctx, action, nr, n, args);
	/* -EDOM, -EINVAL: a call of another architecture, of which there is nothing to filter here. */
	if (r < 0 && nr >= 0)
		return err_sysr(e, r, "seccomp: rule for %s", call);
	return 0;
}

static int add_call(struct build *b, const char *call, struct err *e)
{
	int newer = seccomp_newer_call(call);

	if (!*call || strv_has(b->seen, call))
		return 0;
	strv_add(&b->seen, call);
	if (newer >= 0 && seccomp_syscall_resolve_name(call) == __NR_SCMP_ERROR)
		return prefix_call(&b->prefix, newer, b->action, e);
	return rule(b, b->action, call, 0, NULL, e);
}

static int add_calls(struct build *b, char *const *calls, char *const *without, struct err *e)
{
	for (; calls && *calls; calls++) {
		int r = strv_has(without, *calls) ? 0 : add_call(b, *calls, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* clone without new namespaces; personality to the usual values. With CAP_SYS_ADMIN clone is as free as unshare. */
static int add_conditional(struct build *b, bool admin, struct err *e)
{
	static const unsigned long personalities[] = {0, 0x8, 0x20000, 0x20008, 0xffffffff};
	const struct scmp_arg_cmp no_ns = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NAMESPACES, 0);
	int r = admin ? rule(b, SCMP_ACT_ALLOW, "clone", 0, NULL, e) : rule(b, SCMP_ACT_ALLOW, "clone", 1, &no_ns, e);

	for (size_t i = 0; i < ELEMENTSOF(personalities) && r == 0; i++) {
		const struct scmp_arg_cmp is = SCMP_A0(SCMP_CMP_EQ, personalities[i]);

		r = rule(b, SCMP_ACT_ALLOW, "personality", 1, &is, e);
	}
	/* Its flags are in memory, where a filter cannot look: libc then falls back to clone. */
	if (r == 0)
		r = rule(b, admin ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL, e);
	return r;
}

static int build_default(struct build *b, const struct seccomp_text *t, struct err *e)
{
	static char *const conditional[] = {(char *) "clone", (char *) "personality", NULL};
	_cleanup_strv_ char **calls = seccomp_set("@rkt/default-whitelist");
	int r = add_calls(b, calls, conditional, e);

	for (char **cap = t->caps; cap && *cap && r == 0; cap++) {
		_cleanup_strv_ char **more = seccomp_calls_of_cap(*cap);

		r = add_calls(b, more, NULL, e);
	}
	if (r == 0)
		r = add_conditional(b, strv_has(t->caps, "CAP_SYS_ADMIN"), e);
	b->prefix.is_default = true;
	return r;
}

static int build_set(struct build *b, const struct seccomp_text *t, struct err *e)
{
	int r = 0;

	for (char **c = t->calls; c && *c && r == 0; c++) {
		_cleanup_strv_ char **set = NULL;

		if (**c != '@') {
			r = add_call(b, *c, e);
			continue;
		}
		set = seccomp_set(*c);
		r = set ? add_calls(b, set, NULL, e) : err_set(e, EINVAL, "seccomp: unknown set %s", q(*c));
	}
	return r;
}

static int export(struct build *b, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int fd = memfd_create("bpf", MFD_CLOEXEC);
	_cleanup_free_ char *body = NULL;
	struct strbuf sb = STRBUF_INIT;
	size_t len;
	int r;

	if (fd < 0)
		return err_sys(e, "memfd_create");
	r = seccomp_export_bpf(b->ctx, fd);
	if (r < 0)
		return err_sysr(e, r, "seccomp: build the program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "seek");
	r = read_all(fd, 4096 * sizeof(struct sock_filter), &body, &len);
	if (r < 0)
		return err_sysr(e, r, "read the program");
	/* Jumps are relative: what stands in front changes nothing. */
	prefix_add(&b->prefix, &sb);
	strbuf_add(&sb, body, len);
	if (sb.len > 4096 * sizeof(struct sock_filter)) {
		strbuf_done(&sb);
		return err_set(e, E2BIG, "seccomp: the filter is too large");
	}
	*ret_len = sb.len;
	*ret = strbuf_take(&sb);
	return 0;
}

int seccomp_compile(const struct seccomp_text *t, char **ret, size_t *ret_len, struct err *e)
{
	struct build b = {0};
	uint32_t refuse = SCMP_ACT_KILL_PROCESS, otherwise;
	int r = 0;

	if (t->err_no) {
		int n = errno_number(t->err_no);

		if (n < 0)
			return err_set(e, EINVAL, "seccomp: unknown errno %s", q(t->err_no));
		refuse = SCMP_ACT_ERRNO((uint32_t) n);
	}
	if (t->mode == SECCOMP_DEFAULT)
		refuse = SCMP_ACT_ERRNO(EPERM);
	b.action = t->mode == SECCOMP_REMOVE ? refuse : SCMP_ACT_ALLOW;
	otherwise = t->mode == SECCOMP_REMOVE ? SCMP_ACT_ALLOW : refuse;
	b.ctx = seccomp_init(otherwise);
	if (!b.ctx)
		return err_set(e, ENOMEM, "seccomp: cannot begin a filter");
	/* The pod's init decides about no_new_privs; an architecture that is not listed is not run. */
	(void) seccomp_attr_set(b.ctx, SCMP_FLTATR_CTL_NNP, 0);
	(void) seccomp_attr_set(b.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree: the number of comparisons grows with the logarithm of the calls. */
	(void) seccomp_attr_set(b.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = add_architectures(b.ctx, e);
	if (r == 0)
		r = t->mode == SECCOMP_DEFAULT ? build_default(&b, t, e) : build_set(&b, t, e);
	if (r == 0)
		r = export(&b, ret, ret_len, e);
	seccomp_release(b.ctx);
	strv_free(b.seen);
	return r;
}
