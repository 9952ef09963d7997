#include "stage1/seccomp/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <string.h>

#include "base/str.h"

#define TEXT_MAX (256u << 10)

#if defined(__x86_64__)
#define ARCH "x86_64"
#elif defined(__aarch64__)
#define ARCH "aarch64"
#elif defined(__powerpc64__)
#define ARCH "ppc64le"
#elif defined(__i386__)
#define ARCH "i386"
#elif defined(__arm__)
#define ARCH "arm"
#else
#error "name this architecture"
#endif

#define STRING(x) #x
#define VERSION_OF(a, b, c) STRING(a) "." STRING(b) "." STRING(c)
#define LIBSECCOMP VERSION_OF(SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO)
#define HEAD "gantry-seccomp 1\narch " ARCH "\nlibseccomp " LIBSECCOMP "\n"

static const char *const modes[] = {"default", "retain", "remove"};

/* Capabilities that make calls useful which the default filter otherwise refuses. */
static const struct {
	int cap;
	const char *name;
} opening[] = {
	{CAP_BPF, "CAP_BPF"},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
	{CAP_PERFMON, "CAP_PERFMON"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAP_SYS_BOOT, "CAP_SYS_BOOT"},
	{CAP_SYS_CHROOT, "CAP_SYS_CHROOT"},
	{CAP_SYSLOG, "CAP_SYSLOG"},
	{CAP_SYS_MODULE, "CAP_SYS_MODULE"},
	{CAP_SYS_NICE, "CAP_SYS_NICE"},
	{CAP_SYS_PACCT, "CAP_SYS_PACCT"},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
	{CAP_SYS_RAWIO, "CAP_SYS_RAWIO"},
	{CAP_SYS_TIME, "CAP_SYS_TIME"},
	{CAP_SYS_TTY_CONFIG, "CAP_SYS_TTY_CONFIG"},
};

void seccomp_text_done(struct seccomp_text *t)
{
	free(t->err_no);
	strv_free(t->caps);
	strv_free(t->calls);
	*t = (struct seccomp_text) {0};
}

static char *default_text(uint64_t bounding)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, HEAD "mode default\n");
	for (size_t i = 0; i < ELEMENTSOF(opening); i++)
		if (bounding & 1ULL << opening[i].cap)
			strbuf_addf(&sb, "cap %s\n", opening[i].name);
	return strbuf_take(&sb);
}

/* Names become lines: nothing but the characters of call and set names. */
static bool is_call_name(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') && !strchr("_@/.-", *p))
			return false;
	return *s;
}

static char *set_text(const struct isolator *iso, struct err *e)
{
	_cleanup_strv_ char **calls = strv_copy(iso->names.set);
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strv_sort(calls);
	strbuf_addf(&sb, HEAD "mode %s\n", iso->kind == ISO_SECCOMP_RETAIN ? "retain" : "remove");
	if (iso->names.err_no)
		strbuf_addf(&sb, "errno %s\n", iso->names.err_no);
	for (size_t i = 0; calls && calls[i]; i++) {
		if (!is_call_name(calls[i])) {
			err_set(e, EINVAL, "seccomp: unknown system call %s", q(calls[i]));
			return NULL;
		}
		if (!i || strcmp(calls[i], calls[i - 1]))
			strbuf_addf(&sb, "call %s\n", calls[i]);
	}
	return strbuf_take(&sb);
}

int seccomp_text_make(const struct isolator_list *isolators, uint64_t bounding, char **ret, struct err *e)
{
	const struct isolator *retain = isolator_find(isolators, ISO_SECCOMP_RETAIN);
	const struct isolator *remove = isolator_find(isolators, ISO_SECCOMP_REMOVE);
	const struct isolator *iso = retain ? retain : remove;

	*ret = NULL;
	if (retain && strv_has(retain->names.set, "@appc.io/all"))
		return 0;
	/* The specification's way to ask for the implementation's own filter. */
	if (!iso || (remove && strv_len(remove->names.set) == 1 && strv_has(remove->names.set, "@appc.io/empty")))
		*ret = default_text(bounding);
	else
		*ret = set_text(iso, e);
	return *ret ? 0 : -EINVAL;
}

static int parse_line(char *line, struct seccomp_text *t, struct err *e)
{
	char *value = strchr(line, ' ');

	if (!value)
		return err_set(e, EINVAL, "seccomp: malformed line %s", q(line));
	*value++ = '\0';
	if (!strcmp(line, "errno") && !t->err_no)
		t->err_no = xstrdup(value);
	else if (!strcmp(line, "cap"))
		strv_add(&t->caps, value);
	else if (!strcmp(line, "call"))
		strv_add(&t->calls, value);
	else
		return err_set(e, EINVAL, "seccomp: unknown word %s", q(line));
	return 0;
}

static int parse_mode(const char *line, enum seccomp_mode *ret, struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
		if (str_starts(line, "mode ") && !strcmp(line + 5, modes[i])) {
			*ret = (enum seccomp_mode) i;
			return 0;
		}
	}
	return err_set(e, EINVAL, "seccomp: bad mode line %s", q(line));
}

int seccomp_text_parse(const char *text, struct seccomp_text *ret, struct err *e)
{
	_cleanup_strv_ char **lines = NULL;
	struct seccomp_text t = {0};
	size_t n;
	int r;

	if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX || !str_starts(text, HEAD))
		return err_set(e, EINVAL, "seccomp: not a filter for this program");
	lines = strv_split(text + strlen(HEAD), '\n');
	n = strv_len(lines);
	if (n < 2 || *lines[n - 1])
		return err_set(e, EINVAL, "seccomp: the filter is not complete");
	r = parse_mode(lines[0], &t.mode, e);
	for (size_t i = 1; i + 1 < n && r == 0; i++)
		r = parse_line(lines[i], &t, e);
	if (r < 0) {
		seccomp_text_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}
